import Bytes

/// Share of lines that end with an ellipsis: teasers that go on elsewhere.
///
/// - Measure: lines that end with `...` or `…` / lines that are not blank.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1: at most 0.3.
struct EllipsisLines: Rule {
  let name = "ellipsis-lines"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    let bytes = text.text
    var count = 0
    var span: Range<Int>?
    let lines = text.lines
    for line in lines where Ellipses.ends(bytes.span, line.range) {
      count += 1
      span = span ?? line.range
    }
    return Measure(count, per: lines.count, span: span)
  }
}
