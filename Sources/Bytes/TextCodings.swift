/// Hexadecimal and Base64 of bytes.
public enum Hex {
  /// Lower-case digits, two a byte.
  public static func string(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      out.append(digit(byte >> 4))
      out.append(digit(byte & 15))
    }
    return out.string
  }

  /// Sixteen digits.
  public static func string(_ value: UInt64) -> String {
    string((0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) })
  }

  static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}

/// Base64 with padding. Source: RFC 4648, section 4.
public enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  public static func encode(_ bytes: borrowing Span<UInt8>, into output: inout [UInt8]) {
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let a = bytes[index]
      let b = left > 1 ? bytes[index + 1] : 0
      let c = left > 2 ? bytes[index + 2] : 0
      output.append(alphabet[Int(a >> 2)])
      output.append(alphabet[Int((a & 3) << 4 | b >> 4)])
      output.append(left > 1 ? alphabet[Int((b & 15) << 2 | c >> 6)] : 61)
      output.append(left > 2 ? alphabet[Int(c & 63)] : 61)
      index += 3
    }
  }

  /// The bytes, or nil if the text is not padded Base64.
  public static func decode(_ text: borrowing Span<UInt8>) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(text.count / 4 * 3)
    var index = 0
    while index < text.count {
      var word: UInt32 = 0
      var padding = 0
      for offset in 0..<4 {
        let byte = text[index + offset]
        if byte == 61, index + 4 == text.count, offset >= 2 {
          padding += 1
          word <<= 6
          continue
        }
        guard padding == 0, let value = value(of: byte) else { return nil }
        word = word << 6 | UInt32(value)
      }
      out.append(UInt8(word >> 16))
      if padding < 2 { out.append(UInt8(word >> 8 & 255)) }
      if padding < 1 { out.append(UInt8(word & 255)) }
      index += 4
    }
    return out
  }

  private static func value(of byte: UInt8) -> UInt8? {
    switch byte {
    case 65...90: byte - 65
    case 97...122: byte - 71
    case 48...57: byte + 4
    case 43: 62
    case 47: 63
    default: nil
    }
  }
}
