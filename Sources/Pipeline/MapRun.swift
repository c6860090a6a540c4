import Bytes
import Documents
import Storage

/// One step of a fused chain of map stages.
public struct MapStep: Sendable {
  public typealias MakeTransform = @Sendable () throws(StorageError) -> any DocumentTransform

  public var name: String
  /// Where its dropped documents, report and (the last step) parts go; nil: nowhere.
  public var folder: String?
  /// Nil for the step that is the parser itself (`extract`).
  public var makeTransform: MakeTransform?
  /// What can change its bytes.
  public var options: JSONValue

  public init(name: String, folder: String?, options: JSONValue, makeTransform: MakeTransform?) {
    self.name = name
    self.folder = folder
    self.options = options
    self.makeTransform = makeTransform
  }
}

/// What a chain of map stages reads.
public struct MapInput: Sendable {
  public var plan: UnitPlan
  public var entries: [StageManifest.Entry]
  public var isComplete: Bool
  public var open: @Sendable (_ unit: Unit, _ from: Int64) throws(StorageError) -> any RecordReader
  public var makeParser: @Sendable () -> any RecordParser
}

/// What a stage did: for the summary and the exit code.
public struct StageOutcome: Sendable {
  public var name: String
  public var ledger: Ledger
  public var seconds: Double
  public init(name: String, ledger: Ledger, seconds: Double) {
    self.name = name
    self.ledger = ledger
    self.seconds = seconds
  }
}

/// Runs a chain of map stages in one process: parse, transform, write. The last step's documents go to parts in its folder, or
/// as marked JSON lines to standard output.
public struct MapRun: Sendable {
  public var input: MapInput
  public var steps: [MapStep]
  public var writesStandardOutput: Bool
  public var options: RunOptions

  public init(input: MapInput, steps: [MapStep], writesStandardOutput: Bool, options: RunOptions) {
    self.input = input
    self.steps = steps
    self.writesStandardOutput = writesStandardOutput
    self.options = options
  }

  /// The plan of one step: what must be equal for a run to be resumed.
  func planJSON(_ index: Int) -> JSONValue {
    return [
      "version": .string(Version.number),
      "chain": .array(steps[...index].map { ["stage": .string($0.name), "options": $0.options] }),
      "unit_bytes": .int(Int(input.plan.unitBytes)), "keep_dropped": .bool(options.keepsDropped),
      "accept_cut": .bool(options.acceptsCut), "inputs": .array(input.entries.map(\.json)),
    ]
  }

  public func run() throws(StorageError) -> [StageOutcome] {
    let started = RunClock()
    var folders: [StageFolder?] = []
    for (index, step) in steps.enumerated() {
      folders.append(
        try step.folder.map { (path) throws(StorageError) in
          // What went to standard output before is not there to be resumed.
          try StageFolder(
            path, plan: planJSON(index),
            mode: writesStandardOutput && options.mode == .resume ? .restart : options.mode,
            isStream: input.plan.isStream)
        })
    }
    if let outcomes = try finishedOutcomes(folders) { return outcomes }
    let sink = MapSink(self, folders)
    do throws(StorageError) {
      let pending = try sink.loadFinished()
      let progress = Progress(steps.map(\.name).joined(separator: " + "), plan: input.plan, options: options)
      sink.progress = progress
      let run = ChunkRun(
        units: pending, knownEnds: sink.ends,
        streamUnitBytes: input.plan.isStream ? input.plan.unitBytes : nil,
        sink: sink, open: input.open)
      let me = self
      try run.run(workers: options.workers) { () throws(StorageError) in try me.makeWork() }
      progress.end()
      if input.plan.isStream, let last = run.lastReader { try sink.finishStream(last) }
      try sink.end()
      // Files are as whole as they are; a stream of JSON lines says it by its marks.
      let marks = input.plan.isStream ? (run.lastReader as? JSONLinesReader)?.completeness : nil
      let isWhole = input.isComplete && (marks ?? .complete) == .complete
      return try publish(sink, folders, started, isComplete: isWhole)
    } catch {
      if input.plan.isStream { for folder in folders { folder?.discardAll() } }
      throw error
    }
  }

  /// The outcomes of a run whose last folder is already whole.
  private func finishedOutcomes(_ folders: [StageFolder?]) throws(StorageError) -> [StageOutcome]? {
    guard let last = folders.last, let last, last.opening == .complete else { return nil }
    var outcomes: [StageOutcome] = []
    for (step, folder) in zip(steps, folders) {
      guard let folder else { continue }
      guard folder.opening == .complete else { return nil }
      outcomes.append(
        StageOutcome(name: step.name, ledger: try StageReport.ledger(of: folder.path), seconds: 0))
      try folder.close()
    }
    return outcomes
  }

  private func publish(
    _ sink: MapSink, _ folders: [StageFolder?], _ clock: RunClock, isComplete: Bool
  ) throws(StorageError) -> [StageOutcome] {
    var outcomes: [StageOutcome] = []
    for (index, step) in steps.enumerated() {
      let (ledger, outputs) = sink.total(step: index)
      guard ledger.isBalanced else {
        throw .bug(
          "stage \(step.name): \(ledger.documentsIn) in, but \(ledger.documentsOut) out + \(ledger.droppedCount) dropped + "
            + "\(ledger.defectCount) defective + \(ledger.otherCount) other")
      }
      if let folder = folders[index], folder.opening == .complete {
        let finished = try StageReport.ledger(of: folder.path)
        outcomes.append(StageOutcome(name: step.name, ledger: finished, seconds: 0))
        try folder.close()
        continue
      }
      outcomes.append(StageOutcome(name: step.name, ledger: ledger, seconds: clock.seconds))
      guard let folder = folders[index] else { continue }
      try folder.finish(
        report: StageReport.json(stage: step.name, ledger: ledger, options: step.options),
        run: clock.json(options), inputs: input.entries, outputs: outputs, stage: step.name,
        isComplete: isComplete)
    }
    return outcomes
  }

  /// The work of one thread: owns its parser, its transforms and their batches.
  private func makeWork() throws(StorageError) -> ChunkRun<MapSink>.Work {
    let parser = input.makeParser()
    var transforms: [any DocumentTransform] = []
    for step in steps { if let make = step.makeTransform { transforms.append(try make()) } }
    let parserIsStep = steps[0].makeTransform == nil
    var kept = DocumentBatch()
    var next = DocumentBatch()
    var dropped = DocumentBatch()
    let keepsDropped = steps.map { $0.folder != nil && options.keepsDropped }
    let compresses = !writesStandardOutput
    return { (chunk, _) throws(StorageError) in
      var product = MapProduct()
      product.offset = chunk.records.last?.offset ?? 0
      kept.removeAll()
      dropped.removeAll()
      var ledger = Ledger()
      parser.parse(chunk, kept: &kept, dropped: &dropped, ledger: &ledger)
      func close(_ ledger: Ledger) {
        let index = product.steps.count
        product.steps.append((ledger, keepsDropped[index] ? UnitParts.frame(dropped) : []))
      }
      // What the parser lost belongs to the first step: its own, or the one that reads its documents.
      var carried = Ledger()
      if parserIsStep {
        close(ledger)
      } else {
        carried.documentsIn = ledger.defectCount
        carried.defects = ledger.defects
        carried.marks = ledger.marks
        carried.defectList = ledger.defectList
      }
      for transform in transforms {
        next.removeAll()
        dropped.removeAll()
        var stepLedger = carried
        carried = Ledger()
        transform.apply(kept, kept: &next, dropped: &dropped, ledger: &stepLedger)
        swap(&kept, &next)
        close(stepLedger)
      }
      if compresses {
        product.kept = UnitParts.frame(kept)
      } else {
        JSONLinesWriter.append(kept, to: &product.kept)
      }
      return product
    }
  }
}

/// What one chunk became.
struct MapProduct: Sendable {
  /// Per step: its counts, and its dropped documents as a zstd frame (empty if none are kept).
  var steps: [(ledger: Ledger, dropped: [UInt8])] = []
  /// The last step's documents: a zstd frame, or plain lines for standard output.
  var kept: [UInt8] = []
  /// Encoded offset of the chunk's last record.
  var offset: Int64 = 0
}
