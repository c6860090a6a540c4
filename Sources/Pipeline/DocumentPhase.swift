import Bytes
import Documents
import Storage

/// A phase of a global stage that passes over all documents once: any worker handles a batch, products come out in order.
///
/// One journal entry per unit says what it wrote; a resumed run leaves those units out.
final class DocumentPhase<Product: Sendable> {
  /// Handles the documents of one chunk. `context.chunk` numbers chunks within the unit.
  typealias Work = (_ batch: borrowing DocumentBatch, _ context: ChunkContext, _ lost: Ledger)
    throws(StorageError) -> Product

  let name: String
  let folder: StageFolder
  let inputs: DocumentInputs
  let options: RunOptions

  init(_ name: String, folder: StageFolder, inputs: DocumentInputs, options: RunOptions) {
    self.name = name
    self.folder = folder
    self.inputs = inputs
    self.options = options
  }

  private final class Sink: ChunkSink {
    let phase: DocumentPhase
    let progress: Progress
    let emitProduct: (Product, Unit) throws(StorageError) -> Ledger
    let finishUnit: (Unit) throws(StorageError) -> (outputs: [FileSummary], details: [JSONValue.Member])
    var entries: [Int: JSONValue] = [:]
    private var openUnit: Int?

    init(
      _ phase: DocumentPhase, _ progress: Progress,
      emit: @escaping (Product, Unit) throws(StorageError) -> Ledger,
      finish: @escaping (Unit) throws(StorageError) -> (outputs: [FileSummary], details: [JSONValue.Member])
    ) {
      self.phase = phase
      self.progress = progress
      emitProduct = emit
      finishUnit = finish
    }

    func emit(_ product: (Product, Int64), of unit: Unit) throws(StorageError) {
      openUnit = unit.index
      lastUnit = unit
      progress.add(unit, offset: product.1, ledger: try emitProduct(product.0, unit))
    }

    var lastUnit: Unit?

    func finish(_ unit: Unit, endOffset: Int64) throws(StorageError) {
      let (outputs, details) = try finishUnit(unit)
      let end = JSONValue.Member("end", .int(Int(endOffset)))
      try phase.folder.commit(phase.name, unit.index, outputs: outputs, details: [end] + details)
      entries[unit.index] = .object([end] + details)
      openUnit = nil
    }

    func finishStream(endOffset: Int64) throws(StorageError) {
      if let unit = lastUnit, openUnit != nil { try finish(unit, endOffset: endOffset) }
    }
  }

  /// Runs the phase; returns the journal's details of all units in order, and whether the input says that it is whole.
  ///
  /// - Parameters:
  ///   - emit: writes one product, in order; its ledger only feeds the progress line.
  ///   - finish: ends a unit: its files are durable when it returns.
  func run(
    emit: @escaping (Product, Unit) throws(StorageError) -> Ledger,
    finish: @escaping (Unit) throws(StorageError) -> (outputs: [FileSummary], details: [JSONValue.Member]),
    makeWorker: @escaping @Sendable () throws(StorageError) -> Work
  ) throws(StorageError) -> (details: [JSONValue], isComplete: Bool) {
    let plan = inputs.plan(options)
    let progress = Progress(name, plan: plan, options: options)
    let sink = Sink(self, progress, emit: emit, finish: finish)
    var pending: [Unit] = []
    var ends: [Int: Int64] = [:]
    for unit in plan.units {
      if let entry = folder.finishedUnit(name, unit.index) {
        sink.entries[unit.index] = entry
        ends[unit.index] = Int64(entry["end"]?.int ?? 0)
      } else {
        pending.append(unit)
      }
    }
    let inputs = inputs
    let options = options
    let run = ChunkRun(
      units: pending, knownEnds: ends, streamUnitBytes: plan.isStream ? plan.unitBytes : nil, sink: sink
    ) { (unit, from) throws(StorageError) in try inputs.open(unit, from: from, options: options) }
    try run.run(workers: options.workers) { () throws(StorageError) in
      let parser = JSONLinesParser()
      let work = try makeWorker()
      var batch = DocumentBatch()
      var dropped = DocumentBatch()
      return { (chunk, context) throws(StorageError) in
        batch.removeAll()
        var ledger = Ledger()
        parser.parse(chunk, kept: &batch, dropped: &dropped, ledger: &ledger)
        var lost = Ledger()
        lost.documentsIn = ledger.defectCount
        lost.defects = ledger.defects
        lost.marks = ledger.marks
        lost.defectList = ledger.defectList
        return (try work(batch, context, lost), chunk.records.last?.offset ?? 0)
      }
    }
    progress.end()
    if plan.isStream, let last = run.lastReader { try sink.finishStream(endOffset: last.endOffset) }
    // Files are as whole as they are; a stream says it by its marks.
    let marks = plan.isStream ? (run.lastReader as? JSONLinesReader)?.completeness : nil
    let isComplete = inputs.isComplete && (marks ?? .complete) == .complete
    return (sink.entries.keys.sorted().compactMap { sink.entries[$0] }, isComplete)
  }
}
