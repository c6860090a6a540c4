import Bytes
import Storage

/// Megatron-LM's indexed dataset: `P.bin` is the segment itself, `P.idx` holds lengths and offsets.
///
/// `.idx`: `MMIDIDX\0\0`, u64 version 1, u8 type (8 = u16, 4 = i32), u64 sequences D, u64 D + 1, i32[D] lengths in tokens, i64[D]
/// byte offsets in `.bin`, i64[D + 1] document indices 0…D. There is no u32: ids below 2^31 are the same as i32.
///
/// - Source: megatron-core 0.16.1, `core/datasets/indexed_dataset.py`.
public struct MegatronExporter: LinkingExporter {
  public let name = "megatron"
  public let summary = "Megatron-LM: .bin (hard link) and .idx per segment"
  /// Prefixes of about a segment's size when documents or sequences are rewritten.
  public var shardBytesDefault: Int? { 1 << 30 }

  /// Prefixes that a blend can take: their numbers are i16.
  static let prefixesMax = 32_766
  static let mark = Array("MMIDIDX\0\0".utf8)
  static let headerBytes = 34

  public init() {}

  public func checkLinks(_ split: StoreManifest.Split, of store: TokenStore) throws(StorageError) {
    try Self.checkPrefixes(split.segments.count, "Build the store with a larger --segment-bytes.")
  }

  public func check(_ plan: ExportPlan) throws(StorageError) {
    try Self.checkPrefixes(plan.shards.count, "Choose fewer --shards or a larger --shard-bytes.")
    for shard in plan.shards where shard.records > Int(Int32.max) {
      throw .usage(
        "A prefix of \(shard.records) records, and Megatron numbers at most \(Int32.max). Choose more --shards."
      )
    }
  }

  private static func checkPrefixes(_ count: Int, _ remedy: String) throws(StorageError) {
    guard count <= prefixesMax else {
      throw .usage("\(count) prefixes, and Megatron takes at most \(prefixesMax). \(remedy)")
    }
  }

  // MARK: Linked

  public func link(
    _ segment: SegmentReader, number: Int, of split: StoreManifest.Split, in store: TokenStore,
    into folder: ExportFolder
  ) throws(StorageError) {
    let stem = split.stem(number)
    try folder.link(segment.segment.tok, at: segment.tok.path, as: stem + ".bin")
    try folder.write(stem + ".idx") { (output) throws(StorageError) in
      try Self.index(RecordLengths(segment), segment.width) { (bytes) throws(StorageError) in
        try output.write(bytes)
      }
    }
  }

  public func compareLinks(
    _ segment: SegmentReader, number: Int, of split: StoreManifest.Split, in store: TokenStore,
    folder: ExportFolder
  ) throws(StorageError) {
    let stem = split.stem(number)
    try folder.compareTokens(stem + ".bin", segment)
    var check = try SidecarCheck(Path.join(folder.path, stem + ".idx"))
    try Self.index(RecordLengths(segment), segment.width) { (bytes) throws(StorageError) in
      try check.expect(bytes)
    }
    try check.end()
  }

  /// Makes the bytes of `.idx`, block by block: three passes over the lengths, so that memory stays flat.
  static func index(
    _ lengths: RecordLengths, _ width: TokenWidth,
    _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    var header = mark
    header.append(littleEndian: UInt64(1))
    header.append(width == .u16 ? 8 : 4)
    header.append(littleEndian: UInt64(lengths.count))
    header.append(littleEndian: UInt64(lengths.count + 1))
    try header.withPlace(0..<header.count, body)
    // Swift runs on little-endian machines only, and so the memory of the lengths is what the file wants.
    try lengths.forEachBlock { (block) throws(StorageError) in try body(UnsafeRawBufferPointer(block)) }
    try lengths.forEachSumBlock(.starts, factor: UInt64(width.bytes), body)
    try RecordLengths(1, count: lengths.count + 1).forEachSumBlock(.starts, factor: 1, body)
  }

  // MARK: Rewritten

  public func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter {
    try TokenFileWriter(plan, shard, folder, tokenFile: plan.stem(shard) + ".bin") {
      (lengths, folder) throws(StorageError) in
      try folder.write(plan.stem(shard) + ".idx") { (output) throws(StorageError) in
        try Self.index(lengths, plan.width) { (bytes) throws(StorageError) in try output.write(bytes) }
      }
    }
  }

  public func readBack(
    _ plan: ExportPlan, shard: Int, folder: String,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let index = try RandomAccessFile(Path.join(folder, plan.stem(shard) + ".idx"))
    let tokens = try RandomAccessFile(Path.join(folder, plan.stem(shard) + ".bin"))
    let header = try index.read(at: 0, count: Self.headerBytes)
    guard header.count == Self.headerBytes, Array(header[..<9]) == Self.mark,
      header.littleEndianWord(at: 9) == 1,
      header[17] == (plan.width == .u16 ? 8 : 4)
    else { throw .output(path: index.path, reason: "the header does not read back") }
    let count = header.littleEndianWord(at: 18)
    guard count < 1 << 31, header.littleEndianWord(at: 26) == count + 1,
      index.size == Int64(Self.headerBytes + 20 * Int(count) + 8)
    else { throw .output(path: index.path, reason: "\(index.size) bytes for \(count) documents") }
    let records = Int(count)
    var lengths = WindowedReader(index, from: Int64(Self.headerBytes))
    var offsets = WindowedReader(index, from: Int64(Self.headerBytes + 4 * records))
    var documents = WindowedReader(index, from: Int64(Self.headerBytes + 12 * records))
    var window = FileWindow(tokens, limit: Int(tokens.size))
    var end = 0
    for record in 0..<records {
      let length = Int(try lengths.next(Int32.self))
      guard length > 0, try offsets.next(Int64.self) == Int64(end),
        try documents.next(Int64.self) == Int64(record), end + length * plan.width.bytes <= Int(tokens.size)
      else { throw .output(path: index.path, reason: "document \(record) does not read back") }
      let range = end..<end + length * plan.width.bytes
      try window.withBytes(range) { (bytes) throws(StorageError) in try body(nil, bytes) }
      end = range.upperBound
    }
    guard Int64(end) == tokens.size, try documents.next(Int64.self) == Int64(records) else {
      throw .output(path: tokens.path, reason: "\(tokens.size) bytes, and the index ends at \(end)")
    }
  }
}

extension StoreManifest.Split {
  /// `train-00000`: the stem of a segment's files in an export.
  func stem(_ segment: Int) -> String { name + "-" + Path.padded(segment, digits: 5) }
}

/// Writes the ids of a shard into one file and remembers the lengths for its sidecar.
final class TokenFileWriter: ExportWriter {
  private let output: OutputFile
  private let folder: ExportFolder
  private let width: TokenWidth
  private let method: ExportMethod
  private let fixed: Int?
  private var lengths: [Int32] = []
  private var count = 0
  private let writeSidecars: (RecordLengths, ExportFolder) throws(StorageError) -> Void

  /// - Parameter sidecars: called once at the end, when the token file is there.
  init(
    _ plan: ExportPlan, _ shard: Int, _ folder: ExportFolder, tokenFile: String,
    method: ExportMethod = .written,
    sidecars: @escaping (RecordLengths, ExportFolder) throws(StorageError) -> Void
  ) throws(StorageError) {
    output = try folder.create(tokenFile)
    self.folder = folder
    self.method = method
    width = plan.width
    fixed = plan.tailTokens == 0 ? plan.tokensPerRecord : nil
    if fixed == nil { lengths.reserveCapacity(plan.shards[shard].records) }
    writeSidecars = sidecars
  }

  func add(_ record: ExportRecord) throws(StorageError) {
    try output.write(record.tokens)
    count += 1
    if fixed == nil { lengths.append(Int32(truncatingIfNeeded: record.tokens.count / width.bytes)) }
  }

  func finish() throws(StorageError) -> JSONValue {
    folder.record(try output.commit(), method)
    let all = if let fixed { RecordLengths(fixed, count: count) } else { RecordLengths(lengths) }
    try writeSidecars(all, folder)
    return .null
  }
}

/// Little-endian integers of a file one after the other, 64 KiB at a time.
struct WindowedReader {
  private let file: RandomAccessFile
  private var offset: Int64
  private var window: [UInt8] = []
  private var position = 0

  init(_ file: RandomAccessFile, from offset: Int64) {
    self.file = file
    self.offset = offset
  }

  /// - Throws: `.output` at the end of the file.
  mutating func next<Word: FixedWidthInteger>(_ type: Word.Type) throws(StorageError) -> Word {
    let size = MemoryLayout<Word>.size
    if position + size > window.count {
      // Windows are a multiple of 8 bytes, so no integer lies across their border.
      window = try file.read(at: offset, count: 1 << 16)
      offset += Int64(window.count)
      position = 0
      guard window.count >= size else { throw .output(path: file.path, reason: "the file ends too early") }
    }
    let value = window.withUnsafeBytes { $0.integer(at: position, as: type) }
    position += size
    return value
  }
}
