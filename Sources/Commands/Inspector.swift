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
      return try corpus(path)
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

  /// Stage folders: the funnel, and the parts of the last one.
  private static func corpus(_ path: String) throws(StorageError) -> Inspection {
    let folders = try CorpusFolders(path)
    var funnel = Inspection.Table(
      title: "", columns: ["stage", "in", "out", "dropped", "defects", "parts", "bytes"], rows: [])
    var members: [JSONValue.Member] = []
    for stage in folders.stages {
      let ledger = try StageReport.ledger(of: stage.path)
      let parts = stage.manifest.outputs.filter { $0.name.hasPrefix("part-") }
      let bytes = stage.manifest.outputs.reduce(0) { $0 + Int($1.bytes) }
      funnel.rows.append([
        stage.name, Format.count(ledger.documentsIn), Format.count(ledger.documentsOut),
        Format.count(ledger.droppedCount), Format.count(ledger.defectCount), Format.count(parts.count),
        Format.bytes(bytes),
      ])
      members.append(
        .init(
          stage.name,
          [
            "documents_in": .int(ledger.documentsIn), "documents_out": .int(ledger.documentsOut),
            "documents_dropped": .int(ledger.droppedCount), "manifest": stage.manifest.json,
          ]))
    }
    var tables = [funnel]
    if let last = folders.stages.last(where: { $0.manifest.outputs.contains { $0.name.hasPrefix("part-") } })
    {
      var parts = Inspection.Table(
        title: "\(last.name): parts", columns: ["part", "bytes", "sha256"], rows: [])
      for output in last.manifest.outputs where output.name.hasPrefix("part-") {
        parts.rows.append([output.name, Format.count(Int(output.bytes)), String(output.sha256.prefix(16))])
      }
      tables.append(parts)
    }
    return Inspection(
      json: .object([.init("kind", "corpus"), .init("stages", .object(members))]), tables: tables)
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
