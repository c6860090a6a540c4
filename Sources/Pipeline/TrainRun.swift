import Bytes
import Documents
import Storage
import Tokenization

/// The `train` stage: documents become a tokenizer.
///
/// Phases: count (a unit per input unit, its pretoken counts in `journal/count/`), then all counts are summed to
/// `pretokens.counts`, merged to a vocabulary, and written with the manifest last. Counts instead of documents skip the
/// first phase: another vocabulary size needs no second pass over the corpus.
public struct TrainRun: Sendable {
  public enum Source: Sendable {
    case documents(DocumentInputs)
    /// A file of pretoken counts, and its hash.
    case counts(StageManifest.Entry, path: String)
  }

  let source: Source
  let training: TokenizerTraining
  let legacyMerges: Bool
  let folder: String
  let options: RunOptions

  public init(
    source: Source, training: TokenizerTraining, legacyMerges: Bool = false, folder: String,
    options: RunOptions
  ) {
    self.source = source
    self.training = training
    self.legacyMerges = legacyMerges
    self.folder = folder
    self.options = options
  }

  /// The counts of a file, for another training.
  public static func counts(_ path: String) throws(StorageError) -> Source {
    let (hex, bytes) = try SHA256.hexOfFile(path)
    return .counts(StageManifest.Entry(name: Path.name(path), bytes: bytes, sha256: hex), path: path)
  }

  private var isStream: Bool {
    if case .documents(let inputs) = source { return inputs.isStream }
    return false
  }

  private var inputEntries: [StageManifest.Entry] {
    switch source {
    case .documents(let inputs): inputs.entries
    case .counts(let entry, _): [entry]
    }
  }

  var planJSON: JSONValue {
    [
      "version": .string(Version.number), "stage": "train", "training": training.json,
      "legacy_merges": .bool(legacyMerges), "unit_bytes": .int(Int(options.unitBytes)),
      "accept_cut": .bool(options.acceptsCut),
      "inputs": .array(inputEntries.map(\.json)),
    ]
  }

  public func run() throws(StorageError) -> StageOutcome {
    try training.check()
    let clock = RunClock()
    let stage = try StageFolder(folder, plan: planJSON, mode: options.mode, isStream: isStream)
    if stage.opening == .complete {
      try stage.close()
      return StageOutcome(name: "train", ledger: try StageReport.ledger(of: folder), seconds: 0)
    }
    do throws(StorageError) {
      var ledger = Ledger()
      var isComplete = true
      let parts: [String]
      switch source {
      case .documents(let inputs): (parts, ledger, isComplete) = try count(inputs, stage)
      case .counts(_, let path): parts = [path]
      }
      try train(parts, ledger, stage, clock, isComplete: isComplete)
      return StageOutcome(name: "train", ledger: ledger, seconds: clock.seconds)
    } catch {
      if isStream { stage.discardAll() }
      throw error
    }
  }

  // MARK: Count

  /// What one chunk became.
  private struct Counted: Sendable {
    var counts: PretokenBatch
    var ledger: Ledger
  }

  private func count(
    _ inputs: DocumentInputs, _ stage: StageFolder
  ) throws(StorageError) -> (parts: [String], ledger: Ledger, isComplete: Bool) {
    let pattern = training.pattern
    var ledger = Ledger()
    let unit = UnitCounts(
      folder, stage.temporaryFolder(options), pattern, memoryBytes: options.workingMemory / 2)
    let phase = DocumentPhase<Counted>("count", folder: stage, inputs: inputs, options: options)
    let (details, isComplete) = try phase.run(
      emit: { (product, _) throws(StorageError) in
        try unit.add(product.counts, product.ledger)
        return product.ledger
      },
      finish: { (finished) throws(StorageError) in
        let name = "journal/count/" + inputs.plan(options).partName(finished.index, suffix: "counts")
        let (file, ledger) = try unit.finish(name)
        return ([file], [.init("ledger", ledger.json), .init("file", .string(file.name))])
      },
      makeWorker: { () throws(StorageError) in
        let counter = PretokenCounter(pattern: pattern)
        return { (batch, _, lost) throws(StorageError) in TrainRun.count(batch, counter, lost) }
      })
    for detail in details { ledger.merge(Ledger(json: detail["ledger"] ?? .null)) }
    return (details.map { Path.join(folder, $0["file"]?.string ?? "") }, ledger, isComplete)
  }

  private static func count(
    _ batch: borrowing DocumentBatch, _ counter: PretokenCounter, _ lost: Ledger
  ) -> Counted {
    var ledger = lost
    for index in 0..<batch.count {
      let entry = batch.entries[index]
      let language = batch.language(at: index)
      counter.count(batch.bytes.span.extracting(entry.text))
      ledger.countIn(language: language, textBytes: entry.text.count)
      ledger.countOut(
        language: language, source: batch.bytes.span.extracting(entry.source).string(),
        textBytes: entry.text.count)
    }
    ledger.counters["pretokens", default: 0] += Int(counter.totals.pretokens)
    ledger.counters["pretokens_cut", default: 0] += Int(counter.totals.cut)
    return Counted(counts: counter.take(), ledger: ledger)
  }

  // MARK: Train

  private func train(
    _ parts: [String], _ ledger: Ledger, _ stage: StageFolder, _ clock: RunClock, isComplete: Bool
  ) throws(StorageError) {
    guard ledger.isBalanced else { throw .bug("stage train: documents do not add up") }
    let countsFile = try PretokenCountsFile.merge(
      parts, folder: folder, name: TokenizerFiles.countsName, pattern: training.pattern,
      temporaryFolder: Path.join(stage.temporaryFolder(options), "counts"))
    let counts = PretokenCountsFile(path: Path.join(folder, countsFile.name))
    let summary = try counts.summary()
    try checkMemory(summary)
    let tokenizer = try training.train(counts, name: Path.name(folder))
    let statistics = try TokenStatistics(tokenizer, counts)
    let (files, description) = try TokenizerFiles.write(tokenizer, folder: folder, legacyMerges: legacyMerges)
    let corpus: [JSONValue.Member] = [
      .init("documents", .int(Int(summary.totals.documents))),
      .init("pretokens_cut", .int(Int(summary.totals.cut))), .init("counts_xxh64", .string(summary.xxh64)),
    ]
    try stage.finish(
      report: StageReport.json(
        stage: "train", ledger: ledger, options: planJSON, more: description + corpus + statistics.members),
      run: clock.json(options), inputs: inputEntries, outputs: ([countsFile] + files).map(\.entry),
      stage: "train",
      isComplete: isComplete)
  }

  /// Merging cannot spill: its need is known before it starts.
  private func checkMemory(_ summary: PretokenCountsFile.Summary) throws(StorageError) {
    let needed = BPETrainer.memoryNeeded(
      uniqueBytes: summary.uniqueBytes, unique: summary.unique, vocabularySize: training.vocabularySize)
    guard needed <= Int64(options.memoryBytes) else {
      let mebibytes = (needed >> 20) + 1
      throw .usage(
        "train: merging the \(summary.unique) different pretokens needs about \(mebibytes) MiB, and --memory is "
          + "\(options.memoryBytes >> 20) MiB. The counts are kept. Run it again with --resume --memory \(mebibytes)MiB, "
          + "or train on a sample of the corpus.")
    }
  }
}

/// The counts of the unit at hand; spills what passes the memory, so that a unit may hold any number of pretokens.
private final class UnitCounts {
  private let folder: String
  private let spillFolder: String
  private let memoryBytes: Int
  private let counter: PretokenCounter
  private var ledger = Ledger()
  private var spills: [String] = []

  init(_ folder: String, _ temporaryFolder: String, _ pattern: PretokenPattern, memoryBytes: Int) {
    self.folder = folder
    spillFolder = Path.join(temporaryFolder, "counts")
    self.memoryBytes = memoryBytes
    counter = PretokenCounter(pattern: pattern)
  }

  func add(_ counts: PretokenBatch, _ ledger: Ledger) throws(StorageError) {
    counter.merge(counts)
    self.ledger.merge(ledger)
    if counter.memoryBytes > memoryBytes { try spill() }
  }

  private func spill() throws(StorageError) {
    let name = "spill-\(spills.count).counts"
    _ = try counter.drain(folder: spillFolder, name: name)
    spills.append(Path.join(spillFolder, name))
  }

  /// Writes the unit's counts and is ready for the next unit.
  func finish(_ name: String) throws(StorageError) -> (FileSummary, Ledger) {
    defer {
      ledger = Ledger()
      spills = []
    }
    if spills.isEmpty { return (try counter.drain(folder: folder, name: name), ledger) }
    try spill()
    let file = try PretokenCountsFile.merge(
      spills, folder: folder, name: name, pattern: counter.pattern, temporaryFolder: spillFolder)
    for path in spills { try FileSystem.removeFile(path) }
    return (file, ledger)
  }
}
