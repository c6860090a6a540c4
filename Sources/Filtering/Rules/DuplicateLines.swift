/// Share of lines that stood in the text before.
///
/// - Measure: second and later copies of lines / lines that are not blank.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1: at most 0.3.
struct DuplicateLines: Rule {
  let name = "duplicate-lines"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.copies.copiedLines, per: text.copies.lines, span: text.copies.lineSpan)
  }
}
