import Bytes
import Documents
import Storage

/// Makes documents of WARC records: HTTP and its codings undone, text decoded, the main text of pages taken out.
///
/// `metadata`, in this order: `dump`, `offset`, `record_id`, `mime`, `charset`, `language`, `title`, `truncated`, `marks`.
///
/// - Drops: `http-status`, `mime`, `content-encoding`, `encoding-replacement`, `encoding-garbage`, `too-large`, `revisit`, `empty`.
/// - Defects: `http-header`, `segmented`, and the reader's marks where the record gives no document.
public final class WARCParser: RecordParser {
  private let limits: Limits
  private let source: [UInt8]
  private var sink = DocumentSink()
  private var header = WARCHeader()
  private var http = HTTPResponse()
  private let decoding = TextDecoding()
  private let extractor: HTMLExtractor
  private var page = HTMLExtractor.Result()
  private var document = Document()
  private var marks: [String] = []
  private var firstBody: [UInt8] = []
  private var secondBody: [UInt8] = []
  private var decoded: [UInt8] = []

  public init(source: String = WARCSource.name, limits: Limits = .standard) {
    self.source = Array(source.utf8)
    self.limits = limits
    extractor = HTMLExtractor(limits: limits)
  }

  public func parse(
    _ chunk: borrowing RecordChunk, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger
  ) {
    sink.count(chunk.defects, &ledger)
    for record in chunk.records {
      let bytes = chunk.bytes.span.extracting(record.range)
      let end = HeaderFields.end(bytes, from: 0) ?? bytes.count
      header.parse(bytes, 0..<end, limits: limits)
      let work = Work(file: chunk.file, record: record, block: end..<bytes.count)
      switch header.type {
      case .response, .resource, .conversion:
        parse(bytes, work, &kept, &dropped, &ledger)
      case .revisit:
        begin(work)
        sink.drop(
          document, "revisit", value: field("warc-profile").map { .string($0) } ?? .null, &dropped, &ledger)
      case .continuation:
        sink.lose(work.defect("segmented", "A continuation record; segments are not joined."), &ledger)
      default: sink.pass(header.type.rawValue, &ledger)
      }
      if let mark = record.mark, !header.type.isDocument {
        ledger.record(work.defect(mark, "The record is not whole.", losesRecord: false))
      }
    }
    shrink()
  }

  /// One record and its place.
  private struct Work {
    var file: String
    var record: RecordChunk.Record
    var block: Range<Int>

    func defect(_ kind: String, _ message: String, losesRecord: Bool = true) -> Defect {
      Defect(kind: kind, file: file, offset: record.offset, message: message, losesRecord: losesRecord)
    }
  }

  /// What a body turned out to be.
  private enum Verdict {
    case keep(language: String?)
    case drop(String, JSONValue, JSONValue)
    case lose(String, String)
  }

  private func parse(
    _ bytes: borrowing Span<UInt8>, _ work: Work, _ kept: inout DocumentBatch, _ dropped: inout DocumentBatch,
    _ ledger: inout Ledger
  ) {
    begin(work)
    marks.removeAll(keepingCapacity: true)
    if let mark = work.record.mark { marks.append(mark) }
    switch read(bytes, work, &ledger) {
    case .keep(let language):
      for mark in marks where mark != "unclosed-markup" {
        ledger.record(work.defect(mark, "The document was kept with this mark.", losesRecord: false))
      }
      sink.keep(document, language: language, &kept, &ledger)
    case .drop(let rule, let value, let threshold):
      document.text.removeAll(keepingCapacity: true)
      sink.drop(document, rule, value: value, threshold: threshold, &dropped, &ledger)
    case .lose(let kind, let message): sink.lose(work.defect(kind, message), &ledger)
    }
  }

  /// Starts the document with what the WARC header tells.
  private func begin(_ work: Work) {
    document.removeAll()
    document.source.append(contentsOf: source)
    document.id.append(contentsOf: work.file.utf8)
    document.id.append(UInt8(ascii: "/"))
    document.id.append(decimal: Int(work.record.offset))
    if work.record.ordinal > 0 {
      document.id.append(UInt8(ascii: "+"))
      document.id.append(decimal: work.record.ordinal)
    }
    if let uri = header.fields.first("warc-target-uri") { appendURI(uri, to: &document.url) }
    if let date = header.fields.first("warc-date") { appendText(date, to: &document.created) }
    document.addMetadata("dump", string: work.file)
    document.addMetadata("offset", int: Int(work.record.offset))
    if let id = header.fields.first("warc-record-id") {
      var text: [UInt8] = []
      appendURI(id, to: &text)
      document.addMetadata("record_id", string: text.span)
    }
  }

  /// A header value as UTF-8: as it is if valid, else read as windows-1252.
  private func appendText(_ range: Range<Int>, to output: inout [UInt8]) {
    let text = header.fields.text
    let value = text.span.extracting(range)
    if UTF8Text.isValid(value) { output.append(value) } else { Windows1252.decode(value, into: &output) }
  }

  /// Without the angle brackets that wget writes; blanks percent-encoded.
  private func appendURI(_ range: Range<Int>, to output: inout [UInt8]) {
    let text = header.fields.text
    var range = range
    if text[range.lowerBound] == UInt8(ascii: "<"), text[range.upperBound - 1] == UInt8(ascii: ">"),
      range.count > 2
    {
      range = range.lowerBound + 1..<range.upperBound - 1
    }
    let start = output.count
    appendText(range, to: &output)
    guard output.span.firstIndex(of: 32, from: start) != nil else { return }
    let uri = Array(output[start...])
    output.removeSubrange(start...)
    for byte in uri { if byte == 32 { output.append("%20") } else { output.append(byte) } }
  }

  private func field(_ name: StaticString) -> String? {
    header.fields.first(name).map { String(decoding: header.fields.text[$0], as: UTF8.self) }
  }

  private func mediaType(_ name: StaticString) -> MediaType? {
    guard let range = header.fields.first(name) else { return nil }
    let text = header.fields.text
    return MediaType(text.span.extracting(range))
  }
}

extension WARCParser {
  private func read(_ bytes: borrowing Span<UInt8>, _ work: Work, _ ledger: inout Ledger) -> Verdict {
    var type = mediaType("content-type")
    let identified = mediaType("warc-identified-payload-type")
    var body = work.block
    var place = BodyPlace.record
    if header.type == .response, carriesHTTP(bytes, work.block, type) {
      http.parse(bytes, work.block, limits: limits)
      if http.form == .broken {
        return .lose(work.record.mark ?? "http-header", "The block does not begin with an HTTP status line.")
      }
      if work.record.mark == "truncated-file", !http.isComplete {
        return .lose("truncated-file", "The record ends inside its HTTP header.")
      }
      guard (200..<300).contains(http.status) else {
        return .drop("http-status", .int(http.status), .string("200-299"))
      }
      type = http.mediaType
      body = http.body
      switch undoCodings(bytes, &body) {
      case .success(let where_): place = where_
      case .failure(let refusal): return refusal.verdict
      }
    }
    if let identified { type = MediaType(identified, charsetOf: type) }
    switch place {
    case .record: return read(bytes.extracting(body), type, work, &ledger)
    case .first: return read(firstBody, type, work, &ledger)
    case .second: return read(secondBody, type, work, &ledger)
    }
  }

  private func carriesHTTP(_ bytes: borrowing Span<UInt8>, _ block: Range<Int>, _ type: MediaType?) -> Bool {
    if let uri = header.fields.first("warc-target-uri"),
      header.fields.value(uri, startsWith: "dns:") || header.fields.value(uri, startsWith: "whois:")
    {
      return false
    }
    return type == nil || type?.essence == "application/http"
      || bytes.starts(with: "http/", at: block.lowerBound, ignoringCase: true)
  }

  /// Which buffer holds the body.
  private enum BodyPlace { case record, first, second }
  private struct Refusal: Error { var verdict: Verdict }

  /// Undoes chunking, then the content codings from the last to the first.
  private func undoCodings(_ bytes: borrowing Span<UInt8>, _ body: inout Range<Int>) -> Result<
    BodyPlace, Refusal
  > {
    firstBody.removeAll(keepingCapacity: true)
    var place = BodyPlace.record
    if http.isChunked {
      switch ChunkedCoding.decode(bytes.extracting(body), into: &firstBody) {
      case .notChunked: break
      case .whole: place = .first
      case .cut:
        place = .first
        marks.append("chunked-cut")
      case .malformed:
        place = .first
        marks.append("chunked-malformed")
      }
    }
    for coding in http.contentCodings.reversed() {
      secondBody.removeAll(keepingCapacity: true)
      let outcome =
        place == .record
        ? ContentCoding.decode(coding, bytes.extracting(body), limits: limits, into: &secondBody)
        : ContentCoding.decode(coding, firstBody.span, limits: limits, into: &secondBody)
      switch outcome {
      case .plain: continue
      case .cut: marks.append("content-encoding-cut")
      case .decoded: break
      case .unknown(let name):
        return .failure(Refusal(verdict: .drop("content-encoding", .string(name), .null)))
      case .tooLarge(let size):
        return .failure(Refusal(verdict: .drop("too-large", .int(size), .int(limits.htmlBytes))))
      }
      swap(&firstBody, &secondBody)
      place = .first
    }
    return .success(place)
  }

  private func read(_ body: [UInt8], _ type: MediaType?, _ work: Work, _ ledger: inout Ledger) -> Verdict {
    read(body.span, type, work, &ledger)
  }

  private func read(
    _ body: borrowing Span<UInt8>, _ type: MediaType?, _ work: Work, _ ledger: inout Ledger
  ) -> Verdict {
    let payload: Payload = header.type == .conversion ? .text : Payload.decide(type?.essence, body)
    if let essence = type?.essence {
      document.addMetadata("mime", string: essence)
    } else if payload == .html {
      document.addMetadata("mime", string: "text/html")
    }
    if case .other(let name) = payload {
      return body.isEmpty ? .drop("empty", .int(0), .null) : .drop("mime", .string(name), .null)
    }
    if body.count > limits.htmlBytes { return .drop("too-large", .int(body.count), .int(limits.htmlBytes)) }
    let truncated = field("warc-truncated")
    let isCut = truncated != nil || work.record.mark != nil || marks.contains("content-encoding-cut")
    decoded.removeAll(keepingCapacity: true)
    let label = header.type == .conversion ? "utf-8" : type?.charset
    let outcome = decoding.decode(body, label: label, isHTML: payload == .html, isCut: isCut, into: &decoded)
    document.addMetadata("charset", string: outcome.charset)
    if outcome.isRefused { return .drop("encoding-replacement", .string(outcome.charset), .null) }
    if outcome.replaced > 0 {
      let characters = UTF8Text.scalarCount(decoded.span)
      if outcome.replaced * 100 > characters {
        let permille = outcome.replaced * 1000 / max(1, characters)
        return .drop("encoding-garbage", .double(Double(permille) / 1000), .double(0.01))
      }
    }
    if let mark = outcome.mark { marks.append(mark) }
    if isCut, payload == .html { dropCutTag() }
    return finish(payload, truncated, &ledger)
  }

  /// Forgets a tag that a cut page ends inside: it would become text.
  private func dropCutTag() {
    let low = max(0, decoded.count - limits.headerBytes)
    var index = decoded.count
    while index > low {
      index -= 1
      if decoded[index] == UInt8(ascii: ">") { return }
      if decoded[index] == UInt8(ascii: "<") { return decoded.removeSubrange(index...) }
    }
  }

  /// From decoded text to the document.
  private func finish(_ payload: Payload, _ truncated: String?, _ ledger: inout Ledger) -> Verdict {
    var language: String?
    if payload == .html {
      extractor.extract(decoded.span, into: &page)
      marks.append(contentsOf: page.marks)
      sink.clean(page.text.span, into: &document.text, &ledger)
      if !page.language.isEmpty { language = page.language.string }
    } else {
      sink.clean(decoded.span, into: &document.text, &ledger)
      language = field("warc-identified-content-language").flatMap { LanguageCodes.primary(ofList: $0) }
    }
    if let language { document.addMetadata("language", string: language) }
    if payload == .html, !page.title.isEmpty { document.addMetadata("title", string: page.title.span) }
    if let truncated { document.addMetadata("truncated", string: truncated) }
    if !marks.isEmpty {
      document.addMetadata("marks", raw: JSONValue.array(marks.map { .string($0) }).serialized())
    }
    return document.text.isEmpty ? .drop("empty", .int(0), .null) : .keep(language: language)
  }

  /// Gives back the memory that an unusually large record took.
  private func shrink() {
    let most = 8 << 20
    if firstBody.capacity > most { firstBody = [] }
    if secondBody.capacity > most { secondBody = [] }
    if decoded.capacity > most { decoded = [] }
    if document.text.capacity > most { document.text = [] }
  }
}

extension MediaType {
  /// The type that the crawler identified, with the charset that the server declared.
  fileprivate init(_ identified: MediaType, charsetOf declared: MediaType?) {
    self = identified
    if charset == nil { charset = declared?.charset }
  }
}
