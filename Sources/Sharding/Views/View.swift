import Bytes
import Storage

/// What every rank reads at every step: the order (what is read, in which sequence) and who reads it.
///
/// A view holds about 1 KB, nothing in it grows with the corpus, and making one reads the store's manifest only. Another
/// GPU count is another view; no token is rewritten.
public struct View: Equatable, Sendable {
  public static let format = "sluice-view/1"

  /// The part that decides the order of training; its hash is the view's identity.
  public struct Order: Equatable, Sendable {
    /// Fingerprint of the store.
    public var store: String
    public var split: String
    public var seed: Int
    /// Ids per sequence.
    public var tokens: Int
    /// Ids that a sequence shares with the next.
    public var overlap: Int
    public var packing: Packing
    public var sequences: Int
    public var paddingTokens: Int
    /// Ids at the end of the split that fill no sequence.
    public var tailTokens: Int
  }

  public enum Packing: String, Sendable {
    /// The segments as one stream, cut every `tokens - overlap` ids.
    case concat
  }

  public var order: Order
  /// The store's, repeated.
  public var holdout: Holdout
  public var globalBatch: Int
  public var microBatch: Int
  public var framework: Framework
  public var topology: Topology
  public var gpusPerNode: Int

  public var dataParallel: Int { topology.data }
  /// Micro-batches of a rank in a step.
  public var microBatches: Int { globalBatch / (microBatch * topology.data) }
}

/// What a user asks for when making a view.
public struct ViewOptions: Sendable {
  public var gpus = 1
  public var nodes: Int?
  public var tensor = 1
  public var pipeline = 1
  public var context = 1
  public var expert = 1
  /// Ids per sequence.
  public var sequenceTokens = 2048
  public var overlap = 0
  public var split = Holdout.train
  public var seed = 0
  /// nil: micro-batch times replicas.
  public var globalBatch: Int?
  public var microBatch = 1
  public var framework = Framework.megatron
  /// nil: the framework's own.
  public var rankOrder: String?
  public init() {}

  public static let sequenceTokensMax = 1 << 24
  public static let batchMax = 1 << 30
  /// Tokens of an epoch. With `epochsMax` epochs, positions and token numbers stay below 2^62.
  public static let tokensMax = 1 << 50
  public static let epochsMax = 1 << 12
}

extension View {
  /// Makes the view of a store; arithmetic on the manifest, no token is read.
  ///
  /// - Parameter fingerprint: the store's, as `StoreManifest.fingerprint(of:)` gives it.
  /// - Throws: `.usage` for shapes that do not fit; the message names shapes that do.
  public init(of store: StoreManifest, fingerprint: String, _ options: ViewOptions) throws(StorageError) {
    let split = try store.split(options.split)
    let axes =
      if let text = options.rankOrder {
        try Topology.parseRankOrder(text, context: options.context)
      } else { options.framework.rankOrder }
    topology = try Topology(
      gpus: options.gpus, tensor: options.tensor, context: options.context, pipeline: options.pipeline,
      expert: options.expert, rankOrder: axes)
    try View.checkSequence(options)
    guard options.seed >= 0 else { throw .usage("--seed must not be negative.") }
    let count = SequencePlan.sequenceCount(
      tokens: split.tokens, sequence: options.sequenceTokens, overlap: options.overlap)
    guard count > 0 else {
      throw .usage(
        "--context \(options.sequenceTokens): the split “\(split.name)” has \(split.tokens) tokens, "
          + "not enough for one sequence. Choose a smaller --context.")
    }
    let step = options.sequenceTokens - options.overlap
    order = Order(
      store: fingerprint, split: split.name, seed: options.seed, tokens: options.sequenceTokens,
      overlap: options.overlap, packing: .concat, sequences: count, paddingTokens: 0,
      tailTokens: split.tokens - (count - 1) * step - options.sequenceTokens)
    holdout = store.holdout
    framework = options.framework
    microBatch = options.microBatch
    globalBatch = try View.globalBatch(options, replicas: topology.data)
    gpusPerNode = try View.gpusPerNode(options)
  }

  private static func checkSequence(_ options: ViewOptions) throws(StorageError) {
    let tokens = options.sequenceTokens
    guard tokens >= 1, tokens <= ViewOptions.sequenceTokensMax else {
      throw .usage("--context must lie between 1 and \(ViewOptions.sequenceTokensMax) ids.")
    }
    guard options.overlap == 0 || options.overlap == 1, options.overlap < tokens else {
      throw .usage("--overlap must be 0 or 1, and less than --context.")
    }
    let part = 2 * options.context
    let trained = tokens - options.overlap
    guard options.context <= 1 || trained % part == 0 else {
      let below = max(part, trained / part * part) + options.overlap
      throw .usage(
        "--context \(tokens) with --context-parallel \(options.context): the trained length \(trained) must be a "
          + "multiple of 2·CP = \(part), such as --context \(below).")
    }
  }

  private static func globalBatch(_ options: ViewOptions, replicas: Int) throws(StorageError) -> Int {
    guard options.microBatch >= 1, options.microBatch <= ViewOptions.batchMax / replicas else {
      throw .usage("--micro-batch must lie between 1 and \(ViewOptions.batchMax / replicas).")
    }
    let round = options.microBatch * replicas
    guard let batch = options.globalBatch else { return round }
    guard batch >= 1, batch <= ViewOptions.batchMax, batch % round == 0 else {
      let below = batch >= 1 && batch <= ViewOptions.batchMax ? batch / round * round : 0
      throw .usage(
        "--global-batch \(batch) is no multiple of micro-batch·DP = \(options.microBatch)·\(replicas) = \(round), "
          + "such as \(max(round, below)) or \(max(round, below) + round).")
    }
    return batch
  }

  private static func gpusPerNode(_ options: ViewOptions) throws(StorageError) -> Int {
    guard let nodes = options.nodes else { return min(8, options.gpus) }
    guard nodes >= 1, nodes <= options.gpus, options.gpus % nodes == 0 else {
      throw .usage(
        "--nodes \(nodes) does not divide \(options.gpus) GPUs. "
          + "Valid: \(Topology.list(Topology.divisors(options.gpus))).")
    }
    return options.gpus / nodes
  }
}
