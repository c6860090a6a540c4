import Bytes
import Documents
import Storage

/// Makes documents of wiki pages: articles only, their wikitext as text.
///
/// The id is wiki name, page id and revision id. `metadata`, in this order: `dump`, `offset`, `title`, `namespace`, `revision`,
/// `language`, `marks`.
///
/// - Other: `namespace-N`, `redirect`, `deleted`. Drops: `model`, `empty`. Defects: `xml`.
final class WikiParser: RecordParser {
  private let limits: Limits
  private let source: [UInt8]
  private var sink = DocumentSink()
  private var site = WikiSite()
  private var head: [UInt8] = []
  private var page = WikiPage()
  private var xml: [UInt8] = []
  private var wikitext = Wikitext()
  private var plain: [UInt8] = []
  private var document = Document()

  init(source: String, limits: Limits) {
    self.source = Array(source.utf8)
    self.limits = limits
  }

  func parse(
    _ chunk: borrowing RecordChunk, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger
  ) {
    sink.count(chunk.defects, &ledger)
    if let first = chunk.records.first {
      let head = chunk.bytes.span.extracting(0..<min(first.range.lowerBound, WikiReader.headBytes))
      if !head.equals(self.head) {
        self.head = head.array()
        site = WikiSite(head: head)
      }
    }
    for record in chunk.records { parse(record, chunk, &kept, &dropped, &ledger) }
    if xml.capacity > 8 << 20 { xml = [] }
  }

  private func parse(
    _ record: RecordChunk.Record, _ chunk: borrowing RecordChunk, _ kept: inout DocumentBatch,
    _ dropped: inout DocumentBatch, _ ledger: inout Ledger
  ) {
    func defect(_ message: String, losesRecord: Bool = true) -> Defect {
      Defect(kind: "xml", file: chunk.file, offset: record.offset, message: message, losesRecord: losesRecord)
    }
    let replaced = WikiPage.sanitise(chunk.bytes.span.extracting(record.range), into: &xml)
    do throws(WikiPage.Failure) {
      try page.parse(xml)
    } catch {
      switch error {
      case .declaration:
        return sink.lose(defect("The page declares a DOCTYPE or an entity. It was refused."), &ledger)
      case .malformed(let reason): return sink.lose(defect("The page is \(reason). It was skipped."), &ledger)
      }
    }
    if let namespace = page.namespace, namespace != 0 {
      return sink.pass(namespace == -99 ? "namespace-unknown" : "namespace-\(namespace)", &ledger)
    }
    if page.isRedirect || isRedirectText(page.text) { return sink.pass("redirect", &ledger) }
    if page.isDeleted { return sink.pass("deleted", &ledger) }
    begin(record, chunk.file)
    if !page.model.isEmpty, !page.model.span.equals(Array("wikitext".utf8)) {
      return sink.drop(document, "model", value: .string(page.model.string), &dropped, &ledger)
    }
    plain.removeAll(keepingCapacity: true)
    wikitext.render(page.text, site, into: &plain)
    sink.clean(plain.span, into: &document.text, &ledger)
    if document.text.isEmpty { return sink.drop(document, "empty", value: .int(0), &dropped, &ledger) }
    if replaced > 0 {
      document.addMetadata("marks", raw: Array("[\"replaced-bytes\"]".utf8))
      ledger.record(defect("\(replaced) bytes that XML forbids were replaced.", losesRecord: false))
    }
    sink.keep(document, language: site.language.isEmpty ? nil : site.language, &kept, &ledger)
  }

  private func begin(_ record: RecordChunk.Record, _ file: String) {
    document.removeAll()
    document.source.append(contentsOf: source)
    document.id.append(contentsOf: site.databaseName.isEmpty ? Array(file.utf8) : site.databaseName)
    document.id.append(UInt8(ascii: "/"))
    document.id.append(contentsOf: page.pageID)
    if !page.revisionID.isEmpty {
      document.id.append(UInt8(ascii: "/"))
      document.id.append(contentsOf: page.revisionID)
    }
    document.created.append(contentsOf: page.timestamp)
    if !site.articleBase.isEmpty { appendURL() }
    document.addMetadata("dump", string: file)
    document.addMetadata("offset", int: Int(record.offset))
    document.addMetadata("title", string: page.title.span)
    document.addMetadata("namespace", int: page.namespace ?? 0)
    if !page.revisionID.isEmpty { document.addMetadata("revision", string: page.revisionID.span) }
    if !site.language.isEmpty { document.addMetadata("language", string: site.language) }
  }

  /// The article's address: blanks as `_`, everything else outside the characters that MediaWiki leaves percent-encoded.
  private func appendURL() {
    document.url.append(contentsOf: site.articleBase)
    for byte in page.title {
      if byte == 32 {
        document.url.append(UInt8(ascii: "_"))
      } else if byte.isASCIILetter || byte.isASCIIDigit || WikiParser.plainInURL.contains(byte) {
        document.url.append(byte)
      } else {
        document.url.append(UInt8(ascii: "%"))
        document.url.append(WikiParser.hexDigits[Int(byte >> 4)])
        document.url.append(WikiParser.hexDigits[Int(byte & 15)])
      }
    }
  }

  private static let plainInURL = Array("-_.~!*'();:@/,$".utf8)
  private static let hexDigits = Array("0123456789ABCDEF".utf8)

  private func isRedirectText(_ text: [UInt8]) -> Bool {
    let start = text.span.trimmedRange(0..<min(text.count, 64)).lowerBound
    return text.span.starts(with: "#redirect", at: start, ignoringCase: true)
  }
}
