import Bytes
import Documents
import Storage

/// What a dump holds, counted by its reader in one pass, without parsing bodies: for `sluice inspect DUMP`.
public struct DumpInspection: Sendable {
  public struct Count: Equatable, Sendable {
    public var records = 0
    /// Decoded bytes of the blocks (of pages, lines and files: all of them).
    public var bytes = 0
  }

  /// Name of the source that reads it.
  public private(set) var format = ""
  public private(set) var codec = ""
  /// By type of record, in the order of the names.
  public private(set) var types: [(name: String, count: Count)] = []
  /// The first defects with their places, at most `Ledger.defectListMax`.
  public private(set) var defects: [Defect] = []
  /// All defects.
  public private(set) var defectCount = 0
  /// Records that are not whole, by mark.
  public private(set) var marks: [(name: String, records: Int)] = []

  public var records: Int { types.reduce(0) { $0 + $1.count.records } }
  public var bytes: Int { types.reduce(0) { $0 + $1.count.bytes } }

  /// Reads the file once. `isStopped` is asked per chunk.
  ///
  /// - Throws: `StorageError.input` if the file cannot be read, or no source knows it.
  public init(
    _ file: InputFile, options: ExtractionOptions = ExtractionOptions(), isStopped: () -> Bool = { false }
  ) throws(StorageError) {
    let head = try DecodingReader.head(of: file, count: 4096)
    let named = options.from.flatMap { SourceRegistry.named($0) }
    guard let type = named ?? SourceRegistry.detect(head: head.bytes.span, fileName: file.name) else {
      throw .input(path: file.path, reason: "no source knows this format")
    }
    format = type.name
    codec = head.codec.rawValue
    let reader = try type.init(options: options).makeReader(file, from: 0, to: nil)
    var counts: [String: Count] = [:]
    var markCounts: [String: Int] = [:]
    var chunk = RecordChunk()
    var header = WARCHeader()
    var hasMore = true
    while hasMore {
      if isStopped() { throw .interrupted }
      hasMore = try reader.next(&chunk)
      for record in chunk.records {
        let (name, bytes) = DumpInspection.classify(record, chunk, type.name, &header)
        counts[name, default: Count()].records += 1
        counts[name, default: Count()].bytes += bytes
        if let mark = record.mark { markCounts[mark, default: 0] += 1 }
      }
      defectCount += chunk.defects.count
      defects += chunk.defects.prefix(max(0, Ledger.defectListMax - defects.count))
    }
    types = counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    marks = markCounts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private static func classify(
    _ record: RecordChunk.Record, _ chunk: borrowing RecordChunk, _ format: String, _ header: inout WARCHeader
  ) -> (name: String, bytes: Int) {
    switch format {
    case WARCSource.name:
      let bytes = chunk.bytes.span.extracting(record.range)
      let end = HeaderFields.end(bytes, from: 0) ?? bytes.count
      header.parse(bytes, 0..<end)
      // Of types without documents the reader keeps the header only.
      let block = header.type.isDocument ? bytes.count - end : Int(clamping: header.length ?? 0)
      return (header.type.rawValue, block)
    case WikiSource.name: return ("page", record.range.count)
    case JSONLinesSource.name: return ("line", record.range.count)
    default: return (format, record.range.count)
    }
  }

  public var json: JSONValue {
    .object([
      .init("kind", "dump"), .init("format", .string(format)), .init("codec", .string(codec)),
      .init("records", .int(records)), .init("decoded_bytes", .int(bytes)),
      .init(
        "types",
        .object(
          types.map {
            .init(
              $0.name,
              .object([.init("bytes", .int($0.count.bytes)), .init("records", .int($0.count.records))]))
          })),
      .init("marks", .object(marks.map { .init($0.name, .int($0.records)) })),
      .init("defect_count", .int(defectCount)), .init("defects", .array(defects.map(\.json))),
    ])
  }

  /// Columns of `rows`.
  public static let columns = ["type", "records", "bytes"]

  /// A row per type, and their sum.
  public var rows: [[String]] {
    types.map { [$0.name, "\($0.count.records)", "\($0.count.bytes)"] } + [["all", "\(records)", "\(bytes)"]]
  }

  public static let defectColumns = ["kind", "byte", "what"]
  public var defectRows: [[String]] { defects.map { [$0.kind, "\($0.offset)", $0.message] } }
}
