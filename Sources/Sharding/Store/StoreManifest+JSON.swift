import Bytes
import Storage

extension StoreManifest {
  /// The canonical bytes: what stands in `manifest.json`, and what the fingerprint is taken of.
  public var bytes: [UInt8] { json.canonical() }

  var json: JSONValue {
    let physical: JSONValue =
      switch order {
      case .shuffled(let seed): ["kind": "shuffled", "seed": .int(seed)]
      case .input: ["kind": "input"]
      }
    return [
      "format": .string(Self.format),
      "tokenizer": [
        "name": .string(tokenizer.name), "sha256": .string(tokenizer.sha256),
        "vocabulary": .int(tokenizer.vocabulary), "eos": .optional(tokenizer.eos),
        "bos": .optional(tokenizer.bos),
        "policy": .string(tokenizer.policy.rawValue),
      ],
      "dtype": .string(width.rawValue),
      "order": physical,
      "sources": .array(sources.map { .string($0) }),
      "languages": .array(languages.map { .string($0) }),
      "parts": .array(
        parts.map { ["name": .string($0.name), "bytes": .int(Int($0.bytes)), "sha256": .string($0.sha256)] }),
      "holdout": holdout.json,
      "splits": .object(splits.map { .init($0.name, $0.json) }),
    ]
  }

  /// Reads the bytes of `manifest.json`.
  ///
  /// - Parameter path: for messages.
  /// - Throws: `.input` that names the member which is missing or out of bounds.
  public init(bytes: [UInt8], path: String) throws(StorageError) {
    let root = try JSONFields(parsing: bytes, path: path)
    guard try root.string("format") == Self.format else {
      throw .input(path: path, reason: "not a token store of format \(Self.format)")
    }
    let description = try root.object("tokenizer")
    let vocabulary = try description.int("vocabulary", in: 1...1 << 31)
    let policyName = try description.string("policy")
    guard let policy = TokenizerIdentity.Policy(rawValue: policyName) else {
      throw .input(path: path, reason: "tokenizer.policy: unknown policy “\(policyName)”")
    }
    tokenizer = TokenizerIdentity(
      name: try description.string("name"), sha256: try description.string("sha256"), vocabulary: vocabulary,
      eos: try description.optionalInt("eos", in: 0...vocabulary - 1),
      bos: try description.optionalInt("bos", in: 0...vocabulary - 1), policy: policy)
    let dtype = try root.string("dtype")
    guard let width = TokenWidth(rawValue: dtype) else {
      throw .input(path: path, reason: "dtype: “\(dtype)” is neither u16 nor u32")
    }
    self.width = width
    let physical = try root.object("order")
    order =
      try physical.string("kind") == "input"
      ? .input : .shuffled(seed: try physical.int("seed", in: 0...Int.max))
    sources = try root.strings("sources")
    languages = try root.strings("languages")
    var parts: [StorePart] = []
    for part in try root.objects("parts") {
      parts.append(
        StorePart(
          name: try part.string("name"), bytes: Int64(try part.int("bytes", in: 0...Int.max)),
          sha256: try part.string("sha256")))
    }
    self.parts = parts
    holdout = try Holdout(json: try root.object("holdout"))
    let table = try root.object("splits")
    var splits: [Split] = []
    for name in holdout.names {
      splits.append(try Split(name: name, json: try table.object(name), sources: sources.count))
    }
    self.splits = splits
  }
}

extension StoreManifest.Split {
  /// What `manifest.json` and a journal say of a split.
  public var json: JSONValue {
    ["tokens": .int(tokens), "documents": .int(documents), "segments": .array(segments.map(\.json))]
  }

  init(name: String, json: JSONFields, sources: Int) throws(StorageError) {
    self.name = name
    tokens = try json.int("tokens", in: 0...ViewOptions.tokensMax)
    documents = try json.int("documents", in: 0...ViewOptions.tokensMax)
    segments = []
    for segment in try json.objects("segments") {
      segments.append(try StoreManifest.Segment(json: segment, number: segments.count, sources: sources))
    }
  }

  /// Reads what `json` wrote.
  ///
  /// - Throws: `.input`.
  public init(name: String, json: JSONValue, sources: Int, path: String) throws(StorageError) {
    try self.init(name: name, json: JSONFields(json, path: path), sources: sources)
  }
}

extension StoreManifest.Segment {
  /// A segment has at most 2^31 - 1 bytes: readers seek with a C int.
  static let bytesMax = Int(Int32.max)

  var json: JSONValue {
    [
      "name": .string(name), "tokens": .int(tokens), "documents": .int(documents), "min_id": .int(minID),
      "max_id": .int(maxID), "files": .object(files.map { .init($0.extension, $0.file.json) }),
      "source_tokens": .array(sourceTokens.map { .int($0) }),
      "length_histogram": .array(lengthHistogram.map { .int($0) }),
    ]
  }

  init(json: JSONFields, number: Int, sources: Int) throws(StorageError) {
    name = try json.string("name")
    guard name == StoreManifest.segmentName(number) else {
      throw .input(
        path: json.path, reason: "\(json.place)name: expected \(StoreManifest.segmentName(number))")
    }
    tokens = try json.int("tokens", in: 1...Self.bytesMax)
    documents = try json.int("documents", in: 1...tokens)
    minID = try json.int("min_id", in: 0...Int(UInt32.max))
    maxID = try json.int("max_id", in: 0...Int(UInt32.max))
    let files = try json.object("files")
    tok = try StoreManifest.File(json: try files.object("tok"))
    doc = try StoreManifest.File(json: try files.object("doc"))
    originIndex = try StoreManifest.File(json: try files.object("origin.idx"))
    originFrames = try StoreManifest.File(json: try files.object("origin.zst"))
    sourceTokens = try json.ints("source_tokens")
    guard sourceTokens.count == sources else {
      throw .input(path: json.path, reason: "\(json.place)source_tokens: expected \(sources) numbers")
    }
    lengthHistogram = try json.ints("length_histogram")
    guard lengthHistogram.count <= 64 else {
      throw .input(path: json.path, reason: "\(json.place)length_histogram: more than 64 buckets")
    }
  }
}

extension StoreManifest.File {
  init(_ summary: FileSummary) {
    self.init(bytes: summary.bytes, sha256: summary.sha256, xxh64: summary.xxh64)
  }

  var json: JSONValue { ["bytes": .int(Int(bytes)), "sha256": .string(sha256), "xxh64": .string(xxh64)] }

  init(json: JSONFields) throws(StorageError) {
    bytes = Int64(try json.int("bytes", in: 0...Int.max))
    sha256 = try json.string("sha256")
    xxh64 = try json.string("xxh64")
  }
}

extension Holdout {
  var json: JSONValue {
    [
      "seed": .int(Int(truncatingIfNeeded: seed)),
      "splits": .array(splits.map { ["name": .string($0.name), "ppm": .int($0.ppm)] }),
    ]
  }

  init(json: JSONFields) throws(StorageError) {
    var splits: [Split] = []
    for split in try json.objects("splits") {
      splits.append(Split(name: try split.string("name"), ppm: try split.int("ppm", in: 1...999_999)))
    }
    let seed = UInt64(try json.int("seed", in: 0...Int.max))
    do throws(StorageError) { try self.init(seed: seed, splits: splits) } catch {
      throw .input(path: json.path, reason: "\(json.place)splits: \(error.message)")
    }
  }
}

extension JSONValue {
  static func optional(_ value: Int?) -> JSONValue { value.map { .int($0) } ?? .null }
}
