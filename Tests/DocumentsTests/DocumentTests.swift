import Bytes
import Documents
import TestSupport
import Testing

@Suite struct DocumentTests {
  static func setting(_ key: StaticString, _ value: String, in object: String) -> String {
    JSONMembers.setting(key, to: Array(value.utf8), in: Array(object.utf8)).string
  }

  @Test func `setting a member replaces it where it stands or adds it at the end`() {
    #expect(Self.setting("a", "2", in: #"{"a":1,"b":3}"#) == #"{"a":2,"b":3}"#)
    #expect(Self.setting("b", #"{"x":1}"#, in: #"{"a":1,"b":3}"#) == #"{"a":1,"b":{"x":1}}"#)
    #expect(Self.setting("c", "true", in: #"{"a":1}"#) == #"{"a":1,"c":true}"#)
    #expect(Self.setting("c", "null", in: "{}") == #"{"c":null}"#)
    #expect(Self.setting("a", "1", in: "{ \n}") == "{ \n\"a\":1}")
    #expect(Self.setting("a", "1", in: #"{ "b" : {} }"#) == #"{ "b" : {} ,"a":1}"#)
    #expect(Self.setting("x", "1", in: #"{"y":{"x":0}}"#) == #"{"y":{"x":0},"x":1}"#)
  }

  @Test func `a member is found by its whole name only`() {
    let bytes = Array(#"??{"ab":1,"a":{"b":2},"b":3}??"#.utf8)
    let object = 2..<bytes.count - 2
    func value(_ key: StaticString) -> String? {
      JSONMembers.value(of: key, in: bytes, object).map { Array(bytes[$0]).string }
    }
    #expect(value("a") == #"{"b":2}"#)
    #expect(value("b") == "3")
    #expect(value("ab") == "1")
    #expect(value("abc") == nil)
  }

  @Test func `metadata members are added in order and escaped`() {
    var document = Document(id: "1", text: "x")
    document.addMetadata("a", string: "q\"é")
    document.addMetadata("b", int: -3)
    document.addMetadata("c", raw: Array("[1]".utf8))
    #expect(document.metadata.string == #"{"a":"q\"é","b":-3,"c":[1]}"#)
    document.removeAll()
    #expect(document == Document())
  }

  @Test func `a batch gives back what went in and copies between batches`() {
    var first = Document(id: "1", text: "one", source: "s", url: "u")
    first.created = Array("c".utf8)
    first.extras = Array(#""k":1"#.utf8)
    first.addMetadata("language", string: "d\"e")
    let second = Document(id: "2", text: "")
    var batch = DocumentBatch()
    batch.append(first)
    batch.append(second)
    #expect(batch.count == 2)
    #expect(batch.textBytes == 3)
    #expect(batch.document(at: 0) == first)
    #expect(batch.document(at: 1) == second)
    #expect(batch.language(at: 0) == "d\"e")
    #expect(batch.language(at: 1) == nil)

    var other = DocumentBatch()
    other.append(from: batch, 0, extraMembers: Array(#""drop":{}"#.utf8))
    other.append(
      from: batch, 1, text: Array("new".utf8), metadata: Array("{\"x\":1}".utf8),
      extraMembers: Array(#""d":1"#.utf8))
    other.append(fieldsIn: batch.bytes.span, batch.entries[0])
    #expect(other.document(at: 0).extras.string == #""k":1,"drop":{}"#)
    #expect(other.document(at: 1).text.string == "new")
    #expect(other.document(at: 1).metadata.string == "{\"x\":1}")
    #expect(other.document(at: 1).extras.string == #""d":1"#)
    #expect(other.document(at: 2) == first)
    other.removeAll()
    #expect(other.isEmpty)
    #expect(other.textBytes == 0)
  }

  @Test func `a drop is one raw member`() {
    let drop = Drop(stage: "dedup", rule: "near", value: .double(0.9), threshold: .double(0.8), peer: "a\"b")
    #expect(
      drop.member.string
        == #""drop":{"stage":"dedup","rule":"near","value":0.9,"threshold":0.8,"peer":"a\"b"}"#)
    #expect(Drop(stage: "s", rule: "r").member.string == #""drop":{"stage":"s","rule":"r"}"#)
  }
}

@Suite struct LedgerTests {
  static func sample(_ seed: UInt64) -> Ledger {
    var random = SeededRandom(seed: seed)
    var ledger = Ledger()
    for _ in 0..<200 {
      let language = ["de", "en", nil].randomElement(using: &random) ?? nil
      let size = Int.random(in: 0...5_000, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0:
        ledger.countIn(language: language, textBytes: size)
        ledger.drop(rule: ["a", "é", "z"].randomElement(using: &random) ?? "a", textBytes: size)
      case 1:
        ledger.documentsIn += 1
        ledger.record(Defect(kind: "not-json", file: "f\"", offset: Int64(size), message: "m\n"))
      case 2:
        ledger.documentsIn += 1
        ledger.other["request", default: 0] += 1
      default:
        ledger.countIn(language: language, textBytes: size)
        ledger.countOut(language: language, source: "s", textBytes: size)
      }
      ledger.observe("bytes", size)
      ledger.counters["c", default: 0] += 1
    }
    ledger.record(Defect(kind: "cut", file: "f", offset: 1, message: "m", losesRecord: false))
    return ledger
  }

  @Test func `a ledger survives JSON`() throws {
    let ledger = Self.sample(1)
    #expect(ledger.isBalanced)
    let back = Ledger(json: try JSONValue.parse(ledger.json.serialized(indent: 2)))
    #expect(back == ledger)
    #expect(back.json.serialized() == ledger.json.serialized())
    #expect(Ledger(json: .null) == Ledger())
    #expect(Ledger(json: Ledger().json) == Ledger())
  }

  @Test func `merging does not depend on how units are grouped`() {
    let parts = (0..<6).map { Self.sample(UInt64($0)) }
    var all = Ledger()
    for part in parts { all.merge(part) }
    var left = Ledger()
    var right = Ledger()
    for part in parts[..<2] { left.merge(part) }
    for part in parts[2...] { right.merge(part) }
    left.merge(right)
    #expect(left == all)
    #expect(all.isBalanced)
    #expect(all.defectList.count == Ledger.defectListMax)
    #expect(all.documentsIn == parts.reduce(0) { $0 + $1.documentsIn })
  }

  @Test(arguments: [(0, 0), (-5, 0), (1, 1), (2, 2), (3, 2), (4, 3), (1023, 10), (1024, 11), (Int.max, 63)])
  func `histogram buckets are powers of two`(value: Int, bucket: Int) {
    var ledger = Ledger()
    ledger.observe("h", value)
    #expect(ledger.histograms["h"]?.count == bucket + 1)
    #expect(ledger.histograms["h"]?.last == 1)
  }
}
