import Bytes
import Documents
import Extraction
import Pipeline
import Sharding
import Storage
import Tokenization

/// Finds out what lies at a path and lets its room describe it.
enum Inspector {
  static func inspect(_ path: String, epochs: Int?) throws(StorageError) -> Inspection {
    guard FileSystem.exists(path) else { throw .input(path: path, reason: "no such file or folder") }
    if FileSystem.isFolder(path) {
      if TokenStore.isStore(path) {
        return try StoreInspection.run(try TokenStore(path)) { () throws(StorageError) in
          if Interruption.isRequested { throw .interrupted }
        }
      }
      if FileSystem.exists(Path.join(path, "tokenizer.json")) { return try tokenizer(path) }
      return try CorpusInspection.run(path)
    }
    if path.hasSuffix(".tiktoken") || Path.name(path) == "tokenizer.json" { return try tokenizer(path) }
    if try FileSystem.size(of: path) < 1 << 20 {
      let bytes = try FileSystem.readAll(path)
      if View.isView(bytes) {
        let view = try View(bytes: bytes, path: path)
        return try ViewInspection.run(
          view, split: try StoreSplit.find(for: view, viewPath: path), epochs: epochs)
      }
    }
    return try dump(path)
  }

  private static func tokenizer(_ path: String) throws(StorageError) -> Inspection {
    let inspection = TokenizerInspection(try Tokenizer.load(path: path))
    let table = Inspection.Table(
      title: "", columns: ["tokenizer", ""], rows: inspection.rows.map { [$0.name, $0.value] })
    return Inspection(json: inspection.json, tables: [table])
  }

  /// A dump: its format, records by type, decoded bytes and defects; read once, in order.
  private static func dump(_ path: String) throws(StorageError) -> Inspection {
    guard let file = try InputList.expand([path]).first else {
      throw .input(path: path, reason: "no such file")
    }
    let dump = try DumpInspection(file) { Interruption.isRequested }
    let rows = [
      ["format", dump.format], ["codec", dump.codec], ["records", Format.count(dump.records)],
      ["decoded bytes", Format.count(dump.bytes)], ["defects", Format.count(dump.defectCount)],
    ]
    var tables = [Inspection.Table(title: "", columns: ["dump", path], rows: rows)]
    tables.append(
      Inspection.Table(
        title: "records", columns: DumpInspection.columns,
        rows: dump.types.map { [$0.name, Format.count($0.count.records), Format.count($0.count.bytes)] }))
    if !dump.defects.isEmpty {
      tables.append(
        Inspection.Table(
          title: "defects", columns: DumpInspection.defectColumns,
          rows: dump.defects.prefix(20).map { [$0.kind, Format.count(Int($0.offset)), $0.message] }))
    }
    return Inspection(json: dump.json, tables: tables)
  }
}
