import Bytes
import Sharding
import Storage

/// What `sluice inspect` shows of stage folders: the funnel, and the parts of the last one.
public enum CorpusInspection {
  /// - Throws: input errors, as `CorpusFolders` does.
  public static func run(_ path: String) throws(StorageError) -> Inspection {
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
            "documents_dropped": .int(ledger.droppedCount),
            "input_files": .int(stage.manifest.inputs.count),
            "input_bytes": .int(stage.manifest.inputs.reduce(0) { $0 + Int($1.bytes) }),
            "parts": .int(parts.count), "part_bytes": .int(parts.reduce(0) { $0 + Int($1.bytes) }),
            "output_bytes": .int(bytes), "manifest": stage.manifest.json,
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
}
