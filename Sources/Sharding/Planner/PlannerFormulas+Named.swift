import Storage

/// The formulas by name, numbers in and out by name: for tables of cases and of claims.
extension PlannerFormulas {
  /// Reads the inputs of one case.
  struct Inputs {
    let formula: String
    let values: [String: Double]

    func callAsFunction(_ name: String) throws(StorageError) -> Double {
      guard let value = values[name] else { throw .usage("The formula \(formula) needs “\(name)”.") }
      return value
    }

    /// A count: at least 1, so that it can divide.
    func count(_ name: String) throws(StorageError) -> Int {
      let value = try self(name)
      guard value >= 1, value < 9e18 else { throw .usage("\(formula): “\(name)” must be a count.") }
      return Int(value)
    }
  }

  public typealias Outputs = [(name: String, value: Double)]

  /// All names, sorted.
  public static let names = table.map(\.name)

  /// Evaluates a formula.
  ///
  /// - Throws: `.usage` for an unknown formula (with the names there are) or a missing input.
  public static func evaluate(_ name: String, _ inputs: [String: Double]) throws(StorageError) -> Outputs {
    guard let entry = table.first(where: { $0.name == name }) else {
      throw .usage("There is no formula “\(name)”; there are \(names.joined(separator: ", ")).")
    }
    return try entry.run(Inputs(formula: name, values: inputs))
  }

  private struct Entry: Sendable {
    var name: String
    var run: @Sendable (Inputs) throws(StorageError) -> Outputs
    init(_ name: String, _ run: @escaping @Sendable (Inputs) throws(StorageError) -> Outputs) {
      self.name = name
      self.run = run
    }
  }

  private static let table: [Entry] = (compute + communication + data).sorted { $0.name < $1.name }

  private static let compute: [Entry] = [
    Entry("pf_days") { (given) throws(StorageError) in
      let flops = try flops(given)
      return [("flops", flops), ("pf_days", flops / pfDay)]
    },
    Entry("days_at_rate") { (given) throws(StorageError) in
      let days = daysAtRate(pfDays: try given("pf_days"), flopsPerSecond: try given("flops_per_second"))
      return [("days", days), ("years", days * secondsPerDay / secondsPerYear)]
    },
    Entry("implied_flops_per_gpu") { (given) throws(StorageError) in
      let flops = try flops(given)
      let rate = impliedFlopsPerGPU(
        flops: flops, gpus: try given("gpus"), seconds: try given("years") * secondsPerYear)
      return [
        ("flops", flops), ("flops_per_gpu", rate), ("fraction_of_peak", rate / (try given("peak_flops"))),
      ]
    },
    Entry("train_time") { (given) throws(StorageError) in
      let seconds = trainTime(
        flops: try flops(given), gpus: try given("gpus"), flopsPerGPU: try given("flops_per_gpu"))
      return [
        ("years", seconds / secondsPerYear), ("months", seconds / secondsPerMonth),
        ("days", seconds / secondsPerDay),
      ]
    },
    Entry("speed_ratio") { (given) throws(StorageError) in
      [
        (
          "ratio",
          speedRatio(
            gpusA: try given("gpus_a"), monthsA: try given("months_a"), gpusB: try given("gpus_b"),
            monthsB: try given("months_b"))
        )
      ]
    },
    Entry("ratio") { (given) throws(StorageError) in [("ratio", ratio(try given("a"), try given("b")))] },
    Entry("peak_flops") { (given) throws(StorageError) in
      let flops = peakFlops(gpus: try given("gpus"), flopsPerGPU: try given("flops_per_gpu"))
      return [("flops", flops), ("pflops", flops / 1e15)]
    },
    Entry("compute_optimal") { (given) throws(StorageError) in
      let best = computeOptimal(
        parameters: try given("parameters"), tokensPerParameter: try given("tokens_per_parameter"))
      return [("tokens", best.tokens), ("flops", best.flops), ("pf_days", best.flops / pfDay)]
    },
    Entry("growth_per_year") { (given) throws(StorageError) in
      [("growth_per_year", growthPerYear(doublingMonths: try given("doubling_months")))]
    },
    Entry("doubling_from_growth") { (given) throws(StorageError) in
      let months = doublingFromGrowth(factor: try given("factor"), months: try given("months"))
      return [("doubling_months", months), ("growth_per_year", growthPerYear(doublingMonths: months))]
    },
  ]

  private static let communication: [Entry] = [
    Entry("ring_all_reduce") { (given) throws(StorageError) in
      let ring = ringAllReduce(
        ranks: try given("ranks"), bytes: try given("bytes"), bytesPerSecond: try given("bytes_per_second"))
      return [("bytes_sent_per_rank", ring.bytesSentPerRank), ("seconds", ring.seconds)]
    },
    Entry("data_parallel_efficiency") { (given) throws(StorageError) in
      let found = dataParallelEfficiency(
        gpus: try given("gpus"), modelParallel: try given("model_parallel"),
        flopsPerGPU: try given("flops_per_gpu"), bytesPerSecond: try given("bytes_per_second"),
        tokensPerStep: try given("tokens_per_step"), overlap: try given("overlap"))
      return [
        ("communication_over_compute", found.communicationOverCompute), ("efficiency", found.efficiency),
        ("speedup", found.speedup),
      ]
    },
    Entry("gpus_at_efficiency") { (given) throws(StorageError) in
      let gpus = gpusAtEfficiency(
        try given("efficiency"), modelParallel: try given("model_parallel"),
        flopsPerGPU: try given("flops_per_gpu"), bytesPerSecond: try given("bytes_per_second"),
        tokensPerStep: try given("tokens_per_step"), overlap: try given("overlap"))
      return [("gpus", gpus)]
    },
    Entry("bandwidth_for_efficiency") { (given) throws(StorageError) in
      let bytes = bandwidthForEfficiency(
        try given("efficiency"), gpus: try given("gpus"), modelParallel: try given("model_parallel"),
        flopsPerGPU: try given("flops_per_gpu"), tokensPerStep: try given("tokens_per_step"),
        overlap: try given("overlap"))
      return [("bytes_per_second_per_gpu", bytes)]
    },
    Entry("hybrid_step") { (given) throws(StorageError) in
      let step = hybridStep(
        HybridInputs(
          gpus: try given("gpus"), globalBatch: try given("global_batch"),
          sequenceTokens: try given("sequence_length"), tensor: try given("tensor_parallel"),
          pipeline: try given("pipeline_parallel"), virtualStages: try given("virtual_stages"),
          microBatch: try given("micro_batch"), baseMFU: try given("base_mfu"),
          bytesPerSecond: try given("bytes_per_second"), overlap: try given("overlap"),
          peakFlops: try given("peak_flops"), parameters: try given("parameters"),
          tokens: try given("tokens")))
      return [
        ("data_parallel", step.dataParallel), ("micro_batches", step.microBatches),
        ("bubble_fraction", step.bubbleFraction), ("all_reduce_seconds", step.allReduceSeconds),
        ("exposed_seconds", step.exposedSeconds), ("step_seconds", step.stepSeconds), ("mfu", step.mfu),
        ("days", step.days), ("gpu_hours", step.gpuHours),
      ]
    },
  ]

  private static let data: [Entry] = [
    Entry("loader_rate") { (given) throws(StorageError) in
      let rate = loaderRate(
        peakFlops: try given("peak_flops"), mfu: try given("mfu"), parameters: try given("parameters"),
        bytesPerToken: try given("bytes_per_token"), gpusPerReader: try given("gpus_per_reader"),
        gpus: try given("gpus"), gpusPerNode: try given("gpus_per_node"),
        sequenceTokens: try given("sequence_length"))
      return [
        ("tokens_per_second_per_gpu", rate.tokensPerSecondPerGPU),
        ("bytes_per_second_per_reader", rate.bytesPerSecondPerReader),
        ("bytes_per_second_busiest_node", rate.bytesPerSecondBusiestNode),
        ("bytes_per_second_per_node_if_every_rank_reads", rate.bytesPerSecondPerNodeIfEveryRankReads),
        ("bytes_per_second_total", rate.bytesPerSecondTotal),
        ("sequence_reads_per_second_busiest_node", rate.sequenceReadsPerSecondBusiestNode),
      ]
    },
    Entry("balance") { (given) throws(StorageError) in
      let (gpus, model) = (try given.count("gpus"), try given.count("model_parallel"))
      guard gpus >= model else { throw .usage("balance: “gpus” is below “model_parallel”.") }
      let found = balance(
        sequences: try given.count("sequences"), gpus: gpus, modelParallel: model,
        globalBatch: try given.count("global_batch"))
      return [
        ("data_parallel", Double(found.dataParallel)),
        ("sequences_per_rank_min", Double(found.sequencesPerRankMin)),
        ("ranks_with_one_more", Double(found.ranksWithOneMore)), ("full_steps", Double(found.fullSteps)),
        ("sequences_into_next_epoch", Double(found.sequencesIntoNextEpoch)),
        ("sequences_per_rank_per_step", Double(found.sequencesPerRankPerStep)),
      ]
    },
    Entry("store_size") { (given) throws(StorageError) in
      let size = storeSize(
        tokens: try given("tokens"), bytesPerToken: try given("bytes_per_token"),
        tokensPerDocument: try given("tokens_per_document"), segmentBytes: try given("segment_bytes"),
        sequenceTokens: try given("sequence_length"))
      return [
        ("token_bytes", size.tokenBytes), ("segments", size.segments), ("documents", size.documents),
        ("document_record_bytes", size.documentRecordBytes), ("sequences", size.sequences),
        ("pack_index_bytes_12_per_document", size.packIndexBytes),
      ]
    },
    Entry("even_split") { (given) throws(StorageError) in
      let split = evenSplit(
        bytes: try given("bytes"), gpus: try given("gpus"), coresPerGPU: try given("cores_per_gpu"))
      return [("bytes_per_gpu", split.bytesPerGPU), ("bytes_per_core", split.bytesPerCore)]
    },
    Entry("tokens_from_bytes") { (given) throws(StorageError) in
      [("tokens", tokensFromBytes(bytes: try given("bytes"), bytesPerToken: try given("bytes_per_token")))]
    },
  ]

  private static func flops(_ given: Inputs) throws(StorageError) -> Double {
    trainingFlops(
      parameters: try given("parameters"), tokens: try given("tokens"),
      flopsPerParameterToken: try given("flops_per_parameter_token"))
  }
}
