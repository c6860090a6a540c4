import Storage

/// A training run, planned: every figure that `sluice plan` shows, from a request by the formulas of `PlannerFormulas`.
///
/// Limits of the model: dense decoders, one global batch size from start to end, no failures, no checkpoints, no evaluation, one
/// ring for all gradients, tensor parallel traffic inside the MFU. See docs/planner.md.
public struct TrainingPlan: Sendable {
  public let request: TrainingPlanRequest
  public let parameters: Double
  public let shape: ModelShape
  public let sequence: Int
  /// MFU of a replica, before bubbles and exposed all-reduce.
  public let baseMFU: Double
  public let gpusPerNode: Int
  public let gpus: Int
  /// Sequences per step.
  public let globalBatch: Int
  /// The chosen number of GPUs.
  public let chosen: GPUCount
  public let counts: GPUCounts
  public let memory: MemoryEstimate
  /// What would make it fit; empty if it does, or if nothing on these GPUs would.
  public let memoryAdvice: [String]

  /// - Throws: `.usage` for a shape, batch, target or topology that cannot be; the message says what can.
  public init(_ request: TrainingPlanRequest) throws(StorageError) {
    try request.check()
    self.request = request
    parameters = request.parameters ?? request.shape?.parameters ?? 0
    if let shape = request.shape {
      self.shape = shape
    } else {
      shape = try ModelShape.typical(
        parameters: parameters, vocabulary: request.corpus?.vocabulary ?? 50_257)
    }
    sequence = request.sequence ?? TrainingPlanRequest.sequenceDefault
    gpusPerNode = request.gpusPerNode ?? request.device.perNode
    let forward: Double = request.recomputation == .full ? 6.0 / 8 : 1
    baseMFU = request.mfu ?? request.device.mfu * forward

    let sizing = Sizing(
      request: request, parameters: parameters, sequence: sequence, baseMFU: baseMFU,
      gpusPerNode: gpusPerNode)
    gpus = try sizing.gpus()
    let topology = try Topology(
      gpus: gpus, tensor: request.tensor, context: request.context, pipeline: request.pipeline)
    globalBatch = try sizing.globalBatch(replicas: topology.data)
    let batch = globalBatch
    chosen = sizing.count(gpus: gpus, globalBatch: batch)
    counts = GPUCounts(
      replica: sizing.replica, replicasMax: batch / request.microBatch, gpusMax: Topology.gpusMax
    ) { sizing.count(gpus: $0, globalBatch: batch) }

    let layout = MemoryEstimate.Layout(
      tensor: request.tensor, pipeline: request.pipeline, context: request.context, data: topology.data,
      virtualStages: request.virtualStages, microBatch: request.microBatch,
      microBatches: chosen.microBatches, sequence: sequence,
      recomputation: request.recomputation ?? .selective,
      isOptimizerDistributed: request.isOptimizerDistributed)
    memory = MemoryEstimate(parameters: parameters, shape: shape, layout)
    memoryAdvice =
      memory.verdict(capacity: request.device.memoryBytes) == .fits
      ? []
      : MemoryAdvice(
        parameters: parameters, shape: shape, isShapeAssumed: request.shape == nil, layout: layout,
        gpus: gpus,
        globalBatch: batch,
        tensorMax: gpusPerNode, capacity: request.device.memoryBytes
      ).changes
  }

  // MARK: Compute

  public var trainedTokens: Double { request.tokens * request.epochs }
  public var flops: Double { PlannerFormulas.trainingFlops(parameters: parameters, tokens: trainedTokens) }
  public var pfDays: Double { PlannerFormulas.pfDays(parameters: parameters, tokens: trainedTokens) }
  /// Executed, not useful: full recomputation goes forward twice.
  public var executedFlops: Double { flops * (request.recomputation == .full ? 8.0 / 6 : 1) }
  /// Attention over the sequence, relative to 6·P; no part of any other figure.
  public var attentionShare: Double {
    shape.attentionFlopsPerToken(sequence: sequence) / (6 * parameters)
  }
  public var tokensPerParameter: Double { trainedTokens / parameters }
  public var optimalParameters: Double {
    PlannerFormulas.computeOptimalParameters(tokens: trainedTokens)
  }
  public var optimalTokens: Double { PlannerFormulas.computeOptimal(parameters: parameters).tokens }
  public var optimalParametersForCompute: Double {
    PlannerFormulas.computeOptimalParameters(flops: flops)
  }

  // MARK: Cluster

  public var replica: Int { request.tensor * request.pipeline * request.context }
  public var batchTokens: Double { Double(globalBatch) * Double(sequence) }
  public var steps: Double { trainedTokens / batchTokens }
  /// Bytes per second and GPU at the chosen number.
  public var network: Double {
    Sizing.network(request, gpus: gpus, gpusPerNode: gpusPerNode)
  }
  public var overlap: Double { request.overlap ?? TrainingPlanRequest.overlapDefault }
  public var isWithinNode: Bool { gpus <= gpusPerNode }
  private var modelParallel: Double { Double(request.tensor * request.pipeline) }
  private var sustained: Double { baseMFU * request.device.peakFlops }

  public var dataParallelEfficiency: Double {
    PlannerFormulas.dataParallelEfficiency(
      gpus: Double(gpus), modelParallel: modelParallel, flopsPerGPU: sustained, bytesPerSecond: network,
      tokensPerStep: batchTokens, overlap: overlap
    ).efficiency
  }
  /// GPUs at which gradients cost a tenth, over the network between nodes.
  public var gpusAtNinety: Double {
    PlannerFormulas.gpusAtEfficiency(
      0.9, modelParallel: modelParallel, flopsPerGPU: sustained,
      bytesPerSecond: request.network ?? request.device.networkBytesPerSecond, tokensPerStep: batchTokens,
      overlap: overlap)
  }
  public var bandwidthForNinety: Double {
    PlannerFormulas.bandwidthForEfficiency(
      0.9, gpus: Double(gpus), modelParallel: modelParallel, flopsPerGPU: sustained,
      tokensPerStep: batchTokens, overlap: overlap)
  }

  // MARK: Money and energy

  public var price: ClosedRange<Double>? { request.price ?? request.device.price }
  public var cost: ClosedRange<Double>? {
    price.map { $0.lowerBound * chosen.gpuHours...$0.upperBound * chosen.gpuHours }
  }
  public var pue: Double { request.pue ?? TrainingPlanRequest.pueDefault }
  public var boardWatts: Double? { request.boardWatts ?? request.device.boardWatts }
  /// Boards at full power for the whole run, whatever the MFU, times the PUE.
  public var energyJoules: Double? { boardWatts.map { $0 * chosen.gpuHours * 3600 * pue } }

  // MARK: Data

  public var bytesPerToken: Int {
    if let corpus = request.corpus { return corpus.width.bytes }
    if let shape = request.shape { return TokenWidth(vocabulary: shape.vocabulary).bytes }
    return TokenWidth.u32.bytes
  }
  public var tokensPerDocument: Double {
    guard let corpus = request.corpus, corpus.documents > 0 else {
      return TrainingPlanRequest.tokensPerDocumentDefault
    }
    return request.tokens / Double(corpus.documents)
  }
  public var loading: PlannerFormulas.LoaderRate {
    PlannerFormulas.loaderRate(
      peakFlops: request.device.peakFlops, mfu: chosen.mfu, parameters: parameters,
      bytesPerToken: Double(bytesPerToken), gpusPerReader: Double(replica), gpus: Double(gpus),
      gpusPerNode: Double(gpusPerNode), sequenceTokens: Double(sequence))
  }
  public var balance: PlannerFormulas.Balance {
    PlannerFormulas.balance(
      sequences: Int(request.tokens / Double(sequence)), gpus: gpus, modelParallel: replica,
      globalBatch: globalBatch)
  }
  public var storeSize: PlannerFormulas.StoreSize {
    PlannerFormulas.storeSize(
      tokens: request.tokens, bytesPerToken: Double(bytesPerToken), tokensPerDocument: tokensPerDocument,
      segmentBytes: Double(StoreOptions.standardSegmentBytes), sequenceTokens: Double(sequence))
  }
}
