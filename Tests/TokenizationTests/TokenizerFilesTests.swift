import Bytes
import Storage
import TestSupport
import Testing

@testable import Tokenization

/// A small tokenizer, trained on a few words.
func smallTokenizer(
  _ pattern: PretokenPattern = .cl100k, specialTokens: [String]? = nil, specialFirst: Bool = false
) throws -> Tokenizer {
  let counter = PretokenCounter(pattern: pattern)
  for text in [
    "the cat and the hat", "the theory of the thing's end\n\n  then", "naïve café 北京 12345", "!!! /* */",
  ] {
    counter.count(Array(text.utf8).span)
  }
  var training = TokenizerTraining(vocabularySize: 300, pattern: pattern)
  training.specialTokens = specialTokens
  training.specialFirst = specialFirst
  return try training.train(try TrainingGolden.list(counter), name: "small")
}

/// A tokenizer folder with its report; the names of the tokenizer's files.
func writeFolder(_ tokenizer: Tokenizer, _ folder: String, legacy: Bool = false) throws -> [String] {
  let (files, report) = try TokenizerFiles.write(tokenizer, folder: folder, legacyMerges: legacy)
  try writeFile(folder + "/report.json", JSONValue.object(report).serialized())
  return files.map(\.name)
}

@Suite struct TokenizerFilesTests {
  @Test(arguments: PretokenPattern.allCases, [false, true])
  func `a folder reads back as the same tokenizer, from either file`(pattern: PretokenPattern, legacy: Bool)
    throws
  {
    let folder = try TemporaryFolder()
    let tokenizer = try smallTokenizer(pattern)
    let files = try writeFolder(tokenizer, folder("tok"), legacy: legacy)
    #expect(
      files == ["tokenizer.json", "vocab.tiktoken", "tokenizer_config.json", "special_tokens_map.json"])
    for path in ["tok", "tok/tokenizer.json", "tok/vocab.tiktoken"] {
      let read = try Tokenizer.load(path: folder(path))
      #expect(read.sha256 == tokenizer.sha256, "\(path)")
      #expect(read.pattern == pattern)
      #expect(read.vocabularySize == 301)
      #expect(read.endOfText == 300)
      #expect(read.specialTokens == [Tokenizer.SpecialToken(id: 300, text: "<|endoftext|>")])
      #expect(
        TokenizerFiles.json(read, legacyMerges: legacy)
          == TokenizerFiles.json(tokenizer, legacyMerges: legacy))
    }
  }

  @Test func `special tokens stand last, or first where that is asked for`() throws {
    let folder = try TemporaryFolder()
    let last = try smallTokenizer(specialTokens: ["<s>", "</s>"])
    #expect(last.vocabularySize == 300)
    #expect(last.specialTokens.map(\.id) == [298, 299])
    #expect(last.endOfText == 299)
    let first = try smallTokenizer(specialTokens: ["<a>", "<b>"], specialFirst: true)
    #expect(first.vocabularySize == 300)
    #expect(first.specialTokens.map(\.id) == [0, 1])
    #expect(first.endOfText == 0)
    #expect(first.bytes(of: 2) == [UInt8(ascii: "!")])
    _ = try writeFolder(last, folder("last"))
    _ = try writeFolder(first, folder("first"))
    #expect(try Tokenizer.load(path: folder("first/vocab.tiktoken")).endOfText == 0)
  }

  @Test func `a special token that text can make is refused`() throws {
    #expect(throws: StorageError.self) { try smallTokenizer(specialTokens: ["the"]) }
    #expect(throws: StorageError.self) { try smallTokenizer(specialTokens: ["the"], specialFirst: true) }
    #expect(throws: StorageError.self) { try smallTokenizer(specialTokens: ["a"]) }
    #expect(throws: StorageError.self) { try smallTokenizer(specialTokens: ["<s>", "<s>"]) }
  }

  @Test func `a vocabulary below 256 is refused with the reason`() throws {
    let error = #expect(throws: StorageError.self) {
      try TokenizerTraining(vocabularySize: 100, pattern: .gpt2).check()
    }
    #expect(error?.exitCode == 2)
    #expect(error?.message.contains("vocabulary size 100 is below 256: every byte needs an id") == true)
    var training = TokenizerTraining(vocabularySize: 256, pattern: .gpt2)
    #expect(throws: Never.self) { try training.check() }
    training.specialTokens = ["<s>"]
    #expect(throws: StorageError.self) { try training.check() }
  }

  @Test func `a vocabulary of 256 has the bytes and the end of text only`() throws {
    let tokenizer = try TokenizerTraining(vocabularySize: 256, pattern: .gpt2).train(
      CountList(), name: "bytes")
    #expect(tokenizer.vocabularySize == 257)
    #expect(Encoder(tokenizer).encode("ab c") == [64, 65, 220, 66])
  }

  @Test func `statistics of the counts are those of the encoded texts`() throws {
    let texts = ["the cat and the hat", "the theory of the thing's end\n\n  then", "naïve café 北京 12345", ""]
    let tokenizer = try smallTokenizer()
    let counter = PretokenCounter(pattern: .cl100k)
    for text in texts { counter.count(Array(text.utf8).span) }
    let statistics = try TokenStatistics(tokenizer, try TrainingGolden.list(counter))
    let encoder = Encoder(tokenizer)
    let ids = texts.flatMap { encoder.encode($0) }
    #expect(statistics.tokens == Int64(ids.count))
    #expect(statistics.bytes == Int64(texts.reduce(0) { $0 + $1.utf8.count }))
    #expect(statistics.singleByteTokens == Int64(ids.filter { $0 < 256 }.count))
    #expect(statistics.unusedIDs == 300 - Set(ids).count)
  }

  @Test func `inspection counts every id once`() throws {
    let json = TokenizerInspection(try smallTokenizer()).json
    #expect(json["tokens"]?.int == 300)
    #expect(json["unused_ids"]?.int == 0)
    #expect(json["merges"]?.int == 44)
    #expect(json["reachable_tokens"]?.int == 300)
    guard let published = try SharedVocabulary.tokenizer("cl100k_base.tiktoken") else { return }
    #expect(TokenizerInspection(published).json["unused_ids"]?.int == 16)
  }
}
