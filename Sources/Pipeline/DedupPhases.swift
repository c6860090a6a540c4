import Bytes
import Deduplication
import Documents
import Storage

/// The phases of `dedup`, each resumable: what its journal entry names is there and need not be done again.
struct DedupPhases {
  let stage: StageFolder
  let inputs: DocumentInputs
  let settings: DedupRun.Settings
  let options: RunOptions

  private var deduplication: DeduplicationOptions {
    var result = DeduplicationOptions(temporaryFolder: stage.temporaryFolder(options))
    result.method = settings.method
    result.keep = settings.keep
    result.threshold = settings.threshold
    result.memoryBytes = options.workingMemory
    return result
  }

  private var bucketFolder: String { Path.join(stage.journalPath, "bucket") }
  private var clusterFolder: String { Path.join(stage.journalPath, "cluster") }

  private func fileName(_ phase: String, _ unit: Unit, _ suffix: String) -> String {
    "journal/\(phase)/unit-\(Path.padded(unit.index, digits: 5)).\(suffix)"
  }

  /// A phase over the documents that writes one file per unit.
  private func writeUnits(
    _ phase: String, suffix: String, lost: inout Ledger,
    _ makeWorker:
      @escaping @Sendable () throws(StorageError) -> (
        (borrowing DocumentBatch, ChunkContext) throws(StorageError) -> [UInt8]
      )
  ) throws(StorageError) -> (files: [String], isComplete: Bool) {
    var file: OutputFile?
    var unitLost = Ledger()
    func open(_ unit: Unit) throws(StorageError) -> OutputFile {
      if let file { return file }
      return try OutputFile(folder: stage.path, name: fileName(phase, unit, suffix))
    }
    let run = DocumentPhase<(bytes: [UInt8], lost: Ledger)>(
      phase, folder: stage, inputs: inputs, options: options)
    let (details, isComplete) = try run.run(
      emit: { (product, unit) throws(StorageError) in
        let target = try open(unit)
        file = target
        try target.write(product.bytes)
        unitLost.merge(product.lost)
        return product.lost
      },
      finish: { (unit) throws(StorageError) in
        let summary = try open(unit).commit()
        let details: [JSONValue.Member] = [
          .init("file", .string(summary.name)), .init("lost", unitLost.json),
        ]
        file = nil
        unitLost = Ledger()
        return ([summary], details)
      },
      makeWorker: { () throws(StorageError) in
        let work = try makeWorker()
        return { (batch, context, lost) throws(StorageError) in (bytes: try work(batch, context), lost: lost)
        }
      })
    for detail in details { lost.merge(Ledger(json: detail["lost"] ?? .null)) }
    return (details.map { Path.join(stage.path, $0["file"]?.string ?? "") }, isComplete)
  }

  /// Phase 1: a block of signatures per chunk.
  func signature(_ lost: inout Ledger) throws(StorageError) -> (files: [String], isComplete: Bool) {
    let deduplication = deduplication
    return try writeUnits("signature", suffix: "sig", lost: &lost) { () throws(StorageError) in
      let worker = SignatureWorker(deduplication)
      return { (batch, _) throws(StorageError) in
        var block: [UInt8] = []
        worker.append(batch, to: &block)
        return block
      }
    }
  }

  /// Phase 2: groups of equal texts and candidate pairs.
  func bucket(_ signatures: [String]) throws(StorageError) -> [String: Int] {
    if stage.finishedUnit("bucket", 0) == nil {
      let result = try BucketPhase.run(
        signatureFiles: signatures, options: deduplication, folder: bucketFolder)
      try FileSystem.removeTree(Path.join(bucketFolder, ".tmp"))
      try stage.commit("bucket", 0, outputs: renamed(result.files, "journal/bucket"), details: [])
    }
    return counters(try PhaseCounters(phaseFolder: bucketFolder))
  }

  /// The pass over the documents that gathers the shingles of candidates.
  func candidates() throws(StorageError) -> [String] {
    let bucketFolder = bucketFolder
    var lost = Ledger()
    return try writeUnits("candidates", suffix: "cand", lost: &lost) { () throws(StorageError) in
      let worker = try CandidateWorker(bucketFolder: bucketFolder)
      return { (batch, context) throws(StorageError) in
        var block: [UInt8] = []
        try worker.append(batch, unit: context.unit.index, chunk: context.chunk, to: &block)
        return block
      }
    }.files
  }

  /// Phase 3: verified pairs, components, survivors, decisions.
  func cluster(_ candidateFiles: [String]) throws(StorageError) -> [String: Int] {
    if stage.finishedUnit("cluster", 0) == nil {
      let result = try ClusterPhase.run(
        bucketFolder: bucketFolder, candidateFiles: candidateFiles, options: deduplication,
        folder: clusterFolder)
      try FileSystem.removeTree(Path.join(clusterFolder, ".tmp"))
      try stage.commit("cluster", 0, outputs: renamed(result.files, "journal/cluster"), details: [])
    }
    return counters(try PhaseCounters(phaseFolder: clusterFolder))
  }

  private struct Removed: Sendable {
    var kept: [UInt8] = []
    var dropped: [UInt8] = []
    var ledger = Ledger()
  }

  /// Phase 4: parts with what stays, dropped parts with what goes.
  func remove() throws(StorageError) -> (Ledger, [StageManifest.Entry]) {
    let (bucketFolder, clusterFolder, deduplication) = (bucketFolder, clusterFolder, deduplication)
    let keepsDropped = options.keepsDropped
    let parts = UnitParts(stage.path, inputs.plan(options))
    var unitLedger = Ledger()
    let phase = DocumentPhase<Removed>("remove", folder: stage, inputs: inputs, options: options)
    let (details, _) = try phase.run(
      emit: { (product, unit) throws(StorageError) in
        try parts.write(kept: product.kept, dropped: product.dropped, of: unit)
        unitLedger.merge(product.ledger)
        return product.ledger
      },
      finish: { (unit) throws(StorageError) in
        let summaries = try parts.commit(unit)
        let details: [JSONValue.Member] = [
          .init("ledger", unitLedger.json), .init("files", .array(summaries.map(\.entry.json))),
        ]
        unitLedger = Ledger()
        return (summaries, details)
      },
      makeWorker: { () throws(StorageError) in
        let worker = try RemoveWorker(
          bucketFolder: bucketFolder, clusterFolder: clusterFolder, options: deduplication)
        var kept = DocumentBatch()
        var dropped = DocumentBatch()
        return { (batch, context, _) throws(StorageError) in
          kept.removeAll()
          dropped.removeAll()
          var product = Removed()
          try worker.apply(
            batch, unit: context.unit.index, chunk: context.chunk, kept: &kept, dropped: &dropped,
            ledger: &product.ledger)
          product.kept = UnitParts.frame(kept)
          if keepsDropped { product.dropped = UnitParts.frame(dropped) }
          return product
        }
      })
    var ledger = Ledger()
    var outputs: [StageManifest.Entry] = []
    for detail in details {
      ledger.merge(Ledger(json: detail["ledger"] ?? .null))
      outputs += (detail["files"]?.array ?? []).map { StageManifest.Entry(json: $0) }
    }
    return (ledger, outputs.sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) })
  }

  private func renamed(_ files: [FileSummary], _ prefix: String) -> [FileSummary] {
    files.map { file in
      var file = file
      file.name = "\(prefix)/\(file.name)"
      return file
    }
  }

  private func counters(_ counters: PhaseCounters) -> [String: Int] {
    var result: [String: Int] = [:]
    for (name, count) in counters.sorted { result[name] = count }
    return result
  }
}
