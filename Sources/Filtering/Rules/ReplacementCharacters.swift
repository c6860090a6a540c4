/// Share of U+FFFD: what is left of bytes that were decoded wrongly.
///
/// - Measure: U+FFFD / scalars that are not white space.
/// - Source: our own.
struct ReplacementCharacters: Rule {
  let name = "replacement-characters"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.counts.replacements, per: text.counts.visible)
  }
}
