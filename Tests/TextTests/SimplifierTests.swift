import Bytes
import TestSupport
import Testing
import Text

@Suite struct SimplifierTests {
  private func simplified(_ text: String) -> String {
    var simplifier = Simplifier()
    var output: [UInt8] = []
    simplifier.simplify(Array(text.utf8).span, into: &output)
    return output.string
  }

  @Test func `texts of datatrove's golden file are simplified as there`() throws {
    guard let path = SharedData.path("golden/datatrove-parity.json") else { return }
    let cases = try JSONValue.parse(try readFile(path))["simplify"]?.array ?? []
    #expect(cases.count > 30)
    for value in cases {
      let text = try #require(value["text"]?.string)
      let wanted = try #require(value["default"]?.string)
      #expect(Array(simplified(text).unicodeScalars) == Array(wanted.unicodeScalars), "\(text)")
    }
  }

  @Test func `a final sigma looks through apostrophes and marks`() {
    #expect(simplified("ΑΣ' ΑΣ'Α Σ") == "ας ασ α σ")
  }

  @Test func `one simplifier gives the same for every text in turn`() {
    var simplifier = Simplifier()
    for _ in 0..<3 {
      var output: [UInt8] = []
      simplifier.simplify(Array("É, 12.5 ＡＢ".utf8).span, into: &output)
      #expect(output.string == "e 0 ａｂ")
    }
  }

  @Test func `random bytes neither crash nor leave ill-formed text`() {
    var random = SeededRandom(seed: 7)
    var simplifier = Simplifier()
    let seeds = ["Ελλάς ΣΑΣ 12,5 한국어 ไทย é", "नमस्ते 〮〯 \u{1D165}\u{0301} 3.14"]
    for round in 0..<2000 {
      let bytes = round % 4 == 0 ? random.bytes(60) : random.mutation(of: Array(seeds[round % 2].utf8))
      var output: [UInt8] = []
      simplifier.simplify(bytes.span, into: &output)
      let isValid = UTF8Text.isValid(output.span)
      #expect(isValid)
    }
  }
}
