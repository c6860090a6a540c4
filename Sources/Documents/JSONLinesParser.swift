import Bytes

/// Parses JSON lines into documents; fields that sluice does not know pass as raw members, byte for byte.
///
/// - Defects: `not-json`, `no-text`, `invalid-utf8`, each with the offset of its line; the document is lost and counted.
public final class JSONLinesParser: RecordParser {
  /// The names under which other projects store a field; the first that is present wins.
  public struct FieldNames: Sendable {
    public var text = ["text"]
    public var id = ["id"]
    public init() {}
  }

  private let textKeys: [[UInt8]]
  private let idKeys: [[UInt8]]
  private let defaultSource: [UInt8]
  private var scratch: [UInt8] = []
  private var members: [(key: Range<Int>, value: Range<Int>)] = []

  private let requiresText: Bool

  /// - Parameters:
  ///   - defaultSource: `source` of documents that have none.
  ///   - requiresText: false: a document without text has an empty one, as where tokens stand in its place.
  public init(fields: FieldNames = FieldNames(), defaultSource: String = "", requiresText: Bool = true) {
    self.requiresText = requiresText
    textKeys = fields.text.map { Array($0.utf8) }
    idKeys = fields.id.map { Array($0.utf8) }
    self.defaultSource = Array(defaultSource.utf8)
  }

  public func parse(
    _ chunk: borrowing RecordChunk, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger
  ) {
    record(chunk.defects, &ledger)
    for record in chunk.records {
      guard let defect = parse(record, of: chunk, into: &kept) else {
        let index = kept.count - 1
        let entry = kept.entries[index]
        let language = kept.language(at: index)
        ledger.countIn(language: language, textBytes: entry.text.count)
        ledger.countOut(
          language: language, source: kept.bytes.span.extracting(entry.source).string(),
          textBytes: entry.text.count)
        continue
      }
      ledger.documentsIn += 1
      ledger.record(defect)
    }
  }

  private func record(_ defects: [Defect], _ ledger: inout Ledger) {
    for defect in defects {
      if defect.losesRecord { ledger.documentsIn += 1 }
      ledger.record(defect)
    }
  }

  /// Appends the document of one line to `kept`, or returns its defect.
  private func parse(
    _ record: RecordChunk.Record, of chunk: borrowing RecordChunk, into kept: inout DocumentBatch
  ) -> Defect? {
    func defect(_ kind: String, _ message: String) -> Defect {
      Defect(kind: kind, file: chunk.file, offset: record.offset, message: message)
    }
    let line = chunk.bytes.span.extracting(record.range)
    guard UTF8Text.isValid(line) else {
      return defect("invalid-utf8", "The line is not UTF-8. It was skipped.")
    }
    members.removeAll(keepingCapacity: true)
    var members = self.members
    self.members = []
    defer { self.members = members }
    do throws(JSONScanner.Failure) {
      let end = try JSONScanner.members(of: line) { (key, value) throws(JSONScanner.Failure) in
        members.append((key, value))
      }
      if JSONScanner.skipSpace(line, end) < line.count { throw .malformed(at: end) }
    } catch {
      let message =
        switch error {
        case .malformed(let index):
          "The line is not a JSON object: byte \(index) does not fit. It was skipped."
        case .tooDeep(let index): "The line is nested too deep at byte \(index). It was skipped."
        }
      return defect("not-json", message)
    }
    return assemble(members, line, record, chunk.file, into: &kept)
      ? nil : defect("no-text", "The object has no string \"text\". It was skipped.")
  }

  private func assemble(
    _ members: [(key: Range<Int>, value: Range<Int>)], _ line: borrowing Span<UInt8>,
    _ record: RecordChunk.Record,
    _ file: String, into kept: inout DocumentBatch
  ) -> Bool {
    scratch.removeAll(keepingCapacity: true)
    var entry = DocumentBatch.Entry()
    let text = first(of: textKeys, members, line) { line[$0.lowerBound] == UInt8(ascii: "\"") }
    guard text != nil || !requiresText else { return false }
    let id = first(of: idKeys, members, line) { _ in true }
    if let text { entry.text = unescape(line, members[text].value) }
    if let id { entry.id = scalar(line, members[id].value) }
    var hasMetadata = false
    for (key, value) in members {
      let name = line.extracting(key)
      switch JSONLinesParser.known(name) {
      case .source: entry.source = scalar(line, value)
      case .url: entry.url = scalar(line, value)
      case .created: entry.created = scalar(line, value)
      case .metadata where !hasMetadata && line[value.lowerBound] != UInt8(ascii: "n"):
        hasMetadata = true
        entry.metadata = object(line, value)
      default: break
      }
    }
    entry.extras = extras(members, line, text, id)
    if entry.id.isEmpty {
      let start = scratch.count
      scratch.append(
        contentsOf: "\(file)/\(record.offset)\(record.ordinal > 0 ? "+\(record.ordinal)" : "")".utf8)
      entry.id = start..<scratch.count
    }
    if entry.source.isEmpty {
      let start = scratch.count
      scratch.append(contentsOf: defaultSource)
      entry.source = start..<scratch.count
    }
    if !hasMetadata {
      let start = scratch.count
      scratch.append("{}")
      entry.metadata = start..<scratch.count
    }
    let fields = scratch
    kept.append(fieldsIn: fields.span, entry)
    return true
  }

  private enum Known { case written, source, url, created, metadata }

  /// Names that the writer writes itself: a member of one of these never goes on as an extra, or it would stand twice.
  private static func known(_ name: borrowing Span<UInt8>) -> Known? {
    switch name.count {
    case 2 where name.starts(with: "id"), 4 where name.starts(with: "text"): .written
    case 3 where name.starts(with: "url"): .url
    case 6 where name.starts(with: "source"): .source
    case 7 where name.starts(with: "created"): .created
    case 8 where name.starts(with: "metadata"): .metadata
    default: nil
    }
  }

  /// The member that gives a field: of the first of its names that is present; of doubled ones the first.
  private func first(
    of keys: [[UInt8]], _ members: [(key: Range<Int>, value: Range<Int>)], _ line: borrowing Span<UInt8>,
    _ accepts: (Range<Int>) -> Bool
  ) -> Int? {
    for key in keys {
      for index in members.indices
      where line.extracting(members[index].key).equals(key) && accepts(members[index].value) { return index }
    }
    return nil
  }

  /// The raw members that are none of ours, joined by commas.
  private func extras(
    _ members: [(key: Range<Int>, value: Range<Int>)], _ line: borrowing Span<UInt8>, _ text: Int?, _ id: Int?
  ) -> Range<Int> {
    let start = scratch.count
    for (index, member) in members.enumerated() {
      if index == text || index == id || JSONLinesParser.known(line.extracting(member.key)) != nil {
        continue
      }
      if scratch.count > start { scratch.append(UInt8(ascii: ",")) }
      scratch.append(line.extracting(member.key.lowerBound - 1..<member.value.upperBound))
    }
    return start..<scratch.count
  }

  /// An object as it stands; anything else becomes the only member of one.
  private func object(_ line: borrowing Span<UInt8>, _ value: Range<Int>) -> Range<Int> {
    let start = scratch.count
    let isObject = line[value.lowerBound] == UInt8(ascii: "{")
    if !isObject { scratch.append("{\"metadata\":") }
    scratch.append(line.extracting(value))
    if !isObject { scratch.append("}") }
    return start..<scratch.count
  }

  private func unescape(_ line: borrowing Span<UInt8>, _ value: Range<Int>) -> Range<Int> {
    let start = scratch.count
    JSONText.appendUnescaped(line.extracting(value.lowerBound + 1..<value.upperBound - 1), to: &scratch)
    return start..<scratch.count
  }

  /// A string unescaped; a number as it stands; null as nothing.
  private func scalar(_ line: borrowing Span<UInt8>, _ value: Range<Int>) -> Range<Int> {
    if line[value.lowerBound] == UInt8(ascii: "\"") { return unescape(line, value) }
    let start = scratch.count
    if line[value.lowerBound] != UInt8(ascii: "n") { scratch.append(line.extracting(value)) }
    return start..<scratch.count
  }
}
