import Storage

/// What a user asks of the planner. Nil: not given, so assumed (and said so) or derived.
public struct TrainingPlanRequest: Sendable {
  /// What is known of the corpus because it lies here.
  public struct Corpus: Equatable, Sendable {
    public var documents: Int
    public var width: TokenWidth
    public var vocabulary: Int
    public var folder: String
  }

  public var parameters: Double?
  public var shape: ModelShape?
  /// Different tokens; `epochs` times as many are trained on.
  public var tokens: Double
  public var corpus: Corpus?
  public var epochs = 1.0
  /// Ids per sequence.
  public var sequence: Int?

  public var device: Device
  public var gpus: Int?
  public var days: Double?
  /// US dollars.
  public var budget: Double?
  public var gpusPerNode: Int?
  /// MFU of a replica, before bubbles and exposed all-reduce.
  public var mfu: Double?
  /// Bytes per second, GPU and direction.
  public var network: Double?
  /// Share of the all-reduce that hides behind the backward pass.
  public var overlap: Double?

  public var tensor = 1
  public var pipeline = 1
  public var context = 1
  public var virtualStages = 1
  /// Sequences.
  public var microBatch = 1
  public var globalBatch: Int?
  public var globalBatchTokens: Double?
  public var recomputation: Recomputation?
  public var isOptimizerDistributed = true

  /// US dollars per GPU and hour.
  public var price: ClosedRange<Double>?
  public var boardWatts: Double?
  public var pue: Double?

  public init(tokens: Double, device: Device) {
    self.tokens = tokens
    self.device = device
  }

  /// Takes tokens, documents and width of a store's `train` split.
  ///
  /// - Throws: `.usage` if there is no such split or no token in it.
  public init(store: TokenStore, device: Device) throws(StorageError) {
    let split = try store.manifest.split(Holdout.train)
    guard split.tokens > 0 else { throw .usage("--store \(store.folder): no token in its train split.") }
    self.init(tokens: Double(split.tokens), device: device)
    corpus = Corpus(
      documents: split.documents, width: store.manifest.width,
      vocabulary: store.manifest.tokenizer.vocabulary, folder: store.folder)
  }

  // MARK: Defaults

  public static let sequenceDefault = 4096
  /// 2²²: between GPT-3 (3.2 M) and later models of its class.
  public static let globalBatchTokensDefault = 4_194_304.0
  public static let overlapDefault = 0.8
  /// Large sites publish 1.1, the average of all is near 1.6.
  public static let pueDefault = 1.2
  /// Web documents after cleaning.
  public static let tokensPerDocumentDefault = 900.0

  /// Refuses what is out of bounds before anything is computed with it.
  ///
  /// - Throws: `.usage` that names the option.
  func check() throws(StorageError) {
    let sizes: [(option: String, value: Int?, limit: Int)] = [
      ("--gpus", gpus, Topology.gpusMax), ("--gpus-per-node", gpusPerNode, 65_536),
      ("--sequence", sequence, 1 << 30), ("--tensor-parallel", tensor, 1 << 16),
      ("--pipeline-parallel", pipeline, 1 << 16), ("--context-parallel", context, 1 << 16),
      ("--virtual-stages", virtualStages, 1 << 16), ("--micro-batch", microBatch, 1 << 20),
      ("--global-batch", globalBatch, 1 << 30),
    ]
    for size in sizes {
      guard let value = size.value else { continue }
      guard (1...size.limit).contains(value) else {
        throw .usage("\(size.option) must lie between 1 and \(size.limit), not \(value).")
      }
    }
    guard parameters != nil || shape != nil else {
      throw .usage(
        "The model's size is missing: give --parameters 7B, or --layers, --hidden, --heads and --vocab.")
    }
    guard gpus != nil || days != nil || budget != nil else {
      throw .usage("The number of GPUs is missing: give --gpus N, --days N or --budget DOLLARS.")
    }
    guard globalBatch == nil || globalBatchTokens == nil else {
      throw .usage("--global-batch and --global-batch-tokens exclude each other.")
    }
    guard Topology.gpusMax / tensor / pipeline / context >= 1 else {
      throw .usage("TP·PP·CP = \(tensor)·\(pipeline)·\(context) is more than \(Topology.gpusMax) GPUs.")
    }
    if budget != nil, price == nil, device.price == nil {
      throw .usage(
        "--budget: no public price of \(device.name) is in the table. Give --price DOLLARS per GPU-hour.")
    }
  }
}
