import Bytes
import Storage

/// WebDataset: tar files in which a sample is two members, `000000001.tokens.bin` (ids as stored) and `000000001.json` (`{"id": …}`).
///
/// ustar, mode 0444, no times, no owners, so that equal content is equal bytes. Keys hold no dot and count through all shards.
///
/// - Source: webdataset 1.0.2, `tariterators.py` (samples are consecutive members of one key); POSIX.1-1988 for ustar.
public struct WebDatasetExporter: Exporter {
  public let name = "webdataset"
  public let summary = "WebDataset: .tar of NNNNNNNNN.tokens.bin and .json"
  public var carriesIDs: Bool { true }
  public var shardBytesDefault: Int? { 256 << 20 }

  static let idsSuffix = ".tokens.bin"
  static let block = 512
  /// Tar programs write whole records of twenty blocks.
  static let record = 20 * 512

  public init() {}

  public func check(_ plan: ExportPlan) throws(StorageError) {
    if let replicas = plan.replicas, plan.shards.count % replicas != 0 {
      let below = plan.shards.count / replicas * replicas
      let count = plan.shards.count
      throw .usage(
        "webdataset: its reader deals whole shards out, and \(count) are no multiple of the view's \(replicas) replicas. "
          + "Choose --shards \(max(replicas, below)) or \(max(replicas, below) + replicas), better a multiple of replicas × workers."
      )
    }
  }

  static func key(_ plan: ExportPlan, _ record: Int) -> String {
    Path.padded(record, digits: max(9, String(plan.recordCount).utf8.count))
  }

  // MARK: Writing

  public func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter {
    Writer(try folder.create(plan.stem(shard) + ".tar"), plan, plan.shards[shard].firstRecord, folder)
  }

  private final class Writer: ExportWriter {
    private let output: OutputFile
    private let plan: ExportPlan
    private let folder: ExportFolder
    private var record: Int

    init(_ output: OutputFile, _ plan: ExportPlan, _ first: Int, _ folder: ExportFolder) {
      self.output = output
      self.plan = plan
      self.folder = folder
      record = first
    }

    func add(_ record: ExportRecord) throws(StorageError) {
      let key = WebDatasetExporter.key(plan, self.record)
      try member(key + WebDatasetExporter.idsSuffix, record.tokens)
      var json: [UInt8] = []
      json.append("{\"id\": ")
      JSONText.append(string: record.id.span, to: &json)
      json.append("}")
      try json.withPlace(0..<json.count) { (bytes) throws(StorageError) in
        try member(key + ".json", bytes)
      }
      self.record += 1
    }

    private func member(_ name: String, _ bytes: UnsafeRawBufferPointer) throws(StorageError) {
      try output.write(WebDatasetExporter.header(name, bytes.count))
      try output.write(bytes)
      let rest = bytes.count % WebDatasetExporter.block
      if rest > 0 { try output.write([UInt8](repeating: 0, count: WebDatasetExporter.block - rest)) }
    }

    func finish() throws(StorageError) -> JSONValue {
      // Two empty blocks end the archive.
      let end = Int(output.byteCount) + 2 * WebDatasetExporter.block
      let rest = end % WebDatasetExporter.record
      let padding = rest == 0 ? 0 : WebDatasetExporter.record - rest
      try output.write([UInt8](repeating: 0, count: 2 * WebDatasetExporter.block + padding))
      folder.record(try output.commit())
      return .null
    }
  }

  /// A ustar header; names are short and sizes below 8 GiB, so that no extension is needed.
  static func header(_ name: String, _ size: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: block)
    func put(_ text: String, _ offset: Int) {
      for (index, byte) in text.utf8.enumerated() { bytes[offset + index] = byte }
    }
    func octal(_ value: Int, _ digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
    put(name, 0)
    put(octal(0o444, 7), 100)
    put(octal(0, 7), 108)
    put(octal(0, 7), 116)
    put(octal(size, 11), 124)
    put(octal(0, 11), 136)
    put("        ", 148)
    // A plain file.
    put("0", 156)
    put("ustar", 257)
    put("00", 263)
    put(octal(0, 7), 329)
    put(octal(0, 7), 337)
    // The sum is taken with blanks in its own place.
    let sum = bytes.reduce(0) { $0 + Int($1) }
    put(octal(sum, 6), 148)
    bytes[154] = 0
    return bytes
  }

  // MARK: Reading back

  public func readBack(
    _ plan: ExportPlan, shard: Int, folder: String,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let file = try RandomAccessFile(Path.join(folder, plan.stem(shard) + ".tar"))
    var window = FileWindow(file, limit: Int(file.size))
    var at = 0
    var record = plan.shards[shard].firstRecord
    var tokens: [UInt8] = []
    while let size = try Self.member(&window, file, at, Self.key(plan, record) + Self.idsSuffix) {
      try window.withBytes(at + Self.block..<at + Self.block + size) { (bytes) in tokens = Array(bytes) }
      at += Self.block + (size + Self.block - 1) / Self.block * Self.block
      var id: [UInt8]?
      guard let length = try Self.member(&window, file, at, Self.key(plan, record) + ".json") else {
        throw .output(path: file.path, reason: "record \(record) has no .json")
      }
      try window.withBytes(at + Self.block..<at + Self.block + length) { (bytes) in
        id = (try? JSONValue.parse(Array(bytes)))?["id"]?.string.map { Array($0.utf8) }
      }
      at += Self.block + (length + Self.block - 1) / Self.block * Self.block
      guard let id else { throw .output(path: file.path, reason: "record \(record) has no id") }
      try tokens.withPlace(0..<tokens.count) { (bytes) throws(StorageError) in try body(id, bytes) }
      record += 1
    }
    let end = at + 2 * Self.block
    guard Int(file.size) == (end + Self.record - 1) / Self.record * Self.record else {
      throw .output(path: file.path, reason: "the archive has no end")
    }
  }

  /// Size of the member that starts at `at`; nil at the archive's end.
  ///
  /// - Throws: `.output` for another name or a header that is not the one that was written.
  private static func member(
    _ window: inout FileWindow, _ file: RandomAccessFile, _ at: Int, _ name: String
  ) throws(StorageError) -> Int? {
    guard at + block <= Int(file.size) else { throw .output(path: file.path, reason: "the archive is cut") }
    var header: [UInt8] = []
    try window.withBytes(at..<at + block) { (bytes) in header = Array(bytes) }
    if header.allSatisfy({ $0 == 0 }) { return nil }
    var size = 0
    for byte in header[124..<135] {
      guard (48..<56).contains(byte) else {
        throw .output(path: file.path, reason: "\(name): damaged header")
      }
      size = size * 8 + Int(byte - 48)
    }
    guard header == Self.header(name, size), at + block + size <= Int(file.size) else {
      throw .output(path: file.path, reason: "\(name): does not read back")
    }
    return size
  }
}
