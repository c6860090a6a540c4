import Bytes
import CXML2

/// One page of a dump, its newest revision.
struct WikiPage {
  enum Failure: Error, Equatable {
    case malformed(String)
    /// A DOCTYPE or an entity declaration inside the page.
    case declaration
  }

  var title: [UInt8] = []
  /// Nil where the dump is too old to have namespaces.
  var namespace: Int?
  var pageID: [UInt8] = []
  var revisionID: [UInt8] = []
  var timestamp: [UInt8] = []
  var model: [UInt8] = []
  var text: [UInt8] = []
  var isRedirect = false
  var isDeleted = false

  private static let options: Int32 = Int32(
    XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
      | XML_PARSE_COMPACT.rawValue)

  /// Once per process: no external entity is ever loaded, whatever a document asks for.
  private static let setUp: Void = {
    xmlInitParser()
    xmlSetExternalEntityLoader { _, _, _ in nil }
  }()

  /// Parses `<page>…</page>` alone with libxml2's text reader.
  ///
  /// - Source of the options: reliability notes, section 6 (measured on libxml2 2.9.14): never NOENT, DTDLOAD or HUGE.
  mutating func parse(_ xml: [UInt8]) throws(Failure) {
    self = WikiPage()
    if WikiPage.declares(xml.span) { throw .declaration }
    _ = WikiPage.setUp
    // SAFETY: libxml2 reads `count` bytes of the array, which outlives the reader; each reader serves one page.
    let outcome = xml.withUnsafeBytes { bytes -> Failure? in
      guard let base = bytes.baseAddress, bytes.count < Int(Int32.max),
        let reader = xmlReaderForMemory(
          base.assumingMemoryBound(to: CChar.self), Int32(bytes.count), nil, "UTF-8", WikiPage.options)
      else { return .malformed("no reader") }
      defer { xmlFreeTextReader(reader) }
      return walk(reader)
    }
    if let outcome { throw outcome }
  }

  private static func declares(_ xml: borrowing Span<UInt8>) -> Bool {
    var index = 0
    while let found = xml.firstIndex(of: Array("<!".utf8), from: index) {
      if xml.starts(with: "doctype", at: found + 2, ignoringCase: true)
        || xml.starts(with: "entity", at: found + 2, ignoringCase: true)
      {
        return true
      }
      index = found + 2
    }
    return false
  }

  /// What the reader stands in.
  private enum Place { case other, title, namespace, pageID, revisionID, timestamp, model, text }

  private mutating func walk(_ reader: xmlTextReaderPtr) -> Failure? {
    var place = Place.other
    var revision = WikiPage()
    var isInRevision = false
    while true {
      let step = xmlTextReaderRead(reader)
      if step == 0 { return nil }
      if step < 0 {
        return .malformed("not well-formed near line \(xmlTextReaderGetParserLineNumber(reader))")
      }
      let depth = xmlTextReaderDepth(reader)
      switch xmlTextReaderNodeType(reader) {
      case 1:  // element
        if depth > 64 { return .malformed("elements nest more than 64 deep") }
        let name = WikiPage.name(reader)
        if depth == 1, name == "revision" {
          isInRevision = true
          revision = WikiPage()
        } else if depth == 1, name == "redirect" {
          isRedirect = true
        }
        place = self.place(name, Int(depth), isInRevision)
        if xmlTextReaderIsEmptyElement(reader) == 1 { place = .other }
        if name == "text", depth == 2, isInRevision, xmlTextReaderMoveToAttribute(reader, "deleted") == 1 {
          revision.isDeleted = true
          xmlTextReaderMoveToElement(reader)
        }
      case 3, 4, 14:  // text, CDATA, significant white space
        if place != .other { add(reader, place, &revision) }
      case 15:  // end of element
        place = .other
        if depth == 1, isInRevision, WikiPage.name(reader) == "revision" {
          isInRevision = false
          take(revision)
        }
      default: break
      }
    }
  }

  private func place(_ name: String, _ depth: Int, _ isInRevision: Bool) -> Place {
    switch (depth, name) {
    case (1, "title"): .title
    case (1, "ns"): .namespace
    case (1, "id"): .pageID
    case (2, "id") where isInRevision: .revisionID
    case (2, "timestamp") where isInRevision: .timestamp
    case (2, "model") where isInRevision: .model
    case (2, "text") where isInRevision: .text
    default: .other
    }
  }

  private mutating func add(_ reader: xmlTextReaderPtr, _ place: Place, _ revision: inout WikiPage) {
    guard let value = xmlTextReaderConstValue(reader) else { return }
    let bytes = UnsafeBufferPointer(start: value, count: Int(xmlStrlen(value)))
    switch place {
    case .title: title.append(contentsOf: bytes)
    case .namespace: namespace = Int(String(decoding: bytes, as: UTF8.self)) ?? -99
    case .pageID: pageID.append(contentsOf: bytes)
    case .revisionID: revision.revisionID.append(contentsOf: bytes)
    case .timestamp: revision.timestamp.append(contentsOf: bytes)
    case .model: revision.model.append(contentsOf: bytes)
    case .text: revision.text.append(contentsOf: bytes)
    case .other: break
    }
  }

  /// The newest revision is the page; of equal times the later one.
  private mutating func take(_ revision: WikiPage) {
    guard revisionID.isEmpty || !revision.timestamp.lexicographicallyPrecedes(timestamp) else { return }
    revisionID = revision.revisionID
    timestamp = revision.timestamp
    model = revision.model
    text = revision.text
    isDeleted = revision.isDeleted
  }

  private static func name(_ reader: xmlTextReaderPtr) -> String {
    xmlTextReaderConstLocalName(reader).map { String(cString: $0) } ?? ""
  }

  /// The page's bytes fit for XML: ill-formed UTF-8 and noncharacters become U+FFFD, forbidden controls `?`. Returns how many.
  ///
  /// - Source: XML 1.0, production 2 (Char).
  static func sanitise(_ bytes: borrowing Span<UInt8>, into output: inout [UInt8]) -> Int {
    output.removeAll(keepingCapacity: true)
    var count = UTF8Text.repair(bytes, into: &output)
    output.withUnsafeMutableBufferPointer { buffer in
      for index in buffer.indices {
        let byte = buffer[index]
        if byte >= 0x20, byte != 0xEF { continue }
        if byte < 0x20, byte != 9, byte != 10, byte != 13 {
          buffer[index] = UInt8(ascii: "?")
          count += 1
        } else if byte == 0xEF, buffer[index + 1] == 0xBF, buffer[index + 2] >= 0xBE {
          // Well-formed by now: two more bytes follow.
          buffer[index + 2] = 0xBD
          count += 1
        }
      }
    }
    return count
  }
}
