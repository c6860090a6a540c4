import Bytes
import TestSupport
import Testing

/// `inspect show`, `inspect where` and `inspect diff` as programs.
@Suite struct InspectTests {
  private func sluice(_ line: String, _ folder: TemporaryFolder, exit: Int32 = 0) throws -> RunResult {
    let binary = try #require(Sluice.binary)
    let result = try shell(
      "sluice \(line)", environment: Workbench.environment(binary), currentDirectory: folder.path)
    #expect(result.exit == exit, "\(line): exit \(result.exit): \(result.stderr)")
    return result
  }

  @Test func `show prints what extract wrote, and where finds it again`() throws {
    guard Sluice.binary != nil, let folder = try Workbench.copy() else { return }
    let whole = try sluice("inspect show view.json --step 1 --rank 1 --full", folder).output
    let json = try JSONValue.parse(
      try sluice("inspect show view.json --step 1 --rank 1 --full --json", folder).stdout)
    #expect(json["step"]?.int == 1 && json["rank"]?.int == 1 && json["replica"]?.int == 1)
    let item = try #require(json["items"]?.array?.first)
    #expect(item["tokens"]?.array?.count == 128 && item["micro"]?.int == 0)
    let document = try #require(item["documents"]?.array?.first)
    let id = try #require(document["id"]?.string)
    let text = try #require(document["text"]?.string)
    #expect(whole.contains(id) && text.utf8.count > 20)
    for line in text.split(separator: "\n").prefix(3) { #expect(whole.contains("│ \(line)"), "\(line)") }

    // The text of the document that extract wrote holds what was shown.
    let documents = try sluice("extract crawl -q", folder).stdout.split(separator: 10)
    let source = try #require(
      documents.lazy.compactMap { try? JSONValue.parse(Array($0)) }.first { $0["id"]?.string == id })
    let shown = text.split(separator: "\u{FFFD}", omittingEmptySubsequences: false).max {
      $0.count < $1.count
    }
    let core = String(try #require(shown)).split(separator: "<|endoftext|>").first.map(String.init) ?? ""
    #expect(source["text"]?.string?.contains(core) == true, "\(core)")

    let found = try JSONValue.parse(
      try sluice("inspect where view.json --document '\(id)' --json", folder).stdout)
    let readings = try #require(found.array?.first?["readings"]?.array)
    let here = readings.first { $0["position"]?.int == item["position"]?.int }
    #expect(here?["step"]?.int == 1 && here?["replica"]?.int == 1)
    #expect(here?["row"]?.int == document["start"]?.int && here?["offset"]?.int == document["offset"]?.int)
    #expect(here?["ranks"] == [1])
    let table = try sluice("inspect where view.json --document '\(id)'", folder).output
    #expect(table.contains(id) && table.contains("replica"))
  }

  @Test func `where takes a token of the split or of a segment`() throws {
    guard Sluice.binary != nil, let folder = try Workbench.copy() else { return }
    let one = try sluice("inspect where store 500 --json", folder).output
    #expect(one == (try sluice("inspect where store 0:500 --json", folder).output))
    #expect(one == (try sluice("inspect where store --token 500 --json", folder).output))
    let held = try sluice("inspect where store 0 --split valid", folder).output
    #expect(held.contains("of valid"))
    let beyond = try sluice("inspect where store 99999999999", folder, exit: 2)
    #expect(beyond.stderr.contains("has the tokens 0 to"))
    _ = try sluice("inspect where store 5x", folder, exit: 2)
    _ = try sluice("inspect where store 5 --number 3", folder, exit: 2)
    let missing = try sluice("inspect where store --document nowhere", folder, exit: 3)
    #expect(missing.stderr.contains("sluice why"))
  }

  @Test func `without a tokenizer ids are shown, and a wrong one is refused`() throws {
    guard Sluice.binary != nil, let folder = try Workbench.copy() else { return }
    _ = try shell(
      "mkdir -p far/away && mv store view.json far/away/ && rm -r corpus && mv tok elsewhere",
      currentDirectory: folder.path)
    let blind = try sluice("inspect show far/away/view.json --step 0 --rank 0", folder).output
    #expect(blind.contains("was not found") && blind.contains("ids   "))
    let seen = try sluice("inspect show far/away/view.json --step 0 --rank 0 --tokenizer elsewhere", folder)
    #expect(seen.output.contains("│ ") && !seen.output.contains("was not found"))
    _ = try sluice("train clean --vocab-size 300 -o other -q", folder)
    let wrong = try sluice("inspect show far/away/view.json --step 0 --tokenizer other", folder, exit: 2)
    #expect(wrong.stderr.contains("not those of the store"))
    _ = try shell("mv far/away/store moved", currentDirectory: folder.path)
    let lost = try sluice("inspect show far/away/view.json --step 0", folder, exit: 3)
    #expect(lost.stderr.contains("--store"))
    _ = try sluice("inspect show far/away/view.json --step 0 --store moved", folder)
    _ = try sluice("inspect show moved --step 0", folder, exit: 3)
    _ = try sluice("inspect show far/away/view.json --step 0 --rank first", folder, exit: 2)
  }

  @Test func `text of a document cannot drive the terminal`() throws {
    guard Sluice.binary != nil else { return }
    let folder = try TemporaryFolder()
    var lines: [UInt8] = []
    for index in 0..<30 {
      let text = "plain words \u{1B}[2J and \u{202E}more\u{7} of them, number \(index), again and again"
      let document: JSONValue = [
        "id": .string("a\u{1B}]0;x\u{7}/\(index)"), "text": .string(text), "source": "s\u{9B}1m",
      ]
      lines += document.serialized() + [10]
    }
    try writeFile(folder("in.jsonl"), lines)
    _ = try sluice("extract in.jsonl -o e -q", folder)
    _ = try sluice("train e --vocab-size 300 -o tok -q", folder)
    _ = try sluice("tokenize e --tokenizer tok -o store -q", folder)
    _ = try sluice("shard store --gpus 1 --context 32 -o view.json -q", folder)
    for line in ["show view.json --step 0 --full", "where store 10", "where view.json --token 10"] {
      let output = try sluice("inspect \(line)", folder).output
      let isBad = output.unicodeScalars.contains {
        ($0.value < 32 && $0.value != 10) || (127..<160).contains($0.value) || $0.value == 0x202E
      }
      #expect(!isBad, "\(line)")
    }
  }

  @Test func `diff ends with 0 for the same and 1 for another`() throws {
    guard Sluice.binary != nil, let folder = try Workbench.copy() else { return }
    _ = try sluice("shard store --gpus 4 --context 128 -o four.json -q", folder)
    _ = try sluice("shard store --gpus 4 --context 128 --seed 7 -o seven.json -q", folder)
    #expect(try sluice("inspect diff view.json view.json", folder).output == "The same view.\n")
    #expect(try sluice("inspect diff store store", folder).output.contains("The same store"))
    let gpus = try sluice("inspect diff view.json four.json", folder, exit: 1)
    #expect(gpus.output.contains("gpus: 2 → 4") && gpus.output.contains("The same order"))
    let seed = try sluice("inspect diff four.json seven.json --json", folder, exit: 1)
    #expect(try JSONValue.parse(seed.stdout)["same_order"]?.bool == false)
    let stages = try sluice("inspect diff filtered clean", folder, exit: 1)
    #expect(stages.output.contains("report.documents_out"))
    _ = try sluice("inspect diff filtered filtered", folder)
    let kinds = try sluice("inspect diff store view.json", folder, exit: 2)
    #expect(kinds.stderr.contains("cannot be compared"))
    _ = try sluice("inspect diff crawl crawl", folder, exit: 3)
  }
}
