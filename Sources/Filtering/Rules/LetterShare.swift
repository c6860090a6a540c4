/// Share of letters: tables of numbers, rules, boxes and code in symbols have few.
///
/// - Measure: letters and marks / scalars that are not white space.
/// - Source: our own, the kin of Gopher's alphabetic words for all scripts.
struct LetterShare: Rule {
  let name = "letter-share"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.counts.letters, per: text.counts.visible)
  }
}
