import ArgumentParser
import Sharding
import Storage

/// How large the model of `sluice plan` is.
struct ModelOptions: ParsableArguments {
  @Option(
    name: .long, help: ArgumentHelp("Parameters, e.g. 7B. Default: those of the shape.", valueName: "n"))
  var parameters: String?

  @Option(name: .long, help: ArgumentHelp("Layers of the model.", valueName: "n"))
  var layers: Int?

  @Option(name: .long, help: ArgumentHelp("Width of the model.", valueName: "n"))
  var hidden: Int?

  @Option(name: .long, help: ArgumentHelp("Attention heads. Default: width / 128.", valueName: "n"))
  var heads: Int?

  @Option(name: .long, help: ArgumentHelp("Heads of keys and values. Default: all.", valueName: "n"))
  var kvHeads: Int?

  @Option(
    name: .long, help: ArgumentHelp("Width of the feed-forward part. Default: 4 widths.", valueName: "n"))
  var ffn: Int?

  @Flag(name: .long, help: "The feed-forward part has three matrices (SwiGLU), not two.")
  var gated = false

  @Option(name: .long, help: ArgumentHelp("Ids of the vocabulary. Default: the store's.", valueName: "n"))
  var vocab: Int?

  @Flag(name: .long, help: "Input and output embedding are two matrices.")
  var untied = false

  @Option(name: .long, help: ArgumentHelp("Ids per sequence. Default: 4096.", valueName: "ids"))
  var sequence: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What is computed again: none, selective, full. Default: selective.", valueName: "level"))
  var recompute: String?

  func fill(_ request: inout TrainingPlanRequest) throws(StorageError) {
    if let parameters {
      request.parameters = try Quantity.count("--parameters", parameters, in: 1e3...1e16)
    }
    request.shape = try shape(request.corpus?.vocabulary)
    request.sequence = sequence
    if let recompute {
      guard let level = Recomputation(rawValue: recompute) else {
        throw .usage(
          "--recompute: there is no “\(recompute)”; there are "
            + Recomputation.allCases.map(\.rawValue).joined(separator: ", ") + ".")
      }
      request.recomputation = level
    }
  }

  private func shape(_ storeVocabulary: Int?) throws(StorageError) -> ModelShape? {
    guard let layers, let hidden else {
      guard layers == nil, hidden == nil, heads == nil, kvHeads == nil, ffn == nil, !gated, !untied,
        vocab == nil
      else { throw .usage("A shape needs at least --layers and --hidden.") }
      return nil
    }
    guard let vocabulary = vocab ?? storeVocabulary else {
      throw .usage("The shape's --vocab is missing (or give --store, which knows it).")
    }
    return try ModelShape(
      layers: layers, hidden: hidden, heads: heads ?? max(1, hidden / 128), keyValueHeads: kvHeads, ffn: ffn,
      isGated: gated, vocabulary: vocabulary, isUntied: untied)
  }
}

/// What the model of `sluice plan` is trained on.
struct CorpusOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Different tokens, e.g. 300B.", valueName: "n"))
  var tokens: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Token store: tokens, documents and width of its train split.", valueName: "folder"))
  var store: String?

  @Option(name: .long, help: ArgumentHelp("How often the tokens are read. Default: 1.", valueName: "n"))
  var epochs: String?

  func request(_ device: Device) throws(StorageError) -> TrainingPlanRequest {
    var request: TrainingPlanRequest
    switch (tokens, store) {
    case (let tokens?, nil):
      request = TrainingPlanRequest(
        tokens: try Quantity.count("--tokens", tokens, in: 1...1e17), device: device)
    case (nil, let store?): request = try TrainingPlanRequest(store: try TokenStore(store), device: device)
    case (nil, nil): throw .usage("The corpus is missing: give --tokens 300B or --store FOLDER.")
    case (_?, _?): throw .usage("--tokens and --store exclude each other.")
    }
    if let epochs { request.epochs = try Quantity.count("--epochs", epochs, in: 0.001...1e6) }
    return request
  }
}

/// What the training of `sluice plan` runs on.
struct ClusterOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Device, e.g. H100, A100-80, TPU-v5p.", valueName: "name"))
  var gpu: String?

  @Option(name: .long, help: ArgumentHelp("Number of devices.", valueName: "n"))
  var gpus: Int?

  @Option(name: .long, help: ArgumentHelp("Done in this many days: the least GPUs that are.", valueName: "n"))
  var days: String?

  @Option(name: .long, help: ArgumentHelp("At most this cost, e.g. 1M: the most GPUs.", valueName: "dollars"))
  var budget: String?

  @Option(name: .long, help: ArgumentHelp("Devices per node. Default: the table's.", valueName: "n"))
  var gpusPerNode: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Model FLOP utilization of a replica. Default: the table's.", valueName: "share"))
  var mfu: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Per device and direction, e.g. 50GB/s. Default: the table's.", valueName: "rate"))
  var network: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Share of the all-reduce that hides behind compute. Default: 0.8.", valueName: "share")
  )
  var overlap: String?

  @Option(
    name: .long, help: ArgumentHelp("A table of devices of your own (CSV).", valueName: "file"))
  var devices: String?

  func device() throws(StorageError) -> Device {
    let table: DeviceTable
    if let devices {
      table = try DeviceTable(csv: try FileSystem.readAll(devices, limit: 1 << 20), path: devices)
    } else {
      table = try DeviceTable.standard()
    }
    guard let gpu else {
      throw .usage(
        "--gpu is missing; there are \(table.devices.map(\.name).joined(separator: ", ")).")
    }
    return try table.device(gpu)
  }

  func fill(_ request: inout TrainingPlanRequest) throws(StorageError) {
    request.gpus = gpus
    request.gpusPerNode = gpusPerNode
    if let days { request.days = try Quantity.count("--days", days, in: 1e-6...1e6) }
    if let budget { request.budget = try Quantity.count("--budget", budget, in: 0.01...1e15) }
    if let mfu { request.mfu = try Quantity.share("--mfu", mfu, in: 0.001...1) }
    if let network { request.network = try Quantity.rate("--network", network) }
    if let overlap { request.overlap = try Quantity.share("--overlap", overlap) }
  }
}

/// How the training of `sluice plan` is cut up.
struct ParallelismOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Tensor parallel size.", valueName: "n"))
  var tensorParallel = 1

  @Option(name: .long, help: ArgumentHelp("Pipeline parallel size.", valueName: "n"))
  var pipelineParallel = 1

  @Option(name: .long, help: ArgumentHelp("Context parallel size.", valueName: "n"))
  var contextParallel = 1

  @Option(name: .long, help: ArgumentHelp("Model chunks per pipeline stage.", valueName: "n"))
  var virtualStages = 1

  @Option(name: .long, help: ArgumentHelp("Sequences per micro-batch.", valueName: "sequences"))
  var microBatch = 1

  @Option(
    name: .long, help: ArgumentHelp("Sequences per step. Default: 4 Mi tokens.", valueName: "sequences"))
  var globalBatch: Int?

  @Option(
    name: .long, help: ArgumentHelp("Tokens per step instead, e.g. 4M; rounded up.", valueName: "tokens"))
  var globalBatchTokens: String?

  @Flag(name: .long, help: "Each replica keeps the whole state of the optimizer.")
  var noDistributedOptimizer = false

  func fill(_ request: inout TrainingPlanRequest) throws(StorageError) {
    request.tensor = tensorParallel
    request.pipeline = pipelineParallel
    request.context = contextParallel
    request.virtualStages = virtualStages
    request.microBatch = microBatch
    request.globalBatch = globalBatch
    if let globalBatchTokens {
      request.globalBatchTokens = try Quantity.count("--global-batch-tokens", globalBatchTokens, in: 1...1e15)
    }
    request.isOptimizerDistributed = !noDistributedOptimizer
  }
}

/// What the training of `sluice plan` costs.
struct MoneyOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Dollars per GPU-hour: 2.5 or 2-4. Default: the table's dated range.", valueName: "dollars"))
  var price: String?

  @Option(name: .long, help: ArgumentHelp("Watts of a board. Default: the table's.", valueName: "watts"))
  var boardPower: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Power of the site over that of the boards. Default: 1.2.", valueName: "ratio"))
  var pue: String?

  func fill(_ request: inout TrainingPlanRequest) throws(StorageError) {
    if let price { request.price = try Quantity.range("--price", price) }
    if let boardPower { request.boardWatts = try Quantity.count("--board-power", boardPower, in: 1...1e5) }
    if let pue { request.pue = try Quantity.count("--pue", pue, in: 1...10) }
  }
}
