import Bytes
import CKernels
import TestSupport
import Testing
import Text

@testable import Deduplication

@Suite struct MinHashTests {
  /// Minima of a list of shingle hashes.
  private func minima(_ hashes: [UInt64]) -> [UInt64] {
    var minHash = MinHash()
    minHash.add(hashes)
    return minHash.minima
  }

  private func shingles(ofWords words: [[UInt8]]) -> [UInt64] {
    var shingler = Shingler()
    var hashes: [UInt64] = []
    for word in words { shingler.add(word.span) }
    shingler.flush(into: &hashes)
    return hashes
  }

  @Test func `golden words give the shingles and the signature that datatrove gives`() throws {
    guard let path = SharedData.path("golden/datatrove-parity.json") else { return }
    let golden = try JSONValue.parse(try readFile(path))["minhash"]
    let parameters = golden?["parameters"]
    #expect(parameters?["a"]?.array?.compactMap { UInt64($0.string ?? "") } == MinHashConstants.multipliers)
    #expect(parameters?["b"]?.array?.compactMap { UInt64($0.string ?? "") } == MinHashConstants.additions)
    let cases = golden?["cases"]?.array ?? []
    #expect(cases.count == 10)
    for (number, entry) in cases.enumerated() {
      let words = (entry["words"]?.array ?? []).map { Array(($0.string ?? "").utf8) }
      let hashes = shingles(ofWords: words)
      let expected = (entry["xxhash64"]?["shingles"]?.array ?? []).compactMap { UInt64($0.string ?? "") }
      #expect(hashes == expected, "case \(number)")
      guard let buckets = entry["xxhash64"]?["signature"]?.array else {
        #expect(hashes.isEmpty && words.count < Shingler.wordsPerShingle, "case \(number)")
        continue
      }
      let signature = buckets.flatMap { ($0.array ?? []).compactMap { UInt64($0.string ?? "") } }
      #expect(minima(hashes) == signature, "case \(number)")
    }
  }

  @Test func `the dispatched kernel and the plain one give the same minima`() {
    var random = SeededRandom(seed: 1)
    for count in [1, 2, 7, 8, 9, 100, 1000] {
      let hashes = (0..<count).map { _ in random.next() } + [0, .max]
      var plain = [UInt64](repeating: 0, count: MinHash.permutationCount)
      sluice_minhash_minima_portable(
        hashes, hashes.count, MinHashConstants.multipliers, MinHashConstants.additions, plain.count, &plain)
      #expect(minima(hashes) == plain)
    }
  }

  @Test func `minima over parts are the minima over the whole`() {
    var random = SeededRandom(seed: 2)
    let hashes = (0..<1000).map { _ in random.next() }
    var minHash = MinHash()
    for start in stride(from: 0, to: 1000, by: 77) {
      minHash.add(Array(hashes[start..<min(1000, start + 77)]))
    }
    #expect(minHash.minima == minima(hashes))
  }

  @Test func `equal minima in different buckets have different keys`() {
    var minHash = MinHash()
    minHash.add([UInt64](repeating: 5, count: 3))
    let keys = Set((0..<MinHash.bucketCount).map { minHash.bucketKey($0) })
    #expect(keys.count == MinHash.bucketCount)
  }

  /// The plain reference of the shingler: the whole text at once, shingles joined one by one.
  private func reference(_ text: [UInt8]) -> [UInt64] {
    var simplifier = Simplifier()
    var simplified: [UInt8] = []
    simplifier.simplify(text.span, into: &simplified)
    var words: [Word] = []
    WordSplitter().split(simplified.span, into: &words)
    let count = Shingler.wordsPerShingle
    guard words.count >= count else { return [] }
    return (0...words.count - count).map { first in
      let shingle = Array(
        words[first..<first + count].map { Array(simplified[$0.range]) }.joined(separator: [0x20]))
      return XXH64.hash(shingle.span)
    }
  }

  private func shingles(of text: [UInt8]) -> [UInt64] {
    var shingler = Shingler()
    var hashes: [UInt64] = []
    shingler.begin(text.span)
    while shingler.next(into: &hashes) {}
    return hashes
  }

  @Test(arguments: [
    "", "one two three four", "one two three four five", "One, two — three: FOUR five; 6.5 seven!",
    "今天天气很好我们去公园散步", "สวัสดีครับ ยินดีต้อนรับ", "Ünïcödé wörds änd accents, naïve café déjà vu",
    "mixed 漢字 and latin words ここに",
  ])
  func `shingles are five words by script joined by spaces`(text: String) {
    #expect(shingles(of: Array(text.utf8)) == reference(Array(text.utf8)))
  }

  @Test func `a long text gives the same shingles in segments as at once`() {
    var random = SeededRandom(seed: 9)
    let text = Array(Corpus.words(120_000, &random).joined(separator: " ").utf8)
    #expect(text.count > 600_000)
    let isEqual = shingles(of: text) == reference(text)
    #expect(isEqual)
  }

  @Test func `a long text without spaces is cut and goes on`() {
    let text = Array(String(repeating: "漢字仮名交", count: 40_000).utf8)
    let hashes = shingles(of: text)
    #expect(hashes.count == 200_000 - 4)
    let word = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
    #expect(shingles(of: word).isEmpty)
  }
}
