import Bytes
import Storage

/// litdata's chunks for its `TokensLoader`: `chunk-0-I.bin` and `index.json`.
///
/// Chunk: u32 n, u32[n + 1] offsets of the items from the file's start, items. The reader takes no notice of items: it cuts
/// windows of `block_size` ids from byte 4·(n + 2) on and leaves what remains in each chunk. So chunks hold whole windows, and
/// the only remainder is the corpus' own, at the end of the last chunk.
///
/// - Limits: chunks below 4 GiB (u32 offsets).
/// - Source: litdata 0.2.76, `streaming/item_loader.py` (`TokensLoader`) and `streaming/writer.py`.
public struct LitdataExporter: Exporter {
  public let name = "litdata"
  public let summary = "litdata TokensLoader: chunk-0-*.bin of whole windows (--window) and index.json"
  public var hasBoundaries: Bool { false }
  public var cutsWindows: Bool { true }
  public var shardBytesDefault: Int? { 64_000_000 }

  public init() {}

  public func check(_ plan: ExportPlan) throws(StorageError) {
    for shard in plan.shards {
      guard Self.fileBytes(plan, shard) < 1 << 32 else {
        throw .usage(
          "litdata: a chunk of \(Self.fileBytes(plan, shard)) bytes, and its offsets have 32 bits. "
            + "Choose more --shards or a smaller --shard-bytes.")
      }
    }
  }

  private static func fileBytes(_ plan: ExportPlan, _ shard: ExportPlan.Shard) -> Int {
    4 * (shard.records + 2) + shard.tokens * plan.width.bytes
  }

  static func fileName(_ shard: Int) -> String { "chunk-0-\(shard).bin" }

  public func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter {
    Writer(try folder.create(Self.fileName(shard)), plan, plan.shards[shard], folder)
  }

  private final class Writer: ExportWriter {
    private let output: OutputFile
    private let plan: ExportPlan
    private let shard: ExportPlan.Shard
    private let folder: ExportFolder

    init(_ output: OutputFile, _ plan: ExportPlan, _ shard: ExportPlan.Shard, _ folder: ExportFolder) {
      self.output = output
      self.plan = plan
      self.shard = shard
      self.folder = folder
    }

    func begin(_ lengths: ShardLengths) throws(StorageError) {
      var table = OffsetTable(output, start: 4 * (shard.records + 2))
      try table.put(UInt32(shard.records))
      try table.putStart()
      try lengths.forEach { (length) throws(StorageError) in
        try table.add(length * plan.width.bytes)
      }
      try table.finish()
    }

    func add(_ record: ExportRecord) throws(StorageError) { try output.write(record.tokens) }

    func finish() throws(StorageError) -> JSONValue {
      folder.record(try output.commit())
      return .null
    }
  }

  public func finish(_ plan: ExportPlan, notes: [JSONValue], folder: ExportFolder) throws(StorageError) {
    let chunks = plan.shards.enumerated().map { (number, shard) -> JSONValue in
      [
        "chunk_bytes": .int(Self.fileBytes(plan, shard)), "chunk_size": .int(shard.records),
        "dim": .int(shard.tokens), "filename": .string(Self.fileName(number)),
      ]
    }
    // Codes of torch's types in litdata: 20 is uint16, 16 is int32; there is no uint32, and ids stay below 2^31.
    let config: JSONValue = [
      "chunk_bytes": .int(plan.options.shardBytes ?? 64_000_000), "chunk_size": .null, "compression": .null,
      "data_format": .array([.string("no_header_tensor:\(plan.width == .u16 ? 20 : 16)")]),
      "data_spec": "[1, {\"type\": null, \"context\": null, \"children_spec\": []}]", "encryption": .null,
      "item_loader": "TokensLoader",
    ]
    let index: JSONValue = ["chunks": .array(chunks), "config": config, "updated_at": "0"]
    try folder.write("index.json", index.serialized(indent: 1) + [10])
  }

  public func readBack(
    _ plan: ExportPlan, shard: Int, folder: String,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let file = try RandomAccessFile(Path.join(folder, Self.fileName(shard)))
    let items = try OffsetTable.read(file)
    // As the reader does: the ids are all that follows the table.
    try file.forEachPart(from: Int64(4 * (items + 2)), to: file.size) { (bytes) throws(StorageError) in
      try body(nil, bytes)
    }
  }
}

/// A table u32 n, u32[n + 1] of absolute offsets, as MDS shards and litdata chunks begin.
struct OffsetTable {
  private let output: OutputFile
  private var offset: Int
  private var pending: [UInt8] = []

  init(_ output: OutputFile, start: Int) {
    self.output = output
    offset = start
  }

  mutating func put(_ word: UInt32) throws(StorageError) {
    pending.append(littleEndian: word)
    guard pending.count >= 1 << 16 else { return }
    try output.write(pending)
    pending.removeAll(keepingCapacity: true)
  }

  mutating func putStart() throws(StorageError) { try put(UInt32(truncatingIfNeeded: offset)) }

  /// The end of an item of `bytes`.
  mutating func add(_ bytes: Int) throws(StorageError) {
    offset += bytes
    try put(UInt32(truncatingIfNeeded: offset))
  }

  mutating func finish() throws(StorageError) {
    try output.write(pending)
    pending = []
  }

  /// Checks the table of a file; returns the number of items.
  ///
  /// - Throws: `.output` if it does not grow from behind itself to the end of the file.
  static func read(_ file: RandomAccessFile) throws(StorageError) -> Int {
    var words = WindowedReader(file, from: 0)
    let items = Int(try words.next(UInt32.self))
    var last = try words.next(UInt32.self)
    guard Int64(last) >= Int64(4 * (items + 2)), Int64(last) <= file.size else {
      throw .output(path: file.path, reason: "the table of \(items) items does not fit the file")
    }
    for item in 0..<items {
      let next = try words.next(UInt32.self)
      guard next > last else {
        throw .output(path: file.path, reason: "the offsets of item \(item) do not grow")
      }
      last = next
    }
    guard Int64(last) == file.size else {
      throw .output(path: file.path, reason: "\(file.size) bytes, and its table ends at \(last)")
    }
    return items
  }
}
