/// Share of paragraphs that stood in the text before, by length.
///
/// - Measure: bytes of second and later copies of paragraphs / bytes of paragraphs.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1: at most 0.2. Bytes stand for characters: within one text their ratio is about the same.
struct DuplicateParagraphCharacters: Rule {
  let name = "duplicate-paragraph-characters"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(
      text.copies.copiedParagraphBytes, per: text.copies.paragraphBytes, span: text.copies.paragraphSpan)
  }
}
