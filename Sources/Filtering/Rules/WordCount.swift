/// Number of words; in scripts without spaces, of characters.
///
/// - Measure: words with a letter or number.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1, with 50 and 100,000 words.
struct WordCount: Rule {
  let name = "word-count"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.wordCount)
  }
}
