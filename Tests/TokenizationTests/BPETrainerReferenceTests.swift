import Bytes
import Storage
import TestSupport
import Testing

@testable import Tokenization

@Suite struct BPETrainerReferenceTests {
  static func corpus(_ random: inout SeededRandom) -> CountList {
    let letters = Array("ab cd\u{A0}\n".utf8).prefix(Int.random(in: 1...8, using: &random))
    var seen: Set<[UInt8]> = []
    var list = CountList()
    for _ in 0..<Int.random(in: 1...12, using: &random) {
      let length = Int.random(in: 1...14, using: &random)
      let word = (0..<length).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] }
      // Counts of all magnitudes, so that pairs are counted again with lower floors.
      let top: Int64 = [6, 6, 500, 1_000_000][Int.random(in: 0..<4, using: &random)]
      if seen.insert(word).inserted { list.counts.append((word, Int64.random(in: 1...top, using: &random))) }
    }
    return list
  }

  @Test func `the trainer equals the plain one on thousands of tiny corpora`() throws {
    var random = SeededRandom(seed: 31)
    for round in 0..<4000 {
      let list = Self.corpus(&random)
      var options = BPETrainer.Options(vocabularySize: Int.random(in: 1...60, using: &random))
      options.initialAlphabet = .seen
      if Int.random(in: 0..<3, using: &random) == 0 {
        options.minFrequency = Int64.random(in: 0...5, using: &random)
      }
      if Int.random(in: 0..<3, using: &random) == 0 {
        options.maxTokenLength = Int.random(in: 1...7, using: &random)
      }
      if Int.random(in: 0..<4, using: &random) == 0 {
        options.specialTokens = ["ab", "a", "Ġa", "abab", "ab"]
      }
      if Int.random(in: 0..<4, using: &random) == 0 {
        options.limitAlphabet = Int.random(in: 1...5, using: &random)
      }
      if Int.random(in: 0..<8, using: &random) == 0 { options.initialAlphabet = .characters("bzĀ中") }
      let fast = try BPETrainer.train(options, list)
      let plain = try BPETrainerReference.train(options, list)
      #expect(fast == plain, "round \(round): \(options) \(list.counts)")
      // The same where the pairs do not fit in one pass.
      if round % 4 == 0 { #expect(try BPETrainer.train(options, list, tableEntries: round % 7 + 1) == plain) }
      if fast != plain { break }
    }
  }

  @Test func `the order of the pretokens does not matter`() throws {
    var random = SeededRandom(seed: 32)
    for _ in 0..<50 {
      var list = Self.corpus(&random)
      let options = BPETrainer.Options(vocabularySize: 300)
      let first = try BPETrainer.train(options, list)
      list.counts.shuffle(using: &random)
      #expect(try BPETrainer.train(options, list) == first)
    }
  }

  @Test func `counts above 32 bits are summed exactly`() throws {
    let list = CountList(counts: [(Array("ab".utf8), 3_000_000_000), (Array("cb".utf8), 2_999_999_999)])
    let vocabulary = try BPETrainer.train(BPETrainer.Options(vocabularySize: 258), list)
    #expect(vocabulary.tokens.suffix(2) == ["ab", "cb"])
  }

  @Test func `counts that add up to more than 64 bits are refused`() {
    let list = CountList(counts: [(Array("ab".utf8), .max), (Array("cb".utf8), .max)])
    #expect(throws: StorageError.self) { try BPETrainer.train(BPETrainer.Options(vocabularySize: 258), list) }
  }
}
