import Bytes
import Sharding
import Storage

/// What the runs have in common that make a store out of stores: a unit per split, recorded in the journal.
enum StoreFolders {
  static let phase = "segments"

  static let tick: @Sendable () throws(StorageError) -> Void = { () throws(StorageError) in
    if Interruption.isRequested { throw .interrupted }
  }

  /// Opens the output folder of a run, which must be none of its inputs.
  static func open(
    _ folder: String, inputs: [TokenStore], plan: JSONValue, mode: RunOptions.Mode
  ) throws(StorageError) -> StageFolder {
    for store in inputs {
      guard let mine = try? FileSystem.identity(of: folder) else { break }
      let theirs = try FileSystem.identity(of: store.folder)
      if mine.inode == theirs.inode, mine.device == theirs.device {
        throw .usage("\(folder): the output is one of the inputs. Nothing was changed. Give another folder.")
      }
    }
    return try StageFolder(folder, plan: plan, mode: mode) { (path) throws(StorageError) in
      guard TokenStore.isStore(path) else { return nil }
      return (try? JSONValue.parse(try FileSystem.readAll(Path.join(path, "build.json"))))?["options"]
    }
  }

  /// A split that an earlier try of this run finished, and what else its journal says of it.
  static func finished(
    _ stage: StageFolder, _ number: Int, name: String, sources: Int
  ) throws(StorageError) -> (split: StoreManifest.Split, entry: JSONValue)? {
    guard let entry = stage.finishedUnit(phase, number), let json = entry["split"] else { return nil }
    return (
      try StoreManifest.Split(name: name, json: json, sources: sources, path: stage.path), entry
    )
  }

  static func commit(
    _ stage: StageFolder, _ number: Int, _ split: StoreManifest.Split, _ details: [JSONValue.Member]
  ) throws(StorageError) {
    let outputs = split.segments.flatMap { segment in
      segment.files.map { file in
        FileSummary(
          name: "\(split.name)/\(segment.name).\(file.extension)", bytes: file.file.bytes,
          sha256: file.file.sha256,
          xxh64: file.file.xxh64)
      }
    }
    try stage.commit(phase, number, outputs: outputs, details: [.init("split", split.json)] + details)
  }
}

extension StoreLinks {
  init(json: JSONValue?) {
    self.init()
    segmentsLinked = json?["segments_linked"]?.int ?? 0
    segmentsRenumbered = json?["segments_renumbered"]?.int ?? 0
    segmentsWritten = json?["segments_written"]?.int ?? 0
    bytesLinked = Int64(json?["bytes_linked"]?.int ?? 0)
    bytesCloned = Int64(json?["bytes_cloned"]?.int ?? 0)
    bytesCopied = Int64(json?["bytes_copied"]?.int ?? 0)
  }

  /// `12 segments linked (10 renumbered), 3 written; 11.9 GiB linked, 0 B cloned, 0 B copied`.
  var text: String {
    var text = "\(Format.count(segmentsLinked)) segments linked"
    if segmentsRenumbered > 0 { text += " (\(Format.count(segmentsRenumbered)) with new document records)" }
    text += ", \(Format.count(segmentsWritten)) written; \(Format.bytes(Int(bytesLinked))) linked"
    if bytesCloned > 0 { text += ", \(Format.bytes(Int(bytesCloned))) cloned" }
    if bytesCopied > 0 {
      text += ", \(Format.bytes(Int(bytesCopied))) copied, since they could not be linked"
    }
    return text
  }
}
