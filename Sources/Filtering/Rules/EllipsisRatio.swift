/// Ellipses per word.
///
/// - Measure: `...` (not overlapping) and `…` / words.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1: at most 0.1.
struct EllipsisRatio: Rule {
  let name = "ellipsis-ratio"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(Ellipses.count(text.text.span), per: text.wordCount)
  }
}
