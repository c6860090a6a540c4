import Storage

/// From a global position to the sequence that is read there, and to the rank that reads it.
///
/// Global position g runs through all epochs: epoch e = g div n, and within it the keyed permutation of that epoch; in a
/// mixture the class whose turn it is, and its own epoch. Everything is arithmetic on the view; nothing is stored per
/// sequence.
public struct SequencePlan: Sendable {
  /// How a step's positions are shared by the replicas; dp of DP, micro-batch k, item j, offsets within the step.
  public enum Rule: String, Sendable {
    /// k·mbs·DP + dp·mbs + j (Megatron, nanotron).
    case microBatchMajor = "step + k*mbs*DP + dp*mbs + j"
    /// dp·GBS/DP + k·mbs + j (gpt-neox).
    case rankMajor = "step + dp*GBS/DP + k*mbs + j"
    /// dp + DP·(k·mbs + j) (OLMo-core).
    case interleaved = "step + dp + DP*(k*mbs + j)"
  }

  /// Where a position is read.
  public struct Place: Equatable, Sendable {
    public var step: Int
    public var replica: Int
    public var microBatch: Int
    public var item: Int
  }

  public let view: View
  public let rule: Rule
  private let mixture: MixtureOrder?
  /// One per class, or one for all; each at the epoch that was asked for last.
  private var orders: [SequenceOrder]

  public init(_ view: View) {
    self.view = view
    rule = view.framework.positionRule
    mixture = view.order.mixture.map { MixtureOrder($0, seed: view.order.seed) }
    let counts = view.order.mixture?.classes.map(\.sequences) ?? [view.order.sequences]
    orders = counts.enumerated().map { number, count in
      SequenceOrder(
        count: count, seed: view.order.seed, epoch: 0, class: number, shuffle: view.order.shuffle)
    }
  }

  /// (total - C) div s + 1 with s = C - overlap; 0 if the tokens fill no sequence.
  public static func sequenceCount(tokens: Int, sequence: Int, overlap: Int) -> Int {
    tokens < sequence ? 0 : (tokens - sequence) / (sequence - overlap) + 1
  }

  /// What is read at a global position: the epoch (in a mixture: of the sequence's class) and the sequence number.
  public mutating func sequence(at position: Int) -> (epoch: Int, sequence: Int) {
    guard let mixture else {
      let (epoch, index) = position.quotientAndRemainder(dividingBy: view.order.sequences)
      return (epoch, order(0, epoch: epoch, { $0.map(index) }))
    }
    let (kind, index) = mixture.index(at: position)
    let (epoch, inEpoch) = index.quotientAndRemainder(dividingBy: mixture.classes[kind].sequences)
    return (epoch, mixture.firsts[kind] + order(kind, epoch: epoch, { $0.map(inEpoch) }))
  }

  /// The global position at which `sequence` is read in `epoch` (in a mixture: of its class).
  public mutating func position(of sequence: Int, epoch: Int) -> Int {
    guard let mixture else {
      return epoch * view.order.sequences + order(0, epoch: epoch, { $0.inverse(sequence) })
    }
    let kind = mixture.kind(ofSequence: sequence)
    let inEpoch = order(kind, epoch: epoch, { $0.inverse(sequence - mixture.firsts[kind]) })
    return mixture.position(of: kind, index: epoch * mixture.classes[kind].sequences + inEpoch)
  }

  /// All global positions of the view's epochs at which `sequence` is read, with the epoch of its class, in order.
  public mutating func readings(of sequence: Int) -> [(epoch: Int, position: Int)] {
    var result: [(epoch: Int, position: Int)] = []
    guard let mixture else {
      for epoch in 0..<view.epochs { result.append((epoch, position(of: sequence, epoch: epoch))) }
      return result
    }
    // Places inside a block are permuted, so the last block is looked at whole.
    let kind = mixture.classes[mixture.kind(ofSequence: sequence)]
    let epochs = (view.positions / (view.order.mixture?.block ?? 1) + 1) * kind.share / kind.sequences + 1
    for epoch in 0..<epochs {
      let position = position(of: sequence, epoch: epoch)
      if position < view.positions { result.append((epoch, position)) }
    }
    return result.sorted { $0.position < $1.position }
  }

  private mutating func order(_ kind: Int, epoch: Int, _ body: (inout SequenceOrder) -> Int) -> Int {
    if orders[kind].epoch != epoch {
      orders[kind] = SequenceOrder(
        count: orders[kind].count, seed: view.order.seed, epoch: epoch, class: kind,
        shuffle: view.order.shuffle)
    }
    return body(&orders[kind])
  }

  /// The global position of an item: steps begin at the view's `start`.
  public func position(of place: Place) -> Int {
    let replicas = view.dataParallel
    let inRank = place.microBatch * view.microBatch + place.item
    let offset =
      switch rule {
      case .microBatchMajor:
        place.microBatch * view.microBatch * replicas + place.replica * view.microBatch + place.item
      case .rankMajor: place.replica * (view.globalBatch / replicas) + inRank
      case .interleaved: place.replica + replicas * inRank
      }
    return view.start + place.step * view.globalBatch + offset
  }

  /// Who reads a global position, at or behind `start`: the inverse of `position(of:)`.
  public func place(of position: Int) -> Place {
    let replicas = view.dataParallel
    let micro = view.microBatch
    let (step, offset) = (position - view.start).quotientAndRemainder(dividingBy: view.globalBatch)
    switch rule {
    case .microBatchMajor:
      let (batch, inBatch) = offset.quotientAndRemainder(dividingBy: micro * replicas)
      return Place(step: step, replica: inBatch / micro, microBatch: batch, item: inBatch % micro)
    case .rankMajor:
      let (replica, inRank) = offset.quotientAndRemainder(dividingBy: view.globalBatch / replicas)
      return Place(step: step, replica: replica, microBatch: inRank / micro, item: inRank % micro)
    case .interleaved:
      let (inRank, replica) = offset.quotientAndRemainder(dividingBy: replicas)
      return Place(step: step, replica: replica, microBatch: inRank / micro, item: inRank % micro)
    }
  }

  /// The replica that reads `position` in a run that goes from `start` to the end of `epochs` epochs. Full steps follow the
  /// rule; the last, incomplete step deals its positions out one by one, so that replicas differ by at most one sequence
  /// for any micro-batch.
  public func replica(reading position: Int, epochs: Int = 1) -> Int {
    let total = max(0, epochs * view.order.sequences - view.start)
    let full = total / view.globalBatch * view.globalBatch
    let offset = position - view.start
    return offset < full ? place(of: position).replica : (offset - full) % view.dataParallel
  }

  /// Sequences that a replica reads from `start` to the end of `epochs` epochs: the same closed form for every rule.
  public func sequenceCount(ofReplica replica: Int, epochs: Int = 1) -> Int {
    let total = max(0, epochs * view.order.sequences - view.start)
    let (steps, rest) = total.quotientAndRemainder(dividingBy: view.globalBatch)
    let replicas = view.dataParallel
    return steps * (view.globalBatch / replicas) + rest / replicas + (replica < rest % replicas ? 1 : 0)
  }

  /// Positions [⌊v·n/V⌋, ⌊(v+1)·n/V⌋) of an epoch: shard v of V, for readers that cannot seek. Sizes differ by at most one.
  public static func staticShare(_ shard: Int, of shards: Int, sequences: Int) -> Range<Int> {
    func bound(_ v: Int) -> Int {
      let product = v.multipliedFullWidth(by: sequences)
      return shards.dividingFullWidth((product.high, product.low)).quotient
    }
    return bound(shard)..<bound(shard + 1)
  }
}
