import Bytes
import Storage

extension View {
  /// Makes the view of a split; arithmetic on manifests, no token is read.
  ///
  /// - Parameter packs: the pack manifest of each store for `options.packKey`, in the order of the stores; empty where no
  ///   index is needed.
  /// - Throws: `.usage` for shapes that do not fit, the message names shapes that do; and for a resumed run whose order
  ///   this view does not continue.
  public init(
    of split: StoreSplit, packs: [PackManifest] = [], _ options: ViewOptions
  ) throws(StorageError) {
    let axes =
      if let text = options.rankOrder {
        try Topology.parseRankOrder(text, context: options.context)
      } else { options.framework.rankOrder }
    topology = try Topology(
      gpus: options.gpus, tensor: options.tensor, context: options.context, pipeline: options.pipeline,
      expert: options.expert, rankOrder: axes)
    try View.check(options)
    order = try Order(of: split, packs: packs, options)
    holdout = split.stores[0].manifest.holdout
    epochs = options.epochs
    framework = options.framework
    microBatch = options.microBatch
    globalBatch = try View.globalBatch(options, replicas: topology.data)
    gpusPerNode = try View.gpusPerNode(options)
    start = 0
    if let state = options.resume {
      try state.check(order)
      start = state.nextPosition
      guard start <= positions else {
        throw .usage(
          "The run stopped at position \(start), and \(epochs) epochs end at \(positions). Ask for more --epochs."
        )
      }
    }
  }

  /// The view of one store's split.
  public init(
    of store: StoreManifest, fingerprint: String, _ options: ViewOptions
  ) throws(StorageError) {
    let opened = TokenStore(folder: "", manifest: store, fingerprint: fingerprint)
    try self.init(of: try StoreSplit(opened, split: options.split), options)
  }

  /// Values that no view can have, whatever its stores.
  ///
  /// - Throws: `.usage`.
  public static func check(_ options: ViewOptions) throws(StorageError) {
    let tokens = options.sequenceTokens
    guard tokens >= 1, tokens <= ViewOptions.sequenceTokensMax else {
      throw .usage("--context must lie between 1 and \(ViewOptions.sequenceTokensMax) ids.")
    }
    guard options.overlap == 0 || options.overlap == 1, options.overlap < tokens else {
      throw .usage("--overlap must be 0 or 1, and less than --context.")
    }
    guard options.overlap == 0 || options.packKey == nil else {
      throw .usage(
        "--overlap 1 belongs to windows of one stream: use it with --packing concat and no --mixture. Packed "
          + "sequences share no id; take one id more per sequence with --context \(tokens + 1) instead.")
    }
    guard options.seed >= 0 else { throw .usage("--seed must not be negative.") }
    guard options.epochs >= 1, options.epochs <= ViewOptions.epochsMax else {
      throw .usage("--epochs must lie between 1 and \(ViewOptions.epochsMax).")
    }
    if case .blocks(let block, let window) = options.shuffle {
      guard (1...Shuffle.blockMax).contains(block), (1...Shuffle.windowMax).contains(window) else {
        throw .usage(
          "--shuffle blocks=B,W: B lies between 1 and \(Shuffle.blockMax) sequences, W between 1 and "
            + "\(Shuffle.windowMax) blocks.")
      }
    }
    let part = 2 * options.context
    let trained = tokens - options.overlap
    guard options.context <= 1 || trained % part == 0 else {
      let below = max(part, trained / part * part) + options.overlap
      throw .usage(
        "--context \(tokens) with --context-parallel \(options.context): the trained length \(trained) must be a "
          + "multiple of 2·CP = \(part), such as --context \(below).")
    }
  }

  private static func globalBatch(_ options: ViewOptions, replicas: Int) throws(StorageError) -> Int {
    guard options.microBatch >= 1, options.microBatch <= ViewOptions.batchMax / replicas else {
      throw .usage("--micro-batch must lie between 1 and \(ViewOptions.batchMax / replicas).")
    }
    let round = options.microBatch * replicas
    guard let batch = options.globalBatch else { return round }
    guard batch >= 1, batch <= ViewOptions.batchMax, batch % round == 0 else {
      let below = batch >= 1 && batch <= ViewOptions.batchMax ? batch / round * round : 0
      throw .usage(
        "--global-batch \(batch) is no multiple of micro-batch·DP = \(options.microBatch)·\(replicas) = \(round), "
          + "such as \(max(round, below)) or \(max(round, below) + round).")
    }
    return batch
  }

  private static func gpusPerNode(_ options: ViewOptions) throws(StorageError) -> Int {
    guard let nodes = options.nodes else { return min(8, options.gpus) }
    guard nodes >= 1, nodes <= options.gpus, options.gpus % nodes == 0 else {
      throw .usage(
        "--nodes \(nodes) does not divide \(options.gpus) GPUs. "
          + "Valid: \(Topology.list(Topology.divisors(options.gpus))).")
    }
    return options.gpus / nodes
  }
}

extension View.Order {
  /// The order of a split under these options.
  init(of split: StoreSplit, packs: [PackManifest], _ options: ViewOptions) throws(StorageError) {
    stores = split.stores.map(\.fingerprint)
    self.split = split.name
    seed = options.seed
    tokens = options.sequenceTokens
    overlap = options.overlap
    shuffle = options.shuffle
    guard options.packKey != nil else {
      packing = .stream
      mixture = nil
      sequences = SequencePlan.sequenceCount(
        tokens: split.tokens, sequence: options.sequenceTokens, overlap: options.overlap)
      guard sequences > 0 else {
        throw .usage(
          "--context \(options.sequenceTokens): the split “\(split.name)” has \(split.tokens) tokens, "
            + "not enough for one sequence. Choose a smaller --context.")
      }
      paddingTokens = 0
      tailTokens = split.tokens - (sequences - 1) * (tokens - overlap) - tokens
      return
    }
    guard packs.count == split.stores.count else {
      throw .bug("a view of packed sequences without its index")
    }
    packing = View.Packing(policy: options.packing, index: PackManifest.jointHash(packs))
    tailTokens = 0
    let bins = packs.reduce(0) { $0 + $1.units.reduce(0) { $0 + $1.bins } }
    guard bins > 0 else {
      throw .usage("The split “\(split.name)” holds no document: there is nothing to read.")
    }
    guard let wanted = options.mixture else {
      mixture = nil
      sequences = bins
      paddingTokens = packs.reduce(0) { $0 + $1.units.reduce(0) { $0 + $1.padding } }
      return
    }
    let made = try Self.mixture(wanted, split, packs, epochs: options.epochs)
    mixture = made
    sequences = made.classes.reduce(0) { $0 + $1.sequences }
    // Padding is known by unit, not by class: of a part of the classes it is not told.
    paddingTokens =
      sequences == bins ? packs.reduce(0) { $0 + $1.units.reduce(0) { $0 + $1.padding } } : 0
  }

  private static func mixture(
    _ wanted: MixtureOptions, _ split: StoreSplit, _ packs: [PackManifest], epochs: Int
  ) throws(StorageError) -> View.Mixture {
    let names = wanted.by == .source ? split.sources : split.languages
    var inputs: [MixturePlanner.Input] = []
    for (name, weight) in wanted.weights {
      guard names.contains(name) else {
        throw .usage(
          "--mixture: the split “\(split.name)” has no \(wanted.by.rawValue) “\(name)”; it has "
            + names.joined(separator: ", ") + ".")
      }
      inputs.append(
        MixturePlanner.Input(
          name: name, weight: weight,
          sequences: packs.reduce(0) { $0 + $1.bins(ofClass: name) },
          repetitionsMax: wanted.repetitions.first { $0.name == name }?.count ?? wanted.repetitionsMax))
    }
    return try MixturePlanner(by: wanted.by, inputs: inputs, epochs: epochs).mixture()
  }
}

extension PackManifest {
  /// The identity of the indexes of several stores: SHA-256 of their manifests' bytes, one after the other. Of one store
  /// it is the manifest's own hash.
  public static func jointHash(_ packs: [PackManifest]) -> String {
    var bytes: [UInt8] = []
    for pack in packs { bytes.append(contentsOf: pack.bytes) }
    return "sha256:" + Hex.string(SHA256.hash(bytes.span))
  }

  /// Bins of a class, by its name; 0 if there are none.
  public func bins(ofClass name: String) -> Int {
    guard let number = classes.firstIndex(of: name) else { return 0 }
    return units.reduce(0) { $0 + $1.classBins[number] }
  }
}
