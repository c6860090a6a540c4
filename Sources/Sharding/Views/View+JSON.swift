import Bytes
import Storage

extension View {
  /// SHA-256 of the canonical `order`: ignores GPUs, batch and topology; changes with the store, the split, the seed
  /// and the sequence length.
  public var orderHash: String { "sha256:" + Hex.string(SHA256.hash(order.json.canonical().span)) }

  /// The view's file: JSON for people too, at most 2 KB.
  public var bytes: [UInt8] { json.serialized(indent: 1) + [10] }

  public var json: JSONValue {
    [
      "format": .string(View.format),
      "order": order.json,
      "holdout": holdout.json,
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
  /// - Throws: `.input` that names the member which is missing, out of bounds or contradicts another.
  public init(bytes: [UInt8], path: String) throws(StorageError) {
    let root = try JSONFields(parsing: bytes, path: path)
    guard try root.string("format") == View.format else {
      throw .input(path: path, reason: "not a view of format \(View.format)")
    }
    order = try Order(json: try root.object("order"))
    holdout = try Holdout(json: try root.object("holdout"))
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
    microBatch = try batch.int("micro", in: 1...ViewOptions.batchMax / topology.data)
    guard globalBatch % (microBatch * topology.data) == 0 else {
      throw .input(
        path: path, reason: "batch: \(globalBatch) is no multiple of \(microBatch)·\(topology.data)")
    }
    gpusPerNode = try root.int("gpus_per_node", in: 1...topology.gpus)
  }
}

extension View.Order {
  public var json: JSONValue {
    [
      "store": .string(store), "split": .string(split), "seed": .int(seed),
      "sequence": ["tokens": .int(tokens), "overlap": .int(overlap)],
      "packing": ["policy": .string(packing.rawValue)],
      "shuffle": ["kind": "permutation"],
      "mixture": .null,
      "sequences": .int(sequences), "padding_tokens": .int(paddingTokens), "tail_tokens": .int(tailTokens),
    ]
  }

  init(json: JSONFields) throws(StorageError) {
    store = try json.string("store")
    split = try json.string("split")
    seed = try json.int("seed", in: 0...Int.max)
    let sequence = try json.object("sequence")
    tokens = try sequence.int("tokens", in: 1...ViewOptions.sequenceTokensMax)
    overlap = try sequence.int("overlap", in: 0...min(1, tokens - 1))
    let policy = try json.object("packing").string("policy")
    guard let packing = View.Packing(rawValue: policy) else {
      throw .input(
        path: json.path, reason: "order.packing.policy: this version cannot read “\(policy)”; it knows concat"
      )
    }
    self.packing = packing
    guard try json.object("shuffle").string("kind") == "permutation" else {
      throw .input(path: json.path, reason: "order.shuffle.kind: this version knows permutation")
    }
    guard json.value["mixture"] == .null else {
      throw .input(path: json.path, reason: "order.mixture: this version reads no mixtures")
    }
    sequences = try json.int("sequences", in: 1...ViewOptions.tokensMax / tokens)
    paddingTokens = try json.int("padding_tokens", in: 0...ViewOptions.tokensMax)
    tailTokens = try json.int("tail_tokens", in: 0...ViewOptions.tokensMax)
  }
}
