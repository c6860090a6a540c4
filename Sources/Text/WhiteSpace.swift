import Bytes

/// White space at the edges: no blanks at line ends, at most one empty line in a row, nothing before and after the text.
///
/// Blanks at the start and inside of lines stay (code and verse need them), except that a text does not start with empty
/// lines. A line ends at LF; blank is White_Space. Tidy text stays as it is.
///
/// - Source: our own rule.
public enum WhiteSpace {
  /// Appends the tidied text. Returns true if it differs from `text`.
  @discardableResult
  public static func tidy(_ text: borrowing Span<UInt8>, into output: inout [UInt8]) -> Bool {
    let first = output.count
    var copied = 0
    var start = 0
    var emptyLines = 0
    var hasText = false
    var hasChanged = false
    // `copied ..< start` is tidy and not yet written, so that untouched stretches are copied at once.
    while start < text.count {
      let lineEnd = text.firstIndex(of: 0x0A, from: start) ?? text.count
      let textEnd = trimmedEnd(text, start..<lineEnd)
      let isEmpty = textEnd == start
      emptyLines = isEmpty ? emptyLines + 1 : 0
      let isDropped = isEmpty && (!hasText || emptyLines > 1)
      if isDropped || textEnd < lineEnd {
        hasChanged = true
        output.append(text.extracting(copied..<(isDropped ? start : textEnd)))
        copied = isDropped ? min(lineEnd + 1, text.count) : lineEnd
      }
      hasText = hasText || !isEmpty
      start = lineEnd + 1
    }
    output.append(text.extracting(copied..<text.count))
    while output.count > first, output[output.count - 1] == 0x0A {
      output.removeLast()
      hasChanged = true
    }
    return hasChanged
  }

  /// The end of the line without the blanks before it.
  private static func trimmedEnd(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> Int {
    var end = line.upperBound
    while end > line.lowerBound {
      let last = text[end - 1]
      if last > 0x20, last < 0x80 { break }
      var lead = end - 1
      while lead > line.lowerBound, text[lead] & 0xC0 == 0x80, end - lead < 4 { lead -= 1 }
      let (scalar, length) = UTF8Text.scalar(in: text, at: lead)
      guard lead + length == end, ScalarTraits.of(scalar).contains(.space) else { break }
      end = lead
    }
    return end
  }
}
