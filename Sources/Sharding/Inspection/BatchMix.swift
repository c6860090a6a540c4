import Bytes
import Storage

/// How well a batch mixes the parts of a store that lie together: for a shuffle in blocks the price of touching few of them.
///
/// The sequences are taken as shards of 64 MiB in their stored order. Counted are pairs of sequences of one batch that come
/// from one shard, against the number that a draw without order would have, and the shards that a batch touches. A full
/// permutation has a ratio of 1.
///
/// - Source: token-store reference, "Full permutation or blocks".
struct BatchMix: Equatable {
  static let shardBytes = 64 << 20
  /// Batches that are looked at, spread over the first epoch, and sequences of each.
  static let batchesMax = 32
  static let batchMin = 64
  static let batchMax = 2048

  var shards: Int
  var sequences: Int
  var batches: Int
  /// Of one shard, in all batches.
  var pairs: Int
  var expectedPairs: Double
  /// In all batches.
  var touchedShards: Int

  /// Nil for a view of one shard, where there is nothing to mix.
  init?(_ view: View, width: TokenWidth) {
    let total = view.order.sequences
    let perShard = max(1, Self.shardBytes / (view.order.tokens * width.bytes))
    shards = (total - 1) / perShard + 1
    guard shards > 1 else { return nil }
    // A batch of a few sequences has no pairs to speak of: the next ones are taken too.
    sequences = min(total, min(max(view.globalBatch, Self.batchMin), Self.batchMax))
    batches = min(Self.batchesMax, total / sequences)
    pairs = 0
    touchedShards = 0
    var plan = SequencePlan(view)
    for batch in 0..<batches {
      // Multiples of the batch, so that they are batches of the run.
      let first = total / sequences * batch / batches * sequences
      var counts: [Int: Int] = [:]
      for position in first..<first + sequences {
        counts[plan.sequence(at: position).sequence / perShard, default: 0] += 1
      }
      touchedShards += counts.count
      pairs += counts.values.reduce(0) { $0 + $1 * ($1 - 1) / 2 }
    }
    let full = Double(perShard)
    let last = Double(total - (shards - 1) * perShard)
    let same = Double(shards - 1) * full * (full - 1) + last * (last - 1)
    let ofBatch = Double(sequences) * Double(sequences - 1) / 2
    expectedPairs = Double(batches) * ofBatch * same / (Double(total) * Double(total - 1))
  }

  var ratio: Double { expectedPairs > 0 ? Double(pairs) / expectedPairs : 0 }

  var json: JSONValue {
    func rounded(_ value: Double) -> JSONValue { .double((value * 1e6).rounded() / 1e6) }
    return [
      "shard_bytes": .int(Self.shardBytes), "shards": .int(shards), "batches": .int(batches),
      "sequences": .int(sequences), "pairs": .int(pairs), "expected_pairs": rounded(expectedPairs),
      "ratio": rounded(ratio), "shards_per_batch": rounded(Double(touchedShards) / Double(batches)),
    ]
  }
}
