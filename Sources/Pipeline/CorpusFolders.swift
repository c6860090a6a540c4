import Bytes
import Documents
import Storage

/// The stage folders of a corpus: of a whole run (in pipeline order), or a single one.
public struct CorpusFolders: Sendable {
  public struct Stage: Sendable {
    public var name: String
    public var path: String
    public var manifest: StageManifest
  }

  public var stages: [Stage]

  /// - Throws: input errors for a folder that is neither a stage nor a run, or not finished.
  public init(_ path: String) throws(StorageError) {
    guard FileSystem.isFolder(path) else { throw .input(path: path, reason: "no such folder") }
    stages = []
    if let names = try RunManifest.stageNames(path) {
      for name in names {
        let folder = Path.join(path, name)
        if let manifest = try? StageManifest.read(folder) {
          stages.append(Stage(name: name, path: folder, manifest: manifest))
        }
      }
    } else if let manifest = try StageManifest.read(path) {
      stages.append(Stage(name: manifest.stage, path: path, manifest: manifest))
    } else {
      // Stages run one by one into sibling folders: take those that are whole, in the order of the pipeline.
      for name in try FileSystem.list(path) {
        let folder = Path.join(path, name)
        guard FileSystem.isFolder(folder), let manifest = try? StageManifest.read(folder) else { continue }
        stages.append(Stage(name: manifest.stage, path: folder, manifest: manifest))
      }
      let order = ["extract", "filter", "dedup"]
      stages.sort {
        (order.firstIndex(of: $0.name) ?? 9, $0.path) < (order.firstIndex(of: $1.name) ?? 9, $1.path)
      }
    }
    if stages.isEmpty {
      throw .input(
        path: path,
        reason: FileSystem.exists(Path.join(path, "journal"))
          ? "the stage there is not finished. Finish it with --resume first"
          : "holds no finished stage (no manifest.json)")
    }
  }
}

/// Streams the documents of a stage folder's parts, kept or dropped.
public struct PartReader {
  /// Calls `body(chunk, record)` for each line whose bytes contain `needle` (all lines if empty), until it returns false.
  ///
  /// - Parameter prefix: `part-` for kept documents, `dropped/part-` for dropped ones.
  public static func scan(
    _ stage: CorpusFolders.Stage, prefix: String, containing needle: [UInt8] = [],
    _ body: (_ batch: DocumentBatch, _ index: Int) throws(StorageError) -> Bool
  ) throws(StorageError) {
    let parser = JSONLinesParser()
    var kept = DocumentBatch()
    var dropped = DocumentBatch()
    for output in stage.manifest.outputs where output.name.hasPrefix(prefix) {
      let path = Path.join(stage.path, output.name)
      let reader = try JSONLinesReader(InputFile(path: path, name: output.name), isStrict: true)
      var chunk = RecordChunk()
      while try reader.next(&chunk) {
        if !needle.isEmpty {
          let bytes = chunk.bytes
          chunk.records.removeAll { bytes.span.extracting($0.range).firstIndex(of: needle) == nil }
          if chunk.records.isEmpty { continue }
        }
        kept.removeAll()
        var ledger = Ledger()
        parser.parse(chunk, kept: &kept, dropped: &dropped, ledger: &ledger)
        for index in 0..<kept.count where try !body(kept, index) { return }
      }
    }
  }
}

/// `manifest.json` of a whole run: the stages in their order.
public enum RunManifest {
  public static let format = "sluice-run/1"

  /// Names of the stages of a run folder, or nil if the folder is no run's.
  public static func stageNames(_ folder: String) throws(StorageError) -> [String]? {
    for name in [StageManifest.fileName, "journal/plan.json"] {
      let path = Path.join(folder, name)
      guard FileSystem.exists(path), let json = try? JSONValue.parse(try FileSystem.readAll(path)),
        json["format"]?.string == format
      else { continue }
      return (json["stages"]?.array ?? []).compactMap { $0["name"]?.string ?? $0.string }
    }
    return nil
  }
}
