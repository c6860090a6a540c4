import Bytes
import Storage

/// ArrayRecord files for Grain and JAX: a record is the raw ids of a document or sequence, little-endian u16 or u32.
///
/// Readers must be told the width: the format has no types. There are no ids of documents. One record per chunk, so that
/// each can be fetched alone. Each costs 50 bytes, each file at least 128 KiB.
public struct ArrayRecordExporter: Exporter {
  public let name = "arrayrecord"
  public let summary = "ArrayRecord (Grain, JAX): raw ids, a record per document or sequence"
  public var shardBytesDefault: Int? { 256 << 20 }

  /// Records of a file: its footer has about 10 bytes for each, which writers and readers hold in memory.
  static let recordsMax = 1 << 25

  public init() {}

  public func check(_ plan: ExportPlan) throws(StorageError) {
    for shard in plan.shards where shard.records > Self.recordsMax {
      throw .usage(
        "arrayrecord: a file of \(shard.records) records needs a footer that readers cannot hold; at most "
          + "\(Self.recordsMax). Choose more --shards or a smaller --shard-bytes.")
    }
  }

  public func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter {
    let output = try folder.create(Self.fileName(plan, shard))
    return Writer(try ArrayRecordWriter(output), output, folder)
  }

  static func fileName(_ plan: ExportPlan, _ shard: Int) -> String { plan.stem(shard) + ".array_record" }

  private final class Writer: ExportWriter {
    private let writer: ArrayRecordWriter
    private let output: OutputFile
    private let folder: ExportFolder

    init(_ writer: ArrayRecordWriter, _ output: OutputFile, _ folder: ExportFolder) {
      self.writer = writer
      self.output = output
      self.folder = folder
    }

    func add(_ record: ExportRecord) throws(StorageError) { try writer.append(record.tokens) }

    func finish() throws(StorageError) -> JSONValue {
      try writer.finish()
      folder.record(try output.commit())
      return .null
    }
  }

  public func readBack(
    _ plan: ExportPlan, shard: Int, folder: String,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let path = Path.join(folder, Self.fileName(plan, shard))
    let reader = try StorageError.ofOutput { () throws(StorageError) in try ArrayRecordReader(path) }
    for number in 0..<reader.records {
      let record = try StorageError.ofOutput { () throws(StorageError) in try reader.record(number) }
      guard record.count % plan.width.bytes == 0 else {
        throw .output(path: path, reason: "record \(number) is no whole number of ids")
      }
      try record.withPlace(0..<record.count) { (bytes) throws(StorageError) in try body(nil, bytes) }
    }
  }
}

extension StorageError {
  /// What is wrong with a file that we wrote ourselves is an error of the output.
  static func ofOutput<T>(_ body: () throws(StorageError) -> T) throws(StorageError) -> T {
    do throws(StorageError) { return try body() } catch {
      if case .input(let path, let reason) = error {
        throw .output(path: path, reason: "it does not read back: \(reason)")
      }
      throw error
    }
  }
}
