import Bytes
import Storage

/// OLMo-core's and Dolma's token files: `N.npy` is the segment itself, without a NumPy header; `N.csv.gz` names the documents.
///
/// `.csv.gz`: rows `start,end,id,src,loc`: tokens of the file, end exclusive, the document's id, the input part and the document's
/// number in it. The type of ids is the smallest that holds the vocabulary, u8 for at most 256 ids; then files are rewritten.
///
/// - Source: ai2-olmo-core 3.0.0, `data/utils.py` (`iter_document_indices`) and `data/numpy_dataset.py`.
public struct OLMoExporter: LinkingExporter {
  public let name = "olmo"
  public let summary = "OLMo-core, Dolma: .npy (hard link) and .csv.gz per segment"
  public var carriesIDs: Bool { true }
  public var shardBytesDefault: Int? { 1 << 30 }

  /// Vocabularies up to this size are read as u8.
  static let narrowMax = 256

  public init() {}

  public func reasonToRewrite(_ split: StoreManifest.Split, of store: TokenStore) -> String? {
    store.manifest.tokenizer.vocabulary > Self.narrowMax ? nil : "OLMo reads ids of this vocabulary as bytes"
  }

  /// The reader takes a row per line, so that a line feed in an id becomes a space.
  public func storedID(_ id: [UInt8]) -> [UInt8] {
    id.contains { $0 == 10 || $0 == 13 } ? id.map { $0 == 10 || $0 == 13 ? 32 : $0 } : id
  }

  // MARK: Linked

  public func link(
    _ segment: SegmentReader, number: Int, of split: StoreManifest.Split, in store: TokenStore,
    into folder: ExportFolder
  ) throws(StorageError) {
    let stem = split.stem(number)
    try folder.link(segment.segment.tok, at: segment.tok.path, as: stem + ".npy")
    let rows = try OLMoRows(stem + ".csv.gz", folder)
    let parts = store.manifest.parts.map { Self.field(Array($0.name.utf8).span) }
    var ids = OriginIDs(segment)
    try segment.forEachDocument { (document, start, record) throws(StorageError) in
      let part = record.part < parts.count ? parts[record.part] : []
      try ids.withID(ofDocument: document) { (id) throws(StorageError) in
        try rows.add(start, record.end, id: id, part: part, number: record.numberInPart)
      }
    }
    try rows.commit()
  }

  public func compareLinks(
    _ segment: SegmentReader, number: Int, of split: StoreManifest.Split, in store: TokenStore,
    folder: ExportFolder
  ) throws(StorageError) {
    let stem = split.stem(number)
    try folder.compareTokens(stem + ".npy", segment)
    try OLMoRows.compare(stem + ".csv.gz", in: folder)
  }

  // MARK: Rows

  /// A field as CSV wants it: in quotes if it holds a comma or a quote. Never over two lines.
  static func field(_ text: borrowing Span<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    append(field: text, to: &out)
    return out
  }

  private static func append(field text: borrowing Span<UInt8>, to out: inout [UInt8]) {
    var isPlain = true
    for index in text.indices {
      let byte = text[index]
      if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == 10 || byte == 13 {
        isPlain = false
      }
    }
    if isPlain { return out.append(text) }
    out.append(UInt8(ascii: "\""))
    for index in text.indices {
      let byte = text[index]
      if byte == UInt8(ascii: "\"") { out.append(byte) }
      out.append(byte == 10 || byte == 13 ? 32 : byte)
    }
    out.append(UInt8(ascii: "\""))
  }

  /// Reads a row as `OLMoRows` writes it; nil for anything else.
  static func parseRow(_ row: borrowing Span<UInt8>) -> (tokens: Range<Int>, id: [UInt8])? {
    var at = 0
    guard let start = number(row, &at), let end = number(row, &at), start < end else { return nil }
    var id: [UInt8] = []
    if at < row.count, row[at] == UInt8(ascii: "\"") {
      at += 1
      while true {
        guard at < row.count else { return nil }
        if row[at] == UInt8(ascii: "\"") {
          at += 1
          guard at < row.count else { return nil }
          if row[at] != UInt8(ascii: "\"") { break }
        }
        id.append(row[at])
        at += 1
      }
    } else {
      while at < row.count, row[at] != UInt8(ascii: ",") {
        id.append(row[at])
        at += 1
      }
    }
    return at < row.count && row[at] == UInt8(ascii: ",") ? (start..<end, id) : nil
  }

  /// Digits and the comma behind them.
  private static func number(_ row: borrowing Span<UInt8>, _ at: inout Int) -> Int? {
    let first = at
    var value = 0
    while at < row.count, at - first < 18, row[at].isASCIIDigit {
      value = value * 10 + Int(row[at] - 48)
      at += 1
    }
    guard at > first, at < row.count, row[at] == UInt8(ascii: ",") else { return nil }
    at += 1
    return value
  }

  // MARK: Rewritten

  public func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter {
    try Writer(plan, plan.stem(shard), folder)
  }

  private final class Writer: ExportWriter {
    private let tokens: OutputFile
    private let rows: OLMoRows
    private let width: TokenWidth
    private let isNarrow: Bool
    private let folder: ExportFolder
    private var at = 0
    private var lastPart: (name: String, field: [UInt8]) = ("", [])

    init(_ plan: ExportPlan, _ stem: String, _ folder: ExportFolder) throws(StorageError) {
      tokens = try folder.create(stem + ".npy")
      rows = try OLMoRows(stem + ".csv.gz", folder)
      width = plan.width
      isNarrow = plan.vocabulary <= OLMoExporter.narrowMax
      self.folder = folder
    }

    func add(_ record: ExportRecord) throws(StorageError) {
      let count = record.tokens.count / width.bytes
      if isNarrow {
        try tokens.write((0..<count).map { record.tokens[$0 * width.bytes] })
      } else {
        try tokens.write(record.tokens)
      }
      if let name = record.part?.name, name != lastPart.name {
        lastPart = (name, OLMoExporter.field(Array(name.utf8).span))
      }
      let (first, part) = (at, lastPart.field)
      try record.id.withPlace(0..<record.id.count) { (id) throws(StorageError) in
        try rows.add(first, first + count, id: id, part: part, number: record.part?.number)
      }
      at += count
    }

    func finish() throws(StorageError) -> JSONValue {
      folder.record(try tokens.commit())
      try rows.commit()
      return .null
    }
  }

  public func readBack(
    _ plan: ExportPlan, shard: Int, folder: String,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let path = Path.join(folder, plan.stem(shard))
    let tokens = try RandomAccessFile(path + ".npy")
    let isNarrow = plan.vocabulary <= Self.narrowMax
    let width = isNarrow ? 1 : plan.width.bytes
    var window = FileWindow(tokens, limit: Int(tokens.size))
    var pending: [UInt8] = []
    var end = 0
    var row = 0
    try OLMoRows.forEachPart(of: path + ".csv.gz") { (bytes) throws(StorageError) in
      var from = pending.count
      pending.append(contentsOf: bytes)
      var start = 0
      while let feed = pending.span.firstIndex(of: 10, from: from) {
        guard let read = Self.parseRow(pending.span.extracting(start..<feed)), read.tokens.lowerBound == end,
          read.tokens.upperBound <= Int(tokens.size) / width
        else { throw .output(path: path + ".csv.gz", reason: "row \(row + 1) does not read back") }
        let range = read.tokens.lowerBound * width..<read.tokens.upperBound * width
        try window.withBytes(range) { (part) throws(StorageError) in
          if isNarrow {
            var wide: [UInt8] = []
            for byte in part { wide.append(littleEndian: UInt16(byte)) }
            try wide.withPlace(0..<wide.count) { (wide) throws(StorageError) in try body(read.id, wide) }
          } else {
            try body(read.id, part)
          }
        }
        end = read.tokens.upperBound
        row += 1
        start = feed + 1
        from = start
      }
      pending.removeFirst(start)
    }
    guard pending.isEmpty, Int64(end * width) == tokens.size else {
      throw .output(path: path + ".npy", reason: "\(tokens.size) bytes, and its rows end at token \(end)")
    }
  }
}
