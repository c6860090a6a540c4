import Bytes
import Documents
import Sharding
import Storage

/// What the reports of a corpus say, from the dump to the tokens: of the folder of a run, of one stage, of a token store, or
/// of stages and stores that lie beside one another.
public struct CorpusReport: Sendable {
  public struct Stage: Sendable {
    public var name: String
    public var path: String
    public var report: JSONValue
    public var ledger: Ledger { Ledger(json: report) }
    /// Names and sizes of what it read and wrote; nil for a store, whose manifest holds content only.
    public var manifest: StageManifest?
  }

  /// Something else that `inspect` describes; the name is its path below the corpus, empty for the corpus itself.
  public struct Part<Content: Sendable>: Sendable {
    public var name: String
    public var path: String
    public var content: Content
  }

  public private(set) var stages: [Stage] = []
  public private(set) var stores: [Part<TokenStore>] = []
  public private(set) var views: [Part<View>] = []

  /// - Throws: input errors for a folder that holds neither a finished stage nor a store.
  public init(_ path: String) throws(StorageError) {
    guard FileSystem.isFolder(path) else { throw .input(path: path, reason: "no such folder") }
    if let names = try RunManifest.stageNames(path) {
      for name in names { try look(at: Path.join(path, name), name: name) }
      try lookForViews(in: path, name: "")
    } else if FileSystem.exists(Path.join(path, StageManifest.fileName)) {
      if !TokenStore.isStore(path) { _ = try StageManifest.read(path) }
      try look(at: path, name: "")
    } else {
      for name in try FileSystem.list(path) where !name.hasPrefix(".") {
        try look(at: Path.join(path, name), name: name)
      }
      try lookForViews(in: path, name: "")
      sortByPipeline()
    }
    if stages.isEmpty, stores.isEmpty {
      throw .input(
        path: path,
        reason: FileSystem.exists(Path.join(path, "journal"))
          ? "the stage there is not finished. Finish it with --resume first"
          : "holds no finished stage and no token store (no manifest.json)")
    }
  }

  /// The reports by stage, as `sluice report --json` prints them.
  public var json: JSONValue { .object(stages.map { .init($0.name, $0.report) }) }

  private mutating func look(at folder: String, name: String) throws(StorageError) {
    guard FileSystem.isFolder(folder) else { return }
    if TokenStore.isStore(folder) {
      stores.append(Part(name: name, path: folder, content: try TokenStore(folder)))
      if FileSystem.exists(Path.join(folder, "report.json")) {
        stages.append(
          Stage(name: name.isEmpty ? "tokenize" : name, path: folder, report: try StageReport.read(folder)))
      }
      return try lookForViews(in: folder, name: name)
    }
    if let manifest = try? StageManifest.read(folder) {
      stages.append(
        Stage(
          name: name.isEmpty ? manifest.stage : name, path: folder, report: try StageReport.read(folder),
          manifest: manifest))
      return
    }
    try lookForViews(in: folder, name: name)
  }

  /// Views are small JSON files.
  private mutating func lookForViews(in folder: String, name: String) throws(StorageError) {
    for file in try FileSystem.list(folder) where file.hasSuffix(".json") {
      let path = Path.join(folder, file)
      guard FileSystem.isRegularFile(path), try FileSystem.size(of: path) <= 1 << 16 else { continue }
      let bytes = try FileSystem.readAll(path)
      guard View.isView(bytes) else { continue }
      views.append(
        Part(
          name: name.isEmpty ? file : Path.join(name, file), path: path,
          content: try View(bytes: bytes, path: path)))
    }
  }

  /// Stages that were run one by one into sibling folders: the order in which documents pass them.
  private mutating func sortByPipeline() {
    let order = ["extract", "filter", "dedup", "decontaminate", "train", "tokenize"]
    stages.sort {
      let left = order.firstIndex(of: $0.report["stage"]?.string ?? "") ?? order.count
      let right = order.firstIndex(of: $1.report["stage"]?.string ?? "") ?? order.count
      return (left, $0.path) < (right, $1.path)
    }
  }
}
