import Bytes

/// One document, owned: for parsers that build it field by field, for edges and tests. Stages pass `DocumentBatch`.
///
/// Shape: `text`, `id`, `source`, `url`, `created` are plain UTF-8 (unescaped). `metadata` is the raw JSON object, `{}`
/// if empty. `extras` are raw JSON members (`"key":value,"key":value`) that sluice does not know; they pass every
/// stage byte for byte. An empty `url` or `created` means: not known, not written.
public struct Document: Equatable, Sendable {
  public var id: [UInt8] = []
  public var text: [UInt8] = []
  public var source: [UInt8] = []
  public var url: [UInt8] = []
  public var created: [UInt8] = []
  public var metadata: [UInt8] = [UInt8(ascii: "{"), UInt8(ascii: "}")]
  public var extras: [UInt8] = []

  public init() {}

  public init(id: String, text: String, source: String = "", url: String = "") {
    self.id = Array(id.utf8)
    self.text = Array(text.utf8)
    self.source = Array(source.utf8)
    self.url = Array(url.utf8)
  }

  /// Empties all fields and keeps their memory.
  public mutating func removeAll() {
    id.removeAll(keepingCapacity: true)
    text.removeAll(keepingCapacity: true)
    source.removeAll(keepingCapacity: true)
    url.removeAll(keepingCapacity: true)
    created.removeAll(keepingCapacity: true)
    metadata.removeAll(keepingCapacity: true)
    metadata.append(UInt8(ascii: "{"))
    metadata.append(UInt8(ascii: "}"))
    extras.removeAll(keepingCapacity: true)
  }

  /// Adds a string member to `metadata`, after those that stand there. The key must be new.
  public mutating func addMetadata(_ key: StaticString, string value: borrowing Span<UInt8>) {
    openMember(key)
    JSONText.append(string: value, to: &metadata)
    metadata.append(UInt8(ascii: "}"))
  }

  public mutating func addMetadata(_ key: StaticString, string value: String) {
    addMetadata(key, string: Array(value.utf8).span)
  }

  public mutating func addMetadata(_ key: StaticString, int value: Int) {
    openMember(key)
    metadata.append(decimal: value)
    metadata.append(UInt8(ascii: "}"))
  }

  /// Adds a member whose value is raw JSON.
  public mutating func addMetadata(_ key: StaticString, raw value: [UInt8]) {
    openMember(key)
    metadata.append(contentsOf: value)
    metadata.append(UInt8(ascii: "}"))
  }

  private mutating func openMember(_ key: StaticString) {
    metadata.removeLast()
    // An empty object may hold white space (`{ }`).
    if metadata.last(where: { $0 > 32 }) != UInt8(ascii: "{") { metadata.append(UInt8(ascii: ",")) }
    metadata.append(UInt8(ascii: "\""))
    metadata.append(key)
    metadata.append("\":")
  }
}
