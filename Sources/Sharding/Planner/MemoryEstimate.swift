/// How much of the activations is computed again in the backward pass instead of kept.
public enum Recomputation: String, CaseIterable, Sendable {
  case none
  /// The attention's scores only; what fused attention (FlashAttention) does by itself.
  case selective
  /// Everything but each layer's input; a third more compute.
  case full
}

/// Bytes on the fullest rank of a topology.
///
/// - Source: 18 bytes per parameter for mixed-precision Adam: 16-bit weight 2, 32-bit gradient 4, 32-bit weight and two moments
///   12 (Rajbhandari et al. 2020; Megatron's distributed optimizer shares out the 12). Activations: Korthikanti et al. 2022,
///   table 2 and section 4.2.3, with sequence parallelism.
public struct MemoryEstimate: Equatable, Sendable {
  /// What decides about memory, for one topology.
  public struct Layout: Equatable, Sendable {
    public var tensor: Int
    public var pipeline: Int
    public var context: Int
    public var data: Int
    public var virtualStages: Int
    public var microBatch: Int
    /// Per replica and step.
    public var microBatches: Int
    public var sequence: Int
    public var recomputation: Recomputation
    /// The optimizer's state is shared out over the data and context parallel ranks.
    public var isOptimizerDistributed: Bool
  }

  public var parametersPerRank: Double
  /// Weights in 16 bits and gradients in 32.
  public var weightBytes: Double
  /// Weights and two moments in 32 bits.
  public var optimizerBytes: Double
  public var activationBytes: Double
  public var total: Double { weightBytes + optimizerBytes + activationBytes }

  public init(parameters: Double, shape: ModelShape, _ layout: Layout) {
    parametersPerRank = parameters / Double(layout.tensor * layout.pipeline)
    weightBytes = 6 * parametersPerRank
    optimizerBytes =
      12 * parametersPerRank / (layout.isOptimizerDistributed ? Double(layout.data * layout.context) : 1)
    let (s, b, h) = (Double(layout.sequence), Double(layout.microBatch), Double(shape.hidden))
    let scores = 5 * Double(shape.heads) * s / h
    let perLayer =
      switch layout.recomputation {
      case .none: s * b * h * (34 + scores)
      case .selective: s * b * h * 34
      case .full: s * b * h * 2
      }
    // The first stage keeps as many micro-batches as there are stages: all layers' worth, however many stages.
    let stages = Double(layout.pipeline)
    let inFlight = min(1, Double(layout.microBatches) / stages)
    let interleaving =
      layout.virtualStages > 1 ? 1 + (stages - 1) / (stages * Double(layout.virtualStages)) : 1
    var bytes = perLayer * Double(shape.layers) * inFlight * interleaving
    // Full recomputation holds one layer whole while it goes back through it.
    if layout.recomputation == .full { bytes += s * b * h * (34 + scores) }
    activationBytes = bytes / Double(layout.tensor * layout.context)
  }

  public enum Verdict: String, Sendable {
    case fits
    /// Over nine tenths: buffers of the framework and fragmentation decide.
    case tight
    case doesNotFit = "does not fit"
  }

  /// Share of a device that a plan may fill; the rest goes to buffers, kernels and fragmentation. An assumption.
  public static let comfortableShare = 0.9

  public func verdict(capacity: Double) -> Verdict {
    total <= capacity * Self.comfortableShare ? .fits : total <= capacity ? .tight : .doesNotFit
  }
}
