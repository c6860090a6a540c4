import Bytes
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Tokenization

/// Tokenizers of `../shared/vocab`, read once.
enum SharedVocabulary {
  private static let loaded = Mutex<[String: Tokenizer]>([:])

  static func tokenizer(_ file: String) throws -> Tokenizer? {
    guard let path = SharedData.path("vocab/" + file) else { return nil }
    return try loaded.withLock { loaded in
      if let tokenizer = loaded[file] { return tokenizer }
      let tokenizer = try Tokenizer.load(path: path)
      loaded[file] = tokenizer
      return tokenizer
    }
  }
}

/// One line of `golden/tokens.jsonl`.
struct TokenGolden {
  var name: String
  var vocabulary: String
  var text: [UInt8]
  var specials: [Tokenizer.SpecialToken]?
  var ids: [UInt32]?
  var count: Int?
  var hash: String?
  var pretokens: [Int]?

  init(_ line: JSONValue) {
    name = line["name"]?.string ?? ""
    vocabulary = line["vocab"]?.string ?? ""
    text = Array((line["text"]?.string ?? "").utf8)
    if let repeated = line["repeat"]?.array, let unit = repeated[0].string, let times = repeated[1].int {
      text = Array(String(repeating: unit, count: times).utf8)
    }
    specials = line["special_tokens"]?.members?.map {
      Tokenizer.SpecialToken(id: UInt32($0.value.int ?? 0), text: $0.key)
    }
    ids = line["ids"]?.array?.map { UInt32($0.int ?? 0) }
    count = line["count"]?.int
    hash = line["fnv1a64"]?.string
    pretokens = line["pretokens"]?.array?.map { $0.int ?? 0 }
  }

  static func all() throws -> [TokenGolden] {
    guard let path = SharedData.path("golden/tokens.jsonl") else { return [] }
    return try readFile(path).split(separator: 10).map { TokenGolden(try JSONValue.parse(Array($0))) }
  }

  /// FNV-1a 64 over the ids as four little-endian bytes each.
  static func hash(_ ids: [UInt32]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for id in ids {
      for shift in [0, 8, 16, 24] as [UInt32] { hash = (hash ^ UInt64(id >> shift & 255)) &* 0x100_0000_01b3 }
    }
    return Hex.string(hash)
  }
}

@Suite struct TokenGoldenTests {
  @Test func `ids equal tiktoken's and Hugging Face's on every golden line`() throws {
    let goldens = try TokenGolden.all()
    var checked = 0
    for vocabulary in ["r50k_base", "cl100k_base", "o200k_base"] {
      guard let plain = try SharedVocabulary.tokenizer(vocabulary + ".tiktoken") else { return }
      let encoder = Encoder(plain)
      for golden in goldens where golden.vocabulary == vocabulary {
        var ids: [UInt32] = []
        if let specials = golden.specials {
          let matching = Encoder(try plain.with(specialTokens: specials, endOfText: nil))
          matching.encode(golden.text.span, specialText: .matched, into: &ids)
        } else {
          encoder.encode(golden.text.span, into: &ids)
          let decoded = try plain.decode(ids)
          #expect(decoded == golden.text, "\(golden.name)")
        }
        if let wanted = golden.ids { #expect(ids == wanted, "\(golden.name) \(vocabulary)") }
        if let count = golden.count { #expect(ids.count == count, "\(golden.name) \(vocabulary)") }
        if let hash = golden.hash { #expect(TokenGolden.hash(ids) == hash, "\(golden.name) \(vocabulary)") }
        checked += 1
      }
    }
    #expect(checked == 2121)
  }

  @Test func `pretokens are cut where the goldens say`() throws {
    var checked = 0
    for golden in try TokenGolden.all() {
      guard let wanted = golden.pretokens, let pattern = PretokenPattern(name: golden.vocabulary) else {
        continue
      }
      #expect(
        PretokenReference.lengths(pattern, golden.text) == wanted, "\(golden.name) \(pattern) reference")
      #expect(fastLengths(pattern, golden.text) == wanted, "\(golden.name) \(pattern)")
      checked += 1
    }
    #expect(checked > 0 || SharedData.path("golden/tokens.jsonl") == nil)
  }

  @Test func `the old tokenizer.json of GPT-2 gives the same ids`() throws {
    guard let tokenizer = try SharedVocabulary.tokenizer("gpt2_tokenizer.json"),
      let published = try SharedVocabulary.tokenizer("r50k_base.tiktoken")
    else { return }
    #expect(tokenizer.pattern == .gpt2)
    #expect(tokenizer.endOfText == 50256)
    #expect(tokenizer.vocabularySize == 50257)
    #expect(tokenizer.sha256 == published.sha256)
    let encoder = Encoder(tokenizer)
    for golden in try TokenGolden.all() where golden.vocabulary == "r50k_base" && golden.specials == nil {
      var ids: [UInt32] = []
      encoder.encode(golden.text.span, into: &ids)
      if let wanted = golden.ids { #expect(ids == wanted, "\(golden.name)") }
    }
  }
}

/// Lengths of the pretokens by the fast scanner.
func fastLengths(_ pattern: PretokenPattern, _ text: [UInt8]) -> [Int] {
  var lengths: [Int] = []
  text.withUnsafeBufferPointer { buffer in
    PretokenScanner.scan(pattern, buffer) { start, end in lengths.append(end - start) }
  }
  return lengths
}
