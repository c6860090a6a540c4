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
  private let parts: [UnitParts?]
  private var ledgers: [Ledger]
  private var stream = MarkedStream()
  private var lastStreamUnit: Unit?

  init(_ run: MapRun, _ folders: [StageFolder?]) {
    self.run = run
    self.folders = folders
    parts = folders.enumerated().map { index, folder in
      folder.map {
        UnitParts(
          $0.path, run.input.plan, hasPart: index == folders.count - 1 && !run.writesStandardOutput)
      }
    }
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
            outputs: (entry["outputs"]?.array ?? []).map { StageManifest.Entry(json: $0) }))
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
      try parts[index]?.write(kept: product.kept, dropped: step.dropped, of: unit)
    }
    if let last = product.steps.last { progress?.add(unit, offset: product.offset, ledger: last.ledger) }
    if run.writesStandardOutput { try StandardStreams.write(stream.marking(product.kept)) }
  }

  private func open(_ unit: Unit) throws(StorageError) {
    guard openUnit != unit.index else { return }
    openUnit = unit.index
    lastStreamUnit = unit
    ledgers = run.steps.map { _ in Ledger() }
  }

  func finish(_ unit: Unit, endOffset: Int64) throws(StorageError) {
    try open(unit)
    var done: [Finished] = []
    for index in run.steps.indices {
      let summaries = try parts[index]?.commit(unit) ?? []
      if let folder = folders[index] {
        try folder.commit(
          MapSink.phase, unit.index, outputs: summaries,
          details: [.init("end", .int(Int(endOffset))), .init("ledger", ledgers[index].json)])
      }
      done.append(Finished(ledger: ledgers[index], outputs: summaries.map(\.entry)))
    }
    finished[unit.index] = done
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
