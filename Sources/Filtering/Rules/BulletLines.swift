import Bytes

/// Share of lines that start with a bullet.
///
/// - Measure: lines that start with `•`, `-`, `*`, `●`, `‣`, `▪` or `·` / lines that are not blank.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1: at most 0.9.
struct BulletLines: Rule {
  let name = "bullet-lines"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    let bytes = text.text
    var count = 0
    let lines = text.lines
    for line in lines {
      let (first, _) = UTF8Text.scalar(in: bytes.span, at: line.range.lowerBound)
      switch first {
      case 0x2D, 0x2A, 0x2022, 0x25CF, 0x2023, 0x25AA, 0xB7: count += 1
      default: break
      }
    }
    return Measure(count, per: lines.count)
  }
}
