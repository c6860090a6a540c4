/// Different stop words of English, of Gopher's eight.
///
/// - Measure: how many of `the be to of and that have with` occur, in any case.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1: at least 2. For English-looking text only.
struct StopWords: Rule {
  let name = "stop-words"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.english.stopWords.nonzeroBitCount)
  }
}
