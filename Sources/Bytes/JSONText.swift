import CKernels

/// Strings of JSON: escaping and unescaping on bytes.
///
/// Escaping is canonical: `\" \\ \b \t \n \f \r`, other controls as `\u00xx` (lower case), everything else as it is.
public enum JSONText {
  /// Number of bytes from `start` that need no escape and end no string.
  @inline(__always) static func plainPrefix(_ bytes: borrowing Span<UInt8>, _ start: Int) -> Int {
    bytes.withUnsafeBufferPointer { buffer in
      start < buffer.count ? sluice_json_plain_prefix(buffer.baseAddress! + start, buffer.count - start) : 0
    }
  }

  /// Appends the string with its quotes.
  public static func append(string bytes: borrowing Span<UInt8>, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    var index = 0
    while index < bytes.count {
      let plain = plainPrefix(bytes, index)
      if plain > 0 {
        output.append(bytes.extracting(index..<index + plain))
        index += plain
        if index == bytes.count { break }
      }
      let byte = bytes[index]
      output.append(UInt8(ascii: "\\"))
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
      case 8: output.append(UInt8(ascii: "b"))
      case 9: output.append(UInt8(ascii: "t"))
      case 10: output.append(UInt8(ascii: "n"))
      case 12: output.append(UInt8(ascii: "f"))
      case 13: output.append(UInt8(ascii: "r"))
      default:
        output.append("u00")
        output.append(Hex.digit(byte >> 4))
        output.append(Hex.digit(byte & 15))
      }
      index += 1
    }
    output.append(UInt8(ascii: "\""))
  }

  public static func append(string text: String, to output: inout [UInt8]) {
    append(string: Array(text.utf8).span, to: &output)
  }

  /// Appends the text of the raw string content `raw` (between the quotes, already validated). A lone surrogate
  /// becomes U+FFFD. Returns the number of such replacements.
  @discardableResult
  public static func appendUnescaped(_ raw: borrowing Span<UInt8>, to output: inout [UInt8]) -> Int {
    var replaced = 0
    var index = 0
    while index < raw.count {
      let plain = plainPrefix(raw, index)
      if plain > 0 {
        output.append(raw.extracting(index..<index + plain))
        index += plain
        continue
      }
      guard raw[index] == UInt8(ascii: "\\"), index + 1 < raw.count else {
        output.append(raw[index])
        index += 1
        continue
      }
      switch raw[index + 1] {
      case UInt8(ascii: "b"): output.append(8)
      case UInt8(ascii: "t"): output.append(9)
      case UInt8(ascii: "n"): output.append(10)
      case UInt8(ascii: "f"): output.append(12)
      case UInt8(ascii: "r"): output.append(13)
      case UInt8(ascii: "u"):
        guard let unit = codeUnit(raw, index) else {
          output.append(raw[index])
          index += 1
          continue
        }
        index += 6
        if unit & 0xFC00 == 0xD800, let low = codeUnit(raw, index), low & 0xFC00 == 0xDC00 {
          output.append(scalar: 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF))
          index += 6
        } else {
          if unit & 0xF800 == 0xD800 { replaced += 1 }
          output.append(scalar: unit)
        }
        continue
      default: output.append(raw[index + 1])
      }
      index += 2
    }
    return replaced
  }

  private static func codeUnit(_ raw: borrowing Span<UInt8>, _ index: Int) -> UInt32? {
    guard index + 6 <= raw.count, raw[index] == UInt8(ascii: "\\"), raw[index + 1] == UInt8(ascii: "u") else {
      return nil
    }
    var value: UInt32 = 0
    for offset in 2..<6 {
      guard let digit = raw[index + offset].hexDigit else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}
