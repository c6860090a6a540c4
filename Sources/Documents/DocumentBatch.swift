import Bytes

/// Documents that travel together: about 1 MiB of bytes in one buffer, and offsets.
///
/// Shape: `bytes` holds all fields of all documents; `entries[i]` says where the fields of document i lie. Meaning and
/// encoding of the fields: see `Document`. Read a field with `batch.bytes.span.extracting(batch.entries[i].text)`.
public struct DocumentBatch: Sendable {
  /// Where the fields of one document lie in `bytes`.
  public struct Entry: Equatable, Sendable {
    public var id = 0..<0
    public var text = 0..<0
    public var source = 0..<0
    public var url = 0..<0
    public var created = 0..<0
    public var metadata = 0..<0
    public var extras = 0..<0
    public init() {}
  }

  public private(set) var bytes: [UInt8] = []
  public private(set) var entries: [Entry] = []

  public init() {}

  public var count: Int { entries.count }
  public var isEmpty: Bool { entries.isEmpty }

  /// Sum of the documents' text, in bytes.
  public var textBytes: Int { entries.reduce(0) { $0 + $1.text.count } }

  /// Empties the batch and keeps its memory.
  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
  }

  /// Adds a copy of a document.
  public mutating func append(_ document: borrowing Document) {
    var entry = Entry()
    entry.id = add(document.id)
    entry.text = add(document.text)
    entry.source = add(document.source)
    entry.url = add(document.url)
    entry.created = add(document.created)
    entry.metadata = add(document.metadata)
    entry.extras = add(document.extras)
    entries.append(entry)
  }

  /// Adds a copy of document `index` of another batch; `text` and `metadata` replace its own where given, and
  /// `extraMembers` (raw JSON members) are added to its extras.
  public mutating func append(
    from other: borrowing DocumentBatch, _ index: Int, text: [UInt8]? = nil, metadata: [UInt8]? = nil,
    extraMembers: [UInt8] = []
  ) {
    let old = other.entries[index]
    var entry = Entry()
    entry.id = add(other.bytes, old.id)
    entry.text = if let text { add(text) } else { add(other.bytes, old.text) }
    entry.source = add(other.bytes, old.source)
    entry.url = add(other.bytes, old.url)
    entry.created = add(other.bytes, old.created)
    entry.metadata = if let metadata { add(metadata) } else { add(other.bytes, old.metadata) }
    entry.extras = add(other.bytes, old.extras)
    if !extraMembers.isEmpty {
      if !entry.extras.isEmpty { bytes.append(UInt8(ascii: ",")) }
      bytes.append(contentsOf: extraMembers)
      entry.extras = entry.extras.lowerBound..<bytes.count
    }
    entries.append(entry)
  }

  /// Adds a document whose fields lie in `other`, as `entry` says. Unknown parts may be empty ranges.
  public mutating func append(fieldsIn other: borrowing Span<UInt8>, _ old: Entry) {
    var entry = Entry()
    entry.id = add(other.extracting(old.id))
    entry.text = add(other.extracting(old.text))
    entry.source = add(other.extracting(old.source))
    entry.url = add(other.extracting(old.url))
    entry.created = add(other.extracting(old.created))
    entry.metadata = add(other.extracting(old.metadata))
    entry.extras = add(other.extracting(old.extras))
    entries.append(entry)
  }

  /// An owned copy of one document.
  public func document(at index: Int) -> Document {
    let entry = entries[index]
    var document = Document()
    document.id = Array(bytes[entry.id])
    document.text = Array(bytes[entry.text])
    document.source = Array(bytes[entry.source])
    document.url = Array(bytes[entry.url])
    document.created = Array(bytes[entry.created])
    document.metadata = Array(bytes[entry.metadata])
    document.extras = Array(bytes[entry.extras])
    return document
  }

  /// The value of `metadata.language` (or nil), unescaped.
  public func language(at index: Int) -> String? { metadataString("language", at: index) }

  /// A string member of `metadata`, or nil.
  public func metadataString(_ key: StaticString, at index: Int) -> String? {
    guard let raw = JSONMembers.value(of: key, in: bytes, entries[index].metadata) else { return nil }
    guard raw.count >= 2, bytes[raw.lowerBound] == UInt8(ascii: "\"") else { return nil }
    var out: [UInt8] = []
    JSONText.appendUnescaped(bytes.span.extracting(raw.lowerBound + 1..<raw.upperBound - 1), to: &out)
    return out.string
  }

  private mutating func add(_ field: [UInt8]) -> Range<Int> {
    let start = bytes.count
    bytes.append(contentsOf: field)
    return start..<bytes.count
  }

  private mutating func add(_ source: [UInt8], _ range: Range<Int>) -> Range<Int> {
    let start = bytes.count
    bytes.append(contentsOf: source[range])
    return start..<bytes.count
  }

  private mutating func add(_ field: borrowing Span<UInt8>) -> Range<Int> {
    let start = bytes.count
    bytes.append(field)
    return start..<bytes.count
  }
}

/// Members of small raw JSON objects.
public enum JSONMembers {
  /// Raw range of the value of `key` in the object that lies at `range` of `bytes`, or nil.
  public static func value(of key: StaticString, in bytes: [UInt8], _ range: Range<Int>) -> Range<Int>? {
    var found: Range<Int>?
    let object = bytes.span.extracting(range)
    var keys: [(Range<Int>, Range<Int>)] = []
    _ = try? JSONScanner.members(of: object) { (k, v) throws(JSONScanner.Failure) in keys.append((k, v)) }
    for (name, value) in keys where found == nil {
      let part = object.extracting(name)
      if part.count == key.utf8CodeUnitCount, part.starts(with: key) {
        found = value.lowerBound + range.lowerBound..<value.upperBound + range.lowerBound
      }
    }
    return found
  }

  /// The object with `key` set to the raw JSON `value`: replaced where it stands, else added at the end.
  public static func setting(_ key: StaticString, to value: [UInt8], in object: [UInt8]) -> [UInt8] {
    if let range = self.value(of: key, in: object, 0..<object.count) {
      return Array(object[..<range.lowerBound]) + value + Array(object[range.upperBound...])
    }
    var document = Document()
    if object.count >= 2 { document.metadata = object }
    document.addMetadata(key, raw: value)
    return document.metadata
  }
}
