import Bytes

/// The plan for programs: the figures of the tables, with SI units in the names of the members.
extension TrainingPlan {
  public var json: JSONValue {
    .object([
      .init("format", "sluice-plan/1"), .init("run", run), .init("cluster", cluster),
      .init("cost", costs), .init("gpu_counts", .array(counts.rows.map(row))),
      .init(
        "knee",
        counts.knee.map { ["gpus": .int($0.gpus), "gain": .double($0.gain)] } ?? .null),
      .init("memory", memoryMembers), .init("data", data), .init("assumed", .array(assumed)),
      .init("notes", .array(notes.map { .string($0) })),
    ])
  }

  private var run: JSONValue {
    [
      "parameters": .double(parameters), "layers": .int(shape.layers), "hidden": .int(shape.hidden),
      "heads": .int(shape.heads), "tokens": .double(request.tokens), "epochs": .double(request.epochs),
      "sequence_tokens": .int(sequence), "flops": .double(flops), "pf_days": .double(pfDays),
      "executed_flops": .double(executedFlops), "attention_share": .double(attentionShare),
      "tokens_per_parameter": .double(tokensPerParameter),
      "optimal_parameters_for_tokens": .double(optimalParameters),
      "optimal_tokens_for_parameters": .double(optimalTokens),
      "optimal_parameters_for_flops": .double(optimalParametersForCompute),
    ]
  }

  private var cluster: JSONValue {
    [
      "device": .string(request.device.name), "peak_flops_per_second": .double(request.device.peakFlops),
      "memory_bytes": .double(request.device.memoryBytes), "gpus": .int(gpus),
      "gpus_per_node": .int(gpusPerNode), "tensor_parallel": .int(request.tensor),
      "pipeline_parallel": .int(request.pipeline), "context_parallel": .int(request.context),
      "data_parallel": .int(chosen.dataParallel), "data_parallel_max": .int(counts.replicasMax),
      "virtual_stages": .int(request.virtualStages), "global_batch_sequences": .int(globalBatch),
      "global_batch_tokens": .double(batchTokens), "micro_batch_sequences": .int(request.microBatch),
      "micro_batches": .int(chosen.microBatches), "mfu_assumed": .double(baseMFU),
      "network_bytes_per_second": .double(network), "overlap": .double(overlap),
      "step_seconds": .double(chosen.stepSeconds), "bubble_fraction": .double(chosen.bubbleFraction),
      "all_reduce_seconds": .double(chosen.allReduceSeconds),
      "exposed_all_reduce_seconds": .double(chosen.exposedSeconds),
      "all_reduce_fraction": .double(chosen.allReduceShare), "mfu": .double(chosen.mfu),
      "data_parallel_efficiency": .double(dataParallelEfficiency),
      "gpus_at_90_percent_efficiency": .double(gpusAtNinety),
      "bytes_per_second_for_90_percent_efficiency": .double(bandwidthForNinety),
    ]
  }

  private var costs: JSONValue {
    [
      "steps": .double(steps.rounded(.up)), "train_seconds": .double(chosen.days * 86_400),
      "days": .double(chosen.days), "gpu_hours": .double(chosen.gpuHours),
      "price_usd_per_gpu_hour": range(price), "cost_usd": range(cost),
      "price_date": request.price == nil && price != nil ? .string(request.device.priceDate) : .null,
      "board_watts": optional(boardWatts), "pue": .double(pue), "energy_joules": optional(energyJoules),
      "energy_megawatt_hours": optional(energyJoules.map { $0 / 3.6e9 }),
    ]
  }

  private func row(_ row: GPUCount) -> JSONValue {
    [
      "gpus": .int(row.gpus), "data_parallel": .int(row.dataParallel), "uneven_batch": .bool(row.isUneven),
      "step_seconds": .double(row.stepSeconds), "mfu": .double(row.mfu),
      "bubble_fraction": .double(row.bubbleFraction), "all_reduce_fraction": .double(row.allReduceShare),
      "days": .double(row.days), "gpu_hours": .double(row.gpuHours),
      "cost_usd": range(
        price.map { $0.lowerBound * row.gpuHours...$0.upperBound * row.gpuHours }),
    ]
  }

  private var memoryMembers: JSONValue {
    [
      "parameters_per_rank": .double(memory.parametersPerRank),
      "weight_and_gradient_bytes": .double(memory.weightBytes),
      "optimizer_bytes": .double(memory.optimizerBytes),
      "activation_bytes": .double(memory.activationBytes), "bytes": .double(memory.total),
      "capacity_bytes": .double(request.device.memoryBytes),
      "recompute": .string((request.recomputation ?? .selective).rawValue),
      "distributed_optimizer": .bool(request.isOptimizerDistributed),
      "verdict": .string(memory.verdict(capacity: request.device.memoryBytes).rawValue),
      "changes_that_fit": .array(memoryAdvice.map { .string($0) }),
    ]
  }

  private var data: JSONValue {
    let (size, loading, balance) = (storeSize, loading, balance)
    return [
      "bytes_per_token": .int(bytesPerToken), "token_bytes": .double(size.tokenBytes),
      "segments": .double(size.segments), "documents": .double(size.documents),
      "document_record_bytes": .double(size.documentRecordBytes),
      "pack_index_bytes": .double(size.packIndexBytes), "sequences": .double(size.sequences),
      "sequences_per_rank_min": .int(balance.sequencesPerRankMin),
      "ranks_with_one_more": .int(balance.ranksWithOneMore),
      "tokens_per_second_per_gpu": .double(loading.tokensPerSecondPerGPU),
      "bytes_per_second_busiest_node": .double(loading.bytesPerSecondBusiestNode),
      "bytes_per_second_per_node_if_every_rank_reads": .double(
        loading.bytesPerSecondPerNodeIfEveryRankReads),
      "bytes_per_second_total": .double(loading.bytesPerSecondTotal),
      "sequence_reads_per_second_busiest_node": .double(loading.sequenceReadsPerSecondBusiestNode),
    ]
  }

  /// Names of the members above whose values nobody gave.
  private var assumed: [JSONValue] {
    let given: [(name: String, isGiven: Bool)] = [
      ("run.layers", request.shape != nil), ("run.hidden", request.shape != nil),
      ("run.heads", request.shape != nil), ("run.sequence_tokens", request.sequence != nil),
      ("cluster.gpus_per_node", request.gpusPerNode != nil), ("cluster.mfu_assumed", request.mfu != nil),
      ("cluster.network_bytes_per_second", request.network != nil),
      ("cluster.overlap", request.overlap != nil),
      (
        "cluster.global_batch_sequences",
        request.globalBatch != nil || request.globalBatchTokens != nil
      ),
      ("cost.price_usd_per_gpu_hour", request.price != nil || request.device.price == nil),
      ("cost.board_watts", request.boardWatts != nil || request.device.boardWatts == nil),
      ("cost.pue", request.pue != nil), ("memory.recompute", request.recomputation != nil),
      ("data.bytes_per_token", request.corpus != nil || request.shape != nil),
      ("data.documents", request.corpus != nil),
    ]
    return given.filter { !$0.isGiven }.map { .string($0.name) }
  }

  private func optional(_ value: Double?) -> JSONValue { value.map { .double($0) } ?? .null }

  private func range(_ value: ClosedRange<Double>?) -> JSONValue {
    value.map { ["low": .double($0.lowerBound), "high": .double($0.upperBound)] } ?? .null
  }
}
