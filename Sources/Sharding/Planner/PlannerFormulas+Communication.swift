/// What moving gradients and filling pipelines cost.
extension PlannerFormulas {
  /// A ring all-reduce: each rank sends almost twice the bytes, whatever the number of ranks.
  public static func ringAllReduce(
    ranks: Double, bytes: Double, bytesPerSecond: Double
  ) -> (bytesSentPerRank: Double, seconds: Double) {
    let sent = 2 * (ranks - 1) / ranks * bytes
    return (sent, sent / bytesPerSecond)
  }

  /// Exposed all-reduce over compute in plain data parallelism: (2/3)(1 − ov)(n/m − 1)·X/(BW·B).
  ///
  /// Gradients are 16-bit, 2·P/m bytes per rank, and compute is 6·P·B/n FLOP per GPU: the parameters cancel.
  public static func communicationOverCompute(
    gpus: Double, modelParallel: Double, flopsPerGPU: Double, bytesPerSecond: Double, tokensPerStep: Double,
    overlap: Double
  ) -> Double {
    2.0 / 3 * (1 - overlap) * (gpus / modelParallel - 1) * flopsPerGPU / (bytesPerSecond * tokensPerStep)
  }

  /// Share of the GPUs' time that computes. `speedup` counts GPUs that would do the same without any loss.
  public static func dataParallelEfficiency(
    gpus: Double, modelParallel: Double, flopsPerGPU: Double, bytesPerSecond: Double, tokensPerStep: Double,
    overlap: Double
  ) -> (communicationOverCompute: Double, efficiency: Double, speedup: Double) {
    let cost = communicationOverCompute(
      gpus: gpus, modelParallel: modelParallel, flopsPerGPU: flopsPerGPU, bytesPerSecond: bytesPerSecond,
      tokensPerStep: tokensPerStep, overlap: overlap)
    let efficiency = 1 / (1 + cost)
    return (cost, efficiency, gpus * efficiency)
  }

  /// GPUs at which the efficiency has fallen to `efficiency`.
  public static func gpusAtEfficiency(
    _ efficiency: Double, modelParallel: Double, flopsPerGPU: Double, bytesPerSecond: Double,
    tokensPerStep: Double, overlap: Double
  ) -> Double {
    modelParallel
      * (1 + (1 / efficiency - 1) * bytesPerSecond * tokensPerStep / (2.0 / 3 * (1 - overlap) * flopsPerGPU))
  }

  /// Bytes per second and GPU that keep the efficiency at `efficiency`.
  public static func bandwidthForEfficiency(
    _ efficiency: Double, gpus: Double, modelParallel: Double, flopsPerGPU: Double, tokensPerStep: Double,
    overlap: Double
  ) -> Double {
    2.0 / 3 * (1 - overlap) * (gpus / modelParallel - 1) * (flopsPerGPU / tokensPerStep) * efficiency
      / (1 - efficiency)
  }

  /// What `hybridStep` needs.
  public struct HybridInputs: Sendable {
    public var gpus: Double
    /// Sequences per step.
    public var globalBatch: Double
    public var sequenceTokens: Double
    public var tensor: Double
    public var pipeline: Double
    /// Ranks that share a sequence; they compute in parallel and join the ring of the gradients.
    public var context: Double
    /// Chunks of the model per pipeline stage (interleaved schedule).
    public var virtualStages: Double
    /// Sequences per micro-batch.
    public var microBatch: Double
    /// MFU of a replica before bubbles and exposed all-reduce.
    public var baseMFU: Double
    public var bytesPerSecond: Double
    public var overlap: Double
    public var peakFlops: Double
    public var parameters: Double
    public var tokens: Double

    public init(
      gpus: Double, globalBatch: Double, sequenceTokens: Double, tensor: Double = 1, pipeline: Double = 1,
      context: Double = 1, virtualStages: Double = 1, microBatch: Double = 1, baseMFU: Double,
      bytesPerSecond: Double, overlap: Double, peakFlops: Double, parameters: Double, tokens: Double
    ) {
      self.gpus = gpus
      self.globalBatch = globalBatch
      self.sequenceTokens = sequenceTokens
      self.tensor = tensor
      self.pipeline = pipeline
      self.context = context
      self.virtualStages = virtualStages
      self.microBatch = microBatch
      self.baseMFU = baseMFU
      self.bytesPerSecond = bytesPerSecond
      self.overlap = overlap
      self.peakFlops = peakFlops
      self.parameters = parameters
      self.tokens = tokens
    }
  }

  /// One step of tensor, pipeline, context and data parallel training, and what it means for the whole.
  public struct HybridStep: Equatable, Sendable {
    public var dataParallel: Double
    /// Per replica and step; not whole where the batch does not divide.
    public var microBatches: Double
    /// Share of the pipeline's time in which a stage waits.
    public var bubbleFraction: Double
    public var allReduceSeconds: Double
    /// The part of it that hides behind no compute.
    public var exposedSeconds: Double
    public var stepSeconds: Double
    /// Over the whole step.
    public var mfu: Double
    public var days: Double
    public var gpuHours: Double
  }

  /// Compute 6·P·B/(n·X₀), stretched by the bubble 1 + (PP − 1)/(v·micro-batches), plus the exposed part of the ring over the
  /// 16-bit gradients of a rank, 2·P/(TP·PP) bytes.
  public static func hybridStep(_ inputs: HybridInputs) -> HybridStep {
    let data = inputs.gpus / (inputs.tensor * inputs.pipeline * inputs.context)
    let microBatches = inputs.globalBatch / (inputs.microBatch * data)
    let batchTokens = inputs.globalBatch * inputs.sequenceTokens
    let flops = flopsPerParameterToken * inputs.parameters * batchTokens
    let compute = flops / (inputs.gpus * inputs.baseMFU * inputs.peakFlops)
    let stretch = 1 + (inputs.pipeline - 1) / (inputs.virtualStages * microBatches)
    let ring = ringAllReduce(
      ranks: data * inputs.context, bytes: 2 * inputs.parameters / (inputs.tensor * inputs.pipeline),
      bytesPerSecond: inputs.bytesPerSecond)
    let exposed = (1 - inputs.overlap) * ring.seconds
    let step = compute * stretch + exposed
    let seconds = inputs.tokens / batchTokens * step
    return HybridStep(
      dataParallel: data, microBatches: microBatches, bubbleFraction: (stretch - 1) / stretch,
      allReduceSeconds: ring.seconds, exposedSeconds: exposed, stepSeconds: step,
      mfu: flops / (step * inputs.gpus * inputs.peakFlops), days: seconds / secondsPerDay,
      gpuHours: inputs.gpus * seconds / 3600)
  }
}
