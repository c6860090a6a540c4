import Bytes
import Storage

/// MosaicML Streaming's shards: `shard.NNNNN.mds` (or `.mds.zstd`) and `index.json`, one column `tokens`.
///
/// Shard: u32 n, u32[n + 1] absolute offsets, the configuration as JSON with sorted keys, samples. A sequence of a view is a sample
/// of a fixed shape (`ndarray:uint16:C`): its ids and nothing else. A document is u32 size, u8 (1 dimension << 2 | width code), its length in the
/// smallest width, ids.
///
/// - Limits: shards below 4 GiB (u32 offsets); compressed ones below 1 GiB, since they are made in memory.
/// - Source: mosaicml-streaming 0.13.0, `base/format/mds/writer.py`, `encodings.py`.
public struct MDSExporter: Exporter {
  public let name = "mds"
  public let summary = "MosaicML Streaming: shard.*.mds (--compression zstd) and index.json"
  public var shardBytesDefault: Int? { 64 << 20 }

  static let column = "tokens"
  static let compressedBytesMax = 1 << 30
  /// What the reader can check with `validate_hash`; sorted.
  static let hashes = ["sha256", "xxh64"]

  public init() {}

  public func check(_ plan: ExportPlan) throws(StorageError) {
    guard let largest = plan.largest else { return }
    // At most nine bytes a sample beside its ids and its offset.
    let bytes = largest.tokens * plan.width.bytes + 13 * largest.records + 4096
    guard bytes < 1 << 32 else {
      throw .usage(
        "mds: a shard of \(bytes) bytes, and its offsets have 32 bits. Choose more --shards or a smaller --shard-bytes."
      )
    }
    guard !plan.options.isCompressed || bytes <= Self.compressedBytesMax else {
      throw .usage(
        "mds: a shard of \(bytes) bytes is too large to be compressed at once. Choose more --shards or --shard-bytes 64MiB."
      )
    }
  }

  // MARK: Layout

  private static func encoding(_ plan: ExportPlan) -> String {
    "ndarray:uint\(8 * plan.width.bytes)" + (plan.tokensPerRecord.map { ":\($0)" } ?? "")
  }

  private static func config(_ plan: ExportPlan) -> [JSONValue.Member] {
    [
      .init("column_encodings", .array([.string(encoding(plan))])),
      .init("column_names", .array([.string(column)])),
      .init("column_sizes", .array([.optional(plan.tokensPerRecord.map { $0 * plan.width.bytes })])),
      .init("compression", plan.options.isCompressed ? "zstd" : .null), .init("format", "mds"),
      .init("hashes", .array(hashes.map { .string($0) })),
      .init("size_limit", .int(plan.options.shardBytes ?? 64 << 20)), .init("version", 2),
    ]
  }

  private static func header(_ plan: ExportPlan) -> [UInt8] { JSONValue.object(config(plan)).canonical() }

  /// What stands before a document's ids: size, shape.
  static func lead(tokens: Int, _ width: TokenWidth) -> [UInt8] {
    let code: UInt8 = tokens < 1 << 8 ? 0 : tokens < 1 << 16 ? 1 : 2
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt32(truncatingIfNeeded: 1 + 1 << code + tokens * width.bytes))
    bytes.append(1 << 2 | code)
    for byte in 0..<(1 << code) { bytes.append(UInt8(truncatingIfNeeded: tokens >> (8 * byte))) }
    return bytes
  }

  static func fileName(_ shard: Int) -> String { "shard.\(Path.padded(shard, digits: 5)).mds" }

  // MARK: Writing

  public func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter {
    try Writer(plan, shard, folder)
  }

  private final class Writer: ExportWriter {
    private let plan: ExportPlan
    private let shard: Int
    private let folder: ExportFolder
    /// Of the raw bytes; of a compressed shard the only place for them.
    private var output: OutputFile?
    private var raw: [UInt8] = []

    init(_ plan: ExportPlan, _ shard: Int, _ folder: ExportFolder) throws(StorageError) {
      self.plan = plan
      self.shard = shard
      self.folder = folder
      if !plan.options.isCompressed { output = try folder.create(MDSExporter.fileName(shard)) }
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
      if let output { try output.write(bytes) } else { raw.append(contentsOf: bytes) }
    }

    private func put(_ bytes: [UInt8]) throws(StorageError) {
      try bytes.withPlace(0..<bytes.count) { (part) throws(StorageError) in try put(part) }
    }

    func begin(_ lengths: ShardLengths) throws(StorageError) {
      let header = MDSExporter.header(plan)
      let records = plan.shards[shard].records
      var offset = 4 * (records + 2) + header.count
      var table: [UInt8] = []
      table.append(littleEndian: UInt32(records))
      table.append(littleEndian: UInt32(offset))
      let isFixed = plan.tokensPerRecord != nil
      try lengths.forEach { (tokens) throws(StorageError) in
        let lead = isFixed ? 0 : MDSExporter.leadBytes(tokens: tokens)
        offset += lead + tokens * plan.width.bytes
        table.append(littleEndian: UInt32(truncatingIfNeeded: offset))
        if table.count >= 1 << 16 {
          try put(table)
          table.removeAll(keepingCapacity: true)
        }
      }
      try put(table + header)
    }

    func add(_ record: ExportRecord) throws(StorageError) {
      if plan.tokensPerRecord == nil {
        try put(MDSExporter.lead(tokens: record.tokens.count / plan.width.bytes, plan.width))
      }
      try put(record.tokens)
    }

    func finish() throws(StorageError) -> JSONValue {
      let name = MDSExporter.fileName(shard)
      if let output {
        let file = try output.commit()
        folder.record(file)
        return ["raw_data": MDSExporter.file(file), "zip_data": .null]
      }
      let file = FileSummary(
        name: name, bytes: Int64(raw.count), sha256: SHA256.hex(raw.span),
        xxh64: Hex.string(XXH64.hash(raw.span)))
      var frame: [UInt8] = []
      Zstd.compressFrame(raw.span, into: &frame)
      raw = []
      let zip = try OutputFile.write(frame, folder: folder.path, name: name + ".zstd")
      folder.record(zip)
      return ["raw_data": MDSExporter.file(file), "zip_data": MDSExporter.file(zip)]
    }
  }

  static func leadBytes(tokens: Int) -> Int { 5 + (tokens < 1 << 8 ? 1 : tokens < 1 << 16 ? 2 : 4) }

  private static func file(_ file: FileSummary) -> JSONValue {
    [
      "basename": .string(file.name), "bytes": .int(Int(file.bytes)),
      "hashes": ["sha256": .string(file.sha256), "xxh64": .string(file.xxh64)],
    ]
  }

  public func finish(_ plan: ExportPlan, notes: [JSONValue], folder: ExportFolder) throws(StorageError) {
    let shards = zip(plan.shards, notes).map { (shard, note) -> JSONValue in
      .object(
        Self.config(plan) + [
          .init("raw_data", note["raw_data"] ?? .null), .init("samples", .int(shard.records)),
          .init("zip_data", note["zip_data"] ?? .null),
        ])
    }
    let index: JSONValue = ["shards": .array(shards), "version": 2]
    try folder.write("index.json", index.canonical() + [10])
  }

  // MARK: Reading back

  public func readBack(
    _ plan: ExportPlan, shard: Int, folder: String,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let path = Path.join(folder, Self.fileName(shard))
    if plan.options.isCompressed {
      let frame = try FileSystem.readAll(path + ".zstd", limit: Self.compressedBytesMax * 2)
      var raw: [UInt8] = []
      guard Zstd.decompressFrame(frame.span, limit: Self.compressedBytesMax, into: &raw) != nil else {
        throw .output(path: path + ".zstd", reason: "the frame is damaged")
      }
      try readBack(plan, path, size: raw.count, body) { (range) throws(StorageError) in
        Array(raw[range])
      }
    } else {
      let file = try RandomAccessFile(path)
      try readBack(plan, path, size: Int(file.size), body) { (range) throws(StorageError) in
        let bytes = try file.read(at: Int64(range.lowerBound), count: range.count)
        guard bytes.count == range.count else { throw .output(path: path, reason: "the file ends too early") }
        return bytes
      }
    }
  }

  /// - Parameter read: gives a range that lies within `size`.
  private func readBack(
    _ plan: ExportPlan, _ path: String, size: Int,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void,
    _ read: (Range<Int>) throws(StorageError) -> [UInt8]
  ) throws(StorageError) {
    func damaged(_ what: String) -> StorageError { .output(path: path, reason: what) }
    guard size >= 8 else { throw damaged("the file is cut") }
    let lead = try read(0..<4)
    let samples = Int(lead.span.word32(at: 0))
    let header = Self.header(plan)
    let first = 4 * (samples + 2) + header.count
    guard first <= size else { throw damaged("the table of \(samples) samples does not fit the file") }
    let found = try read(first - header.count..<first)
    guard found == header else { throw damaged("the configuration does not read back") }
    var start = first
    var sample = 0
    while sample < samples {
      let count = min(4096, samples - sample)
      let table = try read(4 * (sample + 1)..<4 * (sample + count + 2))
      for index in 0..<count {
        let from = Int(table.span.word32(at: 4 * index))
        let to = Int(table.span.word32(at: 4 * index + 4))
        guard from == start, to > from, to <= size else {
          throw damaged("the offsets of sample \(sample + index) do not grow")
        }
        let bytes = try read(from..<to)
        guard let lead = Self.lead(of: bytes, plan) else {
          throw damaged("the shape of sample \(sample + index) does not fit its size")
        }
        try bytes.withPlace(lead..<bytes.count) { (tokens) throws(StorageError) in try body(nil, tokens) }
        start = to
      }
      sample += count
    }
    guard start == size else { throw damaged("\(size) bytes, and its samples end at \(start)") }
  }

  /// Bytes before the ids of a sample, or nil if they contradict its size.
  private static func lead(of sample: [UInt8], _ plan: ExportPlan) -> Int? {
    guard let fixed = plan.tokensPerRecord else { return checkedLead(sample, plan.width) }
    return sample.count == fixed * plan.width.bytes ? 0 : nil
  }

  static func checkedLead(_ sample: [UInt8], _ width: TokenWidth) -> Int? {
    guard sample.count > 6, sample[4] >> 2 == 1, sample[4] & 3 < 3 else { return nil }
    let count = 5 + 1 << Int(sample[4] & 3)
    guard sample.count > count else { return nil }
    let tokens = (sample.count - count) / width.bytes
    return lead(tokens: tokens, width).elementsEqual(sample[..<count])
      && count + tokens * width.bytes == sample.count ? count : nil
  }
}

extension Span where Element == UInt8 {
  /// A little-endian u32; the caller has checked the length.
  func word32(at offset: Int) -> UInt32 {
    UInt32(self[offset]) | UInt32(self[offset + 1]) << 8 | UInt32(self[offset + 2]) << 16
      | UInt32(self[offset + 3]) << 24
  }
}
