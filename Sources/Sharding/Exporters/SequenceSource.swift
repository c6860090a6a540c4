import Bytes
import Storage

/// The sequences of one epoch of a view in consumption order: shards of consecutive positions, or one shard per replica.
struct SequenceSource: ExportSource {
  let source: View
  let stores: StoreSplit
  let isPerRank: Bool
  /// Positions of the epoch, those before the view's `start` left out: a resumed run has read them.
  let positions: Range<Int>

  var store: String { source.order.stores.joined(separator: " ") }
  var view: String? { source.orderHash }

  func forEachRecord(
    of plan: ExportPlan, shard: Int, withIDs: Bool,
    _ body: (_ record: ExportRecord, _ hash: UInt64?) throws(StorageError) -> Void
  ) throws(StorageError) {
    let reader = try SequenceReader(source, stores)
    var bytes: [UInt8] = []
    func give(_ position: Int) throws(StorageError) {
      let sequence = reader.plan.sequence(at: position).sequence
      bytes.removeAll(keepingCapacity: true)
      try reader.readBytes(sequence, into: &bytes)
      let id = withIDs ? Array("sequence-\(sequence)".utf8) : []
      try bytes.withPlace(0..<bytes.count) { (tokens) throws(StorageError) in
        try body(ExportRecord(id: id, tokens: tokens), nil)
      }
    }
    if isPerRank {
      try RankPositions(source, positions, replica: shard).forEach(give)
    } else {
      let first = positions.lowerBound + plan.shards[shard].firstRecord
      for position in first..<first + plan.shards[shard].records { try give(position) }
    }
  }
}

/// The positions of a range that one replica reads, in the order in which it reads them (they grow).
struct RankPositions {
  private let plan: SequencePlan
  private let range: Range<Int>
  private let replica: Int
  /// Positions of full steps: those behind are dealt out one by one, as `SequencePlan.replica(reading:)` says.
  private let fullEnd: Int

  init(_ view: View, _ range: Range<Int>, replica: Int) {
    plan = SequencePlan(view)
    self.range = range
    self.replica = replica
    let total = max(0, view.positions - view.start)
    fullEnd = view.start + total / view.globalBatch * view.globalBatch
  }

  /// Steps whose positions touch the full part of the range.
  private var steps: Range<Int> {
    let view = plan.view
    let end = min(range.upperBound, fullEnd)
    guard range.lowerBound < end else { return 0..<0 }
    let first = (range.lowerBound - view.start) / view.globalBatch
    return first..<(end - view.start - 1) / view.globalBatch + 1
  }

  var count: Int {
    let steps = steps
    var count = tail.count
    guard let first = steps.first, let last = steps.last else { return count }
    // Steps at the borders may lie in two epochs; those between are whole.
    count += positions(ofStep: first).count
    if last > first { count += positions(ofStep: last).count }
    return count + max(0, steps.count - 2) * (plan.view.globalBatch / plan.view.dataParallel)
  }

  func forEach(_ body: (Int) throws(StorageError) -> Void) throws(StorageError) {
    for step in steps {
      for position in positions(ofStep: step) { try body(position) }
    }
    for position in tail { try body(position) }
  }

  private func positions(ofStep step: Int) -> [Int] {
    var found: [Int] = []
    for microBatch in 0..<plan.view.microBatches {
      for item in 0..<plan.view.microBatch {
        let position = plan.position(
          of: .init(step: step, replica: replica, microBatch: microBatch, item: item))
        if range.contains(position), position < fullEnd { found.append(position) }
      }
    }
    return found
  }

  private var tail: [Int] {
    stride(from: fullEnd + replica, to: plan.view.positions, by: plan.view.dataParallel).filter {
      range.contains($0)
    }
  }
}

extension ExportPlan {
  /// Plans the sequences of an epoch.
  ///
  /// - Throws: `.usage` for an epoch that the view does not have, or options that contradict it.
  static func sequences(
    of view: View, _ stores: StoreSplit, as exporter: any Exporter, _ options: ExportOptions
  ) throws(StorageError) -> (plan: ExportPlan, positions: Range<Int>) {
    guard (0..<view.epochs).contains(options.epoch) else {
      throw .usage(
        "--epoch \(options.epoch): the view has \(view.epochs) epoch\(view.epochs == 1 ? "" : "s"), counted from 0. "
          + "Make one with more --epochs.")
    }
    if let window = options.window, window != view.order.tokens {
      throw .usage(
        "--window \(window): the view's sequences have \(view.order.tokens) ids, and those are the windows. Leave --window out."
      )
    }
    let epoch = options.epoch * view.order.sequences..<(options.epoch + 1) * view.order.sequences
    let positions = max(epoch.lowerBound, min(view.start, epoch.upperBound))..<epoch.upperBound
    guard !positions.isEmpty else {
      throw .usage(
        "--epoch \(options.epoch): the view begins at position \(view.start), behind this epoch: nothing to export."
      )
    }
    var plan = ExportPlan(exporter, .sequences, view.order.split, stores.stores[0].manifest, options)
    plan.tokensPerRecord = view.order.tokens
    plan.replicas = view.dataParallel
    plan.microBatch = view.microBatch
    if options.isPerRank {
      guard options.shards == nil, options.shardBytes == nil else {
        throw .usage(
          "--per-rank makes one shard for each of the view's \(view.dataParallel) replicas; leave --shards and --shard-bytes out."
        )
      }
      var first = 0
      for replica in 0..<view.dataParallel {
        let count = RankPositions(view, positions, replica: replica).count
        guard count > 0 else {
          throw .usage(
            "--per-rank: replica \(replica) of \(view.dataParallel) reads no sequence in epoch \(options.epoch). "
              + "Make a view for fewer GPUs.")
        }
        plan.shards.append(.init(firstRecord: first, records: count, tokens: count * view.order.tokens))
        first += count
      }
      try checkCount(plan.shards.count)
    } else {
      try plan.shareEqually(positions.count, "sequences", exporter)
    }
    return (plan, positions)
  }
}
