import Bytes
import Documents
import Storage
import TestSupport
import Testing

@testable import Extraction

private let one = Fixture.sentence(1)
private let two = Fixture.sentence(2)
private let three = Fixture.sentence(3)

/// Three pages with a request before each.
private let records: [[UInt8]] = [one, two, three].flatMap {
  [Fixture.record("request", "GET / HTTP/1.1\r\n\r\n"), Fixture.response($0)]
}

struct WARCReaderTests {
  @Test(
    "A member per record, one member for all, and plain files give the same documents; ids tell their place")
  func containers() throws {
    let members = records.map { Fixture.gzip($0) }
    let separate = try Fixture.extract(Array(members.joined()))
    let joined = try Fixture.extract(Fixture.gzip(Array(records.joined())))
    let plain = try Fixture.extract(Array(records.joined()))
    for result in [separate, joined, plain] {
      #expect(result.texts == [one, two, three])
      #expect(result.ledger.other == ["request": 3])
      #expect(result.ledger.isBalanced)
      #expect(result.ledger.defects.isEmpty && result.ledger.marks.isEmpty)
    }
    #expect(separate.ids.first == "t.warc/\(members[0].count)")
    #expect(joined.ids == ["t.warc/0+1", "t.warc/0+3", "t.warc/0+5"])
    #expect(plain.ids.first == "t.warc/\(records[0].count)")
  }

  @Test("A document carries its provenance in a fixed order")
  func metadata() throws {
    let document = try #require(try Fixture.extract(Fixture.response(one)).documents.first)
    #expect(document.url.string == "http://example.org/")
    #expect(document.created.string == "2024-01-02T03:04:05Z")
    #expect(document.source.string == "warc")
    #expect(
      document.metadata.string
        == "{\"dump\":\"t.warc\",\"offset\":0,\"record_id\":\"urn:uuid:1\",\"mime\":\"text/html\",\"charset\":\"utf-8\","
        + "\"language\":\"en\",\"title\":\"Title\"}")
  }

  @Test("Records of all types are counted where they belong")
  func types() throws {
    var bytes = ["warcinfo", "request", "metadata", "odd"].flatMap { Fixture.record($0, "x") }
    bytes += Fixture.record("revisit", Fixture.http("", status: "HTTP/1.1 304 Not Modified"))
    bytes += Fixture.record("continuation", "rest")
    bytes += Fixture.record("resource", one)
    bytes += Fixture.record("conversion", two, fields: "WARC-Identified-Content-Language: deu,eng")
    let result = try Fixture.extract(bytes)
    #expect(result.texts == [one, two])
    #expect(result.ledger.other == ["warcinfo": 1, "request": 1, "metadata": 1, "unknown": 1])
    #expect(result.dropCounts == ["revisit": 1])
    #expect(result.ledger.defects == ["segmented": 1])
    #expect(result.documents.last?.metadata.string.contains("\"language\":\"de\"") == true)
    #expect(result.ledger.isBalanced)
  }

  @Test(
    "A file cut at any byte keeps what stands before, says what is missing, and ends",
    arguments: [true, false])
  func cuts(isGzip: Bool) throws {
    let whole = isGzip ? records.flatMap { Fixture.gzip($0) } : Array(records.joined())
    let wanted = [one, two, three]
    for end in 0..<whole.count {
      let result = try Fixture.extract(Array(whole[..<end]))
      #expect(result.ledger.isBalanced, "cut at \(end)")
      #expect(result.documents.count <= 3)
      for (index, text) in result.texts.enumerated() where !(wanted[index] == text) {
        // Only the last document may be short, and it is a prefix that carries a mark.
        let isMarked = result.documents[index].metadata.string.contains("truncated-file")
        #expect(
          index == result.texts.count - 1 && wanted[index].hasPrefix(text) && isMarked,
          "cut at \(end): \(text)")
      }
    }
  }

  @Test("Ten thousand damaged files: no crash, no hang, nothing lost in silence", arguments: [true, false])
  func mutations(isGzip: Bool) throws {
    var random = SeededRandom(seed: isGzip ? 1 : 2)
    let chunked = Fixture.record(
      "response",
      Fixture.http(
        "5\r\nhello\r\n0\r\n\r\n", fields: "Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n"))
    let parts = records.prefix(4) + [chunked, Fixture.record("conversion", one)]
    let seed = isGzip ? parts.flatMap { Fixture.gzip($0) } : Array(parts.joined())
    for _ in 0..<5000 {
      let result = try Fixture.extract(random.mutation(of: seed))
      #expect(result.ledger.isBalanced)
    }
  }

  private static func damaged(_ name: String, _ m: [[UInt8]]) -> [UInt8] {
    let garbage = Array("no gzip at all, but some bytes between".utf8)
    switch name {
    case "cut": return m[0] + m[1] + m[2].dropLast(40)
    case "data": return m[0] + flipped(m[1], 60) + m[2]
    case "checksum": return m[0] + flipped(m[1], m[1].count - 8) + m[2]
    case "garbage": return m[0] + garbage + m[2]
    case "padding": return m[0] + [UInt8](repeating: 0, count: 4096) + m[2]
    default: return m[0] + Fixture.gzip([]) + Fixture.gzip([]) + m[2]
    }
  }

  private static let damages: [(name: String, texts: [String], kinds: [String])] = [
    ("cut", [one, two], ["truncated-file"]),
    ("data", [one, three], ["gzip-corrupt", "checksum"]),
    ("checksum", [one, three], ["checksum"]),
    ("garbage", [one, three], ["gzip-corrupt"]),
    ("padding", [one, three], []),
    ("empty members", [one, three], []),
  ]

  @Test("Damage costs one record; the next one is found again", arguments: damages)
  func damagedMembers(name: String, texts: [String], kinds: [String]) throws {
    let members = [one, two, three].map { Fixture.gzip(Fixture.response($0)) }
    let result = try Fixture.extract(WARCReaderTests.damaged(name, members))
    #expect(Array(result.texts.prefix(texts.count)) == texts, "\(name) \(result.ledger.defectList)")
    #expect(result.ledger.isBalanced)
    let seen = Set(result.ledger.defectList.map(\.kind))
    #expect(kinds.isEmpty ? seen.isEmpty : !seen.isDisjoint(with: kinds), "\(name) \(seen)")
    if let defect = result.ledger.defectList.first {
      #expect(defect.file == "t.warc")
      #expect(defect.offset >= Int64(members[0].count), "\(name) \(defect)")
    }
  }

  @Test(
    "Wrong lengths: what is there is kept, with a mark, and the next record is found",
    arguments: [
      ("", false, 1), ("-1", false, 1), ("+5", false, 1), ("12 34", false, 1),
      ("99999999999999999999", false, 1), ("20", true, 2), ("1", true, 1),
      ("969332184", true, 2), ("9223372036854775807", false, 1),
    ])
  func lengths(length: String, keepsPlain: Bool, _ unused: Int) throws {
    let bad = Fixture.record("response", Fixture.http(Fixture.page(one)), length: length)
    let next = Fixture.response(two)
    let plain = try Fixture.extract(bad + next)
    #expect(plain.texts.last == two, "\(length): \(plain.ledger.defectList)")
    #expect(plain.ledger.isBalanced)
    #expect(!plain.ledger.defectList.isEmpty, "\(length)")
    let members = try Fixture.extract(Fixture.gzip(bad) + Fixture.gzip(next))
    #expect(members.texts.last == two, "\(length): \(members.ledger.defectList)")
    #expect(members.texts.count == 2, "\(length): \(members.ledger.defectList)")
    #expect(members.ledger.isBalanced)
    #expect(!members.ledger.defectList.isEmpty, "\(length)")
  }

  @Test("Lenient headers: LF only, old versions, folding, brackets, blanks, missing fields, extra line ends")
  func headers() throws {
    let block = Fixture.http(Fixture.page(one))
    let lf = Fixture.record("response", block, end: "\n\n", newline: "\n", version: "WARC/0.17")
    let odd = Fixture.record(
      "response", block, uri: "<http://example.org/a b>", fields: "X-Folded: a\r\n\tb\r\nno colon here",
      end: "\r\n\r\n\r\n\r\n",
      version: "WARC/1.1")
    let bare = Array(
      "WARC/1.0\r\nWARC-Type: RESPONSE\r\nContent-Length: \(block.utf8.count)\r\n\r\n\(block)\r\n\r\n".utf8)
    let result = try Fixture.extract(lf + odd + bare + Fixture.response(two))
    #expect(result.texts == [one, one, one, two])
    #expect(
      result.documents.map(\.url.string) == [
        "http://example.org/", "http://example.org/a%20b", "", "http://example.org/",
      ])
    #expect(result.ledger.defectList.isEmpty)
  }

  @Test("A header without end, an endless header and a file that is no WARC are defects")
  func noHeader() throws {
    #expect(
      try Fixture.extract(Array("WARC/1.0\r\nWARC-Type: response".utf8)).ledger.defects == ["warc-header": 1])
    let endless =
      Array("WARC/1.0\r\nX: ".utf8) + [UInt8](repeating: 65, count: 200_000) + Array("\r\n\r\n".utf8)
    let result = try Fixture.extract(endless + Fixture.response(one))
    #expect(result.texts == [one])
    #expect(result.ledger.defects == ["warc-header": 1])
    let other = try Fixture.extract(Array("This is a text and no archive.\n".utf8))
    #expect(other.ledger.defects == ["warc-header": 1])
    #expect(other.ledger.isBalanced)
    #expect(try Fixture.extract([]).ledger == Ledger())
  }

  @Test("A record over the limit is skipped without being held in memory")
  func tooLarge() throws {
    var limits = Limits()
    limits.recordBytes = 10_000
    let large = Fixture.record(
      "response", Fixture.http(Fixture.page(String(repeating: "word ", count: 100_000))))
    for bytes in [
      Fixture.response(one) + large + Fixture.response(two),
      Fixture.gzip(Fixture.response(one)) + Fixture.gzip(large) + Fixture.gzip(Fixture.response(two)),
    ] {
      let result = try Fixture.extract(bytes, limits: limits)
      #expect(result.texts == [one, two])
      #expect(result.ledger.defects == ["record-too-large": 1])
      #expect(result.ledger.isBalanced)
    }
  }

  @Test("A member that expands without end costs one record")
  func bomb() throws {
    var limits = Limits()
    limits.expansionGrace = 1 << 20
    let zeros = try shell("head -c 8000000 /dev/zero | gzip -9")
    guard zeros.exit == 0 else { return }
    let good = Fixture.gzip(Fixture.response(one))
    let result = try Fixture.extract(
      good + zeros.stdout + Fixture.gzip(Fixture.response(two)), limits: limits)
    #expect(result.texts == [one, two])
    #expect(result.ledger.isBalanced)
    #expect(
      result.ledger.defectList.contains { $0.message.contains("expands") && $0.offset == Int64(good.count) })
  }

  @Test("A page that quotes a WARC record is one document")
  func quotes() throws {
    let quoting = one + "\r\n\r\nWARC/1.0\r\nWARC-Type: response\r\nContent-Length: 5\r\n\r\nhello\r\n\r\n"
    let result = try Fixture.extract(Fixture.record("resource", quoting) + Fixture.response(two))
    #expect(result.documents.count == 2)
    #expect(result.ledger.defectList.isEmpty)
  }

  @Test("Units of any size give the documents of one unit, for compressed and plain files")
  func splits() throws {
    guard let folder = SharedData.path("data/warc") else { return }
    let source = WARCSource(options: ExtractionOptions())
    let names = [
      "resiliparse/warcfile.warc.gz", "whirlwind/whirlwind.warc", "made/per-record.warc.zst",
      "made/one-member.warc.gz",
      "resiliparse/clueweb-quirk.warc.gz", "ipwb/mkelly1.warc", "warcio/example-bad.warc.gz.bad",
      "warcio/example-trunc.warc",
      "made/garbage-between-members.warc.gz",
    ]
    for name in names {
      let file = try inputFile(folder + "/" + name)
      let whole = try extract(source, file)
      for unitBytes in [1, 777, 20_000] as [Int64] {
        let split = try extract(source, file, unitBytes: unitBytes)
        #expect(split.documents == whole.documents, "\(name) \(unitBytes)")
        #expect(split.dropped == whole.dropped, "\(name) \(unitBytes)")
        #expect(split.ledger == whole.ledger, "\(name) \(unitBytes)")
      }
    }
  }

  @Test("An inspection counts records, bytes and defects by type")
  func inspection() throws {
    let folder = try TemporaryFolder()
    try writeFile(folder("a.warc"), Array(records.joined()) + Array("junk".utf8))
    let inspection = try DumpInspection(try inputFile(folder("a.warc")))
    #expect(inspection.format == "warc" && inspection.codec == "plain")
    #expect(inspection.types.map(\.name) == ["request", "response"])
    #expect(
      inspection.rows.map { Array($0.prefix(2)) } == [["request", "3"], ["response", "3"], ["all", "6"]])
    #expect(inspection.json["types"]?["request"]?["bytes"]?.int == 54)
    #expect(inspection.defectCount == 1)
  }
}

private func flipped(_ bytes: [UInt8], _ index: Int) -> [UInt8] {
  var bytes = bytes
  bytes[index] ^= 0x10
  return bytes
}
