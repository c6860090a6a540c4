import Bytes

/// A stage's decision to drop a document: the rule, the value that it measured, the threshold that it broke, and for
/// duplicates the document that stays.
///
/// Shape in JSON, as the last member of the dropped document:
/// `"drop":{"stage":"filter","rule":"mean-word-length","value":2.1,"threshold":3,"peer":"…"}`.
public struct Drop: Equatable, Sendable {
  public var stage: String
  public var rule: String
  /// A number, or a short text where the rule compares names (`http-status`, `mime`).
  public var value: JSONValue
  public var threshold: JSONValue
  public var peer: String?

  public init(
    stage: String, rule: String, value: JSONValue = .null, threshold: JSONValue = .null, peer: String? = nil
  ) {
    self.stage = stage
    self.rule = rule
    self.value = value
    self.threshold = threshold
    self.peer = peer
  }

  /// The raw member `"drop":{…}`: pass it as `extraMembers` when the document joins the dropped batch.
  public var member: [UInt8] {
    var members: [JSONValue.Member] = [.init("stage", .string(stage)), .init("rule", .string(rule))]
    if value != .null { members.append(.init("value", value)) }
    if threshold != .null { members.append(.init("threshold", threshold)) }
    if let peer { members.append(.init("peer", .string(peer))) }
    return Array("\"drop\":".utf8) + JSONValue.object(members).serialized()
  }
}

/// An input record that cannot be read as it should: a counted value with its place, not an error. The run goes on.
public struct Defect: Equatable, Sendable {
  /// A short name with hyphens: `truncated-file`, `gzip-corrupt`, `header-too-long`, …
  public var kind: String
  /// Dump name, as in ids.
  public var file: String
  /// Byte offset in the file: of the member, or of the record in a plain file.
  public var offset: Int64
  /// What happened and what was done, one sentence each.
  public var message: String
  /// True if the record was lost; false if it still gave a document, which then carries a mark.
  public var losesRecord: Bool

  public init(kind: String, file: String, offset: Int64, message: String, losesRecord: Bool = true) {
    self.kind = kind
    self.file = file
    self.offset = offset
    self.message = message
    self.losesRecord = losesRecord
  }
}
