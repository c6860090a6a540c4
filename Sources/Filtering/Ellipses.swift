import Bytes

/// `...` and `…`.
enum Ellipses {
  /// How many, not overlapping.
  static func count(_ text: borrowing Span<UInt8>) -> Int {
    var count = 0
    var index = 0
    while index + 2 < text.count {
      if isAt(text, index) {
        count += 1
        index += 3
      } else {
        index += 1
      }
    }
    return count
  }

  /// True if the line ends with one.
  static func ends(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> Bool {
    line.count >= 3 && isAt(text, line.upperBound - 3)
  }

  @inline(__always)
  private static func isAt(_ text: borrowing Span<UInt8>, _ index: Int) -> Bool {
    let first = text[index]
    if first == 0x2E { return text[index + 1] == 0x2E && text[index + 2] == 0x2E }
    return first == 0xE2 && text[index + 1] == 0x80 && text[index + 2] == 0xA6
  }
}
