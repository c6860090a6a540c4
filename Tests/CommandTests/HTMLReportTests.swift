import Bytes
import TestSupport
import Testing

/// `report --html`: one file that loads nothing, whose every figure is one of `report --json` or `inspect --json`.
@Suite struct HTMLReportTests {
  /// An element that shows a figure.
  private struct Shown {
    var attributes: [String: String]
    var text: String
  }

  private static func unescaped(_ text: Substring) -> String {
    var out = String(text)
    for (entity, character) in [
      ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&"),
    ] {
      out = out.split(separator: entity, omittingEmptySubsequences: false).joined(separator: character)
    }
    return out
  }

  /// Elements that have an attribute of this name; `shown` holds their direct text.
  private static func elements(_ page: String, with name: String) -> [Shown] {
    var found: [Shown] = []
    for part in page.split(separator: "<").dropFirst() where part.contains(" \(name)=\"") {
      guard let end = part.firstIndex(of: ">") else { continue }
      var attributes: [String: String] = [:]
      let fields = part[..<end].split(separator: "\"", omittingEmptySubsequences: false)
      for index in stride(from: 0, to: fields.count - 1, by: 2) {
        let key = fields[index].drop { $0 != " " }.filter { $0 != " " && $0 != "=" }
        attributes[String(key)] = unescaped(fields[index + 1])
      }
      found.append(Shown(attributes: attributes, text: unescaped(part[part.index(after: end)...])))
    }
    return found
  }

  /// What JSON holds at a place such as `inspect store#/splits/train/tokens`.
  private struct Commands {
    let corpus: String
    let binary: String
    var made: [String: JSONValue] = [:]

    mutating func value(_ place: String) throws -> JSONValue? {
      let parts = place.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      let command = String(parts[0])
      if made[command] == nil {
        let words = command.split(separator: " ", maxSplits: 1).map(String.init)
        let path = words.count > 1 ? corpus + "/" + words[1] : corpus
        let result = try run(binary, [words[0], path, "--json"])
        try #require(result.exit == 0, "\(command): \(result.stderr)")
        made[command] = try JSONValue.parse(result.stdout)
      }
      var value = made[command]
      for key in parts[1].split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
        let plain = key.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
          .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
        if let list = value?.array {
          let index = try #require(Int(plain), "\(place)")
          value = list.indices.contains(index) ? list[index] : nil
        } else {
          value = value?[plain]
        }
      }
      return value
    }
  }

  private static func plain(_ value: JSONValue) -> String {
    value.string ?? String(decoding: value.serialized(), as: UTF8.self)
  }

  /// One decimal, rounded half up: by integers, so another way than the program's.
  private static func percent(_ part: Int, _ whole: Int) -> String {
    if whole == 0 { return "-" }
    let tenths = (part * 2000 + whole) / (2 * whole)
    return "\(tenths / 10).\(tenths % 10) %"
  }

  /// Makes the page and compares each of its figures with the JSON of the commands; gives the page.
  private func check(_ corpus: String, _ folder: TemporaryFolder, _ binary: String) throws -> String {
    let result = try run(binary, ["report", folder(corpus), "--html", folder("page.html")])
    try #require(result.exit == 0, "\(corpus): \(result.stderr)")
    let page = try readText(folder("page.html"))
    var commands = Commands(corpus: folder(corpus), binary: binary)
    let figures = Self.elements(page, with: "data-path")
    for shown in figures {
      let place = try #require(shown.attributes["data-path"])
      let value = try #require(try commands.value(place), "\(place) is not in the JSON")
      #expect(shown.attributes["data-value"] == Self.plain(value), "\(place)")
      // A whole number is shown in full, with commas, or in decimal units.
      if let number = value.int, shown.text.allSatisfy({ $0.isNumber || $0 == "," }) {
        #expect(Int(shown.text.filter(\.isNumber)) == number, "\(place): \(shown.text)")
      }
    }
    let shares = Self.elements(page, with: "data-part")
    for shown in shares {
      let part = try commands.value(try #require(shown.attributes["data-part"]))
      let whole = try commands.value(try #require(shown.attributes["data-whole"]))
      #expect(
        shown.text == Self.percent(part?.int ?? 0, whole?.int ?? 0), "\(shown.attributes): \(shown.text)")
    }
    #expect(figures.count > 15, "\(corpus) shows \(figures.count) figures and \(shares.count) shares")
    return page
  }

  @Test func `every figure of a run's page is one that report or inspect prints as JSON`() throws {
    guard let binary = Sluice.binary, let folder = try Workbench.copy() else { return }
    let views = [
      "--gpus 64 --tensor-parallel 2 --pipeline-parallel 2 --context 64 -o corpus/view/even.json",
      "--gpus 5000 --context 8 -o corpus/view/many.json",
    ]
    for view in views {
      let made = try shell(
        "sluice shard corpus/store \(view) -q", environment: Workbench.environment(binary),
        currentDirectory: folder.path)
      try #require(made.exit == 0, "\(made.stderr)")
    }
    let page = try check("corpus", folder, binary)
    #expect(Self.elements(page, with: "data-path").count > 300)
    for title in ["From dump to tokens", "What was dropped", "Languages", "Token store", "Who reads what"] {
      #expect(page.contains(title), "\(title)")
    }
    #expect(page.contains("5,000 ranks are too many to draw"))
    #expect(page.contains("rank 63: node 7, replica"))
  }

  @Test(arguments: ["extracted", "filtered", "clean", "tok", "store"])
  func `a stage's folder and a store have their page too`(corpus: String) throws {
    guard let binary = Sluice.binary, let folder = try Workbench.copy() else { return }
    _ = try check(corpus, folder, binary)
  }

  @Test func `the page loads nothing, runs nothing, and is the same wherever the corpus lies`() throws {
    guard let binary = Sluice.binary, let folder = try Workbench.copy(), let other = try Workbench.copy()
    else { return }
    let page = try check("corpus", folder, binary)
    for foreign in [
      " src=", "<script", "@import", "<iframe", "<object", " onload", "href=\"http", "url(h", "url(/",
    ] {
      #expect(!page.contains(foreign), "\(foreign)")
    }
    #expect(page.contains("default-src &#39;none&#39;"))
    #expect(!page.contains(folder.path), "a path of this machine")
    _ = try run(binary, ["report", other("corpus"), "--html", other("page.html")])
    #expect(try readText(other("page.html")) == page)
    let again = try run(binary, ["report", folder("corpus") + "/", "--html", folder("page.html")])
    #expect(again.exit == 0, "a page may be made anew")
  }

  @Test func `text of a corpus cannot become markup`() throws {
    guard let binary = Sluice.binary else { return }
    let folder = try TemporaryFolder()
    let evil = "<script>alert('1')</script>\"&/~"
    var lines: [UInt8] = []
    for index in 0..<40 {
      let words = (0..<60).map { "word\(index * $0 % 17)" }.joined(separator: " ")
      let document: JSONValue = [
        "id": .string("\(evil)/\(index)"), "text": .string(words), "source": .string(evil),
        "url": .string("https://example.org/\(evil)"), "metadata": ["language": .string("<b>en")],
      ]
      lines += document.serialized() + [10]
    }
    try writeFile(folder("in.jsonl"), lines)
    for line in [
      "sluice extract in.jsonl -o corpus/extract -q",
      "sluice train corpus/extract --vocab-size 300 -o corpus/tokenizer -q",
      "sluice tokenize corpus/extract --tokenizer corpus/tokenizer -o corpus/store -q",
      "sluice shard corpus/store --gpus 2 --context 64 -q -o corpus/view.json",
    ] {
      let result = try shell(line, environment: Workbench.environment(binary), currentDirectory: folder.path)
      try #require(result.exit == 0, "\(line): \(result.stderr)")
    }
    let page = try check("corpus", folder, binary)
    #expect(!page.contains("<script") && !page.contains("<b>en"))
    #expect(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"))
  }

  @Test func `what is no report is not replaced, and what is no corpus has none`() throws {
    guard let binary = Sluice.binary, let folder = try Workbench.copy() else { return }
    try writeFile(folder("notes.html"), "<p>mine</p>")
    let refused = try run(binary, ["report", folder("corpus"), "--html", folder("notes.html")])
    #expect(refused.exit == 4 && refused.stderr.contains("no report"), "\(refused.stderr)")
    #expect(try readText(folder("notes.html")) == "<p>mine</p>")
    let nothing = try run(binary, ["report", folder("crawl"), "--html", folder("page.html")])
    #expect(nothing.exit == 3, "\(nothing.stderr)")
    #expect(!exists(folder("page.html")))
    let both = try run(binary, ["report", folder("corpus"), "--html", folder("page.html"), "--json"])
    #expect(both.exit == 2, "\(both.stderr)")
  }
}
