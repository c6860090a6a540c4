import Bytes
import Storage

/// Parquet files of columns `id: string` and `input_ids: list<uint16 | uint32>`, a row per document or sequence.
///
/// Row groups of equal tokens, as near as whole rows allow, because readers deal them out: as many as `--row-groups` says, else
/// enough that each is at most 64 MiB and that every data-parallel replica of a view gets one. Every page has a CRC-32,
/// which pyarrow checks with `page_checksum_verification=True` only. `--compress`: zstd pages.
public struct ParquetExporter: Exporter {
  public let name = "parquet"
  public let summary = "Parquet: id and input_ids, row groups of equal tokens, page checksums"
  public var carriesIDs: Bool { true }
  public var shardBytesDefault: Int? { 256 << 20 }

  /// Bytes of values in a row group: what the writer holds in memory.
  static let groupBytes = 64 << 20
  static let groupsMax = Int(Int16.max)

  public init() {}

  public func check(_ plan: ExportPlan) throws(StorageError) {
    if let groups = plan.options.rowGroups {
      guard (1...Self.groupsMax).contains(groups) else {
        throw .usage("--row-groups must lie between 1 and \(Self.groupsMax), the groups of one file.")
      }
      if let shard = plan.shards.first(where: { $0.records < groups }) {
        throw .usage(
          "--row-groups \(groups): a file has only \(shard.records) rows. Choose fewer --row-groups or --shards."
        )
      }
    }
    for number in plan.shards.indices where Self.groups(plan, number) > Self.groupsMax {
      throw .usage(
        "parquet: a file of \(plan.shards[number].tokens) tokens needs more than \(Self.groupsMax) row groups. "
          + "Choose more --shards or a smaller --shard-bytes.")
    }
  }

  /// Row groups of a file.
  static func groups(_ plan: ExportPlan, _ shard: Int) -> Int {
    if let groups = plan.options.rowGroups { return groups }
    let bytes = plan.shards[shard].tokens * ParquetFormat.valueBytes
    let bySize = (bytes - 1) / groupBytes + 1
    let byReplicas = ((plan.options.isPerRank ? 1 : plan.replicas ?? 1) - 1) / plan.shards.count + 1
    return max(1, min(max(bySize, byReplicas), plan.shards[shard].records))
  }

  public func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter {
    let output = try folder.create(Self.fileName(plan, shard))
    let part = plan.shards[shard]
    let groups = ParquetRowGroups(rows: part.records, tokens: part.tokens, count: Self.groups(plan, shard))
    let writer = try ParquetFileWriter(
      output, width: plan.width, codec: Self.codec(plan), groups: groups)
    return Writer(writer, output, folder)
  }

  static func fileName(_ plan: ExportPlan, _ shard: Int) -> String { plan.stem(shard) + ".parquet" }

  static func codec(_ plan: ExportPlan) -> ParquetCodec { plan.options.isCompressed ? .zstd : .none }

  private final class Writer: ExportWriter {
    private let writer: ParquetFileWriter
    private let output: OutputFile
    private let folder: ExportFolder

    init(_ writer: ParquetFileWriter, _ output: OutputFile, _ folder: ExportFolder) {
      self.writer = writer
      self.output = output
      self.folder = folder
    }

    func add(_ record: ExportRecord) throws(StorageError) {
      try writer.append(id: record.id, tokens: record.tokens)
    }

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
    var reader = try StorageError.ofOutput { () throws(StorageError) in try ParquetFileReader(path) }
    guard reader.footer.width == plan.width, reader.footer.codec == Self.codec(plan) else {
      throw .output(path: path, reason: "its columns are not of the export's type")
    }
    while let row = try StorageError.ofOutput({ () throws(StorageError) in try reader.next() }) {
      try row.tokens.withPlace(0..<row.tokens.count) { (bytes) throws(StorageError) in try body(row.id, bytes)
      }
    }
  }
}
