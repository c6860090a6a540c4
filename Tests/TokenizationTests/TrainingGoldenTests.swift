import Bytes
import Storage
import TestSupport
import Testing

@testable import Tokenization

/// Counts in memory, as a source for training.
struct CountList: PretokenCountSource {
  var counts: [(pretoken: [UInt8], count: Int64)] = []

  func forEach(_ body: (UnsafeRawBufferPointer, Int64) -> Void) throws(StorageError) {
    for entry in counts { entry.pretoken.withUnsafeBytes { body($0, entry.count) } }
  }
}

/// The corpora and results of `golden/bpe-train`.
enum TrainingGolden {
  static let corpora = [
    "prose", "languages", "ties", "tiny", "whitespace", "codemix", "longpretokens", "scripts",
  ]

  static func counter(_ corpus: String, _ pattern: PretokenPattern) throws -> PretokenCounter? {
    guard let path = SharedData.path("golden/bpe-train/corpora/\(corpus).jsonl") else { return nil }
    let counter = PretokenCounter(pattern: pattern)
    for line in try readFile(path).split(separator: 10) {
      let text = Array((try JSONValue.parse(Array(line))["text"]?.string ?? "").utf8)
      counter.count(text.span)
    }
    return counter
  }

  static func list(_ counter: PretokenCounter) throws -> CountList {
    var list = CountList()
    try counter.drain { (pretoken, count) throws(StorageError) in list.counts.append((Array(pretoken), count))
    }
    return list
  }

  static func lines(_ vocabulary: BPETrainer.Vocabulary) -> [String] {
    vocabulary.merges.map { vocabulary.tokens[Int($0.left)] + " " + vocabulary.tokens[Int($0.right)] }
  }

  static func digest(_ lines: some Sequence<String>) -> String {
    let bytes: [UInt8] = lines.flatMap { Array(($0 + "\n").utf8) }
    return SHA256.hex(bytes.span)
  }
}

@Suite struct TrainingGoldenTests {
  @Test(arguments: TrainingGolden.corpora)
  func `merges equal Hugging Face's at every size`(corpus: String) throws {
    for pattern in ["r50k", "cl100k", "o200k"] {
      let preset = try #require(PretokenPattern(name: pattern))
      guard let path = SharedData.path("golden/bpe-train/results/\(corpus).\(pattern).json"),
        let counter = try TrainingGolden.counter(corpus, preset)
      else { return }
      let wanted = try JSONValue.parse(try readFile(path))
      #expect(Int(counter.totals.documents) == wanted["documents"]?.int)
      #expect(Int(counter.totals.bytes) == wanted["bytes"]?.int)
      #expect(Int(counter.totals.pretokens) == wanted["pretokens"]?.int)
      #expect(counter.uniqueCount == wanted["unique_pretokens"]?.int)
      let list = try TrainingGolden.list(counter)
      #expect(list.counts.map(\.pretoken.count).max() == wanted["longest_pretoken_bytes"]?.int)
      #expect(
        TrainingGolden.digest(list.counts.map { "\(Hex.string($0.pretoken)) \($0.count)" })
          == wanted["pretoken_counts_sha256"]?.string)

      let full = try BPETrainer.train(BPETrainer.Options(vocabularySize: 4000), list)
      #expect(full.tokens == wanted["vocab"]?.array?.compactMap(\.string), "\(corpus) \(pattern)")
      #expect(
        TrainingGolden.lines(full) == wanted["merges"]?.array?.compactMap(\.string), "\(corpus) \(pattern)")
      for size in try #require(wanted["sizes"]?.members) {
        let options = BPETrainer.Options(vocabularySize: try #require(Int(size.key)))
        let vocabulary = try BPETrainer.train(options, list)
        #expect(vocabulary.tokens.count == size.value["vocab"]?.int)
        #expect(vocabulary.merges.count == size.value["merges"]?.int)
        #expect(
          TrainingGolden.digest(TrainingGolden.lines(vocabulary)) == size.value["merges_sha256"]?.string)
      }
    }
  }

  @Test func `every option case equals Hugging Face's`() throws {
    guard let path = SharedData.path("golden/bpe-train/results/options.jsonl") else { return }
    var checked = 0
    for line in try readFile(path).split(separator: 10) {
      let wanted = try JSONValue.parse(Array(line))
      let given = try #require(wanted["options"])
      let corpus = try #require(wanted["corpus"]?.string)
      let pattern = try #require(wanted["pattern"]?.string.flatMap { PretokenPattern(name: $0) })
      let counter = try #require(try TrainingGolden.counter(corpus, pattern))
      var options = BPETrainer.Options(vocabularySize: try #require(given["vocab_size"]?.int))
      options.minFrequency = Int64(given["min_frequency"]?.int ?? 0)
      options.maxTokenLength = given["max_token_length"]?.int
      options.specialTokens = given["special_tokens"]?.array?.compactMap(\.string) ?? []
      options.limitAlphabet = given["limit_alphabet"]?.int
      let alphabet = given["initial_alphabet"]?.string ?? "bytes"
      if alphabet == "none" {
        options.initialAlphabet = .seen
      } else if alphabet != "bytes" {
        options.initialAlphabet = .characters(alphabet)
      }
      let name = wanted["name"]?.string ?? ""
      let vocabulary = try BPETrainer.train(options, try TrainingGolden.list(counter))
      #expect(vocabulary.tokens == wanted["vocab"]?.array?.compactMap(\.string), "\(name)")
      #expect(TrainingGolden.lines(vocabulary) == wanted["merges"]?.array?.compactMap(\.string), "\(name)")
      checked += 1
    }
    #expect(checked == 26)
  }
}
