import Bytes

/// A character reference in wikitext: named or numeric, with its semicolon.
struct WikitextReference {
  /// Bytes that it takes.
  private(set) var length: Int
  private var first: UInt32
  private var second: UInt32 = 0

  /// Reads the reference at `index`, where `&` stands; nil if it is none.
  init?(_ text: borrowing Span<UInt8>, at index: Int) {
    guard index + 1 < text.count else { return nil }
    if text[index + 1] == UInt8(ascii: "#") {
      guard let numeric = WikitextReference.numeric(text, index) else { return nil }
      length = numeric.length
      first = numeric.scalar
      return
    }
    let found = text.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.flatMap { HTMLEntities.standard.match($0, at: index + 1, end: buffer.count) }
    }
    guard let match = found, match.hasSemicolon else { return nil }
    length = match.length + 1
    first = match.first
    second = match.second
  }

  private static func numeric(_ text: borrowing Span<UInt8>, _ index: Int) -> (length: Int, scalar: UInt32)? {
    var position = index + 2
    let isHex = position < text.count && text[position] | 0x20 == UInt8(ascii: "x")
    if isHex { position += 1 }
    let start = position
    var value: UInt32 = 0
    while position < text.count, position - start < 8 {
      guard let digit = isHex ? text[position].hexDigit : text[position].decimalDigit else { break }
      value = min(value * (isHex ? 16 : 10) + UInt32(digit), 0x110000)
      position += 1
    }
    guard position > start, position < text.count, text[position] == UInt8(ascii: ";") else { return nil }
    return (position + 1 - index, HTMLText.numericScalar(value))
  }

  /// Appends what it stands for; a no-break space becomes a blank, a control nothing.
  func append(to output: inout [UInt8]) {
    if first >= 32 || first == 9 || first == 10 { output.append(scalar: first == 0xA0 ? 32 : first) }
    if second != 0 { output.append(scalar: second) }
  }

  /// Appends the text with its references replaced.
  static func appendAll(_ text: borrowing Span<UInt8>, to output: inout [UInt8]) {
    var copied = 0
    var index = 0
    while let found = text.firstIndex(of: UInt8(ascii: "&"), from: index) {
      index = found + 1
      guard let reference = WikitextReference(text, at: found) else { continue }
      output.append(text.extracting(copied..<found))
      reference.append(to: &output)
      copied = found + reference.length
      index = copied
    }
    output.append(text.extracting(copied..<text.count))
  }
}
