import Bytes
import Storage

/// Verifies a view against its store, level 3: every sequence is read exactly once per epoch, replicas differ by at most
/// one sequence and by none in a full step, and the set of each global batch is the same for every other number of replicas.
///
/// Cost: a bit a sequence, and about 0.1 µs a sequence and epoch.
public enum ViewVerification {
  /// Sequences whose bitset (256 MiB) is kept; of larger views each position is checked by the inverse, which needs no
  /// memory and proves the same.
  static let bitsetSequencesMax = 1 << 31
  /// Positions looked at when steps are compared between numbers of replicas.
  static let batchPositionsMax = 1 << 26

  /// - Parameters:
  ///   - store: nil: not found; only the view itself is checked then.
  ///   - tick: called now and then; what it throws ends the work.
  public static func run(
    _ view: View, path: String, store: TokenStore?, epochs: Int = 2,
    tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> Verification {
    var result = Verification(kind: "view", level: 3)
    let name = Path.name(path)
    var plan = SequencePlan(view, segmentTokens: [])
    if let store {
      do throws(StorageError) {
        plan = try SequencePlan(view, store: store.manifest, fingerprint: store.fingerprint)
        try checkTokens(view, store, plan, name, &result)
      } catch {
        guard case .usage(let text) = error else { throw error }
        result.note(Finding(level: 3, place: name, message: text))
        return result
      }
    }
    for epoch in 0..<epochs { try checkEpoch(epoch, view, &plan, name, &result, tick) }
    try checkBatches(view, name, &result, tick)
    result.count("epochs", epochs)
    result.count("sequences", view.order.sequences)
    result.count("ranks", view.topology.gpus)
    return result
  }

  /// The pieces of all sequences and the tail are the split's tokens, each once (each but the overlap).
  private static func checkTokens(
    _ view: View, _ store: TokenStore, _ plan: SequencePlan, _ name: String, _ result: inout Verification
  ) throws(StorageError) {
    let split = try store.manifest.split(view.order.split)
    let step = view.order.tokens - view.order.overlap
    let covered = (view.order.sequences - 1) * step + view.order.tokens
    if covered + view.order.tailTokens != split.tokens {
      result.note(
        Finding(
          level: 3, place: name,
          message:
            "\(covered) tokens in sequences and a tail of \(view.order.tailTokens) are not the split's \(split.tokens)"
        ))
    }
    for sequence in [0, view.order.sequences / 2, view.order.sequences - 1]
    where plan.pieces(of: sequence).reduce(0, { $0 + $1.tokens.count }) != view.order.tokens {
      result.note(Finding(level: 3, place: name, message: "sequence \(sequence) does not lie in the store"))
    }
  }

  private static func checkEpoch(
    _ epoch: Int, _ view: View, _ plan: inout SequencePlan, _ name: String, _ result: inout Verification,
    _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) {
    let sequences = view.order.sequences
    let hasBitset = sequences <= bitsetSequencesMax
    var seen = [UInt64](repeating: 0, count: hasBitset ? sequences / 64 + 1 : 0)
    var counts = [Int](repeating: 0, count: view.dataParallel)
    var wrong = 0
    for index in 0..<sequences {
      let sequence = plan.sequence(at: epoch * sequences + index).sequence
      if sequence < 0 || sequence >= sequences {
        wrong += 1
      } else if hasBitset {
        let bit = UInt64(1) << UInt64(sequence % 64)
        if seen[sequence / 64] & bit != 0 { wrong += 1 }
        seen[sequence / 64] |= bit
      } else if plan.position(of: sequence, epoch: epoch) != epoch * sequences + index {
        wrong += 1
      }
      counts[plan.replica(reading: index)] += 1
      if index % (1 << 22) == 0 { try tick() }
    }
    // As many positions as sequences and none read twice: each is read once.
    if wrong > 0 {
      result.note(
        Finding(
          level: 3, place: name,
          message: "epoch \(epoch): \(wrong) positions read a sequence again, so others are never read"))
    }
    let spread = (counts.max() ?? 0) - (counts.min() ?? 0)
    if spread > 1 || counts != counts.indices.map({ plan.sequenceCount(ofReplica: $0) }) {
      result.note(
        Finding(level: 3, place: name, message: "epoch \(epoch): replicas differ by \(spread) sequences"))
    }
  }

  /// One full step, shared by every number of replicas that divides the batch: each replica gets its exact share, and
  /// together the same positions.
  private static func checkBatches(
    _ view: View, _ name: String, _ result: inout Verification, _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) {
    var budget = batchPositionsMax
    var shapes = [view]
    for replicas in Topology.divisors(view.globalBatch) where replicas <= Topology.gpusMax {
      var other = view
      other.microBatch = 1
      other.topology = try Topology(gpus: replicas)
      shapes.append(other)
    }
    for other in shapes where budget >= view.globalBatch {
      try tick()
      budget -= view.globalBatch
      let replicas = other.dataParallel
      let plan = SequencePlan(other, segmentTokens: [])
      var seen = [Bool](repeating: false, count: view.globalBatch)
      for replica in 0..<replicas {
        for micro in 0..<other.microBatches {
          for item in 0..<other.microBatch {
            let offset = plan.position(of: .init(step: 0, replica: replica, microBatch: micro, item: item))
            if offset >= 0, offset < view.globalBatch { seen[offset] = true }
          }
        }
      }
      if seen.contains(false) {
        result.note(
          Finding(
            level: 3, place: name,
            message: "with \(replicas) replicas a step is not the same set of sequences"))
      }
    }
  }
}
