/// Share of words that only filler text has.
///
/// - Measure: words of the scrambled Cicero that page templates are filled with, and that are no words of Latin prose
///   (`FillerWords`) / words.
/// - Source: our own; C4 drops a page at the first `lorem ipsum`, which also hits pages about typography.
struct LoremIpsum: Rule {
  let name = "lorem-ipsum"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    let found = FillerWords.find(text.text.span, text.words)
    return Measure(found.count, per: text.wordCount, span: found.span)
  }
}
