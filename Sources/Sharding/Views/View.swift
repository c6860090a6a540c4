import Bytes
import Storage

/// What every rank reads at every step: the order (what is read, in which sequence) and who reads it.
///
/// A view holds about 1 KB, nothing in it grows with the corpus, and making one reads manifests only. Another GPU count is
/// another view; no token is rewritten. docs/view-format.md describes the file.
public struct View: Equatable, Sendable {
  public static let format = "sluice-view/1"

  /// The part that decides the order of training; its hash is the view's identity.
  public struct Order: Equatable, Sendable {
    /// Fingerprints of the stores, in the order in which they are read as one.
    public var stores: [String]
    public var split: String
    public var seed: Int
    /// Ids per sequence.
    public var tokens: Int
    /// Ids that a sequence shares with the next.
    public var overlap: Int
    public var packing: Packing
    public var shuffle: Shuffle
    public var mixture: Mixture?
    /// Sequences of an epoch.
    public var sequences: Int
    /// Ids of padding in an epoch's sequences.
    public var paddingTokens: Int
    /// Ids at the end of the split that fill no sequence.
    public var tailTokens: Int
  }

  /// How sequences are made of documents.
  public struct Packing: Equatable, Sendable {
    public var policy: PackingPolicy
    /// SHA-256 of the pack manifests of all stores, one after the other; nil where sequences are cut out of the stream of
    /// segments and need no index.
    public var index: String?

    public static let stream = Packing(policy: .concat, index: nil)
  }

  /// In which order sequences are read: see `SequenceOrder`.
  public enum Shuffle: Equatable, Sendable {
    case permutation
    /// Sizes: sequences of a block, blocks of a window.
    case blocks(block: Int, window: Int)

    public static let blockMax = 1 << 32
    public static let windowMax = 1 << 20
  }

  public var order: Order
  /// The stores', repeated.
  public var holdout: Holdout
  /// Epochs that tables count and `inspect where` looks through; the order holds for any.
  public var epochs: Int
  /// Global position at which step 0 begins: 0, or where a resumed run goes on.
  public var start: Int
  public var globalBatch: Int
  public var microBatch: Int
  public var framework: Framework
  public var topology: Topology
  public var gpusPerNode: Int

  public var dataParallel: Int { topology.data }
  /// Micro-batches of a rank in a step.
  public var microBatches: Int { globalBatch / (microBatch * topology.data) }
  /// Global positions of the run, those before `start` among them.
  public var positions: Int { epochs * order.sequences }
  /// The pack index that the sequences lie in; nil for the stream of segments.
  public var packKey: PackKey? { order.packKey }
}

extension View.Order {
  public var packKey: PackKey? {
    guard packing.index != nil else { return nil }
    return PackKey(context: tokens, policy: packing.policy, grouping: mixture?.by ?? .none)
  }
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
  public var packing = PackingPolicy.concat
  public var shuffle = View.Shuffle.permutation
  public var mixture: MixtureOptions?
  public var split = Holdout.train
  public var seed = 0
  public var epochs = 1
  /// nil: micro-batch times replicas.
  public var globalBatch: Int?
  public var microBatch = 1
  public var framework = Framework.megatron
  /// nil: the framework's own.
  public var rankOrder: String?
  /// The run that goes on with this view.
  public var resume: ResumeState?
  public init() {}

  public static let sequenceTokensMax = 1 << 24
  public static let batchMax = 1 << 30
  /// Tokens of an epoch. With `epochsMax` epochs, positions and token numbers stay below 2^62.
  public static let tokensMax = 1 << 50
  public static let epochsMax = 1 << 12

  /// The pack index that the view needs; nil: none.
  public var packKey: PackKey? {
    if packing == .concat, mixture == nil { return nil }
    return PackKey(context: sequenceTokens, policy: packing, grouping: mixture?.by ?? .none)
  }
}
