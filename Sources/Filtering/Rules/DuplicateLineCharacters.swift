/// Share of lines that stood in the text before, by length.
///
/// - Measure: bytes of second and later copies of lines / bytes of lines.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1: at most 0.2. Bytes stand for characters: within one text their ratio is about the same.
struct DuplicateLineCharacters: Rule {
  let name = "duplicate-line-characters"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.copies.copiedLineBytes, per: text.copies.lineBytes, span: text.copies.lineSpan)
  }
}
