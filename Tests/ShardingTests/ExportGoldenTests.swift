import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

/// The bytes of each format for a tiny store, against writers that are as plain as the formats' descriptions.
@Suite struct ExportGoldenTests {
  /// Three documents of 2, 1 and 300 ids; two parts; ids with what CSV and JSON must escape.
  private static let documents: [(id: String, tokens: [UInt32])] = [
    ("a", [5, 6]), ("b,\"c\"", [7]), ("d\\e", (0..<300).map { UInt32($0 % 200 + 3) }),
  ]

  private static func store(
    _ folder: TemporaryFolder, _ width: TokenWidth, vocabulary: Int? = nil
  ) throws -> TokenStore {
    let vocabulary = vocabulary ?? (width == .u16 ? 300 : 70_000)
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: vocabulary, policy: .none))
    options.order = .input
    let corpus = documents.map { Samples.Encoded(id: $0.id, source: "web", language: nil, tokens: $0.tokens) }
    try Samples.store(corpus, options: options, in: folder.path, parts: 1)
    return try TokenStore(folder("store"))
  }

  private static func raw(_ tokens: [UInt32], _ width: TokenWidth) -> [UInt8] {
    tokens.flatMap { id in (0..<width.bytes).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) } }
  }

  private static func u32(_ value: Int) -> [UInt8] { raw([UInt32(value)], .u32) }
  private static func u64(_ value: Int) -> [UInt8] { u32(value & 0xFFFF_FFFF) + u32(value >> 32) }
  private static let all = documents.flatMap(\.tokens)

  /// Exports, and gives the bytes of the files by name.
  private static func export(
    _ format: String, _ width: TokenWidth, vocabulary: Int? = nil,
    _ change: (inout ExportOptions) -> Void = { _ in }
  ) throws -> [String: [UInt8]] {
    let folder = try TemporaryFolder()
    let store = try store(folder, width, vocabulary: vocabulary)
    var options = ExportOptions()
    change(&options)
    let report = try StoreExport.run(
      store, split: "train", as: try Exporters.named(format), into: folder("out"), options)
    var files = try outputTree(folder("out"))
    for file in report.files {
      let bytes = files[file.name] ?? []
      #expect(Int64(bytes.count) == file.bytes && SHA256.hex(bytes.span) == file.sha256)
    }
    #expect(files.removeValue(forKey: "manifest.json") != nil)
    #expect(Set(files.keys) == Set(report.files.map(\.name)))
    return files
  }

  @Test(arguments: [TokenWidth.u16, .u32], [false, true])
  func megatron(width: TokenWidth, isRewritten: Bool) throws {
    let files = try Self.export("megatron", width) { if isRewritten { $0.shards = 1 } }
    var index = Array("MMIDIDX\0\0".utf8) + Self.u64(1) + [width == .u16 ? 8 : 4] + Self.u64(3) + Self.u64(4)
    for length in [2, 1, 300] { index += Self.u32(length) }
    for start in [0, 2, 3] { index += Self.u64(start * width.bytes) }
    for number in 0...3 { index += Self.u64(number) }
    #expect(files["train-00000.idx"] == index)
    #expect(files["train-00000.bin"] == Self.raw(Self.all, width) && files.count == 2)
  }

  @Test(arguments: [TokenWidth.u16, .u32], [false, true])
  func datatrove(width: TokenWidth, isRewritten: Bool) throws {
    let files = try Self.export("datatrove", width) { if isRewritten { $0.shards = 1 } }
    #expect(files["train-00000.ds"] == Self.raw(Self.all, width))
    #expect(files["train-00000.ds.index"] == [2, 3, 303].flatMap(Self.u64))
    #expect(files["train-00000.ds.metadata"]?.string == "sample|\(width.bytes)\n303\n303")
    #expect(files.count == 3)
  }

  @Test(arguments: [TokenWidth.u16, .u32], [false, true])
  func olmo(width: TokenWidth, isRewritten: Bool) throws {
    let files = try Self.export("olmo", width) { if isRewritten { $0.shards = 1 } }
    #expect(files["train-00000.npy"] == Self.raw(Self.all, width) && files.count == 2)
    let gzip = files["train-00000.csv.gz"] ?? []
    // No name, no time.
    #expect(gzip.starts(with: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]))
    let rows = try Self.decoded(gzip)
    #expect(
      rows.string
        == "0,2,a,part-0.jsonl,0\n2,3,\"b,\"\"c\"\"\",part-0.jsonl,1\n3,303,d\\e,part-0.jsonl,2\n")
  }

  @Test func olmoReadsSmallVocabulariesAsBytes() throws {
    let files = try Self.export("olmo", .u16, vocabulary: 256)
    #expect(files["train-00000.npy"] == Self.all.map { UInt8($0) })
  }

  @Test func nanogpt() throws {
    #expect(try Self.export("nanogpt", .u16) == ["train.bin": Self.raw(Self.all, .u16)])
    #expect(throws: StorageError.self) { try Self.export("nanogpt", .u32) }
  }

  @Test(arguments: [TokenWidth.u16, .u32]) func llmc(width: TokenWidth) throws {
    let files = try Self.export("llmc", width)
    let words = (width == .u16 ? [20_240_520, 1] : [20_240_801, 7]) + [303]
    let header = words.flatMap(Self.u32) + [UInt8](repeating: 0, count: 1024 - 12)
    #expect(files == ["corpus_train_000000.bin": header + Self.raw(Self.all, width)])
  }

  @Test(arguments: [TokenWidth.u16, .u32], [false, true])
  func mds(width: TokenWidth, isCompressed: Bool) throws {
    let files = try Self.export("mds", width) { $0.isCompressed = isCompressed }
    let compression = isCompressed ? "\"zstd\"" : "null"
    let config =
      "{\"column_encodings\":[\"ndarray:uint\(8 * width.bytes)\"],\"column_names\":[\"tokens\"],\"column_sizes\":[null],"
      + "\"compression\":\(compression),\"format\":\"mds\",\"hashes\":[\"sha256\",\"xxh64\"],\"size_limit\":67108864,\"version\":2}"
    var samples: [[UInt8]] = []
    for (length, shape) in [(2, [4, 2]), (1, [4, 1]), (300, [5, 44, 1])] as [(Int, [UInt8])] {
      let tokens = Self.documents[samples.count].tokens
      samples.append(Self.u32(shape.count + length * width.bytes) + shape + Self.raw(tokens, width))
    }
    var offset = 4 * 5 + config.utf8.count
    var shard = Self.u32(3) + Self.u32(offset)
    for sample in samples {
      offset += sample.count
      shard += Self.u32(offset)
    }
    shard += Array(config.utf8) + samples.flatMap { $0 }
    func file(_ name: String, _ bytes: [UInt8]) -> String {
      "{\"basename\":\"\(name)\",\"bytes\":\(bytes.count),\"hashes\":{\"sha256\":\"\(SHA256.hex(bytes.span))\",\"xxh64\":"
        + "\"\(Hex.string(XXH64.hash(bytes.span)))\"}}"
    }
    var zip = "null"
    if isCompressed {
      let frame = files["shard.00000.mds.zstd"] ?? []
      var plain: [UInt8] = []
      #expect(Zstd.decompressFrame(frame.span, limit: 1 << 20, into: &plain) == shard.count && plain == shard)
      zip = file("shard.00000.mds.zstd", frame)
    } else {
      #expect(files["shard.00000.mds"] == shard)
    }
    let expected =
      "{\"shards\":[" + config.dropLast().replacing(",\"size_limit\":67108864,\"version\":2", with: "")
      + ",\"raw_data\":\(file("shard.00000.mds", shard)),\"samples\":3,\"size_limit\":67108864,\"version\":2,\"zip_data\":\(zip)}],"
      + "\"version\":2}\n"
    #expect(files["index.json"]?.string == expected)
    #expect(files.count == 2)
  }

  @Test(arguments: [TokenWidth.u16, .u32]) func litdata(width: TokenWidth) throws {
    // 303 ids are 9 windows of 32 and 15 more: 5 windows in the first chunk, then 4 and the rest.
    let files = try Self.export("litdata", width) {
      $0.window = 32
      $0.shardBytes = 5 * 32 * width.bytes
    }
    var chunks: [[UInt8]] = []
    for part in [Array(Self.all[..<(4 * 32)]), Array(Self.all[(4 * 32)...])] {
      let items = stride(from: 0, to: part.count, by: 32).map { Array(part[$0..<min($0 + 32, part.count)]) }
      var offset = 4 * (items.count + 2)
      var chunk = Self.u32(items.count) + Self.u32(offset)
      for item in items {
        offset += item.count * width.bytes
        chunk += Self.u32(offset)
      }
      chunks.append(chunk + Self.raw(part, width))
    }
    #expect(files["chunk-0-0.bin"] == chunks[0] && files["chunk-0-1.bin"] == chunks[1])
    let index = try JSONValue.parse(files["index.json"] ?? [])
    let expected: JSONValue = [
      "chunks": [
        [
          "chunk_bytes": .int(chunks[0].count), "chunk_size": 4, "dim": 128, "filename": "chunk-0-0.bin",
        ],
        [
          "chunk_bytes": .int(chunks[1].count), "chunk_size": 6, "dim": 175, "filename": "chunk-0-1.bin",
        ],
      ],
      "config": [
        "chunk_bytes": .int(5 * 32 * width.bytes), "chunk_size": .null, "compression": .null,
        "data_format": [.string("no_header_tensor:\(width == .u16 ? 20 : 16)")],
        "data_spec": "[1, {\"type\": null, \"context\": null, \"children_spec\": []}]", "encryption": .null,
        "item_loader": "TokensLoader",
      ],
      "updated_at": "0",
    ]
    #expect(index == expected && files.count == 3)
  }

  @Test(arguments: [TokenWidth.u16, .u32]) func webdataset(width: TokenWidth) throws {
    let files = try Self.export("webdataset", width)
    var tar: [UInt8] = []
    func member(_ name: String, _ bytes: [UInt8]) {
      var header = [UInt8](repeating: 0, count: 512)
      let size = String(bytes.count, radix: 8)
      let fields: [(Int, String)] = [
        (0, name), (100, "0000444"), (108, "0000000"), (116, "0000000"),
        (124, String(repeating: "0", count: 11 - size.utf8.count) + size), (136, "00000000000"),
        (148, "        "), (156, "0"), (257, "ustar"), (263, "00"), (329, "0000000"), (337, "0000000"),
      ]
      for (offset, text) in fields {
        header.replaceSubrange(offset..<offset + text.utf8.count, with: Array(text.utf8))
      }
      let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
      let checksum = String(repeating: "0", count: 6 - sum.utf8.count) + sum + "\0"
      header.replaceSubrange(148..<155, with: Array(checksum.utf8))
      tar += header + bytes
      while tar.count % 512 != 0 { tar.append(0) }
    }
    for (number, id) in ["a", "b,\\\"c\\\"", "d\\\\e"].enumerated() {
      member("00000000\(number).tokens.bin", Self.raw(Self.documents[number].tokens, width))
      member("00000000\(number).json", Array("{\"id\": \"\(id)\"}".utf8))
    }
    tar += [UInt8](repeating: 0, count: 1024)
    while tar.count % 10_240 != 0 { tar.append(0) }
    let found = files["train-00000.tar"] ?? []
    #expect(found.count == tar.count && files.count == 1)
    #expect(zip(found, tar).enumerated().first { $0.element.0 != $0.element.1 }?.offset == nil)
  }

  @Test func jsonl() throws {
    let long = Self.documents[2].tokens.map(String.init).joined(separator: ",")
    #expect(
      try Self.export("jsonl", .u32)["train.jsonl"]?.string
        == "{\"id\":\"a\",\"tokens\":[5,6]}\n{\"id\":\"b,\\\"c\\\"\",\"tokens\":[7]}\n{\"id\":\"d\\\\e\",\"tokens\":[\(long)]}\n"
    )
  }

  private static func decoded(_ gzip: [UInt8]) throws -> [UInt8] {
    let reader = try DecodingReader(bytes: gzip)
    var bytes: [UInt8] = []
    while true {
      switch try reader.read(into: &bytes, upTo: 1 << 16) {
      case .bytes, .memberEnd: continue
      case .end: return bytes
      case let other: throw FailedDecoding(outcome: "\(other)")
      }
    }
  }

  private struct FailedDecoding: Error { var outcome: String }
}
