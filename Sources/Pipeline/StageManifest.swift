import Bytes
import Storage

/// What a stage folder holds and what it was made of: written last, so a folder with a manifest is whole.
///
/// Shape: `{"format":"sluice-stage/1","stage","version","options":{…},"inputs":[{name,bytes,sha256}],"complete":"yes|unknown",
/// "libzstd","outputs":[{name,bytes,sha256}]}`. Relative names only, no times.
public struct StageManifest: Equatable, Sendable {
  public static let format = "sluice-stage/1"
  public static let fileName = "manifest.json"

  public struct Entry: Equatable, Sendable {
    public var name: String
    public var bytes: Int64
    public var sha256: String
    public init(name: String, bytes: Int64, sha256: String) {
      self.name = name
      self.bytes = bytes
      self.sha256 = sha256
    }
  }

  public var stage: String
  public var version = Version.number
  public var options: JSONValue
  public var inputs: [Entry]
  /// False if the input was an unmarked stream, which cannot tell whether it is whole.
  public var isComplete = true
  public var outputs: [Entry]

  public var json: JSONValue {
    return [
      "format": .string(StageManifest.format), "stage": .string(stage), "version": .string(version),
      "options": options, "inputs": .array(inputs.map(\.json)), "complete": isComplete ? "yes" : "unknown",
      "libzstd": .string(Zstd.libraryVersion), "outputs": .array(outputs.map(\.json)),
    ]
  }

  public init(stage: String, options: JSONValue, inputs: [Entry], outputs: [Entry], isComplete: Bool = true) {
    self.stage = stage
    self.options = options
    self.inputs = inputs
    self.outputs = outputs
    self.isComplete = isComplete
  }

  /// Reads the manifest of a folder; nil if there is none.
  ///
  /// - Throws: `StorageError.input` if it is not a manifest of a version that is known here.
  public static func read(_ folder: String) throws(StorageError) -> StageManifest? {
    let path = Path.join(folder, fileName)
    guard FileSystem.exists(path) else { return nil }
    let bytes = try FileSystem.readAll(path)
    guard let json = try? JSONValue.parse(bytes), json["format"]?.string == format else {
      throw .input(path: path, reason: "not a stage manifest (\(format) was expected)")
    }
    func list(_ value: JSONValue?) -> [Entry] { (value?.array ?? []).map { Entry(json: $0) } }
    var manifest = StageManifest(
      stage: json["stage"]?.string ?? "", options: json["options"] ?? .null, inputs: list(json["inputs"]),
      outputs: list(json["outputs"]), isComplete: json["complete"]?.string == "yes")
    manifest.version = json["version"]?.string ?? ""
    return manifest
  }
}

extension FileSummary {
  var entry: StageManifest.Entry { StageManifest.Entry(name: name, bytes: bytes, sha256: sha256) }
}

extension StageManifest.Entry {
  /// How manifests, plans and journals name a file.
  var json: JSONValue { ["name": .string(name), "bytes": .int(Int(bytes)), "sha256": .string(sha256)] }

  init(json: JSONValue) {
    self.init(
      name: json["name"]?.string ?? "", bytes: Int64(json["bytes"]?.int ?? 0),
      sha256: json["sha256"]?.string ?? "")
  }
}
