import Bytes
import Storage

/// Datatrove's and nanotron's tokenized files: `N.ds` is the segment itself, `N.ds.index` holds the ends of documents.
///
/// `.ds.index`: u64 end of each document in tokens, no header. `.ds.metadata`: `tokenizer|bytes per token`, a line feed, the number of
/// tokens, a line feed, the number for people.
///
/// - Source: datatrove 0.10.0, `pipeline/tokens/tokenizer.py` and `utils/dataset.py`.
public struct DatatroveExporter: LinkingExporter {
  public let name = "datatrove"
  public let summary = "datatrove, nanotron: .ds (hard link), .ds.index, .ds.metadata"
  public var shardBytesDefault: Int? { 1 << 30 }

  public init() {}

  public func checkLinks(_ split: StoreManifest.Split, of store: TokenStore) throws(StorageError) {
    try Self.checkName(store.manifest.tokenizer.name)
  }

  public func check(_ plan: ExportPlan) throws(StorageError) { try Self.checkName(plan.tokenizer.name) }

  /// The metadata's first line is cut at “|”, and datatrove's merger needs a name there.
  private static func checkName(_ name: String) throws(StorageError) {
    guard !name.isEmpty, !name.utf8.contains(where: { $0 == UInt8(ascii: "|") || $0 == 10 || $0 == 13 })
    else {
      throw .usage(
        "The tokenizer's name “\(name)” cannot stand in a datatrove file: it must not be empty or hold “|”. "
          + "Rename the tokenizer's folder or file and tokenize again.")
    }
  }

  // MARK: Linked

  public func link(
    _ segment: SegmentReader, number: Int, of split: StoreManifest.Split, in store: TokenStore,
    into folder: ExportFolder
  ) throws(StorageError) {
    let stem = split.stem(number) + ".ds"
    try folder.link(segment.segment.tok, at: segment.tok.path, as: stem)
    try Self.writeSidecars(
      RecordLengths(segment), stem, segment.segment.tokens, store.manifest.tokenizer.name, segment.width,
      folder)
  }

  public func compareLinks(
    _ segment: SegmentReader, number: Int, of split: StoreManifest.Split, in store: TokenStore,
    folder: ExportFolder
  ) throws(StorageError) {
    let stem = split.stem(number) + ".ds"
    try folder.compareTokens(stem, segment)
    var check = try SidecarCheck(Path.join(folder.path, stem + ".index"))
    try RecordLengths(segment).forEachSumBlock(.ends, factor: 1) { (bytes) throws(StorageError) in
      try check.expect(bytes)
    }
    try check.end()
  }

  private static func writeSidecars(
    _ lengths: RecordLengths, _ stem: String, _ tokens: Int, _ tokenizer: String, _ width: TokenWidth,
    _ folder: ExportFolder
  ) throws(StorageError) {
    try folder.write(stem + ".index") { (output) throws(StorageError) in
      try lengths.forEachSumBlock(.ends, factor: 1) { (bytes) throws(StorageError) in try output.write(bytes)
      }
    }
    let text = "\(tokenizer)|\(width.bytes)\n\(tokens)\n\(Self.rounded(tokens))"
    try folder.write(stem + ".metadata", Array(text.utf8))
  }

  // MARK: Rewritten

  public func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter {
    let stem = plan.stem(shard) + ".ds"
    return try TokenFileWriter(plan, shard, folder, tokenFile: stem) {
      (lengths, folder) throws(StorageError) in
      try Self.writeSidecars(
        lengths, stem, plan.shards[shard].tokens, plan.tokenizer.name, plan.width, folder)
    }
  }

  public func readBack(
    _ plan: ExportPlan, shard: Int, folder: String,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let path = Path.join(folder, plan.stem(shard) + ".ds")
    let tokens = try RandomAccessFile(path)
    let index = try RandomAccessFile(path + ".index")
    let text = try FileSystem.readAll(path + ".metadata", limit: 1 << 16)
    let width = plan.width.bytes
    let expected = "\(plan.tokenizer.name)|\(width)\n\(tokens.size / Int64(width))\n"
    guard text.starts(with: expected.utf8) else {
      throw .output(path: path + ".metadata", reason: "does not read back")
    }
    guard index.size % 8 == 0 else { throw .output(path: index.path, reason: "no whole number of ends") }
    var ends = WindowedReader(index, from: 0)
    var window = FileWindow(tokens, limit: Int(tokens.size))
    var start = 0
    for document in 0..<Int(index.size / 8) {
      let end = try ends.next(UInt64.self)
      guard end > UInt64(start), end <= UInt64(tokens.size) / UInt64(width) else {
        throw .output(path: index.path, reason: "the end of document \(document) does not grow")
      }
      try window.withBytes(start * width..<Int(end) * width) { (bytes) throws(StorageError) in
        try body(nil, bytes)
      }
      start = Int(end)
    }
    guard Int64(start * width) == tokens.size else {
      throw .output(path: path, reason: "\(tokens.size) bytes, and the index ends at token \(start)")
    }
  }

  /// For people: `123.4K`, `5.6M`.
  static func rounded(_ tokens: Int) -> String {
    for (unit, size) in [("T", 1_000_000_000_000), ("B", 1_000_000_000), ("M", 1_000_000), ("K", 1000)]
    where tokens >= size {
      return "\(tokens / size).\(tokens % size * 10 / size)\(unit)"
    }
    return "\(tokens)"
  }
}
