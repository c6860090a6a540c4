/// Share of paragraphs that stood in the text before.
///
/// - Measure: second and later copies of paragraphs / paragraphs.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1: at most 0.3.
struct DuplicateParagraphs: Rule {
  let name = "duplicate-paragraphs"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.copies.copiedParagraphs, per: text.copies.paragraphs, span: text.copies.paragraphSpan)
  }
}
