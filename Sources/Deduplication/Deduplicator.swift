import Documents
import Storage

/// All phases in one thread and one call, for tests and small collections: the documents of each unit are one chunk.
public enum Deduplicator {
  public struct Result: Sendable {
    public var kept: [DocumentBatch]
    public var dropped: [DocumentBatch]
    public var ledger: Ledger
    public var counters: [PhaseCounters]
  }

  /// - Parameters:
  ///   - documents: one batch for each unit.
  ///   - folder: where the files between the phases are left.
  public static func run(
    documents: [DocumentBatch], options: DeduplicationOptions, folder: String
  ) throws(StorageError) -> Result {
    let signer = SignatureWorker(options)
    var signatures: [String] = []
    for (unit, batch) in documents.enumerated() {
      var block: [UInt8] = []
      signer.append(batch, to: &block)
      signatures.append(
        try write(block, Path.join(folder, "signature"), "unit-\(Path.padded(unit, digits: 5)).sig"))
    }
    let bucketFolder = Path.join(folder, "bucket")
    let bucket = try BucketPhase.run(signatureFiles: signatures, options: options, folder: bucketFolder)
    let worker = try CandidateWorker(bucketFolder: bucketFolder)
    var candidates: [String] = []
    for (unit, batch) in documents.enumerated() {
      var block: [UInt8] = []
      try worker.append(batch, unit: unit, chunk: 0, to: &block)
      candidates.append(
        try write(block, Path.join(folder, "candidates"), "unit-\(Path.padded(unit, digits: 5)).cand"))
    }
    let clusterFolder = Path.join(folder, "cluster")
    let cluster = try ClusterPhase.run(
      bucketFolder: bucketFolder, candidateFiles: candidates, options: options, folder: clusterFolder)
    let remover = try RemoveWorker(bucketFolder: bucketFolder, clusterFolder: clusterFolder, options: options)
    var result = Result(
      kept: [], dropped: [], ledger: Ledger(), counters: [bucket.counters, cluster.counters])
    for (unit, batch) in documents.enumerated() {
      var kept = DocumentBatch()
      var dropped = DocumentBatch()
      try remover.apply(batch, unit: unit, chunk: 0, kept: &kept, dropped: &dropped, ledger: &result.ledger)
      result.kept.append(kept)
      result.dropped.append(dropped)
    }
    return result
  }

  private static func write(_ bytes: [UInt8], _ folder: String, _ name: String) throws(StorageError) -> String
  {
    _ = try OutputFile.write(bytes, folder: folder, name: name)
    return Path.join(folder, name)
  }
}
