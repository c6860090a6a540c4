import Bytes
import TestSupport
import Testing

@Suite struct UTF8Tests {
  /// Bytes at the borders of table 3-7 of the Unicode standard.
  static let borders: [UInt8] = [
    0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
    0xEE,
    0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
  ]

  /// Calls `body` with every sequence of one to four border bytes (over 400,000).
  static func sweep(_ body: (borrowing Span<UInt8>) -> Void) {
    var sequence: [UInt8] = []
    func extend(_ left: Int) {
      for byte in borders {
        sequence.append(byte)
        body(sequence.span)
        if left > 1 { extend(left - 1) }
        sequence.removeLast()
      }
    }
    extend(4)
  }

  @Test
  func
    `the kernel agrees with the plain reference and the standard library on all sequences of border bytes`()
  {
    var count = 0
    var wrong: [[UInt8]] = []
    Self.sweep { bytes in
      count += 1
      let valid = UTF8Text.isValid(bytes)
      let reference = UTF8Text.isValidReference(bytes)
      let standard = bytes.withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) != nil }
      if valid != reference || valid != standard { wrong.append(bytes.array()) }
    }
    #expect(count > 400_000)
    #expect(wrong == [])
  }

  @Test func `the kernel agrees behind every length of plain text`() {
    let endings: [[UInt8]] = [
      [0xC3, 0xA9], [0xC3], [0xE2, 0x82, 0xAC], [0xE2, 0x82], [0xF0, 0x9F, 0x98, 0x80], [0xF0, 0x9F, 0x98],
      [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80], [0xFF], [],
    ]
    for length in 0...140 {
      for ending in endings {
        let bytes = [UInt8](repeating: 0x61, count: length) + ending + Array("z".utf8)
        #expect(bytes.isValidUTF8 == (String(validating: bytes, as: UTF8.self) != nil))
      }
    }
  }

  @Test func `the kernel agrees with the reference on damaged text`() {
    var random = SeededRandom(seed: 3)
    let text = Array("Größe, 日本語, кириллица, हिन्दी, 😀 and plain English text that is longer.".utf8)
    for _ in 0..<20_000 {
      let bytes = random.mutation(of: text)
      let valid = bytes.isValidUTF8
      #expect(valid == bytes.isValidUTF8Reference)
      #expect(valid == (String(validating: bytes, as: UTF8.self) != nil))
    }
  }

  /// Unicode 16, chapter 3, tables 3-8 to 3-11, and the cut at the end.
  @Test(arguments: [
    ("C0 AF E0 80 BF F0 81 82 41", 8), ("ED A0 80 ED BF BF ED AF 41", 8),
    ("F4 91 92 93 FF 41 80 BF 42", 7), ("E1 80 E2 F0 91 92 F1 BF 41", 4), ("41 F0 9F 98", 1), ("C3", 1),
  ])
  func `repairs each maximal subpart once`(hex: String, replacements: Int) {
    let bytes = hex.split(separator: " ").compactMap { UInt8($0, radix: 16) }
    let (out, count) = bytes.repaired()
    #expect(count == replacements)
    #expect(out == Array(String(decoding: bytes, as: UTF8.self).utf8))
  }

  @Test func `repair gives what the standard library gives and leaves valid text alone`() {
    var wrong: [[UInt8]] = []
    Self.sweep { bytes in
      var out: [UInt8] = []
      let replaced = UTF8Text.repair(bytes, into: &out)
      let isValid = UTF8Text.isValid(bytes)
      if !UTF8Text.isValid(out.span) || (replaced == 0) != isValid { wrong.append(bytes.array()) }
      if isValid && out != bytes.array() { wrong.append(bytes.array()) }
    }
    #expect(wrong == [])
    var random = SeededRandom(seed: 4)
    for _ in 0..<2_000 {
      let bytes = random.mutation(of: Array("a – é 漢字 🙂 z".utf8))
      var out: [UInt8] = []
      _ = UTF8Text.repair(bytes.span, into: &out)
      #expect(out == Array(String(decoding: bytes, as: UTF8.self).utf8))
    }
  }

  @Test func `every scalar is written and read back`() {
    var wrong: [UInt32] = []
    for value in UInt32(0)..<0x110000 where value & 0xFFFFF800 != 0xD800 {
      var bytes: [UInt8] = []
      bytes.append(scalar: value)
      let read = UTF8Text.scalar(in: bytes.span, at: 0)
      if read.value != value || read.length != bytes.count { wrong.append(value) }
    }
    #expect(wrong == [])
  }

  @Test func `surrogates and numbers above Unicode become the replacement character`() {
    for value: UInt32 in [0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0x110000, 0xFFFF_FFFF] {
      var bytes: [UInt8] = []
      bytes.append(scalar: value)
      #expect(bytes == [0xEF, 0xBF, 0xBD])
    }
  }

  @Test func `reading a scalar from damaged text never leaves the text`() {
    Self.sweep { bytes in
      var index = 0
      while index < bytes.count {
        let read = UTF8Text.scalar(in: bytes, at: index)
        if read.length < 1 || index + read.length > bytes.count {
          Issue.record("a step of \(read.length) at \(index) of \(bytes.array())")
          return
        }
        index += read.length
      }
    }
  }

  @Test func `counts scalars, not bytes`() {
    func count(_ text: String) -> Int { UTF8Text.scalarCount(Array(text.utf8).span) }
    #expect(count("aé漢🙂") == 4)
    #expect(count("") == 0)
  }
}
