/// Share of digits.
///
/// - Measure: decimal digits / scalars that are not white space.
/// - Source: our own.
struct DigitShare: Rule {
  let name = "digit-share"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.counts.decimalDigits, per: text.counts.visible)
  }
}
