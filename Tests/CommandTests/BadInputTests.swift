import TestSupport
import Testing

/// Whatever is wrong with an input or an option: one clear line, the documented exit code, nothing half-written.
@Suite struct BadInputTests {
  /// What a case must give: the exit code, words of the message, and a folder or file that must not be there.
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var line: String
    var exit: Int32
    var says: [String]
    var absent: String?
    var testDescription: String { name }

    init(_ name: String, _ line: String, exit: Int32, says: [String], absent: String? = nil) {
      self.name = name
      self.line = line
      self.exit = exit
      self.says = says
      self.absent = absent
    }
  }

  static let cases = [
    Case(
      "missing file", "sluice extract none.warc.gz -o x", exit: 3, says: ["none.warc.gz"],
      absent: "x/manifest.json"),
    Case(
      "glob without a match", "sluice extract 'none/*.gz' -o x", exit: 3, says: ["none/*.gz"],
      absent: "x/manifest.json"),
    Case(
      "missing dump of a run", "sluice run pipelines/small.yaml --input none -o x --gpus 1", exit: 3,
      says: ["none"]),
    Case(
      "missing stage folder", "sluice dedup none -o x", exit: 3, says: ["none"], absent: "x/manifest.json"),
    Case(
      "folder without documents", "mkdir e && sluice filter e -o x", exit: 3, says: ["e"],
      absent: "x/manifest.json"),
    Case(
      "unknown key", "sluice run bad-key.yaml --input crawl -o x --gpus 1", exit: 2,
      says: ["bad-key.yaml:4", "treshold"], absent: "x"),
    Case(
      "unknown recipe", "sluice filter extracted --recipe weeb -o x", exit: 2, says: ["weeb", "web"],
      absent: "x"),
    Case("small vocabulary", "sluice train clean --vocab-size 255 -o x", exit: 2, says: ["256"], absent: "x"),
    Case(
      "unknown pattern", "sluice train clean --vocab-size 300 --pattern gpt9 -o x", exit: 2, says: ["gpt9"],
      absent: "x"),
    Case(
      "missing tokenizer", "sluice tokenize clean --tokenizer none -o x", exit: 3, says: ["none"],
      absent: "x/manifest.json"),
    Case(
      "no tokenizer", "sluice tokenize clean --tokenizer clean -o x", exit: 3, says: ["clean"],
      absent: "x/manifest.json"),
    Case("dump for documents", "sluice dedup crawl -o x", exit: 3, says: ["sluice extract"], absent: "x"),
    Case(
      "view of no store", "sluice shard clean --gpus 2 --context 128 -o x.json", exit: 3, says: ["clean"],
      absent: "x.json"),
    Case(
      "no such format", "sluice export store --format tfrecord -o x", exit: 2,
      says: ["tfrecord", "megatron"], absent: "x"),
    Case("output is taken", "sluice filter extracted -o clean", exit: 2, says: ["clean", "--re"]),
    Case(
      "unknown option", "sluice filter extracted --recipee web -o x", exit: 2, says: ["recipee"], absent: "x"),
    Case(
      "nothing to read", "sluice extract -o x < /dev/null", exit: 3, says: ["standard input"],
      absent: "x/manifest.json"),
    Case("why of nothing", "sluice why corpus https://nowhere.example/", exit: 3, says: ["nowhere.example"]),
    Case("inspect of nothing", "sluice inspect none", exit: 3, says: ["none"]),
    Case("verify of a dump", "sluice verify crawl", exit: 3, says: ["crawl"]),
    Case("full disk", "sluice extract crawl --quiet > /dev/full", exit: 4, says: ["space"]),
    Case("closed pipe", "sluice extract crawl --quiet | head -n 1 > first.txt", exit: 0, says: []),
  ]

  @Test(arguments: cases) func `a mistake is answered by one line and its code`(_ one: Case) throws {
    guard let binary = Sluice.binary, let folder = try Workbench.copy() else { return }
    try writeFile(folder("bad-key.yaml"), "pipeline: 1\nstages:\n  - stage: dedup\n    treshold: 0.8\n")
    let result = try shell(
      one.line, environment: Workbench.environment(binary), currentDirectory: folder.path)
    #expect(result.exit == one.exit, "exit \(result.exit): \(result.stderr)")
    for word in one.says { #expect(result.stderr.contains(word), "\(result.stderr)") }
    if !one.says.isEmpty, one.exit != 2 {
      let lines = result.stderr.split(separator: "\n").filter { $0.hasPrefix("sluice: ") }
      #expect(lines.count == 1, "\(result.stderr)")
    }
    if let absent = one.absent { #expect(!exists(folder(absent)), "\(absent) is there") }
    let leftovers = exists(folder("x/.tmp")) ? try names(in: folder("x/.tmp")) : []
    #expect(leftovers.isEmpty, "\(leftovers)")
  }

  @Test func `damaged dumps give what can be read and count the rest`() throws {
    guard let binary = Sluice.binary, let folder = try Workbench.copy() else { return }
    let whole = try readFile(folder("crawl/tower.warc.gz"))
    let part = try readFile(folder("extracted/part-00000.jsonl.zst"))
    try writeFile(folder("bad/empty.warc.gz"), [])
    try writeFile(folder("bad/cut.warc.gz"), Array(whole[..<(whole.count * 2 / 3)]))
    try writeFile(folder("bad/cut.jsonl.zst"), Array(part[..<(part.count / 2)]))
    try writeFile(folder("bad/not-a.warc.gz"), Array("This is no dump at all.\n".utf8))
    for (name, defect) in [
      ("empty.warc.gz", nil), ("cut.warc.gz", "trunc"), ("cut.jsonl.zst", "trunc"), ("not-a.warc.gz", ""),
    ] {
      let result = try shell(
        "sluice extract bad/\(name) -o out-\(name)", environment: Workbench.environment(binary),
        currentDirectory: folder.path)
      #expect([0, 3].contains(result.exit), "\(name): exit \(result.exit): \(result.stderr)")
      guard result.exit == 0 else { continue }
      let report = try readText(folder("out-\(name)/report.json"))
      if let defect { #expect(report.contains(defect) && report.contains("\"file\":"), "\(name): \(report)") }
    }
  }

  @Test func `a full disk ends the run with code 4, and with room it goes on`() throws {
    guard Sluice.binary != nil, let folder = try Workbench.copy() else { return }
    let environment = Workbench.environment(try #require(Sluice.binary))
    // A disk of its own, seen by this shell only.
    let mount = "mkdir disk && mount -t tmpfs -o size=100k none disk"
    let probe = try run("unshare", ["-rm", "sh", "-c", mount], currentDirectory: folder.path)
    guard probe.exit == 0 else {
      Notices.once("skipped: no private mount can be made here, so no disk is filled")
      return
    }
    let command = "sluice run pipelines/small.yaml --input crawl -o disk/out --gpus 2 --quiet"
    let script = """
      mount -t tmpfs -o size=100k none disk; \(command); echo "code $?"
      find disk/out -path '*.tmp/*' ! -name lock | sed 's/^/left /'
      mount -o remount,size=50m disk; \(command) --resume; echo "code $?"; cp -r disk/out out
      """
    let result = try run(
      "unshare", ["-rm", "sh", "-c", script], environment: environment, currentDirectory: folder.path)
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines == ["code 4", "code 0"], "\(result.output)")
    #expect(result.stderr.contains("no space left") && result.stderr.contains("--resume"), "\(result.stderr)")
    #expect(try outputTree(folder("out")) == outputTree(folder("corpus")))
  }

  @Test func `a tokenizer of another store is refused`() throws {
    guard let binary = Sluice.binary, let folder = try Workbench.copy() else { return }
    let environment = Workbench.environment(binary)
    let other = try shell(
      "sluice train clean --vocab-size 400 -o other", environment: environment, currentDirectory: folder.path)
    try #require(other.exit == 0, "\(other.stderr)")
    let work = "sluice tokenize clean --tokenizer other -o store2 && sluice verify view.json --store store2"
    let result = try shell(work, environment: environment, currentDirectory: folder.path)
    #expect(result.exit == 3, "exit \(result.exit): \(result.stderr)")
    #expect(result.output.contains("tokenizer"), "\(result.output)")

    let resumed = try shell(
      "sluice tokenize clean --tokenizer other -o store --resume", environment: environment,
      currentDirectory: folder.path)
    #expect(resumed.exit == 2, "exit \(resumed.exit): \(resumed.stderr)")
    #expect(resumed.stderr.contains("tokenizer"))

    // Ids that the tokenizer does not have: no text is made up for them.
    let decoded = try shell(
      "sluice encode clean --tokenizer tok --quiet | sluice decode --tokenizer other",
      environment: environment,
      currentDirectory: folder.path)
    #expect(decoded.stderr.contains("unknown-id"), "\(decoded.stderr)")
  }

  @Test func `a cut stream publishes nothing`() throws {
    guard let binary = Sluice.binary, let folder = try Workbench.copy() else { return }
    let environment = Workbench.environment(binary)
    let cut = "sluice extract crawl --quiet | head -n 5 | sluice filter -o x"
    let result = try shell(cut, environment: environment, currentDirectory: folder.path)
    #expect(result.exit == 3, "exit \(result.exit): \(result.stderr)")
    #expect(result.stderr.contains("cut"))
    #expect(!exists(folder("x/manifest.json")))
    let accepted = try shell(cut + "a --accept-cut", environment: environment, currentDirectory: folder.path)
    #expect(accepted.exit == 0, "\(accepted.stderr)")
    #expect(exists(folder("xa/manifest.json")))
  }
}
