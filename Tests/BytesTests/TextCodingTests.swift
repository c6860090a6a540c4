import Bytes
import TestSupport
import Testing

@Suite struct TextCodingTests {
  /// RFC 4648, section 10.
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ])
  func `Base64 gives the vectors of its RFC`(plain: String, coded: String) {
    var out: [UInt8] = []
    Base64.encode(Array(plain.utf8).span, into: &out)
    #expect(out.string == coded)
    #expect(Array(coded.utf8).base64Decoded == Array(plain.utf8))
  }

  @Test(arguments: ["Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm-_", "=Zg=", "Zg=A"])
  func `Base64 refuses what is not padded Base64`(text: String) {
    #expect(Array(text.utf8).base64Decoded == nil)
  }

  @Test func `Base64 round-trips all bytes at all lengths`() {
    var random = SeededRandom(seed: 5)
    for length in 0...300 {
      let bytes = random.bytes(length)
      var out: [UInt8] = []
      Base64.encode(bytes.span, into: &out)
      #expect(out.count == (length + 2) / 3 * 4)
      #expect(out.base64Decoded == bytes)
    }
  }

  @Test func `hexadecimal is lower case and keeps leading zeros`() {
    #expect(Hex.string([0x00, 0x0F, 0xA5, 0xFF]) == "000fa5ff")
    #expect(Hex.string(UInt64(0xEF46)) == "000000000000ef46")
    #expect(Hex.string(UInt64.max) == "ffffffffffffffff")
  }

  @Test(arguments: [0, 1, -1, 9, 10, 99, 100, -100, Int(Int32.max), Int.max, Int.min])
  func `integers are appended in decimal`(value: Int) {
    var out = Array("x".utf8)
    out.append(decimal: value)
    #expect(out.string == "x\(value)")
  }

  @Test func `the largest unsigned integer is appended in decimal`() {
    var out: [UInt8] = []
    out.append(decimal: UInt.max)
    #expect(out.string == "\(UInt.max)")
  }

  @Test func `byte classes agree with their definition on every byte`() {
    for byte in UInt8.min...UInt8.max {
      let scalar = Character(Unicode.Scalar(byte))
      #expect(byte.isASCIIDigit == ("0"..."9").contains(scalar))
      #expect(
        byte.isASCIILetter == (("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)) || byte >= 128)
      #expect(byte < 128 || !byte.isASCIILetter && !byte.isASCIIDigit && byte.hexDigit == nil)
      #expect(byte.isASCIISpace == [9, 10, 12, 13, 32].contains(byte))
      if byte < 128 {
        #expect(byte.hexDigit == scalar.hexDigitValue)
        #expect(String(UnicodeScalar(byte.asciiLowercased)) == scalar.lowercased())
      }
    }
  }

  @Test func `searches find the first place and only whole needles`() {
    let bytes = Array("aabaaab".utf8)
    #expect(bytes.place(of: UInt8(ascii: "b")) == 2)
    #expect(bytes.place(of: UInt8(ascii: "b"), from: 3) == 6)
    #expect(bytes.place(of: UInt8(ascii: "b"), from: 7) == nil)
    #expect(bytes.place(of: "aaab") == 3)
    #expect(bytes.place(of: "aaab", from: 4) == nil)
    #expect(bytes.place(of: "") == nil)
    #expect([UInt8]().place(of: 0) == nil)
    #expect(bytes.has("aab", at: 0))
    #expect(bytes.has("b", at: 6))
    #expect(!bytes.has("ba", at: 6))
    #expect(Array("AaB".utf8).has("aab", at: 0, ignoringCase: true))
    #expect(Array(" \t x y \n".utf8).trimmed() == 3..<6)
    #expect(Array("   ".utf8).trimmed().isEmpty)
  }
}
