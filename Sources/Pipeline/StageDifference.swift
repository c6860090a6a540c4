import Bytes
import Sharding
import Storage

/// What differs between two stage folders: what they were made of, and what came out.
public enum StageDifference {
  /// - Throws: `.input` for a folder without a manifest or a report.
  public static func run(_ first: String, _ second: String) throws(StorageError) -> Difference {
    let one = try manifest(first)
    let two = try manifest(second)
    var fields: [Difference.Field] = []
    func compare(_ name: String, _ mine: JSONValue, _ other: JSONValue, _ meaning: String) {
      fields += Difference.fields(mine, other, name) { _ in meaning }
    }
    compare("stage", .string(one.stage), .string(two.stage), "another kind of stage")
    compare("version", .string(one.version), .string(two.version), "another version may give other bytes")
    compare("options", options(one), options(two), "other options")
    compare(
      "complete", .bool(one.isComplete), .bool(two.isComplete), "one cannot tell whether its input was whole")
    fields += files("inputs", one.inputs, two.inputs, "other files came in")
    let isSameInput = fields.isEmpty
    let outputs = files("outputs", one.outputs, two.outputs, "other files came out")
    fields += outputs
    // Counts that follow: they say in which way the outputs differ.
    if !outputs.isEmpty {
      let mine = try StageReport.read(first)
      let other = try StageReport.read(second)
      for key in ["documents_in", "documents_out", "documents_dropped", "text_bytes_out", "drops", "defects"]
      {
        compare("report.\(key)", mine[key] ?? .null, other[key] ?? .null, "counted by the stage")
      }
    }
    let conclusion: String
    if fields.isEmpty {
      conclusion = "The same: inputs, options, version and outputs."
    } else if outputs.isEmpty {
      conclusion = "The same outputs, though not everything that they were made of is the same."
    } else {
      conclusion =
        isSameInput
        ? "Other outputs of the same inputs, options and version: one of the two is damaged, or this is a bug of sluice."
        : "Other outputs: what the stage was made of differs."
    }
    return Difference(
      kind: "stage", fields: fields, conclusion: conclusion, claims: [("same_content", outputs.isEmpty)])
  }

  /// Without what the manifest says in its own members.
  private static func options(_ manifest: StageManifest) -> JSONValue {
    .object((manifest.options.members ?? []).filter { !["inputs", "stage", "version"].contains($0.key) })
  }

  private static func manifest(_ folder: String) throws(StorageError) -> StageManifest {
    if let manifest = try StageManifest.read(folder) { return manifest }
    throw .input(path: folder, reason: "holds no finished stage (no manifest.json)")
  }

  /// Files by name: those that one side lacks, and those with another hash.
  private static func files(
    _ name: String, _ first: [StageManifest.Entry], _ second: [StageManifest.Entry], _ meaning: String
  ) -> [Difference.Field] {
    var fields: [Difference.Field] = []
    let others = Dictionary(second.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
    for entry in first where others[entry.name]?.sha256 != entry.sha256 {
      fields.append(
        Difference.Field(
          name: "\(name).\(entry.name)", first: String(entry.sha256.prefix(16)),
          second: others[entry.name].map { String($0.sha256.prefix(16)) } ?? "missing", meaning: meaning))
    }
    let mine = Set(first.map(\.name))
    for entry in second where !mine.contains(entry.name) {
      fields.append(
        Difference.Field(
          name: "\(name).\(entry.name)", first: "missing", second: String(entry.sha256.prefix(16)),
          meaning: meaning))
    }
    return fields
  }
}
