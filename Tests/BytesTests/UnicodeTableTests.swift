import Bytes
import TestSupport
import Testing

@Suite struct UnicodeTableTests {
  @Test func `categories agree with Unicode 16 on every code point`() throws {
    guard let path = SharedData.path("vocab/unicode16_classes_ranges.json") else { return }
    let classes = try JSONValue.parse(try readFile(path))["classes"]?.members ?? []
    let tests: [String: (UInt32) -> Bool] = [
      "L": { UnicodeTables.category($0).isLetter }, "Lu": { UnicodeTables.category($0) == .Lu },
      "Ll": { UnicodeTables.category($0) == .Ll }, "Lt": { UnicodeTables.category($0) == .Lt },
      "Lm": { UnicodeTables.category($0) == .Lm }, "Lo": { UnicodeTables.category($0) == .Lo },
      "M": { UnicodeTables.category($0).isMark }, "N": { UnicodeTables.category($0).isNumber },
      "P": { UnicodeTables.category($0).isPunctuation }, "S": { UnicodeTables.category($0).isSymbol },
      "Nd": { UnicodeTables.category($0) == .Nd }, "White_Space": { UnicodeTables.isWhiteSpace($0) },
      "s": { UnicodeTables.isWhiteSpace($0) }, "\\s": { UnicodeTables.isWhiteSpace($0) },
    ]
    var tested = 0
    for member in classes {
      guard let isMember = tests[member.key] else { continue }
      tested += 1
      var wanted = [Bool](repeating: false, count: 0x110000)
      for range in member.value.array ?? [] {
        let bounds = (range.array ?? []).compactMap(\.int)
        guard bounds.count == 2 else {
          Issue.record("a range of \(member.key) is malformed")
          return
        }
        for scalar in bounds[0]...bounds[1] { wanted[scalar] = true }
      }
      let wrong = wanted.indices.filter { isMember(UInt32($0)) != wanted[$0] }
      #expect(wrong.prefix(5) == [], "class \(member.key)")
    }
    #expect(tested >= 7)
  }

  @Test func `what lies beyond Unicode is unassigned and of class zero`() {
    for value: UInt32 in [0x110000, 0x7FFF_FFFF, 0xFFFF_FFFF] {
      #expect(UnicodeTables.category(value) == .Cn)
      #expect(UnicodeTables.combiningClass(value) == 0)
      var out: [UInt32] = []
      #expect(!UnicodeTables.appendLowercase(of: value, to: &out))
      #expect(!UnicodeTables.appendDecomposition(of: value, to: &out))
    }
  }

  @Test func `lower case maps one to many where Unicode says so`() {
    var out: [UInt32] = []
    #expect(UnicodeTables.appendLowercase(of: 0x130, to: &out))
    #expect(out == [0x69, 0x307])
    out = []
    #expect(UnicodeTables.appendLowercase(of: 0x41, to: &out))
    #expect(out == [0x61])
    #expect(!UnicodeTables.appendLowercase(of: 0x61, to: &out))
  }

  @Test func `composition undoes decomposition for pairs and knows its exclusions`() {
    #expect(UnicodeTables.composition(of: 0x65, and: 0x301) == 0xE9)
    #expect(UnicodeTables.composition(of: 0x915, and: 0x93C) == nil)
    var out: [UInt32] = []
    #expect(UnicodeTables.appendDecomposition(of: 0x1E69, to: &out))
    #expect(out == [0x73, 0x323, 0x307])
    #expect(UnicodeTables.combiningClass(0x323) == 220)
  }
}
