import Bytes

/// Decodes the text and attribute values that the tokenizer leaves as ranges: character references and NUL.
///
/// - Source: WHATWG HTML, section 13.2.5.72 to 13.2.5.80 (character references).
enum HTMLText {
  /// Appends `bytes[start..<end]`, decoded by the rules of `content`, to `output`. In an attribute a name without
  /// semicolon before `=` or an alphanumeric stays text. NUL becomes U+FFFD, except in `data` and `cdata`, where it stays.
  static func append(
    _ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, content: HTMLTokenizer.Content,
    isAttribute: Bool = false,
    to output: inout HTMLColumn<UInt8>
  ) {
    let decodesReferences = isAttribute || content == .data || content == .rcdata
    let replacesNUL = isAttribute || !(content == .data || content == .cdata)
    var runStart = start
    var index = start
    while index < end {
      let byte = bytes[index]
      if byte == UInt8(ascii: "&"), decodesReferences {
        output.append(bytes + runStart, count: index - runStart)
        index = appendReference(bytes, at: index, end: end, isAttribute: isAttribute, to: &output)
        runStart = index
      } else if byte == 0, replacesNUL {
        output.append(bytes + runStart, count: index - runStart)
        appendScalar(0xFFFD, to: &output)
        index += 1
        runStart = index
      } else {
        index += 1
      }
    }
    output.append(bytes + runStart, count: end - runStart)
  }

  /// Appends what the `&` at `start` stands for (itself, where it begins no reference); the index after it.
  static func appendReference(
    _ bytes: UnsafePointer<UInt8>, at start: Int, end: Int, isAttribute: Bool,
    to output: inout HTMLColumn<UInt8>
  ) -> Int {
    let next = start + 1
    if next < end, bytes[next] == UInt8(ascii: "#") {
      return appendNumeric(bytes, at: start, end: end, to: &output)
    }
    if next < end, bytes[next].isASCIILetter,
      let match = HTMLEntities.standard.match(bytes, at: next, end: end)
    {
      let after = next + match.length
      let isText =
        isAttribute && !match.hasSemicolon && after < end
        && (bytes[after] == UInt8(ascii: "=") || bytes[after].isASCIILetter || bytes[after].isASCIIDigit)
      if !isText {
        appendScalar(match.first, to: &output)
        if match.second != 0 { appendScalar(match.second, to: &output) }
        return after
      }
    }
    output.append(UInt8(ascii: "&"))
    return next
  }

  private static func appendNumeric(
    _ bytes: UnsafePointer<UInt8>, at start: Int, end: Int, to output: inout HTMLColumn<UInt8>
  ) -> Int {
    var index = start + 2
    var value: UInt32 = 0
    var digits = 0
    let isHex = index < end && (bytes[index] | 0x20) == UInt8(ascii: "x")
    if isHex { index += 1 }
    while index < end {
      let digit: Int?
      if isHex { digit = bytes[index].hexDigit } else { digit = bytes[index].decimalDigit }
      guard let digit else { break }
      // Saturates above the last code point: any further digit keeps it out of range.
      if value < 0x110000 { value = value * (isHex ? 16 : 10) + UInt32(digit) }
      digits += 1
      index += 1
    }
    guard digits > 0 else {
      output.append(UInt8(ascii: "&"))
      return start + 1
    }
    if index < end, bytes[index] == UInt8(ascii: ";") { index += 1 }
    appendScalar(numericScalar(value), to: &output)
    return index
  }

  /// The scalar of a numeric reference: 80–9F through windows-1252; 0, surrogates and beyond U+10FFFF give U+FFFD.
  static func numericScalar(_ value: UInt32) -> UInt32 {
    if value == 0 || value >= 0x110000 || (value >= 0xD800 && value < 0xE000) { return 0xFFFD }
    guard value >= 0x80, value < 0xA0 else { return value }
    let mapped = windows1252[Int(value - 0x80)]
    return mapped == 0 ? value : UInt32(mapped)
  }

  /// 0 where the standard's table has no entry.
  private static let windows1252: [UInt16] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
    0x017D, 0,
    0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,
    0x017E,
    0x0178,
  ]

  static func appendScalar(_ value: UInt32, to output: inout HTMLColumn<UInt8>) {
    if value < 0x80 {
      output.append(UInt8(value))
    } else if value < 0x800 {
      output.append(UInt8(0xC0 | value >> 6))
      output.append(UInt8(0x80 | value & 0x3F))
    } else if value < 0x10000 {
      output.append(UInt8(0xE0 | value >> 12))
      output.append(UInt8(0x80 | value >> 6 & 0x3F))
      output.append(UInt8(0x80 | value & 0x3F))
    } else {
      output.append(UInt8(0xF0 | value >> 18))
      output.append(UInt8(0x80 | value >> 12 & 0x3F))
      output.append(UInt8(0x80 | value >> 6 & 0x3F))
      output.append(UInt8(0x80 | value & 0x3F))
    }
  }
}
