import Storage

extension TrainingPlan {
  /// How many GPUs, and how many sequences per step: from what is given to what follows.
  struct Sizing: Sendable {
    let request: TrainingPlanRequest
    let parameters: Double
    let sequence: Int
    let baseMFU: Double
    let gpusPerNode: Int

    /// GPUs of one replica.
    var replica: Int { request.tensor * request.pipeline * request.context }

    static func network(_ request: TrainingPlanRequest, gpus: Int, gpusPerNode: Int) -> Double {
      let device = request.device
      return request.network
        ?? (gpus <= gpusPerNode ? device.linkBytesPerSecond : device.networkBytesPerSecond)
    }

    /// What a number of GPUs (a multiple of a replica) gives with a batch. A batch that does not divide costs as much as the next
    /// that does.
    func count(gpus: Int, globalBatch: Int) -> GPUCount {
      let data = gpus / replica
      let perReplica = request.microBatch * data
      let microBatches = (globalBatch + perReplica - 1) / perReplica
      let padded = Double(microBatches) * Double(perReplica)
      let isUneven = microBatches * perReplica != globalBatch
      let step = PlannerFormulas.hybridStep(
        PlannerFormulas.HybridInputs(
          gpus: Double(gpus), globalBatch: padded, sequenceTokens: Double(sequence),
          tensor: Double(request.tensor), pipeline: Double(request.pipeline),
          context: Double(request.context), virtualStages: Double(request.virtualStages),
          microBatch: Double(request.microBatch), baseMFU: baseMFU,
          bytesPerSecond: Self.network(request, gpus: gpus, gpusPerNode: gpusPerNode),
          overlap: request.overlap ?? TrainingPlanRequest.overlapDefault,
          peakFlops: request.device.peakFlops, parameters: parameters,
          tokens: request.tokens * request.epochs))
      // Of the padded step only the batch itself counts.
      let useful = Double(globalBatch) / padded
      return GPUCount(
        gpus: gpus, dataParallel: data, microBatches: microBatches, isUneven: isUneven,
        stepSeconds: step.stepSeconds, mfu: step.mfu * useful, bubbleFraction: step.bubbleFraction,
        allReduceSeconds: step.allReduceSeconds, exposedSeconds: step.exposedSeconds,
        days: step.days / useful, gpuHours: step.gpuHours / useful)
    }

    // MARK: Batch

    /// Sequences per step before they are fitted to a number of replicas.
    private var wantedBatch: Int {
      if let batch = request.globalBatch { return batch }
      let tokens = request.globalBatchTokens ?? TrainingPlanRequest.globalBatchTokensDefault
      return max(1, Int((tokens / Double(sequence)).rounded()))
    }

    /// A batch in sequences is taken as it is; one in tokens, or assumed, is rounded up to whole micro-batches for all replicas.
    ///
    /// - Throws: `.usage` if a batch in sequences does not fit.
    func globalBatch(replicas: Int) throws(StorageError) -> Int {
      let unit = request.microBatch * replicas
      let wanted = wantedBatch
      guard request.globalBatch != nil else { return (wanted + unit - 1) / unit * unit }
      guard wanted >= unit else {
        throw .usage(
          "--global-batch \(wanted): \(replicas) replicas with micro-batches of \(request.microBatch) need at least \(unit) "
            + "sequences per step. Raise it, or use fewer GPUs or more of them per replica (TP·PP·CP).")
      }
      guard wanted % unit == 0 else {
        throw .usage(
          "--global-batch \(wanted) is no multiple of micro-batch times replicas, \(request.microBatch)·\(replicas) = \(unit). "
            + "Nearest: \(wanted / unit * unit), \((wanted / unit + 1) * unit).")
      }
      return wanted
    }

    // MARK: GPUs

    /// Replicas that could be: all that the batch feeds; where it is given in sequences, those that divide it. First whole nodes, or less
    /// than one.
    private func candidates() throws(StorageError) -> [Int] {
      let most = wantedBatch / request.microBatch
      guard most >= 1 else {
        throw .usage(
          "--micro-batch \(request.microBatch) is more than the global batch of \(wantedBatch) sequences.")
      }
      let all: [Int]
      if request.globalBatch == nil {
        all = Array(1...min(most, 1 << 22))
      } else if wantedBatch % request.microBatch == 0 {
        all = Topology.divisors(most)
      } else {
        throw .usage(
          "--global-batch \(wantedBatch) is no multiple of --micro-batch \(request.microBatch).")
      }
      return all.filter { $0 <= Topology.gpusMax / replica }
    }

    private func isWhole(_ gpus: Int) -> Bool { gpus <= gpusPerNode || gpus % gpusPerNode == 0 }

    private func trial(_ replicas: Int) throws(StorageError) -> GPUCount {
      count(gpus: replica * replicas, globalBatch: try globalBatch(replicas: replicas))
    }

    /// The number given, else the least that is done in `days`, else the most that `budget` pays for.
    ///
    /// - Throws: `.usage` if no number is.
    func gpus() throws(StorageError) -> Int {
      if let gpus = request.gpus { return gpus }
      let candidates = try candidates()
      if let days = request.days {
        for isWholeOnly in [true, false] {
          for replicas in candidates where !isWholeOnly || isWhole(replicas * replica) {
            let trial = try trial(replicas)
            if trial.days <= days { return trial.gpus }
          }
        }
        let last = try trial(candidates.last ?? 1)
        throw .usage(
          "--days \(Quantity.number(days)): with \(Quantity.number(Double(last.gpus))) GPUs, the most that a batch of "
            + "\(wantedBatch) sequences feeds, it still takes \(Quantity.duration(last.days * 86_400)). "
            + "Raise --global-batch, or take a faster device.")
      }
      return try affordable(candidates)
    }

    private func affordable(_ candidates: [Int]) throws(StorageError) -> Int {
      guard let budget = request.budget, let price = request.price ?? request.device.price else {
        throw .usage("The number of GPUs is missing: give --gpus N, --days N or --budget DOLLARS.")
      }
      for isWholeOnly in [true, false] {
        for replicas in candidates.reversed() where !isWholeOnly || isWhole(replicas * replica) {
          let trial = try trial(replicas)
          if trial.gpuHours * price.upperBound <= budget { return trial.gpus }
        }
      }
      let least = try trial(candidates.first ?? 1)
      let cost = least.gpuHours * price.upperBound
      throw .usage(
        "--budget \(Quantity.dollars(budget)): even one replica costs \(Quantity.dollars(cost)) at "
          + "$\(Quantity.number(price.upperBound)) per GPU-hour. The budget pays for "
          + "\(Quantity.short(request.tokens * request.epochs * budget / cost)) of the tokens.")
    }
  }
}
