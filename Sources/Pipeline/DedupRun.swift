import Bytes
import Deduplication
import Documents
import Storage

/// The `dedup` stage: exact and near copies go, one document of each cluster stays.
///
/// Phases, with files in `journal/` between them: spool (standard input only, which can be read once), signature, bucket,
/// candidates, cluster, remove. All are bounded by `--memory`.
public struct DedupRun: Sendable {
  public struct Settings: Sendable {
    public var method = DeduplicationOptions.Method.both
    public var keep = DeduplicationOptions.Keep.first
    public var threshold = 0.8

    /// - Throws: usage errors for names and numbers that are not known.
    public init(method: String? = nil, threshold: Double? = nil, keep: String? = nil) throws(StorageError) {
      if let method {
        guard let known = DeduplicationOptions.Method(rawValue: method) else {
          throw .usage("unknown method \"\(method)\"; there are exact, minhash and both.")
        }
        self.method = known
      }
      if let keep {
        guard let known = DeduplicationOptions.Keep(rawValue: keep) else {
          throw .usage("unknown keep \"\(keep)\"; there are first, longest and newest.")
        }
        self.keep = known
      }
      if let threshold {
        guard threshold > 0, threshold <= 1 else {
          throw .usage("the threshold must be above 0 and at most 1, not \(threshold).")
        }
        self.threshold = threshold
      }
    }

    public var json: JSONValue {
      ["method": .string(method.rawValue), "threshold": .double(threshold), "keep": .string(keep.rawValue)]
    }
  }

  let inputs: DocumentInputs
  let settings: Settings
  let folder: String
  let options: RunOptions

  public init(inputs: DocumentInputs, settings: Settings, folder: String, options: RunOptions) {
    self.inputs = inputs
    self.settings = settings
    self.folder = folder
    self.options = options
  }

  var planJSON: JSONValue {
    [
      "version": .string(Version.number), "stage": "dedup", "options": settings.json,
      "unit_bytes": .int(Int(options.unitBytes)), "keep_dropped": .bool(options.keepsDropped),
      "accept_cut": .bool(options.acceptsCut),
      "inputs": .array(inputs.entries.map(\.json)),
    ]
  }

  public func run() throws(StorageError) -> StageOutcome {
    let clock = RunClock()
    let stage = try StageFolder(folder, plan: planJSON, mode: options.mode, isStream: inputs.isStream)
    if stage.opening == .complete {
      let ledger = try StageReport.ledger(of: folder)
      try stage.close()
      return StageOutcome(name: "dedup", ledger: ledger, seconds: 0)
    }
    do throws(StorageError) {
      return try run(stage, clock)
    } catch {
      if inputs.isStream { stage.discardAll() }
      throw error
    }
  }

  private func run(_ stage: StageFolder, _ clock: RunClock) throws(StorageError) -> StageOutcome {
    var source = inputs
    var spooled: Ledger?
    if inputs.isStream {
      let spool = Path.join(stage.journalPath, "spool")
      spooled = try self.spool(into: spool)
      source = try DocumentInputs([spool])
    }
    let phases = DedupPhases(stage: stage, inputs: source, settings: settings, options: options)
    var lost = Ledger()
    let signatures = try phases.signature(&lost)
    var counters = try phases.bucket(signatures.files)
    let candidates = try phases.candidates()
    counters.merge(try phases.cluster(candidates)) { _, new in new }
    var (ledger, outputs) = try phases.remove()
    ledger.merge(lost)
    if let spooled {
      ledger.documentsIn += spooled.defectCount
      ledger.defects = spooled.defects
      ledger.marks = spooled.marks
      ledger.defectList = spooled.defectList
    }
    ledger.counters.merge(counters) { _, new in new }
    guard ledger.isBalanced else {
      throw .bug(
        "stage dedup: \(ledger.documentsIn) in, but \(ledger.documentsOut) out + \(ledger.droppedCount) dropped + "
          + "\(ledger.defectCount) defective")
    }
    try stage.finish(
      report: StageReport.json(stage: "dedup", ledger: ledger, options: settings.json),
      run: clock.json(options),
      inputs: inputs.entries, outputs: outputs, stage: "dedup",
      isComplete: source.isComplete && signatures.isComplete)
    return StageOutcome(name: "dedup", ledger: ledger, seconds: clock.seconds)
  }

  /// Standard input becomes parts: later phases pass over the documents again.
  private func spool(into folder: String) throws(StorageError) -> Ledger {
    var options = options
    options.mode = .restart
    let step = MapStep(name: "spool", folder: folder, options: .object([]), makeTransform: nil)
    let run = MapRun(
      input: MapInput(documents: inputs, options: options), steps: [step], writesStandardOutput: false,
      options: options)
    return try run.run().first?.ledger ?? Ledger()
  }
}

extension MapInput {
  /// Documents as input of a chain of map stages.
  public init(documents: DocumentInputs, options: RunOptions) {
    self.init(
      plan: documents.plan(options), entries: documents.entries, isComplete: documents.isComplete,
      open: { (unit, from) throws(StorageError) in try documents.open(unit, from: from, options: options) },
      makeParser: { JSONLinesParser() })
  }
}

extension DedupRun {
  /// Deduplicates in a temporary stage folder and writes what stays as marked JSON lines to standard output.
  public static func toStandardOutput(
    inputs: DocumentInputs, settings: Settings, options: RunOptions
  ) throws(StorageError) -> StageOutcome {
    var inner = options
    inner.mode = .fresh
    inner.keepsDropped = false
    let parent = options.temporaryFolder ?? Process.environment("TMPDIR") ?? "/tmp"
    let folder = try FileSystem.makeTemporaryFolder(in: parent, label: "sluice-dedup")
    defer { try? FileSystem.removeTree(folder) }
    let outcome = try DedupRun(inputs: inputs, settings: settings, folder: folder, options: inner).run()
    let kept = try DocumentInputs([folder])
    let step = MapStep(name: "dedup", folder: nil, options: settings.json, makeTransform: nil)
    var copying = options
    copying.mode = .fresh
    copying.isQuiet = true
    _ = try MapRun(
      input: MapInput(documents: kept, options: copying), steps: [step], writesStandardOutput: true,
      options: copying
    ).run()
    return outcome
  }
}
