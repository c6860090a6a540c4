import Bytes
import TestSupport
import Testing

@testable import Tokenization

@Suite struct PretokenScannerTests {
  /// What scanners get wrong: classes that meet, contractions, prefixes, white space of all kinds, broken UTF-8.
  static let hostile: [[UInt8]] =
    ([
      "a", "Z", "s", "S", "re", "LL", "'", "'s", "'S", "'re", "'LL", "'ſ", "ſ", "1", "½", "Ⅷ", "٣", " ", "  ",
      "\t", "\n",
      "\r", "\r\n", "\u{85}", "\u{A0}", "\u{3000}", "\u{2028}", "\u{200B}", "\u{FEFF}", "!", "/", "//", "-",
      "_", "中", "あ",
      "한", "é", "É", "ǅ", "ʰ", "\u{301}", "\u{93F}", "😀", "\u{1F3FD}", "\u{200D}", "\u{10FFFF}", "\u{E000}",
      "\u{0}",
      "Ж", "ж", "\u{1C89}", "\u{16D40}",
    ].map { Array($0.utf8) })
    + [
      [0x80], [0xBF], [0xC0], [0xC2], [0xC5], [0xE2], [0xE2, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x9F],
      [0xF0, 0x9F, 0x98],
      [0xF4, 0x90, 0x80, 0x80], [0xFF], [0xE0, 0x80, 0x80], [0xF0, 0x80, 0x80, 0x80],
    ]

  static func hostileText(_ random: inout SeededRandom, pieces: Int) -> [UInt8] {
    // Few different pieces in one text make runs and repeats.
    let alphabet = (0..<Int.random(in: 1...8, using: &random)).map { _ in
      hostile[Int.random(in: 0..<hostile.count, using: &random)]
    }
    return (0..<pieces).flatMap { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
  }

  @Test(arguments: PretokenPattern.allCases)
  func `the fast scanner cuts hostile text as the plain one`(pattern: PretokenPattern) {
    var random = SeededRandom(seed: 11)
    for _ in 0..<20_000 {
      let text = Self.hostileText(&random, pieces: Int.random(in: 0...24, using: &random))
      let wanted = PretokenReference.lengths(pattern, text)
      #expect(fastLengths(pattern, text) == wanted, "\(text)")
      #expect(wanted.reduce(0, +) == text.count)
    }
  }

  @Test(arguments: PretokenPattern.allCases)
  func `random bytes are cut as by the plain scanner, at every alignment`(pattern: PretokenPattern) {
    var random = SeededRandom(seed: 12)
    for alignment in 0...70 {
      let lead = [UInt8](repeating: UInt8(ascii: "x"), count: alignment)
      for _ in 0..<20 {
        let text = lead + random.bytes(Int.random(in: 0...40, using: &random))
        #expect(fastLengths(pattern, text) == PretokenReference.lengths(pattern, text), "\(text)")
      }
    }
  }

  @Test func `every code point has the class of the frozen Unicode file`() throws {
    guard let path = SharedData.path("vocab/unicode16_classes_ranges.json") else { return }
    let classes = try #require(try JSONValue.parse(try readFile(path))["classes"])
    var wanted = [CharacterClass](repeating: .other, count: 0x110000)
    let names: [(String, CharacterClass)] = [
      ("Lu", .upper), ("Lt", .upper), ("Ll", .lower), ("Lm", .caseless), ("Lo", .caseless), ("M", .mark),
      ("N", .number),
      ("White_Space", .space),
    ]
    for (name, value) in names {
      for range in try #require(classes[name]?.array) {
        let bounds = try #require(range.array).compactMap(\.int)
        for scalar in bounds[0]...bounds[1] { wanted[scalar] = value }
      }
    }
    wanted[10] = .newline
    wanted[13] = .newline
    CharacterClassTable.shared.withClasses { table in
      for scalar in 0..<0x110000 where table[scalar] != wanted[scalar].rawValue {
        Issue.record("U+\(String(scalar, radix: 16))")
      }
    }
  }

  @Test func `each pattern is found by its names and by its expression`() {
    for pattern in PretokenPattern.allCases {
      #expect(PretokenPattern(name: pattern.name) == pattern)
      #expect(PretokenPattern(regex: pattern.regex) == pattern)
    }
    #expect(PretokenPattern(name: "r50k") == .gpt2)
    #expect(PretokenPattern(name: "p50k") == nil)
    #expect(PretokenPattern(regex: ".") == nil)
  }
}
