import Bytes
import Documents
import Sharding
import Storage
import Tokenization

/// The `tokenize` stage: documents become a token store.
///
/// Phases: encode (a unit per input unit, its tokens in `journal/encode/`), shuffle (a unit per split), then the manifest.
public struct TokenizeRun: Sendable {
  public struct Settings: Sendable {
    public var tokenizer: Tokenizer
    public var store: StoreOptions
    public init(tokenizer: Tokenizer, store: StoreOptions) {
      self.tokenizer = tokenizer
      self.store = store
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

  /// What one chunk became: its documents, and all their tokens with the end of each document.
  private struct Encoded: Sendable {
    var batch: DocumentBatch
    var tokens: [UInt32]
    var ends: [Int]
    var ledger: Ledger
  }

  var planJSON: JSONValue {
    let store = settings.store
    let order: JSONValue =
      switch store.order {
      case .input: "input"
      case .shuffled(let seed): ["shuffled_seed": .int(seed)]
      }
    return [
      "version": .string(Version.number), "stage": "tokenize",
      "tokenizer": ["name": .string(store.tokenizer.name), "sha256": .string(store.tokenizer.sha256)],
      "end_of_text": .string(store.tokenizer.policy.rawValue), "order": order,
      "segment_bytes": .int(store.segmentBytes),
      "split": .array(store.holdout.splits.map { ["name": .string($0.name), "ppm": .int($0.ppm)] }),
      "split_seed": .int(Int(truncatingIfNeeded: store.holdout.seed)),
      "unit_bytes": .int(Int(options.unitBytes)), "accept_cut": .bool(options.acceptsCut),
      "inputs": .array(inputs.entries.map(\.json)),
    ]
  }

  public func run() throws(StorageError) -> StageOutcome {
    let clock = RunClock()
    let stage = try StageFolder(folder, plan: planJSON, mode: options.mode, isStream: inputs.isStream) {
      (path) throws(StorageError) in
      guard TokenStore.isStore(path) else { return nil }
      return (try? JSONValue.parse(try FileSystem.readAll(Path.join(path, "build.json"))))?["options"]
    }
    if stage.opening == .complete {
      try stage.close()
      return StageOutcome(name: "tokenize", ledger: try StageReport.ledger(of: folder), seconds: 0)
    }
    do throws(StorageError) {
      let (units, ledger, isComplete) = try encode(stage)
      try shuffle(stage, units, ledger, clock, isComplete: isComplete)
      return StageOutcome(name: "tokenize", ledger: ledger, seconds: clock.seconds)
    } catch {
      if inputs.isStream { stage.discardAll() }
      throw error
    }
  }

  private func encode(
    _ stage: StageFolder
  ) throws(StorageError) -> (units: [StoreBuilder.Unit], ledger: Ledger, isComplete: Bool) {
    let store = settings.store
    let tokenizer = settings.tokenizer
    var writer: EncodedUnitWriter?
    var unitLedger = Ledger()
    func name(_ unit: Unit) -> String {
      "journal/encode/\(inputs.plan(options).partName(unit.index, suffix: "tokens"))"
    }
    func open(_ unit: Unit) throws(StorageError) -> EncodedUnitWriter {
      if let writer { return writer }
      return try EncodedUnitWriter(folder: folder, name: name(unit), options: store)
    }
    let phase = DocumentPhase<Encoded>("encode", folder: stage, inputs: inputs, options: options)
    let (details, isComplete) = try phase.run(
      emit: { (product, unit) throws(StorageError) in
        let target = try open(unit)
        writer = target
        var start = 0
        for (index, end) in product.ends.enumerated() {
          try target.add(product.batch, index, tokens: product.tokens.span.extracting(start..<end))
          start = end
        }
        unitLedger.merge(product.ledger)
        return product.ledger
      },
      finish: { (unit) throws(StorageError) in
        let target = try open(unit)
        let (file, _) = try target.commit()
        let details: [JSONValue.Member] = [
          .init("ledger", unitLedger.json), .init("file", .string(file.name)),
          .init("part", .string(unit.input.name)),
        ]
        writer = nil
        unitLedger = Ledger()
        return ([file], details)
      },
      makeWorker: { () throws(StorageError) in
        let encoder = Encoder(tokenizer)
        return { (batch, _, lost) throws(StorageError) in
          TokenizeRun.encode(batch, encoder, lost)
        }
      })
    var ledger = Ledger()
    var units: [StoreBuilder.Unit] = []
    for detail in details {
      ledger.merge(Ledger(json: detail["ledger"] ?? .null))
      let part = detail["part"]?.string ?? ""
      let entry = inputs.entries.first { $0.name == part }
      units.append(
        StoreBuilder.Unit(
          path: Path.join(folder, detail["file"]?.string ?? ""),
          part: StorePart(name: part, bytes: entry?.bytes ?? 0, sha256: entry?.sha256 ?? "")))
    }
    return (units, ledger, isComplete)
  }

  private static func encode(_ batch: borrowing DocumentBatch, _ encoder: Encoder, _ lost: Ledger) -> Encoded
  {
    var ledger = lost
    var tokens: [UInt32] = []
    var ends: [Int] = []
    tokens.reserveCapacity(batch.textBytes / 3)
    for index in 0..<batch.count {
      let entry = batch.entries[index]
      let before = tokens.count
      encoder.encode(batch.bytes.span.extracting(entry.text), into: &tokens)
      ends.append(tokens.count)
      let language = batch.language(at: index)
      ledger.countIn(language: language, textBytes: entry.text.count)
      if tokens.count == before {
        ledger.other["empty", default: 0] += 1
      } else {
        ledger.countOut(
          language: language, source: batch.bytes.span.extracting(entry.source).string(),
          textBytes: entry.text.count)
        ledger.counters["tokens", default: 0] += tokens.count - before
        ledger.observe("tokens_per_document", tokens.count - before)
      }
    }
    return Encoded(batch: copy batch, tokens: tokens, ends: ends, ledger: ledger)
  }

  private func shuffle(
    _ stage: StageFolder, _ units: [StoreBuilder.Unit], _ ledger: Ledger, _ clock: RunClock, isComplete: Bool
  ) throws(StorageError) {
    let builder = try StoreBuilder(
      folder: folder, units: units, options: settings.store, memoryBytes: options.workingMemory,
      temporaryFolder: stage.temporaryFolder(options))
    var splits: [StoreManifest.Split] = []
    for (number, name) in builder.splitNames.enumerated() {
      if let entry = stage.finishedUnit("shuffle", number), let json = entry["split"] {
        splits.append(
          try StoreManifest.Split(name: name, json: json, sources: builder.sources.count, path: folder))
        continue
      }
      let split = try builder.buildSplit(number) { () throws(StorageError) in
        if Interruption.isRequested { throw .interrupted }
      }
      let outputs = split.segments.flatMap { segment in
        segment.files.map { file in
          FileSummary(
            name: "\(name)/\(segment.name).\(file.extension)", bytes: file.file.bytes,
            sha256: file.file.sha256,
            xxh64: file.file.xxh64)
        }
      }
      try stage.commit("shuffle", number, outputs: outputs, details: [.init("split", split.json)])
      splits.append(split)
    }
    guard ledger.isBalanced else { throw .bug("stage tokenize: documents do not add up") }
    _ = try OutputFile.write(
      StageReport.json(stage: "tokenize", ledger: ledger, options: planJSON).serialized(indent: 2) + [10],
      folder: folder, name: "report.json")
    _ = try OutputFile.write(
      clock.json(options).serialized(indent: 2) + [10], folder: folder, name: "run.json")
    _ = try builder.finish(
      splits,
      build: [
        .init("options", planJSON), .init("version", .string(Version.number)),
        .init("complete", isComplete ? "yes" : "unknown"),
      ])
    try stage.close()
  }
}
