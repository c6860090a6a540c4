import Bytes
import Documents
import Storage
import TestSupport
import Testing

@testable import Extraction

private let sentence = Fixture.sentence(7)

private func extractResponse(_ head: String, _ body: [UInt8]) throws -> Extracted {
  let block = Array(head.utf8) + body
  let record =
    Array(
      "WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http\r\nContent-Length: \(block.count)\r\n\r\n"
        .utf8) + block
    + Array("\r\n\r\n".utf8)
  return try Fixture.extract(record)
}

struct HTTPTests {
  @Test(
    "Strange status lines are read",
    arguments: [
      "HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/2 200", "HTTP/2.0 200 ", "HTTP 200 fine", "ICY 200 OK",
      "HTTP/1.1   200  OK",
      "http/1.1 299 Odd", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", "\r\nHTTP/1.1 200 OK",
    ])
  func statusLines(line: String) throws {
    let result = try extractResponse(
      line + "\r\nContent-Type : text/html\r\nbroken line\r\n\r\n", Array(Fixture.page(sentence).utf8))
    #expect(result.texts == [sentence])
  }

  @Test("Other answers are drops with the status, other types drops with the type")
  func drops() throws {
    let page = Array(Fixture.page(sentence).utf8)
    #expect(
      try extractResponse("HTTP/1.1 404 Not Found\r\n\r\n", page).dropped.first?.extras.string
        == "\"drop\":{\"stage\":\"extract\",\"rule\":\"http-status\",\"value\":404,\"threshold\":\"200-299\"}"
    )
    #expect(try extractResponse("HTTP/1.1 0\r\n\r\n", page).dropCounts == ["http-status": 1])
    let pdf = try extractResponse("HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n", page)
    #expect(pdf.dropped.first?.extras.string.contains("\"value\":\"application/pdf\"") == true)
    #expect(
      try extractResponse("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", [1, 2, 0, 4] + page)
        .dropCounts == ["mime": 1])
    #expect(
      try extractResponse("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", []).dropCounts == ["empty": 1]
    )
    #expect(try extractResponse("HTTP/1.1 200 OK\r\n\r\n", page).texts == [sentence])
    #expect(try extractResponse("", page).texts == [sentence])
    #expect(try extractResponse("nonsense\r\n\r\n", page).ledger.defects == ["http-header": 1])
  }

  @Test(
    "Chunked bodies, and bodies that only claim to be",
    arguments: [
      ("4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n", "Wikipedia", ChunkedCoding.Outcome.whole),
      ("00000004;ext=1\r\nWiki\r\nA  \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", "Wiki0123456789", .whole),
      ("4\nWiki\n0\n", "Wiki", .whole),
      ("<html>stored decoded</html>", "", .notChunked),
      ("add more text\n", "", .notChunked),
      ("4\r\nWikiX", "", .notChunked),
      ("4\r\nWiki\r\nFF\r\npart", "Wikipart", .cut),
      ("4\r\nWiki\r\nnot a size", "Wikinot a size", .malformed),
      ("FFFFFFFFFFFFFFFF\r\nabc", "abc", .cut),
      ("4\r\nWiki\r\n", "Wiki", .cut),
      ("", "", .notChunked),
    ])
  func chunked(body: String, wanted: String, outcome: ChunkedCoding.Outcome) {
    var output: [UInt8] = []
    let seen = ChunkedCoding.decode(Array(body.utf8).span, into: &output)
    #expect(seen == outcome)
    #expect(output.string == wanted)
  }

  @Test("gzip bodies are undone, several members and cut ones too; declared but absent codings are ignored")
  func contentCoding() throws {
    let page = Array(Fixture.page(sentence).utf8)
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n"
    #expect(try extractResponse(head, Fixture.gzip(page)).texts == [sentence])
    #expect(try extractResponse(head, page).texts == [sentence])
    let half = page.count / 2
    #expect(
      try extractResponse(head, Fixture.gzip(Array(page[..<half])) + Fixture.gzip(Array(page[half...]))).texts
        == [sentence])
    let cut = try extractResponse(head, Array(Fixture.gzip(page).dropLast(60)))
    #expect(cut.documents.first?.metadata.string.contains("content-encoding-cut") == true)
    let twice = head.replacing("gzip", with: "gzip, gzip")
    #expect(try extractResponse(twice, Fixture.gzip(Fixture.gzip(page))).texts == [sentence])
    let brotli = head.replacing("gzip", with: "br")
    #expect(try extractResponse(brotli, page).texts == [sentence])
    let unknown = try extractResponse(brotli, [0x8B, 0x02, 0x80, 0xFF, 0x00, 0x12])
    #expect(
      unknown.dropped.first?.extras.string.contains("\"rule\":\"content-encoding\",\"value\":\"br\"") == true)
  }

  @Test("A body that expands beyond the ratio is dropped, not decoded")
  func bomb() throws {
    let zeros = try shell("head -c 50000000 /dev/zero | gzip -9")
    guard zeros.exit == 0 else { return }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n"
    let result = try extractResponse(head, zeros.stdout)
    #expect(result.dropCounts == ["too-large": 1])
  }

  @Test("Content types: the last readable one counts, a charset of an earlier one of the same type is kept")
  func mediaTypes() {
    func charset(_ value: String) -> String? { MediaType(Array(value.utf8).span)?.charset }
    func essence(_ value: String) -> String? { MediaType(Array(value.utf8).span)?.essence }
    #expect(charset("text/html; charset=\"UTF-8\"") == "utf-8")
    #expect(charset("text/html;charset='koi8-r' ; x=y") == "koi8-r")
    #expect(charset("text/html; charset=; charset=latin1") == "latin1")
    #expect(charset("text/html") == nil)
    #expect(essence("garbage") == nil)
    #expect(essence("Text/HTML ; a=b") == "text/html")
  }
}

struct EncodingTests {
  private func decode(_ body: [UInt8], label: String? = nil, isHTML: Bool = true, isCut: Bool = false) -> (
    String, TextDecoding.Outcome
  ) {
    var output: [UInt8] = []
    let outcome = TextDecoding().decode(body.span, label: label, isHTML: isHTML, isCut: isCut, into: &output)
    return (output.string, outcome)
  }

  @Test("The encoding is chosen by mark, validity, header and meta, in this order")
  func order() {
    let german = "Grüße aus Köln"
    #expect(decode([0xEF, 0xBB, 0xBF] + Array(german.utf8), label: "koi8-r").0 == german)
    #expect(decode(Array(german.utf8), label: "iso-8859-1").1.charset == "utf-8")
    let latin: [UInt8] = Array("Gr".utf8) + [0xFC, 0xDF] + Array("e".utf8)
    #expect(decode(latin).0 == "Grüße")
    #expect(decode(latin).1.charset == "windows-1252")
    #expect(decode(latin, label: "latin1").1.charset == "windows-1252")
    let russian: [UInt8] = [0xF0, 0xD2, 0xC9, 0xD7, 0xC5, 0xD4]
    #expect(decode(russian, label: "koi8-r").0 == "Привет")
    let meta = Array("<meta charset=windows-1251>".utf8) + [0xCF, 0xF0, 0xE8, 0xE2, 0xE5, 0xF2]
    #expect(decode(meta).0.hasSuffix("Привет"))
    #expect(decode(meta, label: "koi8-r").1.charset == "koi8-r")
    #expect(decode(latin, label: "no-such-label").1.mark == "charset-label")
    #expect(decode(latin, label: "hz-gb-2312").1.isRefused)
    #expect(decode([0x80, 0x81, 0x9D], label: "latin1").0 == "€\u{81}\u{9D}")
  }

  @Test("Asian encodings are decoded, a broken byte does not swallow the tag behind it")
  func asian() {
    #expect(decode([0xC4, 0xE3, 0xBA, 0xC3], label: "gb2312").0 == "你好")
    #expect(decode([0x93, 0xFA, 0x96, 0x7B], label: "shift_jis").0 == "日本")
    #expect(decode([0xBE, 0xC8, 0xB3, 0xE7], label: "ks_c_5601-1987").0 == "안녕")
    #expect(decode([0xA7, 0x41, 0xA6, 0x6E], label: "big5").0 == "你好")
    #expect(decode([0xC6, 0xFC, 0xCB, 0xDC], label: "euc-jp").0 == "日本")
    #expect(
      decode([0x1B, 0x24, 0x42, 0x46, 0x7C, 0x4B, 0x5C, 0x1B, 0x28, 0x42], label: "iso-2022-jp").0 == "日本")
    let broken = decode([0xC4, 0xE3, 0x81] + Array("<b>".utf8), label: "gbk")
    #expect(broken.0.hasSuffix("<b>"))
    #expect(broken.1.replaced == 1)
  }

  @Test("UTF-16 is known by its mark or its zeros; a wrong UTF-16 label is not believed")
  func utf16() {
    let text = "<p>Hello wörld 😀</p>"
    let little = text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    let big = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    #expect(decode([0xFF, 0xFE] + little).0 == text)
    #expect(decode([0xFE, 0xFF] + big).0 == text)
    // Without a mark only text without code units xx00 is sure.
    let plain = "<p>Hello, wörld</p>"
    let units = Array(plain.utf16)
    #expect(decode(units.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }).0 == plain)
    #expect(decode(units.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }).1.charset == "utf-16be")
    #expect(decode([0xFF, 0xFE] + little + [0x41]).1.replaced == 1)
    #expect(decode(Array("plain".utf8), label: "utf-16").0 == "plain")
  }

  @Test("A cut body loses only the broken character at its end")
  func cut() {
    let bytes = Array("añb日本".utf8)
    #expect(decode(Array(bytes.dropLast()), isCut: true).0 == "añb日")
    #expect(decode(Array(bytes.dropLast(2)), isCut: true).0 == "añb日")
    #expect(decode(bytes, isCut: true).0 == "añb日本")
  }

  @Test("Text that is mostly replacement characters is dropped")
  func garbage() throws {
    let body =
      Array("<html><body><p>".utf8) + [UInt8](repeating: 0xFF, count: 400) + Array("</p></body></html>".utf8)
    let result = try extractResponse(
      "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n", body)
    #expect(result.dropCounts == ["encoding-garbage": 1])
    let latin = Array("<p>Sm\u{00F8}rrebr\u{00F8}d</p>".unicodeScalars.map { UInt8($0.value) })
    #expect(decode(latin, label: "utf-8").1.replaced > 0)
  }

  @Test("Any bytes with any label decode to valid UTF-8")
  func mutations() {
    var random = SeededRandom(seed: 3)
    let labels = [
      "utf-8", "gbk", "big5", "shift_jis", "euc-jp", "euc-kr", "iso-2022-jp", "windows-1255", "koi8-r",
      "utf-16", "x", nil,
    ]
    let decoder = TextDecoding()
    for index in 0..<3000 {
      var output: [UInt8] = []
      let body = random.bytes(Int.random(in: 0...80, using: &random))
      _ = decoder.decode(
        body.span, label: labels[index % labels.count], isHTML: true, isCut: index % 2 == 0, into: &output)
      let isValid = UTF8Text.isValid(output.span)
      #expect(isValid)
    }
  }
}
