import Bytes
import Storage

/// Verifies a view against its stores, level 3: every sequence is read exactly once per epoch, replicas differ by at most
/// one sequence and by none in a full step, and the set of each global batch is the same for every other number of replicas.
/// Of a mixture: each class has exactly its share of every block, no sequence comes twice in an epoch of its class, and none
/// more often than the limit.
///
/// Cost: a bit a sequence, and about 0.1 µs a sequence and epoch.
public enum ViewVerification {
  /// Sequences whose bitset (256 MiB) is kept; of larger views each position is checked by the inverse, which needs no
  /// memory and proves the same.
  static let bitsetSequencesMax = 1 << 31
  /// Positions looked at when steps are compared between numbers of replicas.
  static let batchPositionsMax = 1 << 26

  /// - Parameters:
  ///   - split: nil: not found; only the view itself is checked then.
  ///   - tick: called now and then; what it throws ends the work.
  public static func run(
    _ view: View, path: String, split: StoreSplit?, epochs: Int = 2,
    tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> Verification {
    var result = Verification(kind: "view", level: 3)
    let name = Path.name(path)
    if let split {
      do throws(StorageError) { try checkTokens(view, split, name, &result) } catch {
        switch error {
        case .usage(let text): result.note(Finding(level: 3, place: name, message: text))
        case .input(let path, let reason):
          result.note(Finding(level: 3, place: name, message: "\(path): \(reason)"))
        default: throw error
        }
        return result
      }
    }
    var plan = SequencePlan(view)
    if let mixture = view.order.mixture {
      try MixtureVerification.check(view, mixture, name, &result, tick)
    } else {
      for epoch in 0..<epochs { try checkEpoch(epoch, view, &plan, name, &result, tick) }
    }
    checkBalance(view, plan, name, &result)
    try checkBatches(view, name, &result, tick)
    result.count("epochs", view.order.mixture?.epochs ?? epochs)
    result.count("sequences", view.order.sequences)
    result.count("ranks", view.topology.gpus)
    return result
  }

  /// The sequences lie in the stores, and they and the tail are the split's tokens, each once (each but the overlap).
  private static func checkTokens(
    _ view: View, _ split: StoreSplit, _ name: String, _ result: inout Verification
  ) throws(StorageError) {
    let reader = try SequenceReader(view, split)
    let order = view.order
    if order.packing.index == nil {
      let covered = (order.sequences - 1) * (order.tokens - order.overlap) + order.tokens
      if covered + order.tailTokens != split.tokens {
        result.note(
          Finding(
            level: 3, place: name,
            message:
              "\(covered) tokens in sequences and a tail of \(order.tailTokens) are not the split's \(split.tokens)"
          ))
      }
    } else if order.mixture == nil, order.sequences * order.tokens - order.paddingTokens != split.tokens {
      result.note(
        Finding(
          level: 3, place: name,
          message:
            "\(order.sequences) sequences of \(order.tokens) with \(order.paddingTokens) ids of padding are not the "
            + "split's \(split.tokens) tokens"))
    }
    for sequence in [0, order.sequences / 2, order.sequences - 1] {
      let filled = try reader.pieces(of: sequence).reduce(0) { $0 + $1.tokens.count }
      if filled > order.tokens || filled == 0 || (order.packing.index == nil && filled != order.tokens) {
        result.note(
          Finding(level: 3, place: name, message: "sequence \(sequence) does not lie in the store"))
      }
    }
  }

  private static func checkEpoch(
    _ epoch: Int, _ view: View, _ plan: inout SequencePlan, _ name: String, _ result: inout Verification,
    _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) {
    let sequences = view.order.sequences
    let hasBitset = sequences <= bitsetSequencesMax
    var seen = [UInt64](repeating: 0, count: hasBitset ? sequences / 64 + 1 : 0)
    var wrong = 0
    var order = SequenceOrder(
      count: sequences, seed: view.order.seed, epoch: epoch, shuffle: view.order.shuffle)
    var block: [UInt64] = []
    let step = 1 << 12
    for first in stride(from: 0, to: sequences, by: step) {
      if first % (1 << 22) == 0 { try tick() }
      order.map(first..<min(first + step, sequences), into: &block)
      // Readers ask the plan, one position at a time.
      if plan.sequence(at: epoch * sequences + first).sequence != Int(truncatingIfNeeded: block[0]) {
        wrong += 1
      }
      for (offset, value) in block.enumerated() {
        let sequence = Int(truncatingIfNeeded: value)
        if sequence < 0 || sequence >= sequences {
          wrong += 1
        } else if hasBitset {
          let bit = UInt64(1) << UInt64(sequence % 64)
          if seen[sequence / 64] & bit != 0 { wrong += 1 }
          seen[sequence / 64] |= bit
        } else if plan.position(of: sequence, epoch: epoch) != epoch * sequences + first + offset {
          wrong += 1
        }
      }
    }
    // As many positions as sequences and none read twice: each is read once.
    if wrong > 0 {
      result.note(
        Finding(
          level: 3, place: name,
          message: "epoch \(epoch): \(wrong) positions read a sequence again, so others are never read"))
    }
  }

  /// Who reads how much of the first epoch after `start`, counted position by position, against the closed form.
  private static func checkBalance(
    _ view: View, _ plan: SequencePlan, _ name: String, _ result: inout Verification
  ) {
    var counts = [Int](repeating: 0, count: view.dataParallel)
    let epochs = view.start / view.order.sequences + 1
    for position in view.start..<epochs * view.order.sequences {
      counts[plan.replica(reading: position, epochs: epochs)] += 1
    }
    let spread = (counts.max() ?? 0) - (counts.min() ?? 0)
    if spread > 1 || counts != counts.indices.map({ plan.sequenceCount(ofReplica: $0, epochs: epochs) }) {
      result.note(Finding(level: 3, place: name, message: "replicas differ by \(spread) sequences"))
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
      let plan = SequencePlan(other)
      var seen = [Bool](repeating: false, count: view.globalBatch)
      for replica in 0..<replicas {
        for micro in 0..<other.microBatches {
          for item in 0..<other.microBatch {
            let position = plan.position(of: .init(step: 0, replica: replica, microBatch: micro, item: item))
            let offset = position - view.start
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
