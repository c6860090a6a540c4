import Bytes
import Documents
import Storage

/// Phase 4, one per worker thread: documents that were decided to be copies go to `dropped`, the others go on; survivors of a
/// cluster get its size as `metadata.cluster_size`.
public final class RemoveWorker {
  private let ordinals: DocumentOrdinals
  private let folder: String
  private let threshold: Double
  private var unit = -1
  private var reader: DecisionReader?

  /// - Parameters:
  ///   - bucketFolder: of the bucket phase, for the numbers of the documents.
  ///   - clusterFolder: of the cluster phase, for the decisions.
  public init(
    bucketFolder: String, clusterFolder: String, options: DeduplicationOptions
  ) throws(StorageError) {
    ordinals = try DocumentOrdinals(bucketFolder: bucketFolder)
    folder = clusterFolder
    threshold = options.threshold
  }

  /// Applies the decisions to one chunk of a unit.
  ///
  /// - Drops: `exact` (value and threshold 1) and `minhash` (value: the true Jaccard similarity with the survivor, which may
  ///   be less than the threshold where a chain of copies joins the two), both with the survivor's id as the peer.
  /// - Throws: an input error if the chunk has not the documents that it had in phase 1.
  public func apply(
    _ input: borrowing DocumentBatch, unit: Int, chunk: Int, kept: inout DocumentBatch,
    dropped: inout DocumentBatch,
    ledger: inout Ledger
  ) throws(StorageError) {
    let range = try ordinals.checked(unit: unit, chunk: chunk, count: input.count)
    var decided: [(index: Int, decision: Decision, peer: String)] = []
    try reader(of: unit).forEach(in: range) { (ordinal, decision, id) throws(StorageError) in
      decided.append((Int(ordinal - range.lowerBound), decision, String(decoding: id, as: UTF8.self)))
    }
    var next = 0
    for index in 0..<input.count {
      let text = input.entries[index].text.count
      let language = input.language(at: index)
      ledger.countIn(language: language, textBytes: text)
      var metadata: [UInt8]?
      if next < decided.count, decided[next].index == index {
        let (_, decision, peer) = decided[next]
        next += 1
        switch decision {
        case .survive(let size):
          var number: [UInt8] = []
          number.append(decimal: Int(truncatingIfNeeded: size))
          metadata = JSONMembers.setting(
            "cluster_size", to: number, in: Array(input.bytes[input.entries[index].metadata]))
        case .drop(let isExact, let similarity):
          let drop = drop(isExact, similarity, peer)
          dropped.append(from: input, index, extraMembers: drop.member)
          ledger.drop(rule: drop.rule, textBytes: text)
          continue
        }
      }
      kept.append(from: input, index, metadata: metadata)
      let source = input.bytes.span.extracting(input.entries[index].source).string()
      ledger.countOut(language: language, source: source, textBytes: text)
    }
  }

  private func drop(_ isExact: Bool, _ similarity: Double, _ peer: String) -> Drop {
    isExact
      ? Drop(stage: "dedup", rule: "exact", value: 1, threshold: 1, peer: peer)
      : Drop(
        stage: "dedup", rule: "minhash", value: .double(similarity), threshold: .double(threshold), peer: peer
      )
  }

  private func reader(of unit: Int) throws(StorageError) -> DecisionReader {
    if unit == self.unit, let reader { return reader }
    let opened = try DecisionReader(folder: folder, unit: unit)
    reader = opened
    self.unit = unit
    return opened
  }
}
