import Bytes
import TestSupport
import Testing

@Suite struct XXH64Tests {
  @Test func `gives the published hash of nothing`() {
    #expect([UInt8]().xxh64() == 0xef46_db37_51d8_e999)
    #expect(XXH64().finalize() == 0xef46_db37_51d8_e999)
  }

  @Test func `gives the vectors of the token store`() {
    func little<Word: FixedWidthInteger>(_ words: [Word]) -> [UInt8] {
      words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
    }
    #expect(little([5, 3] as [UInt16]).xxh64() == 0x8ead_c39b_ecd7_1f21)
    #expect(little([5, 3] as [UInt32]).xxh64() == 0x7179_2959_1b17_62a1)
    #expect(little(Array(1...40) as [UInt16]).xxh64() == 0x50ae_a1d4_6726_c9b1)
  }

  @Test func `agrees with the xxhash library on texts of every stripe length`() throws {
    guard let path = SharedData.path("golden/datatrove-parity.json") else { return }
    let golden = try JSONValue.parse(try readFile(path))
    let rows = golden["hash"]?.array ?? []
    #expect(rows.count >= 8)
    for row in rows {
      let text = Array((row["text"]?.string ?? "").utf8)
      #expect(String(text.xxh64()) == row["xxhash64"]?.string, "\(text.count) bytes")
    }
  }

  @Test func `incremental equals one-shot at every split and with every seed`() {
    var random = SeededRandom(seed: 1)
    for length in 0...100 {
      let bytes = random.bytes(length)
      let seed: UInt64 = length % 2 == 0 ? 0 : random.next()
      let whole = bytes.xxh64(seed: seed)
      for split in 0...length {
        var state = XXH64(seed: seed)
        state.update(bytes.span.extracting(0..<split))
        state.update(bytes.span.extracting(split..<length))
        #expect(state.finalize() == whole, "length \(length), split \(split)")
      }
    }
  }

  @Test func `finalize can be asked at any time`() {
    var random = SeededRandom(seed: 2)
    let bytes = random.bytes(200)
    var state = XXH64()
    for index in bytes.indices {
      state.update(bytes.span.extracting(index..<index + 1))
      #expect(state.finalize() == Array(bytes[...index]).xxh64())
    }
  }
}
