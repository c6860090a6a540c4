import Bytes
import Storage
import TestSupport
import Testing

@testable import Tokenization

@Suite struct EncoderTests {
  /// Ids by the plain scanner and the plain merge.
  static func reference(_ tokenizer: Tokenizer, _ text: [UInt8]) -> [UInt32] {
    var ids: [UInt32] = []
    var start = 0
    for length in PretokenReference.lengths(tokenizer.pattern, text) {
      let pretoken = Array(text[start..<start + length])
      ids += PretokenMerger.reference(pretoken, tokenizer.byteIDs, tokenizer.mergeTable)
      start += length
    }
    return ids
  }

  @Test(arguments: PretokenPattern.allCases)
  func `ids equal the plain encoder's with and without a cache, and decode to the text`(
    pattern: PretokenPattern
  ) throws {
    let tokenizer = try smallTokenizer(pattern)
    let cached = Encoder(tokenizer)
    let tiny = Encoder(tokenizer, cacheBytes: 0)
    var random = SeededRandom(seed: 51)
    for round in 0..<1500 {
      var text = PretokenScannerTests.hostileText(&random, pieces: Int.random(in: 0...30, using: &random))
      if round % 3 == 0 {
        text = Array(repeating: Array("the hat".utf8), count: round % 40).flatMap { $0 } + text
      }
      let wanted = Self.reference(tokenizer, text)
      for encoder in [cached, tiny, cached] {
        var ids: [UInt32] = [7]
        encoder.encode(text.span, into: &ids)
        #expect(Array(ids.dropFirst()) == wanted, "\(text)")
      }
      #expect(try tokenizer.decode(wanted) == text)
    }
  }

  @Test func `short and long merging give the same tokens at every length`() throws {
    guard let tokenizer = try SharedVocabulary.tokenizer("r50k_base.tiktoken") else { return }
    var random = SeededRandom(seed: 52)
    var merger = PretokenMerger()
    for length in 0...200 {
      let letters = Array("aaabthe ing".utf8)
      let text = (0..<length).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] }
      let wanted = PretokenMerger.reference(text, tokenizer.byteIDs, tokenizer.mergeTable)
      let count = text.withUnsafeBufferPointer { text in
        tokenizer.byteIDs.withUnsafeBufferPointer { ids in
          tokenizer.mergeTable.withView { merger.merge(text, ids.baseAddress!, $0) }
        }
      }
      #expect(Array(merger.tokens(count)) == wanted, "\(length)")
    }
  }

  @Test func `special tokens are text unless they are asked for, and the longest one wins`() throws {
    let tokenizer = try smallTokenizer(specialTokens: ["<|end|>", "<|end|>x", "<s>"])
    let encoder = Encoder(tokenizer)
    let plain = encoder.encode("a<|end|>xb<s>")
    #expect(plain.allSatisfy { $0 < 297 })
    #expect(encoder.encode("a<|end|>xb<s><|end|>", specialText: .matched) == [64, 298, 65, 299, 297])
    #expect(encoder.encode("<|end", specialText: .matched) == encoder.encode("<|end"))
    #expect(try tokenizer.decode([298, 299]) == Array("<|end|>x<s>".utf8))
    #expect(throws: TokenizerError.self) { try tokenizer.decode([300]) }
  }

  @Test func `every token that merging can give encodes to itself`() throws {
    guard let tokenizer = try SharedVocabulary.tokenizer("cl100k_base.tiktoken") else { return }
    #expect(tokenizer.wholeTokens.count == 100_256)
  }

  @Test(arguments: PretokenPattern.allCases)
  func `long runs take linear time`(pattern: PretokenPattern) throws {
    let tokenizer = try smallTokenizer(pattern)
    for unit in ["a", " \n", "\u{301}", " ", "A", "!", "中A", "'s"] {
      let encoder = Encoder(tokenizer)
      let ratio = Growth.ratio((1 << 16) / unit.utf8.count) { count in
        var ids: [UInt32] = []
        encoder.encode(Array(String(repeating: unit, count: count).utf8).span, into: &ids)
      }
      #expect(ratio < Growth.ratioMax, "\(unit.debugDescription)")
    }
  }
}
