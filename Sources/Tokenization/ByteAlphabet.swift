import Bytes

/// GPT-2's byte-level alphabet: each byte as one printable character, so that vocabularies can be JSON text.
///
/// Bytes 33–126, 161–172 and 174–255 stand for the character of the same number; the other 68, in order, for U+0100,
/// U+0101, … The initial ids of a trained vocabulary follow the code points of these characters.
///
/// - Source: `bytes_to_unicode` of openai/gpt-2, and `ByteLevel.alphabet()` of Hugging Face tokenizers.
public enum ByteAlphabet {
  /// The character of each byte.
  static let scalars: [UInt32] = {
    var next: UInt32 = 0x100
    return (0..<256).map { byte in
      switch byte {
      case 33...126, 161...172, 174...255: return UInt32(byte)
      default:
        defer { next += 1 }
        return next
      }
    }
  }()

  /// The byte of each character below U+0144; 256 where there is none.
  private static let bytes: [UInt16] = {
    var table = [UInt16](repeating: 256, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { table[Int(scalar)] = UInt16(byte) }
    return table
  }()

  /// All bytes, sorted by the code point of their character: position = initial id.
  public static let bytesByID: [UInt8] =
    scalars.indices.sorted { scalars[$0] < scalars[$1] }.map { UInt8($0) }

  static func byte(of scalar: UInt32) -> UInt8? {
    guard scalar < 0x144, bytes[Int(scalar)] < 256 else { return nil }
    return UInt8(bytes[Int(scalar)])
  }

  /// Appends the characters of `raw` as UTF-8.
  static func append(_ raw: borrowing Span<UInt8>, to output: inout [UInt8]) {
    for index in raw.indices { output.append(scalar: scalars[Int(raw[index])]) }
  }

  /// The text of `raw`.
  static func text(_ raw: borrowing Span<UInt8>) -> String {
    var output: [UInt8] = []
    append(raw, to: &output)
    return output.string
  }

  /// The bytes that `text` stands for, or nil if a character is not of the alphabet.
  static func raw(_ text: String) -> [UInt8]? {
    var output: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = byte(of: scalar.value) else { return nil }
      output.append(byte)
    }
    return output
  }
}
