import Bytes
import Documents
import Storage

/// Answers for one document what every stage of a corpus did with it.
public struct Explanation: Sendable {
  public struct Step: Sendable {
    public var stage: String
    /// `kept`, `dropped`, or `absent` (not seen there).
    public var verdict: String
    /// The `drop` object of a dropped document.
    public var drop: JSONValue?
    public var document: Document?
    public var part: String?
  }

  public var id: String
  public var url: String
  public var steps: [Step]

  /// Explains every document with this id or URL, by the bytes of their ids: a URL may stand in a dump more than once (a
  /// revisit, a redirect, another day's crawl). At most `limit`.
  public static func all(
    _ key: String, in corpus: CorpusFolders, limit: Int = 20
  ) throws(StorageError) -> [Explanation] {
    let wanted = Array(key.utf8)
    var needle: [UInt8] = []
    JSONText.append(string: wanted.span, to: &needle)
    var ids: [[UInt8]] = []
    for stage in corpus.stages {
      for prefix in ["part-", "dropped/part-"] where ids.count < limit {
        try PartReader.scan(stage, prefix: prefix, containing: needle) {
          (batch, index) throws(StorageError) in
          let document = batch.document(at: index)
          if document.id == wanted || document.url == wanted, !ids.contains(document.id) {
            ids.append(document.id)
          }
          return ids.count < limit
        }
      }
    }
    ids.sort { $0.lexicographicallyPrecedes($1) }
    var found: [Explanation] = []
    for id in ids {
      if let one = try find(id.string, in: corpus) { found.append(one) }
    }
    return found
  }

  /// Searches the id or URL in all stages; nil if no stage knows it.
  public static func find(_ key: String, in corpus: CorpusFolders) throws(StorageError) -> Explanation? {
    var steps: [Step] = []
    var id: [UInt8]?
    var url: [UInt8] = []
    for stage in corpus.stages {
      var step = Step(stage: stage.name, verdict: "absent")
      let wanted = id ?? Array(key.utf8)
      for (prefix, verdict) in [("part-", "kept"), ("dropped/part-", "dropped")]
      where step.verdict == "absent" {
        var needle: [UInt8] = []
        JSONText.append(string: wanted.span, to: &needle)
        let known = id
        try PartReader.scan(stage, prefix: prefix, containing: needle) {
          (batch, index) throws(StorageError) in
          let document = batch.document(at: index)
          guard document.id == wanted || (known == nil && document.url == wanted) else { return true }
          step.verdict = verdict
          step.document = document
          step.drop = drop(of: document)
          return false
        }
      }
      if let document = step.document, id == nil {
        id = document.id
        url = document.url
      }
      steps.append(step)
    }
    guard let id else { return nil }
    // A fused stage keeps no parts of its own: what a later stage saw went through it.
    let lastSeen = steps.lastIndex { $0.verdict != "absent" } ?? 0
    for index in 0..<lastSeen where steps[index].verdict == "absent" { steps[index].verdict = "kept" }
    return Explanation(id: id.string, url: url.string, steps: Array(steps[...lastSeen]))
  }

  /// The `drop` member of a dropped document.
  public static func drop(of document: Document) -> JSONValue? {
    let object = [UInt8(ascii: "{")] + document.extras + [UInt8(ascii: "}")]
    guard let range = JSONMembers.value(of: "drop", in: object, 0..<object.count) else { return nil }
    return try? JSONValue.parse(Array(object[range]))
  }

  /// One sentence for people.
  public static func sentence(_ drop: JSONValue) -> String {
    var text = "by rule \(drop["rule"]?.string ?? "?")"
    if let value = drop["value"] { text += ", value \(plain(value))" }
    if let threshold = drop["threshold"], threshold != .null { text += ", threshold \(plain(threshold))" }
    if let peer = drop["peer"]?.string { text += "; stays: \(peer)" }
    return text
  }

  private static func plain(_ value: JSONValue) -> String {
    if let string = value.string { return string }
    if case .double(let number) = value { return Format.fixed(number, 4) }
    return value.serialized().string
  }
}
