/// Share of the text that stands in lines like those of a menu: a few words, no end of a sentence.
///
/// - Measure: weight of letters in lines of at most 5 words (12 characters in scripts without spaces) that do not end a
///   sentence / weight of all letters in lines.
/// - Source: our own; the kin of FineWeb's short lines and lines without punctuation.
struct MenuLines: Rule {
  let name = "menu-lines"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    let found = MenuText.find(text.text.span, text.words, text.lines)
    return Measure(found.menuWeight, per: found.weight, span: found.span)
  }
}
