import Storage

extension ExportPlan {
  /// More shards than this are a mistake: each is a file, and their names have five digits.
  static let shardsMax = 100_000

  /// Plans the documents of a split, grouped into shards of equal numbers (`--shards`) or of bounded size (`--shard-bytes`).
  ///
  /// - Throws: `.usage` for more shards than documents; `.input` for a store that cannot be read.
  static func documents(
    of store: TokenStore, _ split: StoreManifest.Split, as exporter: any Exporter, _ options: ExportOptions
  ) throws(StorageError) -> ExportPlan {
    var plan = ExportPlan(exporter, .documents, split.name, store.manifest, options)
    let index = DocumentIndex(store, split)
    var bounds = [0]
    if let shards = options.shards {
      try checkShards(shards, records: split.documents, "documents")
      for shard in 0..<shards {
        bounds.append(SequencePlan.staticShare(shard, of: shards, sequences: split.documents).upperBound)
      }
    } else if let bytes = plan.shardBytes(exporter) {
      var token = 0
      while bounds[bounds.count - 1] < split.documents {
        let next = try index.documents(
          upTo: token + bytes / plan.width.bytes, after: bounds[bounds.count - 1])
        bounds.append(next.document)
        token = next.token
        try checkCount(bounds.count - 1)
      }
    } else {
      bounds.append(split.documents)
    }
    var before = 0
    for (first, end) in zip(bounds, bounds.dropFirst()) {
      let token = try index.firstToken(ofDocument: end)
      plan.shards.append(Shard(firstRecord: first, records: end - first, tokens: token - before))
      before = token
    }
    return plan
  }

  /// Plans whole windows of `--window` ids.
  static func windows(
    of store: TokenStore, _ split: StoreManifest.Split, as exporter: any Exporter, _ options: ExportOptions
  ) throws(StorageError) -> ExportPlan {
    guard let window = options.window else {
      throw .usage(
        "\(exporter.name): its reader cuts windows and drops what is left in each file. Give --window T, the number of ids that "
          + "your training code reads at once (block_size of TokensLoader).")
    }
    guard window >= 1, window <= ViewOptions.sequenceTokensMax else {
      throw .usage("--window must lie between 1 and \(ViewOptions.sequenceTokensMax) ids.")
    }
    let whole = split.tokens / window
    guard whole > 0 else {
      throw .usage(
        "--window \(window): the split “\(split.name)” has only \(split.tokens) tokens. Choose a smaller --window."
      )
    }
    var plan = ExportPlan(exporter, .windows, split.name, store.manifest, options)
    plan.tokensPerRecord = window
    plan.tailTokens = split.tokens % window
    try plan.shareEqually(whole, "windows of \(window) ids", exporter)
    if plan.tailTokens > 0 {
      plan.shards[plan.shards.count - 1].records += 1
      plan.shards[plan.shards.count - 1].tokens += plan.tailTokens
    }
    return plan
  }

  init(
    _ exporter: any Exporter, _ records: Records, _ split: String, _ manifest: StoreManifest,
    _ options: ExportOptions
  ) {
    format = exporter.name
    self.records = records
    self.split = split
    width = manifest.width
    tokenizer = manifest.tokenizer
    shards = []
    self.options = options
  }

  /// Deals `count` records of `tokensPerRecord` ids out: equal numbers per shard, or as many as the size allows.
  mutating func shareEqually(_ count: Int, _ what: String, _ exporter: any Exporter) throws(StorageError) {
    let length = tokensPerRecord ?? 1
    var number = options.shards ?? 1
    if options.shards == nil, let bytes = shardBytes(exporter) {
      let perShard = max(1, bytes / (length * width.bytes))
      number = (count - 1) / perShard + 1
    }
    try Self.checkShards(number, records: count, what)
    for shard in 0..<number {
      let share = SequencePlan.staticShare(shard, of: number, sequences: count)
      shards.append(
        Shard(firstRecord: share.lowerBound, records: share.count, tokens: share.count * length))
    }
  }

  private func shardBytes(_ exporter: any Exporter) -> Int? {
    options.shardBytes ?? exporter.shardBytesDefault
  }

  private static func checkShards(_ shards: Int, records: Int, _ what: String) throws(StorageError) {
    guard shards >= 1, shards <= records else {
      throw .usage("--shards must lie between 1 and \(records), the number of \(what), not \(shards).")
    }
    try checkCount(shards)
  }

  static func checkCount(_ shards: Int) throws(StorageError) {
    guard shards <= shardsMax else {
      throw .usage(
        "More than \(shardsMax) shards. Choose a larger --shard-bytes, or fewer --shards.")
    }
  }
}

/// Documents of a split counted through its segments: a few reads per question, whatever the split's size.
struct DocumentIndex {
  private let store: TokenStore
  private let split: StoreManifest.Split
  private let firstDocuments: [Int]
  private let firstTokens: [Int]

  init(_ store: TokenStore, _ split: StoreManifest.Split) {
    self.store = store
    self.split = split
    var documents = [0]
    var tokens = [0]
    for segment in split.segments {
      documents.append(documents[documents.count - 1] + segment.documents)
      tokens.append(tokens[tokens.count - 1] + segment.tokens)
    }
    firstDocuments = documents
    firstTokens = tokens
  }

  private func segment(_ table: [Int], _ value: Int) -> Int {
    var low = 0
    var high = split.segments.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if table[middle] <= value { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// Tokens before a document; for the number of all documents, all tokens.
  func firstToken(ofDocument document: Int) throws(StorageError) -> Int {
    guard document < split.documents else { return firstTokens[split.segments.count] }
    let number = segment(firstDocuments, document)
    let reader = try store.open(split, segment: number)
    return firstTokens[number] + (try reader.range(ofDocument: document - firstDocuments[number]).lowerBound)
  }

  /// The most documents from `first` on that end at or before `token`, at least one: the next document and its first token.
  func documents(
    upTo token: Int, after first: Int
  ) throws(StorageError) -> (document: Int, token: Int) {
    if token >= firstTokens[split.segments.count] {
      return (split.documents, firstTokens[split.segments.count])
    }
    let number = segment(firstTokens, token)
    let reader = try store.open(split, segment: number)
    // The document that holds `token` would pass it.
    let inSegment = try reader.document(atToken: token - firstTokens[number])
    let next = max(first + 1, firstDocuments[number] + inSegment)
    return (next, try firstToken(ofDocument: next))
  }
}
