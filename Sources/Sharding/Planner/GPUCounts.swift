/// One number of GPUs and what it gives.
public struct GPUCount: Equatable, Sendable {
  public var gpus: Int
  public var dataParallel: Int
  /// Per replica and step; rounded up where the batch does not divide.
  public var microBatches: Int
  /// The batch does not divide: some replicas wait for others in each step.
  public var isUneven: Bool
  public var stepSeconds: Double
  /// Over the whole step.
  public var mfu: Double
  /// Share of the pipeline's time in which a stage waits.
  public var bubbleFraction: Double
  public var allReduceSeconds: Double
  /// Part of the all-reduce that hides behind no compute.
  public var exposedSeconds: Double
  public var days: Double
  public var gpuHours: Double
  /// Exposed all-reduce over the step.
  public var allReduceShare: Double { exposedSeconds / stepSeconds }
}

/// The same training on one replica, two, four, … up to what the batch can feed: and where doubling stops paying.
public struct GPUCounts: Equatable, Sendable {
  /// A doubling that gains less than this share of 2× is the knee.
  public static let worthwhileShare = 0.9

  public struct Knee: Equatable, Sendable {
    /// Up to here each doubling pays.
    public var gpus: Int
    /// Days before over days after the doubling that no longer does.
    public var gain: Double
  }

  public var rows: [GPUCount]
  /// Nil if every doubling up to the batch's limit pays.
  public var knee: Knee?
  /// Replicas that the batch can feed: global batch over micro-batch.
  public var replicasMax: Int

  /// - Parameters:
  ///   - replica: GPUs of one replica, TP·PP·CP.
  ///   - replicasMax: DP ≤ global batch / micro-batch.
  ///   - gpusMax: where to stop at the latest.
  ///   - evaluate: what a number of GPUs gives.
  public init(replica: Int, replicasMax: Int, gpusMax: Int, evaluate: (_ gpus: Int) -> GPUCount) {
    self.replicasMax = replicasMax
    rows = []
    var replicas = 1
    while replicas <= replicasMax, replica * replicas <= gpusMax {
      rows.append(evaluate(replica * replicas))
      replicas *= 2
    }
    knee = zip(rows, rows.dropFirst()).first { $0.days / $1.days < 2 * Self.worthwhileShare }.map {
      Knee(gpus: $0.gpus, gain: $0.days / $1.days)
    }
  }
}
