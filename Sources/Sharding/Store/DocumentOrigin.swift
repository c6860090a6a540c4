import Bytes
import Documents
import Storage

/// Where a document of a store came from: one line of `.origin.zst`.
public struct DocumentOrigin: Equatable, Sendable {
  static let unknownLanguage = "unknown"

  public var id: String
  public var url: String
  /// Name of the dump file; nil where the source has none.
  public var dump: String?
  /// Byte offset in the dump.
  public var offset: Int?
  public var recordID: String?

  /// Writes `{"id":…,"url":…,"dump":…,"offset":…,"record_id":…}` of a document, without a line feed. `dump`, `offset`
  /// and `record_id` are those of its metadata, `null` where they are missing or of another type.
  static func write(_ batch: borrowing DocumentBatch, _ index: Int, to out: inout [UInt8]) {
    let entry = batch.entries[index]
    out.removeAll(keepingCapacity: true)
    out.append("{\"id\":")
    JSONText.append(string: batch.bytes.span.extracting(entry.id), to: &out)
    out.append(",\"url\":")
    JSONText.append(string: batch.bytes.span.extracting(entry.url), to: &out)
    let metadata = batch.bytes.span.extracting(entry.metadata)
    // The scanner's closure may not capture a span: ranges first.
    var members: [(key: Range<Int>, value: Range<Int>)] = []
    _ = try? JSONScanner.members(of: metadata) { (key, value) throws(JSONScanner.Failure) in
      members.append((key, value))
    }
    out.append(",\"dump\":")
    appendMember("dump", metadata, members, isText: true, to: &out)
    out.append(",\"offset\":")
    appendMember("offset", metadata, members, isText: false, to: &out)
    out.append(",\"record_id\":")
    appendMember("record_id", metadata, members, isText: true, to: &out)
    out.append("}")
  }

  private static func appendMember(
    _ key: StaticString, _ metadata: borrowing Span<UInt8>, _ members: [(key: Range<Int>, value: Range<Int>)],
    isText: Bool, to out: inout [UInt8]
  ) {
    for member in members where member.key.count == key.utf8CodeUnitCount {
      guard metadata.starts(with: key, at: member.key.lowerBound, ignoringCase: false) else { continue }
      let value = metadata.extracting(member.value)
      if isText ? value[0] == UInt8(ascii: "\"") : isWholeNumber(value) {
        out.append(value)
        return
      }
      break
    }
    out.append("null")
  }

  private static func isWholeNumber(_ value: borrowing Span<UInt8>) -> Bool {
    for index in value.indices where !value[index].isASCIIDigit { return false }
    return value.count > 0 && value.count <= 18
  }

  /// Reads a line; nil if it is none.
  init?(line: [UInt8]) {
    guard let json = try? JSONValue.parse(line), let id = json["id"]?.string, let url = json["url"]?.string
    else { return nil }
    self.id = id
    self.url = url
    dump = json["dump"]?.string
    offset = json["offset"]?.int
    recordID = json["record_id"]?.string
  }
}
