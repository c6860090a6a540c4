/// Share of words in long stretches without punctuation or line break: salads of words, lists of keywords.
///
/// - Measure: words in stretches of more than 60 words, or 150 characters in scripts without spaces / words (`Stretches`).
/// - Source: our own.
struct UnbrokenWords: Rule {
  let name = "unbroken-words"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.unbroken.unbrokenWords, per: text.wordCount, span: text.unbroken.longestSpan)
  }
}
