/// The plan for people: every number with its unit, and where it is assumed, that and the option which sets it.
extension TrainingPlan {
  /// Columns of all tables but the one of GPU counts.
  public static let columns = ["what", "value", "how"]

  public var tables: [Inspection.Table] {
    var tables = [
      table("the run", runRows), table("the cluster", clusterRows), table("time, money, energy", costRows),
      countTable, table("memory of the fullest rank", memoryRows), table("data", dataRows),
    ]
    if !notes.isEmpty {
      tables.append(
        Inspection.Table(title: "notes", columns: ["note"], rows: notes.map { ["- " + $0] }))
    }
    return tables
  }

  private func table(_ title: String, _ rows: [[String]]) -> Inspection.Table {
    Inspection.Table(title: title, columns: Self.columns, rows: rows)
  }

  /// `given` or `assumed`, with the option that sets it.
  private func origin(_ isGiven: Bool, _ option: String, _ reason: String = "") -> String {
    isGiven ? "given" : "assumed" + (reason.isEmpty ? "" : ": " + reason) + "; set with " + option
  }

  // MARK: The run

  private var runRows: [[String]] {
    let isShapeGiven = request.shape != nil
    let shapeText =
      "\(shape.layers) layers, \(Quantity.number(Double(shape.hidden), digits: 6)) wide, \(shape.heads) heads"
    let tokensFrom = request.corpus.map { "train split of \($0.folder)" } ?? "given"
    var rows = [
      [
        "parameters", Quantity.short(parameters),
        request.parameters != nil ? "given" : "of the shape: attention, feed-forward, norms, embedding",
      ],
      [
        "shape", shapeText,
        origin(
          isShapeGiven, "--layers, --hidden, --heads", "typical for this size, decides only about memory"),
      ],
      ["tokens", Quantity.short(request.tokens) + " tokens", tokensFrom],
      ["epochs", Quantity.number(request.epochs), request.epochs == 1 ? "default" : "given"],
      [
        "ids per sequence", Quantity.number(Double(sequence), digits: 9),
        origin(request.sequence != nil, "--sequence"),
      ],
      ["training", Quantity.scientific(flops) + " FLOP", "6 · parameters · tokens · epochs"],
      ["", Quantity.number(pfDays, digits: 4) + " PF-days", "8.64e19 FLOP each"],
    ]
    if request.recomputation == .full {
      rows.append([
        "executed", Quantity.scientific(executedFlops) + " FLOP", "8 with full recomputation; MFU counts 6",
      ])
    }
    rows.append(
      contentsOf: [
        [
          "attention over the sequence", "+ " + Quantity.percent(attentionShare),
          "causal; not in 6 · parameters, so in no figure below",
        ],
        [
          "tokens per parameter", Quantity.number(tokensPerParameter),
          "20 spends compute best (Hoffmann et al. 2022)",
        ],
        [
          "best model for this corpus", Quantity.short(optimalParameters) + " parameters",
          "tokens / 20",
        ],
        [
          "this model would want", Quantity.short(optimalTokens) + " tokens", "20 · parameters",
        ],
        [
          "best model for this compute", Quantity.short(optimalParametersForCompute) + " parameters",
          "√(FLOP / 120)",
        ],
      ])
    return rows
  }

  // MARK: The cluster

  private var clusterRows: [[String]] {
    let device = request.device
    let data = chosen.dataParallel
    let networkReason = isWithinNode ? "link within a node" : "one adapter per GPU of its generation"
    return [
      [
        "device", device.name,
        "\(Quantity.number(device.peakFlops / 1e12)) TFLOP/s dense 16-bit, \(Quantity.bytes(device.memoryBytes)); \(device.source)",
      ],
      ["GPUs", Quantity.number(Double(gpus), digits: 9), gpusFrom],
      [
        "TP · PP · CP · DP",
        "\(request.tensor) · \(request.pipeline) · \(request.context) · \(data)",
        "DP at most \(Quantity.number(Double(counts.replicasMax), digits: 9)): global batch / micro-batch",
      ],
      [
        "global batch", "\(Quantity.number(Double(globalBatch), digits: 9)) sequences",
        batchFrom,
      ],
      [
        "", Quantity.short(batchTokens) + " tokens",
        "micro-batches per replica: \(chosen.microBatches) of \(request.microBatch)",
      ],
      [
        "MFU of a replica", Quantity.percent(baseMFU),
        origin(
          request.mfu != nil, "--mfu",
          request.recomputation == .full
            ? "\(Quantity.percent(device.mfu)) · 6/8 for full recomputation" : "usual for \(device.name)"),
      ],
      [
        "network", Quantity.bytes(network) + "/s per GPU",
        origin(request.network != nil, "--network", networkReason),
      ],
      [
        "all-reduce hidden", Quantity.percent(overlap),
        origin(request.overlap != nil, "--overlap", "behind the backward pass"),
      ],
      ["step", Quantity.number(chosen.stepSeconds) + " s", "compute, bubble and exposed all-reduce"],
      [
        "bubble", Quantity.percent(chosen.bubbleFraction),
        "of the pipeline's time; 1 + (PP − 1)/(v · micro-batches), v = \(request.virtualStages)",
      ],
      [
        "all-reduce", Quantity.percent(chosen.allReduceShare),
        "of the step is exposed; \(Quantity.number(chosen.allReduceSeconds)) s in all",
      ],
      ["MFU reached", Quantity.percent(chosen.mfu), "over the whole step"],
      [
        "data-parallel efficiency", Quantity.percent(dataParallelEfficiency),
        "90 % up to \(Quantity.number(gpusAtNinety.rounded(.down), digits: 9)) GPUs"
          + (request.network == nil && isWithinNode ? " over the network between nodes" : "")
          + (data * request.context > 1 ? "; here it needs \(Quantity.bytes(bandwidthForNinety))/s" : ""),
      ],
    ]
  }

  private var gpusFrom: String {
    if request.gpus != nil { return "given" }
    if let days = request.days {
      return "the least that needs at most \(Quantity.number(days)) days"
    }
    return "the most that \(Quantity.dollars(request.budget ?? 0)) pay for at the upper price"
  }

  private var batchFrom: String {
    if request.globalBatch != nil { return "given" }
    if let tokens = request.globalBatchTokens {
      return "\(Quantity.short(tokens)) tokens given, rounded up to whole micro-batches"
    }
    return "assumed: 4 Mi tokens, rounded up to whole micro-batches; set with --global-batch"
  }

  // MARK: Cost

  private var costRows: [[String]] {
    var rows = [
      [
        "time", Quantity.duration(chosen.days * 86_400),
        "\(Quantity.number(steps.rounded(.up), digits: 9)) steps; without failures, restarts and checkpoints",
      ]
    ]
    if let days = request.days, request.gpus != nil {
      rows.append([
        "target", Quantity.number(days) + " days", chosen.days <= days ? "met" : "missed: more GPUs, --gpus",
      ])
    }
    rows.append(["GPU-hours", Quantity.short(chosen.gpuHours), "GPUs · hours"])
    if let cost, let price {
      rows.append([
        "cost", span(cost) { Quantity.dollars($0) },
        "\(span(price) { "$" + Quantity.number($0) }) per GPU-hour, "
          + (request.price != nil ? "given" : "list prices of \(request.device.priceDate); set with --price"),
      ])
      if let budget = request.budget {
        let verdict =
          cost.upperBound <= budget ? "met" : cost.lowerBound <= budget ? "met at the lower price" : "missed"
        rows.append(["budget", Quantity.dollars(budget), verdict])
      }
    } else {
      rows.append(["cost", "unknown", "no public price of \(request.device.name); set with --price"])
    }
    if let energyJoules, let boardWatts {
      rows.append([
        "energy", Quantity.energy(megawattHours: energyJoules / 3.6e9),
        "boards at \(Quantity.number(boardWatts, digits: 4)) W whatever the MFU"
          + (request.boardWatts != nil ? " (given)" : "") + ", PUE \(Quantity.number(pue)) "
          + (request.pue != nil ? "(given)" : "(assumed; set with --pue)")
          + "; hosts and switches not counted",
      ])
    } else {
      rows.append([
        "energy", "unknown", "power of \(request.device.name) is not published; set with --board-power",
      ])
    }
    return rows
  }

  private func span(_ range: ClosedRange<Double>, _ text: (Double) -> String) -> String {
    range.lowerBound == range.upperBound
      ? text(range.lowerBound) : "\(text(range.lowerBound)) to \(text(range.upperBound))"
  }

  // MARK: More or fewer GPUs

  private var countTable: Inspection.Table {
    var rows = counts.rows
    if !rows.contains(where: { $0.gpus == gpus }) {
      rows.insert(chosen, at: rows.firstIndex { $0.gpus > gpus } ?? rows.count)
    }
    let title: String
    if let knee = counts.knee {
      title =
        "more or fewer GPUs: doubling pays up to \(Quantity.number(Double(knee.gpus), digits: 9)); the next gains "
        + "\(Quantity.number(knee.gain)) × instead of 2 (knee: below \(Quantity.number(2 * GPUCounts.worthwhileShare)) ×)"
    } else {
      title = "more or fewer GPUs: every doubling pays up to the batch's limit"
    }
    return Inspection.Table(
      title: title,
      columns: [
        "GPUs", "DP", "step s", "MFU %", "bubble %", "all-reduce %", "days", "GPU-hours", "cost $", "",
      ],
      rows: rows.map { row in
        [
          Quantity.number(Double(row.gpus), digits: 9), Quantity.number(Double(row.dataParallel), digits: 9),
          Quantity.number(row.stepSeconds), Quantity.number(row.mfu * 100),
          Quantity.number(row.bubbleFraction * 100), Quantity.number(row.allReduceShare * 100),
          Quantity.number(row.days), Quantity.short(row.gpuHours),
          price.map { range in
            span(range.lowerBound * row.gpuHours...range.upperBound * row.gpuHours) { Quantity.short($0) }
          } ?? "unknown",
          (row.gpus == gpus ? "this plan " : "") + (row.gpus == counts.knee?.gpus ? "knee " : "")
            + (row.isUneven ? "uneven batch" : ""),
        ]
      })
  }

  // MARK: Memory

  private var memoryRows: [[String]] {
    let capacity = request.device.memoryBytes
    let verdict = memory.verdict(capacity: capacity)
    let recompute = request.recomputation ?? .selective
    let optimizer =
      request.isOptimizerDistributed
      ? "12 bytes per parameter shared by \(chosen.dataParallel * request.context) ranks (distributed optimizer)"
      : "12 bytes per parameter"
    return [
      [
        "parameters", Quantity.short(memory.parametersPerRank), "parameters / (TP · PP)",
      ],
      ["weights and gradients", Quantity.bytes(memory.weightBytes), "6 bytes per parameter"],
      ["optimizer", Quantity.bytes(memory.optimizerBytes), optimizer],
      [
        "activations", Quantity.bytes(memory.activationBytes),
        "recompute \(recompute.rawValue), "
          + origin(request.recomputation != nil, "--recompute", "fused attention")
          + (request.shape == nil ? "; of the assumed shape" : ""),
      ],
      [
        "in all", Quantity.bytes(memory.total),
        "\(Quantity.percent(memory.total / capacity)) of \(Quantity.bytes(capacity)): \(verdict.rawValue)"
          + (verdict == .fits ? "" : " (a tenth is kept for buffers: assumed)"),
      ],
    ]
  }

  // MARK: Data

  private var dataRows: [[String]] {
    let loading = loading
    let size = storeSize
    let balance = balance
    let perDocument = "\(Quantity.number(tokensPerDocument)) tokens per document, "
    return [
      [
        "store", Quantity.bytes(size.tokenBytes),
        "\(bytesPerToken) bytes per token"
          + (request.corpus != nil
            ? ", of the store" : request.shape != nil ? ", of the vocabulary" : ", assumed")
          + "; \(Quantity.number(size.segments, digits: 9)) segments of 1 GiB",
      ],
      [
        "documents", Quantity.short(size.documents),
        perDocument + (request.corpus != nil ? "of the store" : "assumed")
          + "; records \(Quantity.bytes(size.documentRecordBytes)), pack index about \(Quantity.bytes(size.packIndexBytes))",
      ],
      [
        "sequences", Quantity.short(size.sequences),
        "a rank reads \(Quantity.short(Double(balance.sequencesPerRankMin))) per epoch"
          + (balance.ranksWithOneMore > 0
            ? ", \(balance.ranksWithOneMore) of \(balance.dataParallel) one more" : ""),
      ],
      [
        "reading, busiest node", Quantity.bytes(loading.bytesPerSecondBusiestNode) + "/s",
        "\(Quantity.number(loading.sequenceReadsPerSecondBusiestNode)) sequences/s, one reader per replica; "
          + "\(gpusPerNode) GPUs per node " + (request.gpusPerNode != nil ? "given" : "assumed"),
      ],
      [
        "reading, if every rank reads", Quantity.bytes(loading.bytesPerSecondPerNodeIfEveryRankReads) + "/s",
        "per node",
      ],
      [
        "reading, in all", Quantity.bytes(loading.bytesPerSecondTotal) + "/s",
        "\(Quantity.number(loading.tokensPerSecondPerGPU)) tokens/s per GPU",
      ],
    ]
  }
}
