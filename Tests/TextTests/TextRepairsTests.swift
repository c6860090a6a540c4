import Bytes
import TestSupport
import Testing
import Text

@Suite struct TextRepairsTests {
  private func repaired(_ text: String) -> (String, RepairCounts) {
    var output: [UInt8] = []
    let counts = TextRepairs.apply(Array(text.utf8).span, into: &output)
    return (output.string, counts)
  }

  @Test func `plain text stays and counts nothing`() {
    let text = "Tab\tand line\nند\u{200C}ا 👩\u{200D}🔬 — “ok” é"
    let (same, counts) = repaired(text)
    #expect(same == text)
    #expect(counts.total == 0)
    #expect(repaired("").0.isEmpty)
  }

  @Test func `line breaks become LF and invisible things go`() {
    let (text, counts) = repaired(
      "\u{FEFF}a\r\nb\rc\u{0}\u{8}\u{7F}\u{85}\u{9F}d\u{AD}e\u{200B}f\u{FEFF}\u{B}\r")
    #expect(Array(text.utf8) == Array("a\nb\ncdef\n".utf8))
    #expect(counts.lineBreaks == 3)
    #expect(counts.controls == 6)
    #expect(counts.invisibles == 4)
  }

  @Test func `random bytes are repaired once and for all`() {
    var random = SeededRandom(seed: 21)
    for _ in 0..<3000 {
      let bytes = random.mutation(of: Array("a\r\n\u{85}\u{AD}\u{200B}\u{FEFF}é\u{2014}".utf8))
      guard UTF8Text.isValid(bytes.span) else { continue }
      var once: [UInt8] = []
      _ = TextRepairs.apply(bytes.span, into: &once)
      var twice: [UInt8] = []
      #expect(TextRepairs.apply(once.span, into: &twice).total == 0)
      #expect(once == twice)
    }
  }
}
