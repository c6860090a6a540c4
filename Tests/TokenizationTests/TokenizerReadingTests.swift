import Bytes
import Storage
import TestSupport
import Testing

@testable import Tokenization

@Suite struct TokenizerReadingTests {
  /// The 256 bytes as lines, and more.
  static func tiktoken(_ more: String = "", skipping: Int? = nil) -> [UInt8] {
    var text: [UInt8] = []
    for (id, byte) in ByteAlphabet.bytesByID.enumerated() where id != skipping {
      Base64.encode([byte].span, into: &text)
      text.append(contentsOf: " \(id)\n".utf8)
    }
    return text + Array(more.utf8)
  }

  static func failure(_ bytes: [UInt8]) throws -> TokenizerError? {
    #expect(throws: TokenizerError.self) {
      let ranks = try TiktokenFile.parse(bytes.span)
      _ = try TiktokenFile.merges(ranks)
    }
  }

  @Test func `a broken .tiktoken file is refused with its line`() throws {
    #expect(try Self.failure(Self.tiktoken("?? 256\n"))?.message == "line 257: the token is not Base64.")
    #expect(
      try Self.failure(Self.tiktoken("YWI= 12\n"))?.message == "line 257: rank 12 stands on line 13 too.")
    #expect(
      try Self.failure(Self.tiktoken("YQ== 256\n"))?.message
        == "line 257: the same token stands on line 65 too.")
    #expect(try Self.failure(Self.tiktoken("YWI= x\n"))?.line == 257)
    #expect(try Self.failure(Self.tiktoken("YWI= 99999999999\n"))?.line == 257)
    #expect(try Self.failure(Self.tiktoken("YWI=\n"))?.line == 257)
    #expect(try Self.failure(Self.tiktoken(skipping: 5))?.message.contains("byte 0x26 has no token") == true)
    #expect(try Self.failure(Self.tiktoken("YWJj 256\n"))?.message.contains("3 parts") == true)
    #expect(try Self.failure([]) != nil)
  }

  @Test func `a missing last line end, white space, CRLF and gaps are read`() throws {
    for end in ["", "\n", "\r\n", " \n"] {
      let ranks = try TiktokenFile.parse(
        Self.tiktoken("YWI= 256\(end == "" ? "\n" : end)YWJj 300\(end)").span)
      #expect(ranks.tokens.token(300) == Array("abc".utf8))
      #expect(try TiktokenFile.merges(ranks).map(\.result) == [256, 300])
    }
  }

  @Test func `a .tiktoken file that nobody knows asks for its pattern`() throws {
    let folder = try TemporaryFolder()
    try writeFile(folder("x.tiktoken"), Self.tiktoken("YWI= 256\n"))
    let error = #expect(throws: StorageError.self) { try Tokenizer.load(path: folder("x.tiktoken")) }
    #expect(error?.exitCode == 2)
    #expect(error?.message.contains("--pattern") == true)
    let tokenizer = try Tokenizer.load(path: folder("x.tiktoken"), pattern: .o200k)
    #expect(tokenizer.vocabularySize == 257)
    #expect(tokenizer.endOfText == nil)
  }

  @Test func `missing files and folders without a tokenizer are input errors`() throws {
    let folder = try TemporaryFolder()
    for path in ["nothing", "."] {
      let error = #expect(throws: StorageError.self) { try Tokenizer.load(path: folder(path)) }
      #expect(error?.exitCode == 3)
    }
  }

  @Test func `another kind of tokenizer.json is refused by name`() throws {
    let good = String(decoding: TokenizerFiles.json(try smallTokenizer(), legacyMerges: false), as: UTF8.self)
    func message(_ old: String, _ new: String) -> String {
      #expect(good.contains(old), "\(old)")
      let changed = Array(
        good.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false).joined(separator: new).utf8
      )
      do {
        _ = try TokenizerJSON.parse(changed.span, name: "x")
        return ""
      } catch {
        return error.message
      }
    }
    #expect(message(#""type":"BPE""#, #""type":"Unigram""#).contains("Unigram"))
    #expect(message(#""normalizer":null"#, #""normalizer":{"type":"NFC"}"#).contains("NFC"))
    #expect(message(#"\\p{N}{1,3}"#, #"\\p{N}"#).contains("Split pattern"))
    #expect(message(#""add_prefix_space":false"#, #""add_prefix_space":true"#).contains("add_prefix_space"))
    #expect(message(#""byte_fallback":false"#, #""byte_fallback":true"#).contains("byte_fallback"))
    #expect(message(#""dropout":null"#, #""dropout":0.1"#).contains("dropout"))
    #expect(message(#""id":300"#, #""id":301"#).contains("<|endoftext|>"))
    #expect(message(#""!":0"#, #""!":299"#).contains("two tokens"))
    #expect(message("\"#\":2,\n", "").contains("0x23"))
    #expect(message(#""behavior":"Isolated","invert":false"#, #""behavior":"Removed","invert":true"#) == "")
    #expect(message(#""type":"BPE","dropout":null,"#, "") == "")
    #expect(message("{", "").contains("not JSON"))
  }

  @Test func `damaged files never crash a reader`() throws {
    var random = SeededRandom(seed: 41)
    let json = TokenizerFiles.json(try smallTokenizer(), legacyMerges: false)
    let lines = Self.tiktoken("YWI= 256\nYWJj 257\n")
    for _ in 0..<300 {
      let changed = random.mutation(of: json)
      _ = try? TokenizerJSON.parse(changed.span, name: "x")
      let cut = Array(lines.prefix(Int.random(in: 0...lines.count, using: &random)))
      for bytes in [random.mutation(of: lines), cut, random.bytes(200)] {
        if let ranks = try? TiktokenFile.parse(bytes.span) {
          _ = try? TiktokenFile.merges(ranks)
        }
      }
    }
  }
}
