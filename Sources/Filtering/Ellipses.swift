import Bytes

/// `...` and `…`.
enum Ellipses {
  /// How many, not overlapping.
  static func count(_ text: borrowing Span<UInt8>) -> Int {
    var count = 0
    var index = 0
    while let dot = text.firstIndex(of: 0x2E, from: index) {
      let isEllipsis = dot + 2 < text.count && text[dot + 1] == 0x2E && text[dot + 2] == 0x2E
      count += isEllipsis ? 1 : 0
      index = dot + (isEllipsis ? 3 : 1)
    }
    index = 0
    while let lead = text.firstIndex(of: 0xE2, from: index) {
      count += lead + 2 < text.count && text[lead + 1] == 0x80 && text[lead + 2] == 0xA6 ? 1 : 0
      index = lead + 1
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
