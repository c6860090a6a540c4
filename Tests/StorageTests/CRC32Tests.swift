import Storage
import TestSupport
import Testing

@Suite struct CRC32Tests {
  private func hash(_ bytes: some Sequence<UInt8>, seed: UInt32 = 0) -> UInt32 {
    Array(bytes).withUnsafeBytes { CRC32.hash($0, seed: seed) }
  }

  @Test func theCheckValueOfTheStandardIsRight() {
    #expect(hash("123456789".utf8) == 0xCBF4_3926)
    #expect(hash([]) == 0)
  }

  @Test func partsGiveTheChecksumOfTheWhole() {
    var random = SeededRandom(seed: 1)
    let bytes = random.bytes(5000)
    for cut in [0, 1, 7, 64, 4999, 5000] {
      #expect(hash(bytes[cut...], seed: hash(bytes[..<cut])) == hash(bytes))
    }
  }
}
