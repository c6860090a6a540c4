import Bytes
import TestSupport
import Testing

/// `train`, `encode` and `decode` as programs.
@Suite struct TokenizerCommandTests {
  /// Documents whose texts hold what encoders get wrong, and a special token's text.
  private static func writeDocuments(_ path: String) throws {
    var lines: [UInt8] = []
    let texts = [
      "Don't  stop\r\n\n  now, it's 12345 o'clock!", "naïve café — 北京 東京 서울 हिन्दी ไทย",
      "<|endoftext|> is text here",
      "", "\u{2028}\u{85}\u{FEFF}\t x", String(repeating: "abc ", count: 500), "the theory of the thing",
    ]
    // Made-up words, so that merges do not run out.
    var random = SeededRandom(seed: 80)
    let syllables = ["ba", "con", "de", "ing", "ter", "lo", "ma", "re", "ser", "tion", "un", "vi"]
    let words = (0..<600).map { _ in
      (0..<3).map { _ in syllables[Int.random(in: 0..<syllables.count, using: &random)] }.joined()
    }
    let all = [words.joined(separator: " ")] + (0..<6).flatMap { _ in texts }
    for (index, text) in all.enumerated() {
      lines +=
        JSONValue.object([.init("id", .string("d/\(index)")), .init("text", .string(text))]).serialized() + [
          10
        ]
    }
    try writeFile(path, lines)
  }

  private static func sh(_ line: String, _ folder: TemporaryFolder, _ binary: String) throws -> RunResult {
    let result = try shell(line, environment: Workbench.environment(binary), currentDirectory: folder.path)
    try #require(result.exit == 0, "\(line): exit \(result.exit): \(result.stderr)")
    return result
  }

  @Test func `decode gives back what encode took, from the folder, the json and the ranks`() throws {
    guard let binary = Sluice.binary else { return }
    let folder = try TemporaryFolder()
    try Self.writeDocuments(folder("d.jsonl"))
    _ = try Self.sh("sluice train d.jsonl --vocab-size 400 --pattern o200k -o tok -q", folder, binary)
    var seen: Set<String> = []
    for path in ["tok", "tok/tokenizer.json", "tok/vocab.tiktoken"] {
      let encoded = try Self.sh("sluice encode d.jsonl --tokenizer \(path) -q", folder, binary).output
      seen.insert(encoded)
      #expect(!encoded.contains(",400]") && !encoded.contains("[400"), "the special token's text is text")
      let decoded = try Self.sh(
        "sluice encode d.jsonl --tokenizer \(path) -q | sluice decode --tokenizer tok -q", folder, binary)
      let texts = decoded.stdout.split(separator: 10).compactMap {
        try? JSONValue.parse(Array($0))["text"]?.string
      }
      let wanted = try readFile(folder("d.jsonl")).split(separator: 10).compactMap {
        try JSONValue.parse(Array($0))["text"]?.string
      }
      #expect(texts == wanted, "\(path)")
    }
    #expect(seen.count == 1)
    let matched = try Self.sh("sluice encode d.jsonl --tokenizer tok --match-special -q", folder, binary)
    #expect(matched.output.contains("[400,"))
  }

  @Test func `counts train another size without the corpus, and give the same tokenizer for the same size`()
    throws
  {
    guard let binary = Sluice.binary else { return }
    let folder = try TemporaryFolder()
    try Self.writeDocuments(folder("d.jsonl"))
    _ = try Self.sh(
      "sluice train d.jsonl --vocab-size 400 -o a -q --workers 2 --unit-bytes 2KiB", folder, binary)
    _ = try Self.sh("sluice train --counts a/pretokens.counts --vocab-size 400 -o b -q", folder, binary)
    _ = try Self.sh("sluice train --counts a/pretokens.counts --vocab-size 300 -o c -q", folder, binary)
    for name in ["tokenizer.json", "vocab.tiktoken", "pretokens.counts"] {
      #expect(try readFile(folder("a/" + name)) == readFile(folder("b/" + name)), "\(name)")
    }
    // A smaller vocabulary is a prefix of a larger one.
    let small = try readText(folder("c/vocab.tiktoken"))
    #expect(try readText(folder("a/vocab.tiktoken")).hasPrefix(small))
    #expect(small.split(separator: "\n").count == 300)
    let report = try JSONValue.parse(try readFile(folder("a/report.json")))
    #expect(report["documents"]?.int == 43)
    #expect(report["vocab_size"]?.int == 401)
    #expect(report["counts_xxh64"]?.string?.count == 16)
  }

  @Test func `merging that needs more than the memory is refused with both numbers, and resumed with more`()
    throws
  {
    guard let binary = Sluice.binary else { return }
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 81)
    var lines: [UInt8] = []
    for index in 0..<170 {
      let words = (0..<2000).map { _ in String(random.next(), radix: 26).filter { $0.isLetter } }
      let text = words.joined(separator: " ")
      lines +=
        JSONValue.object([.init("id", .string("\(index)")), .init("text", .string(text))]).serialized() + [10]
    }
    try writeFile(folder("d.jsonl"), lines)
    let line = "sluice train d.jsonl --vocab-size 300 -o tok -q --resume --memory"
    let refused = try shell(
      line + " 64MiB", environment: Workbench.environment(binary), currentDirectory: folder.path)
    #expect(refused.exit == 2, "\(refused.stderr)")
    #expect(
      refused.stderr.contains("64 MiB") && refused.stderr.contains("--resume --memory"), "\(refused.stderr)")
    #expect(!exists(folder("tok/manifest.json")))
    _ = try Self.sh(line + " 512MiB", folder, binary)
    #expect(exists(folder("tok/manifest.json")))
    #expect(!exists(folder("tok/journal")) && !exists(folder("tok/.tmp")))
  }
}
