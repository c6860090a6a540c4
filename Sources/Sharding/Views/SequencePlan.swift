import Storage

/// From a global position to the sequence that is read there, to the tokens that it holds, to the rank that reads it.
///
/// Global position g runs through all epochs: epoch e = g div n, and within it the keyed permutation of that epoch.
/// Everything is arithmetic on the view and on one table of token counts by segment; nothing is stored per sequence.
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

  /// Ids of one segment.
  public struct Piece: Equatable, Sendable {
    public var segment: Int
    public var tokens: Range<Int>
  }

  public let view: View
  public let rule: Rule
  /// First token of each segment in the stream, and the stream's length.
  private let segmentStarts: [Int]
  private var permutation: (epoch: Int, KeyedPermutation)

  /// - Throws: `.usage` if the view was made of another store or split than `store`.
  public init(_ view: View, store: StoreManifest, fingerprint: String) throws(StorageError) {
    guard view.order.store == fingerprint else {
      throw .usage(
        "The view was made of the store \(view.order.store), and this one is \(fingerprint): another corpus, "
          + "tokenizer or order. Make a new view of this store with `sluice shard`.")
    }
    guard view.holdout == store.holdout else {
      throw .usage("The view's held-out splits are not the store's.")
    }
    let split = try store.split(view.order.split)
    let count = Self.sequenceCount(
      tokens: split.tokens, sequence: view.order.tokens, overlap: view.order.overlap)
    guard count == view.order.sequences else {
      throw .usage("The view says \(view.order.sequences) sequences, and its store gives \(count).")
    }
    self.init(view, segmentTokens: split.segments.map(\.tokens))
  }

  /// A plan for `view` over segments of these token counts.
  public init(_ view: View, segmentTokens: [Int]) {
    self.view = view
    rule = view.framework.positionRule
    var starts = [0]
    for tokens in segmentTokens { starts.append(starts[starts.count - 1] + tokens) }
    segmentStarts = starts
    permutation = (0, Self.permutation(view, epoch: 0))
  }

  /// (total - C) div s + 1 with s = C - overlap; 0 if the tokens fill no sequence.
  public static func sequenceCount(tokens: Int, sequence: Int, overlap: Int) -> Int {
    tokens < sequence ? 0 : (tokens - sequence) / (sequence - overlap) + 1
  }

  public static func permutation(_ view: View, epoch: Int) -> KeyedPermutation {
    KeyedPermutation(count: UInt64(view.order.sequences), seed: UInt64(view.order.seed), epoch: UInt64(epoch))
  }

  /// The epoch and the sequence number read at a global position.
  public mutating func sequence(at position: Int) -> (epoch: Int, sequence: Int) {
    let (epoch, index) = position.quotientAndRemainder(dividingBy: view.order.sequences)
    if permutation.epoch != epoch { permutation = (epoch, Self.permutation(view, epoch: epoch)) }
    return (epoch, Int(permutation.1.map(UInt64(index))))
  }

  /// The global position at which `sequence` is read in `epoch`.
  public mutating func position(of sequence: Int, epoch: Int) -> Int {
    if permutation.epoch != epoch { permutation = (epoch, Self.permutation(view, epoch: epoch)) }
    return epoch * view.order.sequences + Int(permutation.1.inverse(UInt64(sequence)))
  }

  /// The global position of an item, for a run that began at position 0 with this batch.
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
    return place.step * view.globalBatch + offset
  }

  /// Who reads a global position: the inverse of `position(of:)`.
  public func place(of position: Int) -> Place {
    let replicas = view.dataParallel
    let micro = view.microBatch
    let (step, offset) = position.quotientAndRemainder(dividingBy: view.globalBatch)
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

  /// The replica that reads `position` in a run that ends after `epochs` epochs. Full steps follow the rule; the last,
  /// incomplete step deals its positions out one by one, so that replicas differ by at most one sequence for any
  /// micro-batch.
  public func replica(reading position: Int, epochs: Int = 1) -> Int {
    let total = epochs * view.order.sequences
    let full = total / view.globalBatch * view.globalBatch
    return position < full ? place(of: position).replica : (position - full) % view.dataParallel
  }

  /// Sequences that a replica reads in a run of `epochs` epochs: the same closed form for every rule.
  public func sequenceCount(ofReplica replica: Int, epochs: Int = 1) -> Int {
    let (steps, rest) = (epochs * view.order.sequences).quotientAndRemainder(dividingBy: view.globalBatch)
    let replicas = view.dataParallel
    return steps * (view.globalBatch / replicas) + rest / replicas + (replica < rest % replicas ? 1 : 0)
  }

  /// The tokens of a sequence: ids [k·s, k·s + C) of the segments read as one stream, so up to several pieces.
  public func pieces(of sequence: Int) -> [Piece] {
    let first = sequence * (view.order.tokens - view.order.overlap)
    let end = first + view.order.tokens
    var low = 0
    var high = segmentStarts.count - 1
    // The last segment that starts at or before `first`.
    while high - low > 1 {
      let middle = (low + high) / 2
      if segmentStarts[middle] <= first { low = middle } else { high = middle }
    }
    var pieces: [Piece] = []
    var at = first
    while at < end, low + 1 < segmentStarts.count {
      let until = min(end, segmentStarts[low + 1])
      if until > at {
        pieces.append(Piece(segment: low, tokens: at - segmentStarts[low]..<until - segmentStarts[low]))
        at = until
      }
      low += 1
    }
    return pieces
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
