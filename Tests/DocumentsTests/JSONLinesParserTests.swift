import Bytes
import Documents
import TestSupport
import Testing

@Suite struct JSONLinesParserTests {
  @Test func `a line in canonical form is written again byte for byte`() {
    let lines = [
      #"{"id":"a/1","text":"x","source":"web","metadata":{}}"#,
      #"{"id":"a/2","text":"é漢🙂\n\"\\","source":"","url":"https://x.y/?a=b","created":"2026-01-01","metadata":{"k":[1,{"z":null}]}}"#,
      #"{"id":"3","text":"","source":"s","metadata":{"a" : 1.0e3},"n":1.0e3,"o":{"p": [ 1 ,2.50]},"e":"\u00e9\/\ud83d\ude00","null":null,"t":true}"#,
      #"{"id":"4","text":"t","source":"s","metadata":{},"x" : -0.0,"x":2,"drop":{"stage":"filter","rule":"r"}}"#,
    ]
    let text = lines.joined(separator: "\n") + "\n"
    let (batch, ledger) = parseLines(text)
    #expect(written(batch) == text)
    #expect(ledger.documentsIn == 4)
    #expect(ledger.documentsOut == 4)
    #expect(ledger.isBalanced)
  }

  @Test func `any line in another form becomes canonical in one step and stays so`() {
    let line =
      #" { "metadata" : { "a" : [ ] } , "new" : "A" , "text" : "\u0041\/\u00e9" , "url" : "" , "id" : 17 , "created": null }"#
    let once = written(parseLines(line + "\n").batch)
    #expect(
      once
        == #"{"id":"17","text":"A/é","source":"","metadata":{ "a" : [ ] },"new" : "A"}"# + "\n")
    #expect(written(parseLines(once).batch) == once)
  }

  @Test func `no id gives file and place, no source gives the default`() {
    let parser = JSONLinesParser(defaultSource: "news")
    let text =
      "{\"text\":\"a\"}\n{\"text\":\"b\",\"id\":null}\n{\"text\":\"c\",\"id\":\"\",\"source\":\"own\"}\n"
    let (batch, _) = parseLines(text, file: "dir/x.jsonl", parser: parser)
    #expect(
      (0..<3).map { batch.document(at: $0).id.string } == [
        "dir/x.jsonl/0", "dir/x.jsonl/13", "dir/x.jsonl/36",
      ])
    #expect((0..<3).map { batch.document(at: $0).source.string } == ["news", "news", "own"])
    var chunk = RecordChunk()
    chunk.file = "z"
    chunk.bytes = Array("{\"text\":\"a\"}".utf8)
    chunk.records = [.init(range: 0..<12, offset: 99, ordinal: 4)]
    var kept = DocumentBatch()
    var dropped = DocumentBatch()
    var ledger = Ledger()
    parser.parse(chunk, kept: &kept, dropped: &dropped, ledger: &ledger)
    #expect(kept.document(at: 0).id.string == "z/99+4")
  }

  @Test(arguments: [
    ("{", "not-json"), ("[]", "not-json"), ("1", "not-json"), ("{\"text\":\"a\"} x", "not-json"),
    ("{\"text\":\"a\"}{\"text\":\"b\"}", "not-json"), ("{\"text\":\"a\tb\"}", "not-json"),
    ("{\"id\":\"1\"}", "no-text"), ("{\"text\":null}", "no-text"), ("{\"text\":1}", "no-text"),
    ("{\"text\":[\"a\"]}", "no-text"), ("{}", "no-text"),
    (
      "{\"text\":\"a\",\"d\":" + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}",
      "not-json"
    ),
  ])
  func `a bad line is one counted defect with its place, and the next line is read`(
    line: String, kind: String
  ) {
    let (batch, ledger) = parseLines("{\"text\":\"first\"}\n" + line + "\n{\"text\":\"last\"}\n")
    #expect((0..<batch.count).map { batch.document(at: $0).text.string } == ["first", "last"])
    #expect(ledger.defects == [kind: 1])
    #expect(ledger.defectList.map(\.offset) == [17])
    #expect(ledger.documentsIn == 3)
    #expect(ledger.isBalanced)
  }

  @Test func `where tokens may stand in place of text, a line without text has an empty one`() {
    let line = #"{"id":"1","tokens":[1,2]}"# + "\n"
    let (batch, ledger) = parseLines(line, parser: JSONLinesParser(requiresText: false))
    #expect(written(batch) == #"{"id":"1","text":"","source":"","metadata":{},"tokens":[1,2]}"# + "\n")
    #expect(ledger.defectCount == 0)
  }

  @Test func `a line that is not UTF-8 is a counted defect`() {
    let (batch, ledger) = parseLines(
      Array("{\"text\":\"".utf8) + [0xFF] + Array("\"}\n{\"text\":\"b\"}\n".utf8))
    #expect(batch.count == 1)
    #expect(ledger.defects == ["invalid-utf8": 1])
  }

  @Test func `a lone surrogate in the text is replaced, in unknown fields it stays`() {
    let (batch, _) = parseLines(#"{"id":"1","text":"a\ud800b","k":"\ud800"}"# + "\n")
    #expect(
      written(batch)
        == "{\"id\":\"1\",\"text\":\"a\u{FFFD}b\",\"source\":\"\",\"metadata\":{},\"k\":\"\\ud800\"}\n")
  }

  @Test func `names that sluice writes itself never stand twice`() {
    let cases = [
      #"{"id":"1","text":"a","text":"b","id":"2","metadata":{"x":1},"metadata":{"y":2}}"#,
      #"{"id":"1","text":"a","metadata":null}"#, #"{"id":"1","text":"a","metadata":"m"}"#,
      #"{"id":"1","text":"a","metadata":[1]}"#,
    ]
    let wanted = [#"{"x":1}"#, "{}", #"{"metadata":"m"}"#, #"{"metadata":[1]}"#]
    for (line, metadata) in zip(cases, wanted) {
      let out = written(parseLines(line + "\n").batch)
      #expect(out == #"{"id":"1","text":"a","source":"","metadata":"# + metadata + "}\n")
    }
  }

  @Test func `other projects' names are taken in their order, and what is not taken goes on`() {
    var fields = JSONLinesParser.FieldNames()
    fields.text = ["text", "content"]
    fields.id = ["id", "doc_id"]
    let text =
      #"{"content":"c","doc_id":"d"}"# + "\n" + #"{"content":"c","text":"t","doc_id":"d","id":"i"}"# + "\n"
      + #"{"text":null,"content":"c","id":"i"}"# + "\n"
    let out = written(parseLines(text, parser: JSONLinesParser(fields: fields)).batch)
    #expect(
      out == #"{"id":"d","text":"c","source":"","metadata":{}}"# + "\n"
        + #"{"id":"i","text":"t","source":"","metadata":{},"content":"c","doc_id":"d"}"# + "\n"
        + #"{"id":"i","text":"c","source":"","metadata":{}}"# + "\n")
  }

  @Test func `the ledger counts languages, sources and bytes`() {
    let (_, ledger) = parseLines(
      #"{"text":"abc","source":"s","metadata":{"language":"de"}}"# + "\n"
        + #"{"text":"é","source":"s","metadata":{"language":"de"}}"# + "\n" + #"{"text":"x","source":"u"}"#
        + "\n")
    #expect(ledger.textBytesIn == 6)
    #expect(ledger.languages["de"]?.documentsOut == 2)
    #expect(ledger.languages["de"]?.bytesOut == 5)
    #expect(ledger.languages["unknown"]?.documentsIn == 1)
    #expect(ledger.sources["s"] == Ledger.Tally(documents: 2, bytes: 5))
  }

  @Test func `random damage never traps, and the counts add up`() {
    var random = SeededRandom(seed: 11)
    let seed = Array(
      (#"{"id":"1","text":"é\n\ud83d\ude00","source":"s","metadata":{"language":"de","n":[1]},"k":{"a":"b"}}"#
        + "\n"
        + #"{"id":"2","text":"plain","url":"u","created":"c"}"# + "\n").utf8)
    for _ in 0..<4_000 {
      let (batch, ledger) = parseLines(random.mutation(of: seed))
      #expect(ledger.isBalanced)
      #expect(ledger.documentsOut == batch.count)
      let once = written(batch)
      let again = parseLines(once)
      #expect(again.ledger.defectCount == 0)
      #expect(written(again.batch) == once)
    }
  }
}
