import Bytes
import Documents
import Storage

/// The two files of a unit in a stage folder: its part with the documents that stay (in a chain of fused stages only the
/// last one has it), and its dropped part. Frames of zstd, one per chunk, made by the workers.
final class UnitParts {
  private let folder: String
  private let plan: UnitPlan
  private let hasPart: Bool
  private var kept: OutputFile?
  private var dropped: OutputFile?

  init(_ folder: String, _ plan: UnitPlan, hasPart: Bool = true) {
    self.folder = folder
    self.plan = plan
    self.hasPart = hasPart
  }

  /// One zstd frame with the lines of a batch; nothing for an empty one.
  static func frame(_ batch: borrowing DocumentBatch) -> [UInt8] {
    guard !batch.isEmpty else { return [] }
    var lines: [UInt8] = []
    lines.reserveCapacity(batch.bytes.count + batch.bytes.count / 8)
    JSONLinesWriter.append(batch, to: &lines)
    var frame: [UInt8] = []
    Zstd.compressFrame(lines.span, into: &frame)
    return frame
  }

  func write(kept keptFrame: [UInt8], dropped droppedFrame: [UInt8], of unit: Unit) throws(StorageError) {
    if hasPart, !keptFrame.isEmpty { try part(unit).write(keptFrame) }
    if !droppedFrame.isEmpty {
      if dropped == nil {
        dropped = try OutputFile(folder: folder, name: "dropped/" + plan.partName(unit.index))
      }
      try dropped?.write(droppedFrame)
    }
  }

  /// Publishes both files; a part without documents is one empty frame, so that other tools read it as zstd.
  func commit(_ unit: Unit) throws(StorageError) -> [FileSummary] {
    var summaries: [FileSummary] = []
    if hasPart {
      let file = try part(unit)
      if file.byteCount == 0 {
        var frame: [UInt8] = []
        Zstd.compressFrame([UInt8]().span, into: &frame)
        try file.write(frame)
      }
      summaries.append(try file.commit())
    }
    if let dropped { summaries.append(try dropped.commit()) }
    kept = nil
    dropped = nil
    return summaries
  }

  private func part(_ unit: Unit) throws(StorageError) -> OutputFile {
    if let kept { return kept }
    let file = try OutputFile(folder: folder, name: plan.partName(unit.index))
    kept = file
    return file
  }
}
