import Bytes
import Storage

extension View {
  /// SHA-256 of the canonical `order`: ignores GPUs, batch and topology; changes with the store, the split, the seed
  /// and the sequence length.
  public var orderHash: String { order.hash }

  /// The view's file: JSON for people too, at most 2 KB (mixtures of many classes excepted).
  public var bytes: [UInt8] { json.serialized(indent: 1) + [10] }

  /// With `sha256` of all other members: a view that was edited or damaged does not go unnoticed.
  public var json: JSONValue {
    let members = content.members ?? []
    return .object(members + [.init("sha256", .string(Self.hash(content)))])
  }

  private static func hash(_ json: JSONValue) -> String { SHA256.hex(json.canonical().span) }

  private var content: JSONValue {
    [
      "format": .string(View.format),
      "order": order.json,
      "holdout": holdout.json,
      "epochs": .int(epochs),
      "start": .int(start),
      "batch": ["global": .int(globalBatch), "micro": .int(microBatch)],
      "topology": [
        "framework": .string(framework.rawValue), "rank_order": .string(topology.rankOrderText),
        "tensor": .int(topology.tensor), "context": .int(topology.context),
        "pipeline": .int(topology.pipeline),
        "expert": .int(topology.expert),
      ],
      "gpus": .int(topology.gpus),
      "gpus_per_node": .int(gpusPerNode),
    ]
  }

  /// Is this the text of a view? (Looks at `format` only.)
  public static func isView(_ bytes: [UInt8]) -> Bool {
    (try? JSONValue.parse(bytes))?["format"]?.string == format
  }

  /// Reads a view's file.
  ///
  /// - Throws: `.input` that names the member which is missing, out of bounds or contradicts another, or says that the
  ///   file is not what was written.
  public init(bytes: [UInt8], path: String) throws(StorageError) {
    let root = try JSONFields(parsing: bytes, path: path)
    guard try root.string("format") == View.format else {
      throw .input(path: path, reason: "not a view of format \(View.format)")
    }
    let written = try root.string("sha256")
    let members = root.value.members ?? []
    guard View.hash(.object(members.filter { $0.key != "sha256" })) == written else {
      throw .input(
        path: path,
        reason:
          "its sha256 is not that of its content: the view was edited or damaged. Make it again with `sluice shard`"
      )
    }
    try self.init(fields: root)
  }

  private init(fields root: JSONFields) throws(StorageError) {
    let path = root.path
    order = try Order(json: try root.object("order"))
    holdout = try Holdout(json: try root.object("holdout"))
    epochs = try root.int("epochs", in: 1...ViewOptions.epochsMax)
    start = try root.int("start", in: 0...epochs * order.sequences)
    let shape = try root.object("topology")
    let name = try shape.string("framework")
    guard let framework = Framework(rawValue: name) else {
      throw .input(path: path, reason: "topology.framework: unknown framework “\(name)”")
    }
    self.framework = framework
    let sizes = 1...Topology.gpusMax
    let context = try shape.int("context", in: sizes)
    do throws(StorageError) {
      topology = try Topology(
        gpus: try root.int("gpus", in: sizes), tensor: try shape.int("tensor", in: sizes), context: context,
        pipeline: try shape.int("pipeline", in: sizes), expert: try shape.int("expert", in: sizes),
        rankOrder: try Topology.parseRankOrder(try shape.string("rank_order"), context: context))
    } catch {
      if case .usage(let text) = error { throw .input(path: path, reason: "topology: \(text)") }
      throw error
    }
    let batch = try root.object("batch")
    globalBatch = try batch.int("global", in: 1...ViewOptions.batchMax)
    microBatch = try batch.int("micro", in: 1...max(1, ViewOptions.batchMax / topology.data))
    guard globalBatch % (microBatch * topology.data) == 0 else {
      throw .input(
        path: path, reason: "batch: \(globalBatch) is no multiple of \(microBatch)·\(topology.data)")
    }
    gpusPerNode = try root.int("gpus_per_node", in: 1...topology.gpus)
  }
}

extension View.Order {
  /// `sha256:` and the SHA-256 of the canonical JSON.
  public var hash: String { "sha256:" + SHA256.hex(json.canonical().span) }

  public var json: JSONValue {
    let storesMember: JSONValue.Member =
      stores.count == 1
      ? .init("store", .string(stores[0])) : .init("stores", .array(stores.map { .string($0) }))
    let rest: JSONValue = [
      "split": .string(split), "seed": .int(seed),
      "sequence": ["tokens": .int(tokens), "overlap": .int(overlap)],
      "packing": packing.json,
      "shuffle": shuffle.json,
      "mixture": mixture.map(\.json) ?? .null,
      "sequences": .int(sequences), "padding_tokens": .int(paddingTokens), "tail_tokens": .int(tailTokens),
    ]
    return .object([storesMember] + (rest.members ?? []))
  }

  init(json: JSONFields) throws(StorageError) {
    stores = json.value["stores"] == nil ? [try json.string("store")] : try json.strings("stores")
    guard !stores.isEmpty else { throw .input(path: json.path, reason: "order.stores: is empty") }
    split = try json.string("split")
    seed = try json.int("seed", in: 0...Int.max)
    let sequence = try json.object("sequence")
    tokens = try sequence.int("tokens", in: 1...ViewOptions.sequenceTokensMax)
    overlap = try sequence.int("overlap", in: 0...min(1, tokens - 1))
    packing = try View.Packing(json: try json.object("packing"))
    shuffle = try View.Shuffle(json: try json.object("shuffle"))
    mixture = json.value["mixture"] == .null ? nil : try View.Mixture(json: try json.object("mixture"))
    let most = ViewOptions.tokensMax / tokens
    sequences = try json.int("sequences", in: 1...max(1, most))
    paddingTokens = try json.int("padding_tokens", in: 0...ViewOptions.tokensMax)
    tailTokens = try json.int("tail_tokens", in: 0...ViewOptions.tokensMax)
    if let mixture {
      guard packing.index != nil else {
        throw .input(path: json.path, reason: "order.packing.index: a mixture needs one")
      }
      guard mixture.classes.reduce(0, { $0 + $1.sequences }) == sequences else {
        throw .input(path: json.path, reason: "order.sequences: not the sum of the classes")
      }
    }
  }
}

extension View.Packing {
  var json: JSONValue {
    ["policy": .string(policy.rawValue), "index": index.map { .string($0) } ?? .null]
  }

  init(json: JSONFields) throws(StorageError) {
    let name = try json.string("policy")
    guard let policy = PackingPolicy(rawValue: name) else {
      throw .input(path: json.path, reason: "\(json.place)policy: this version cannot read “\(name)”")
    }
    self.policy = policy
    index = json.value["index"] == .null ? nil : try json.string("index")
    guard policy == .concat || index != nil else {
      throw .input(path: json.path, reason: "\(json.place)index: \(name) needs one")
    }
  }
}

extension View.Shuffle {
  var json: JSONValue {
    switch self {
    case .permutation: ["kind": "permutation"]
    case .blocks(let block, let window): ["kind": "blocks", "block": .int(block), "window": .int(window)]
    }
  }

  init(json: JSONFields) throws(StorageError) {
    switch try json.string("kind") {
    case "permutation": self = .permutation
    case "blocks":
      self = .blocks(
        block: try json.int("block", in: 1...Self.blockMax),
        window: try json.int("window", in: 1...Self.windowMax))
    case let kind:
      throw .input(path: json.path, reason: "\(json.place)kind: this version cannot read “\(kind)”")
    }
  }
}

extension View.Mixture {
  var json: JSONValue {
    [
      "by": .string(by.rawValue), "epochs": .int(epochs), "block": .int(block),
      "classes": .array(
        classes.map {
          [
            "name": .string($0.name), "weight_ppm": .int($0.weightPPM),
            "repetitions_max": .optional($0.repetitionsMax), "share": .int($0.share),
            "sequences": .int($0.sequences),
          ]
        }),
    ]
  }

  init(json: JSONFields) throws(StorageError) {
    guard let by = Grouping(rawValue: try json.string("by")), by != .none else {
      throw .input(path: json.path, reason: "\(json.place)by: expected source or language")
    }
    self.by = by
    epochs = try json.int("epochs", in: 1...ViewOptions.epochsMax)
    block = try json.int("block", in: 1...MixturePlanner.blockMax)
    classes = []
    for object in try json.objects("classes") {
      classes.append(
        Class(
          name: try object.string("name"), weightPPM: try object.int("weight_ppm", in: 0...1_000_000),
          repetitionsMax: try object.optionalInt("repetitions_max", in: 1...MixtureOptions.repetitionsLimit),
          share: try object.int("share", in: 1...block),
          sequences: try object.int("sequences", in: 1...ViewOptions.tokensMax)))
    }
    guard classes.count <= MixtureOptions.classesMax, classes.reduce(0, { $0 + $1.share }) == block else {
      throw .input(path: json.path, reason: "\(json.place)classes: the shares do not add up to the block")
    }
  }
}
