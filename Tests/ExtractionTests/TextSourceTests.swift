import Bytes
import Documents
import Storage
import TestSupport
import Testing

@testable import Extraction

struct TextSourceTests {
  private func extractFile(_ name: String, _ bytes: [UInt8], unitBytes: Int64? = nil) throws -> Extracted {
    let folder = try TemporaryFolder()
    try writeFile(folder(name), bytes)
    let head = bytes.prefix(4096)
    let detected = SourceRegistry.detect(head: Array(head).span, fileName: name)
    let source = try #require(detected)
    return try extract(
      source.init(options: ExtractionOptions()), try inputFile(folder(name), name: name), unitBytes: unitBytes
    )
  }

  @Test("A text file is one document, repaired")
  func whole() throws {
    let result = try extractFile(
      "notes.txt", Array("\u{FEFF}One\r\ntwo\u{200B}\u{AD}\u{1}\r\n\r\n\r\nthree  \n".utf8))
    #expect(result.texts == ["One\ntwo\n\nthree"])
    #expect(result.ids == ["notes.txt"])
    #expect(result.ledger.isBalanced)
  }

  @Test("A large text is cut at empty lines into documents of at most 1 MiB, and nothing is lost")
  func large() throws {
    let paragraph = String(repeating: "Some words of a long paragraph. ", count: 40) + "\n\n"
    let text = String(repeating: paragraph, count: 3000)
    let result = try extractFile("book.txt", Array(text.utf8))
    #expect(result.documents.count > 3)
    #expect(
      result.documents.allSatisfy { $0.text.count <= 1 << 20 && $0.metadata.string.contains("\"part\"") })
    #expect(
      result.texts.map { $0 + "\n\n" }.joined().replacing(" \n", with: "\n")
        == text.replacing(" \n", with: "\n"))
    #expect(Set(result.ids).count == result.documents.count)
    #expect(result.ids.first == "book.txt/0")
  }

  @Test("Empty text is dropped, an unending line is cut between characters")
  func edges() throws {
    #expect(try extractFile("e.txt", Array(" \n\n".utf8)).dropCounts == ["empty": 1])
    let line = String(repeating: "é", count: 1_200_000)
    let result = try extractFile("l.txt", Array(line.utf8))
    #expect(result.texts.joined() == line)
  }

  @Test("Field names of other projects, unknown fields, missing ids and bad lines")
  func jsonLines() throws {
    let lines = [
      "{\"text\":\"a\",\"id\":\"x\",\"metadata\":{\"language\":\"en\",\"n\":1.0}}",
      "{\"content\":\"b\",\"doc_id\":5,\"source\":\"s\",\"created\":\"2020\",\"added\":\"2021\"}",
      "not json", "{\"raw_content\":\"c\\u200bd\\r\\n\",\"url\":\"http://e/\"}", "{\"title\":\"no text\"}",
      "{\"text\":\" \"}",
    ]
    let bytes = Array(lines.joined(separator: "\n").utf8)
    let result = try extractFile("d.jsonl", bytes)
    #expect(result.texts == ["a", "b", "cd\n"])
    #expect(result.documents.map(\.source.string) == ["jsonl", "s", "jsonl"])
    #expect(result.documents[0].metadata.string == "{\"language\":\"en\",\"n\":1.0}")
    #expect(result.documents[1].extras.string == "\"added\":\"2021\"")
    let offset = lines.prefix(3).reduce(0) { $0 + $1.utf8.count + 1 }
    #expect(result.ids == ["x", "5", "d.jsonl/\(offset)"])
    #expect(result.ledger.defects == ["not-json": 1, "no-text": 1])
    #expect(
      result.ledger.defectList.map(\.offset)
        == [lines[0].utf8.count + lines[1].utf8.count + 2, offset + lines[3].utf8.count + 1].map(Int64.init))
    #expect(result.dropCounts == ["empty": 1])
    #expect(result.ledger.isBalanced)
    for unitBytes in [1, 20, 100] as [Int64] {
      let split = try extractFile("d.jsonl", bytes, unitBytes: unitBytes)
      #expect(split.documents == result.documents)
      #expect(split.ledger == result.ledger)
    }
  }

  @Test("Sources are known by their bytes, and by their names only where the bytes say nothing")
  func detection() {
    func name(_ head: String, _ file: String) -> String? {
      SourceRegistry.detect(head: Array(head.utf8).span, fileName: file)?.name
    }
    #expect(name("WARC/1.0\r\nWARC-Type: warcinfo\r\n", "x") == "warc")
    #expect(name("junk\nWARC/1.1\r\n", "x") == "warc")
    #expect(name("<mediawiki xmlns=\"x\">", "x.xml") == "wiki")
    #expect(name("  <page>\n <title>T</title>", "x") == "wiki")
    #expect(name("{\"text\":\"a\"}\n", "x") == "jsonl")
    #expect(name("Just words.\n", "readme") == "text")
    #expect(name("", "a.warc.gz") == "warc")
    #expect(name("", "a.bin") == nil)
    #expect(name("Just words.\n", "a.warc.gz") == nil)
    #expect(name("\0\u{1}\u{2}", "a") == nil)
    #expect(SourceRegistry.all.map { $0.name } == ["jsonl", "text", "warc", "wiki"])
  }
}
