import Bytes
import Documents
import Storage
import TestSupport
import Testing

@testable import Extraction

private func text(_ wikitext: String, _ site: WikiSite = WikiSite()) -> String {
  var wiki = Wikitext()
  var output: [UInt8] = []
  wiki.render(Array(wikitext.utf8), site, into: &output)
  var sink = DocumentSink()
  var clean: [UInt8] = []
  var ledger = Ledger()
  sink.clean(output.span, into: &clean, &ledger)
  return clean.string
}

private let wiki = WikiSource(options: ExtractionOptions())

/// Writes a dump with this head and pages, and extracts it.
private func extractDump(_ xml: String) throws -> Extracted {
  let folder = try TemporaryFolder()
  try writeFile(folder("dump.xml"), xml)
  return try extract(wiki, try inputFile(folder("dump.xml"), name: "dump.xml"))
}

private func page(_ body: String, title: String = "T", ns: Int = 0) -> String {
  "<page><title>\(title)</title><ns>\(ns)</ns><id>7</id><revision><id>9</id><timestamp>2020-01-01T00:00:00Z</timestamp>"
    + "<model>wikitext</model><text xml:space=\"preserve\">\(body)</text></revision></page>\n"
}

private let head =
  "<mediawiki xml:lang=\"en\"><siteinfo><dbname>enwiki</dbname><base>https://en.wikipedia.org/wiki/Main_Page</base>"
  + "<namespaces><namespace key=\"0\" /><namespace key=\"6\">Bildje</namespace></namespaces></siteinfo>\n"

struct WikitextTests {
  @Test(
    "Markup becomes the text a reader sees",
    arguments: [
      ("'''Bold''' and ''italic'' and it's '''''both'''''.", "Bold and italic and it's both."),
      ("[[a|b]] [[c]]s [[:Category:x]] [[d (e)|]] [[f#g|]]", "b cs Category:x d f#g"),
      ("x [[File:a.jpg|thumb|A [[nested]] caption [[b|c]]]] y", "x  y"),
      ("[[Category:Things]]\n[[fr:Chose]]\nText", "Text"),
      ("[http://x.org label here] and [http://y.org] end", "label here and  end"),
      ("a{{Infobox|x={{y|z}}|w}}b", "ab"),
      ("a{{{param|b}}}c", "ac"),
      ("a{{lang|de|Wort}}b {{convert|5|km|mi}} {{formatnum:1234}}", "aWortb 5 km 1234"),
      (
        "Fact.<ref>Source {{cite|a}}</ref> More.<ref name=\"x\" /> End.<ref name=y>z</ref>",
        "Fact. More. End."
      ),
      ("a<!-- hidden [[ {{ -->b", "ab"),
      ("{| class=x\n|-\n| a || {{b}}\n{| \n| c\n|}\n|}\nText", "Text"),
      ("== Head ==\nText\n=== Empty ===\n== Also empty ==\n", "Head\n\nText"),
      ("* one\n** two\n# three\n: four\n----\n", "- one\n- two\n- three\nfour"),
      ("E is <math>E = mc^2 {{x}}</math> here", "E is $E = mc^2 {{x}}$ here"),
      ("<nowiki>'''not bold''' [[x]]</nowiki> &amp; &ndash;&nbsp;x", "'''not bold''' [[x]] & – x"),
      ("<source lang=c>\n* p = 1;\n</source>", "* p = 1;"),
      ("line<br />next <span style=\"x\">in</span> __TOC__ end", "line\nnext in  end"),
      ("Name ({{lang-x|y}}; ) is", "Name is"), ("数学（{{lang-en|m}}；{{x}}）是", "数学是"),
      ("-{zh-hans:计算机; zh-hant:電腦}-", "计算机"),
      ("unclosed {{template and [[link and '''bold", "unclosed template and link and bold"),
      ("a }} b ]] c", "a  b  c"),
    ])
  func markup(source: String, wanted: String) {
    #expect(text(source) == wanted)
  }

  @Test("Nested and unclosed markup takes time linear in its length")
  func linear() {
    for unit in [
      "{{", "[[File:", "-{", "<ref>", "<math>", "{|\n", "[[a|", "[http://x ", "''", "<!--", "{{a|[[b|",
      "&amp", "=\n", "<a",
    ] {
      let ratio = Growth.ratio(10_000) { count in _ = text(String(repeating: unit, count: count)) }
      #expect(ratio < Growth.ratioMax, "\(unit)")
    }
  }

  @Test("Damaged wikitext never stops the program")
  func mutations() {
    var random = SeededRandom(seed: 5)
    let seed = Array(
      "{{a|b}} [[c|d]] '''e''' <ref>f</ref> {| g\n|-\n|} == h ==\n* i <math>j</math> -{k:l;}- [http://m n] &amp; __TOC__ <nowiki>o</nowiki>"
        .utf8)
    var wikitext = Wikitext()
    let site = WikiSite()
    for _ in 0..<5000 {
      var output: [UInt8] = []
      wikitext.render(random.mutation(of: seed), site, into: &output)
    }
  }
}

struct WikiDumpTests {
  @Test("A page becomes a document with its id, address and metadata")
  func document() throws {
    let result = try extractDump(head + page("Hello '''world'''", title: "A b/é") + "</mediawiki>")
    let document = try #require(result.documents.first)
    #expect(document.text.string == "Hello world")
    #expect(document.id.string == "enwiki/7/9")
    #expect(document.url.string == "https://en.wikipedia.org/wiki/A_b/%C3%A9")
    #expect(document.created.string == "2020-01-01T00:00:00Z")
    #expect(document.source.string == "wiki")
    let offset = head.utf8.count
    #expect(
      document.metadata.string
        == "{\"dump\":\"dump.xml\",\"offset\":\(offset),\"title\":\"A b/é\",\"namespace\":0,\"revision\":\"9\",\"language\":\"en\"}"
    )
    #expect(result.ledger.isBalanced)
  }

  @Test("Redirects, other namespaces, other models and deleted pages give no document and are counted")
  func others() throws {
    let redirect =
      "<page><title>R</title><ns>0</ns><id>1</id><redirect title=\"T\" /><revision><id>2</id><text>#REDIRECT [[T]]</text></revision></page>"
    let deleted =
      "<page><title>D</title><ns>0</ns><id>1</id><revision><id>2</id><text deleted=\"deleted\" /></revision></page>"
    let model =
      "<page><title>M</title><ns>0</ns><id>1</id><revision><id>2</id><model>css</model><text>a { }</text></revision></page>"
    let result = try extractDump(
      head + page("talk", ns: 1) + redirect + deleted + model + page("[[Bildje:x.jpg|y]]") + "</mediawiki>")
    #expect(result.documents.isEmpty)
    #expect(result.ledger.other == ["namespace-1": 1, "redirect": 1, "deleted": 1])
    #expect(result.ledger.drops.mapValues(\.documents) == ["model": 1, "empty": 1])
    #expect(result.ledger.isBalanced)
  }

  @Test("Of several revisions the newest is taken")
  func revisions() throws {
    let history =
      "<page><title>T</title><ns>0</ns><id>1</id><revision><id>5</id><timestamp>2021-01-01T00:00:00Z</timestamp><text>new</text></revision>"
      + "<revision><id>4</id><timestamp>2020-01-01T00:00:00Z</timestamp><contributor><id>99</id></contributor><text>old</text></revision></page>"
    let result = try extractDump(head + history)
    #expect(result.documents.map(\.text.string) == ["new"])
    #expect(result.documents.first?.id.string == "enwiki/1/5")
  }

  @Test("A DOCTYPE, entities and external files are refused")
  func hostile() throws {
    let folder = try TemporaryFolder()
    try writeFile(folder("secret"), "SECRET")
    let laughs =
      "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]>"
    let external = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file://\(folder("secret"))\">]>"
    for declaration in [laughs, external] {
      let before = try extractDump(declaration + head + page("&c; &e;"))
      #expect(before.documents.isEmpty)
      #expect(before.ledger.defects == ["xml": 1])
      let inside = try extractDump(head + "<page>" + declaration + page("&e;").dropFirst(6) + page("good"))
      #expect(inside.documents.map(\.text.string) == ["good"])
      #expect(inside.ledger.defects == ["xml": 1])
      let entity = try extractDump(head + page("a &e; b") + page("good"))
      #expect(entity.documents.map(\.text.string) == ["good"])
      #expect(entity.ledger.isBalanced)
    }
  }

  @Test("Bytes that XML forbids are replaced, a broken or endless page costs one page")
  func damage() throws {
    let result = try extractDump(head + page("a\u{1}b") + page("c</title>") + page("d") + "<page><title>cut")
    #expect(result.documents.map(\.text.string) == ["a?b", "d"])
    #expect(result.ledger.defects == ["xml": 1, "truncated-file": 1])
    #expect(result.ledger.isBalanced)
  }

  @Test("A whole small wiki: its pages counted, no markup left")
  func smallWiki() throws {
    guard let path = SharedData.path("data/wiki/dumpster-dive/smallwiki-latest-pages-articles.xml.bz2") else {
      return
    }
    let result = try extract(wiki, try inputFile(path))
    #expect(result.ledger.documentsIn == 2004)
    #expect(result.ledger.isBalanced)
    #expect(result.ledger.defects.isEmpty)
    let clean = result.documents.filter { document in
      !["{{", "}}", "[[", "]]", "'''", "<ref", "{|"].contains {
        document.text.span.firstIndex(of: Array($0.utf8)) != nil
      }
    }
    #expect(clean.count * 100 >= result.documents.count * 98, "\(clean.count) of \(result.documents.count)")
    #expect(Set(result.documents.map(\.id)).count == result.documents.count)
    #expect(result.documents.allSatisfy { $0.metadata.string.contains("\"language\":\"ltg\"") })
  }

  @Test("A multistream dump gives the documents of the plain one, for any split into units")
  func multistream() throws {
    guard let folder = SharedData.path("data/wiki/dumpster-dive") else { return }
    let plain = try extract(wiki, try inputFile(folder + "/smallwiki-latest-pages-articles.xml.bz2"))
    func content(_ result: Extracted) -> [[UInt8]] {
      result.documents.map { $0.id + [10] + $0.text + [10] + $0.url }
    }
    let file = try inputFile(folder + "/smallwiki-multistream.xml.bz2")
    let whole = try extract(wiki, file)
    #expect(content(whole) == content(plain))
    for unitBytes in [1, 5_000, 100_000, 500_000] as [Int64] {
      let split = try extract(wiki, file, unitBytes: unitBytes)
      #expect(split.documents == whole.documents)
      #expect(split.ledger == whole.ledger)
    }
  }

  @Test("Other real exports: every page is a document or counted")
  func otherExports() throws {
    guard let folder = SharedData.path("data/wiki") else { return }
    for name in try filesBelow(folder) where name.hasSuffix(".xml") || name.hasSuffix(".xml.bz2") {
      let result = try extract(wiki, try inputFile(folder + "/" + name))
      #expect(result.ledger.isBalanced, "\(name)")
      if name.hasPrefix("wikiclean/"), name.hasSuffix(".xml") {
        #expect(result.documents.count == 1, "\(name) \(result.ledger)")
        #expect((result.documents.first?.text.count ?? 0) > 1000, "\(name)")
      }
      if name.contains("enwiki-table-markup") { #expect(result.ledger.documentsIn == 5) }
      if name.contains("bgwiki") { #expect(result.ledger.defects == ["xml": 1]) }
    }
  }
}
