import Bytes
import Documents
import Storage

/// Writes what the workers of a map run made: parts and dropped parts per unit, journal entries, or standard output.
final class MapSink: ChunkSink {
  typealias Product = MapProduct

  private struct Finished {
    var ledger: Ledger
    var outputs: [StageManifest.Entry]
  }

  private static let phase = "map"

  private let run: MapRun
  private let folders: [StageFolder?]
  var progress: Progress?
  private(set) var ends: [Int: Int64] = [:]
  private var finished: [Int: [Finished]] = [:]
  private var openUnit: Int?
  private var kept: OutputFile?
  private var dropped: [OutputFile?]
  private var ledgers: [Ledger]
  private var stream = MarkedStream()
  private var lastStreamUnit: Unit?

  init(_ run: MapRun, _ folders: [StageFolder?]) {
    self.run = run
    self.folders = folders
    dropped = run.steps.map { _ in nil }
    ledgers = run.steps.map { _ in Ledger() }
  }

  /// Reads the journal: returns the units that are still to be done.
  func loadFinished() throws(StorageError) -> [Unit] {
    var pending: [Unit] = []
    for unit in run.input.plan.units {
      var parts: [Finished] = []
      for folder in folders {
        guard let folder else { continue }
        guard folder.opening != .complete else {
          parts.append(Finished(ledger: Ledger(), outputs: []))
          continue
        }
        guard let entry = folder.finishedUnit(MapSink.phase, unit.index) else { break }
        ends[unit.index] = Int64(entry["end"]?.int ?? 0)
        parts.append(
          Finished(
            ledger: Ledger(json: entry["ledger"] ?? .null),
            outputs: (entry["outputs"]?.array ?? []).map {
              StageManifest.Entry(
                name: $0["name"]?.string ?? "", bytes: Int64($0["bytes"]?.int ?? 0),
                sha256: $0["sha256"]?.string ?? "")
            }))
      }
      if !folders.isEmpty, parts.count == folders.count {
        finished[unit.index] = parts
      } else {
        pending.append(unit)
      }
    }
    return pending
  }

  func emit(_ product: MapProduct, of unit: Unit) throws(StorageError) {
    try open(unit)
    for (index, step) in product.steps.enumerated() {
      ledgers[index].merge(step.ledger)
      guard !step.dropped.isEmpty, let folder = folders[index] else { continue }
      if dropped[index] == nil {
        dropped[index] = try OutputFile(
          folder: folder.path, name: "dropped/" + run.input.plan.partName(unit.index))
      }
      try dropped[index]?.write(step.dropped)
    }
    if let last = product.steps.last { progress?.add(unit, offset: product.offset, ledger: last.ledger) }
    if run.writesStandardOutput {
      try StandardStreams.write(stream.marking(product.kept))
    } else if !product.kept.isEmpty {
      try kept?.write(product.kept)
    }
  }

  private func open(_ unit: Unit) throws(StorageError) {
    guard openUnit != unit.index else { return }
    openUnit = unit.index
    lastStreamUnit = unit
    ledgers = run.steps.map { _ in Ledger() }
    if !run.writesStandardOutput, let folder = folders.last, let folder {
      kept = try OutputFile(folder: folder.path, name: run.input.plan.partName(unit.index))
    }
  }

  func finish(_ unit: Unit, endOffset: Int64) throws(StorageError) {
    try open(unit)
    if let kept, kept.byteCount == 0 {
      // A part without documents is one empty frame: other tools then read it as zstd.
      var frame: [UInt8] = []
      Zstd.compressFrame([UInt8]().span, into: &frame)
      try kept.write(frame)
    }
    var parts: [Finished] = []
    for index in run.steps.indices {
      var summaries: [FileSummary] = []
      if index == run.steps.count - 1, let kept { summaries.append(try kept.commit()) }
      if let file = dropped[index] { summaries.append(try file.commit()) }
      if let folder = folders[index] {
        try folder.commit(
          MapSink.phase, unit.index, outputs: summaries,
          details: [.init("end", .int(Int(endOffset))), .init("ledger", ledgers[index].json)])
      }
      parts.append(Finished(ledger: ledgers[index], outputs: summaries.map(\.entry)))
    }
    finished[unit.index] = parts
    kept = nil
    dropped = run.steps.map { _ in nil }
    openUnit = nil
  }

  /// The last unit of a stream ends with the stream itself; nothing is left to do when it was already finished.
  func finishStream(_ reader: any RecordReader) throws(StorageError) {
    if let unit = lastStreamUnit, openUnit != nil { try finish(unit, endOffset: reader.endOffset) }
  }

  /// All units are done: the stream's last mark.
  func end() throws(StorageError) {
    if run.writesStandardOutput { try StandardStreams.write(stream.ending()) }
  }

  /// Sum of one step over all units, in their order, and its outputs sorted by name.
  func total(step: Int) -> (Ledger, [StageManifest.Entry]) {
    var ledger = Ledger()
    var outputs: [StageManifest.Entry] = []
    for unit in finished.keys.sorted() {
      guard let parts = finished[unit], step < parts.count else { continue }
      ledger.merge(parts[step].ledger)
      outputs += parts[step].outputs
    }
    return (ledger, outputs.sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) })
  }
}
