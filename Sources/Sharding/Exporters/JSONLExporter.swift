import Bytes
import Storage

/// JSON lines `{"id":"…","tokens":[1,2,3]}`: slow and large, readable by anything, what exports are compared with.
///
/// One file per shard, by default one in all.
public struct JSONLExporter: Exporter {
  public let name = "jsonl"
  public let summary = "JSON lines {\"id\",\"tokens\"}, one file"
  public var carriesIDs: Bool { true }

  public init() {}

  public func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter {
    Writer(try folder.create(Self.fileName(plan, shard)), plan.width, folder)
  }

  static func fileName(_ plan: ExportPlan, _ shard: Int) -> String {
    plan.shards.count == 1 && !plan.options.isPerRank ? plan.split + ".jsonl" : plan.stem(shard) + ".jsonl"
  }

  private final class Writer: ExportWriter {
    private let output: OutputFile
    private let width: TokenWidth
    private let folder: ExportFolder
    private var line: [UInt8] = []

    init(_ output: OutputFile, _ width: TokenWidth, _ folder: ExportFolder) {
      self.output = output
      self.width = width
      self.folder = folder
    }

    func add(_ record: ExportRecord) throws(StorageError) {
      line.removeAll(keepingCapacity: true)
      line.append("{\"id\":")
      JSONText.append(string: record.id.span, to: &line)
      line.append(",\"tokens\":[")
      switch width {
      case .u16: JSONLExporter.append(record.tokens, as: UInt16.self, to: &line)
      case .u32: JSONLExporter.append(record.tokens, as: UInt32.self, to: &line)
      }
      line.append("]}\n")
      try output.write(line)
    }

    func finish() throws(StorageError) -> JSONValue {
      folder.record(try output.commit())
      return .null
    }
  }

  public func readBack(
    _ plan: ExportPlan, shard: Int, folder: String,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let file = try RandomAccessFile(Path.join(folder, Self.fileName(plan, shard)))
    var pending: [UInt8] = []
    var offset: Int64 = 0
    var tokens: [UInt8] = []
    var number = 0
    while offset < file.size {
      let more = try file.read(at: offset, count: 1 << 20)
      guard !more.isEmpty else { throw .output(path: file.path, reason: "the file ends too early") }
      offset += Int64(more.count)
      var start = 0
      let searched = pending.count
      pending.append(contentsOf: more)
      var from = searched
      while let end = pending.span.firstIndex(of: 10, from: from) {
        guard
          let id = Self.parse(
            pending.span.extracting(start..<end), plan.width, plan.vocabulary, into: &tokens)
        else { throw .output(path: file.path, reason: "line \(number + 1) does not read back") }
        try tokens.withPlace(0..<tokens.count) { (bytes) throws(StorageError) in try body(id, bytes) }
        number += 1
        start = end + 1
        from = start
      }
      pending.removeFirst(start)
    }
    guard pending.isEmpty else { throw .output(path: file.path, reason: "the last line is cut") }
  }

  /// Reads a line as `add` writes it: its id, and its ids as stored in `tokens`; nil for anything else.
  static func parse(
    _ line: borrowing Span<UInt8>, _ width: TokenWidth, _ vocabulary: Int, into tokens: inout [UInt8]
  ) -> [UInt8]? {
    tokens.removeAll(keepingCapacity: true)
    guard let id = DocumentOrigin.id(ofLine: line) else { return nil }
    // The id's closing quote: the first that is not escaped.
    var at = 7
    while line[at] != UInt8(ascii: "\"") { at += line[at] == UInt8(ascii: "\\") ? 2 : 1 }
    let lead: StaticString = "\",\"tokens\":["
    guard line.starts(with: lead, at: at, ignoringCase: false) else { return nil }
    at += lead.utf8CodeUnitCount
    while at < line.count {
      var value = 0
      let first = at
      while at < line.count, at - first < 10, line[at].isASCIIDigit {
        value = value * 10 + Int(line[at] - 48)
        at += 1
      }
      guard at > first, at < line.count, value < vocabulary else { return nil }
      switch width {
      case .u16: tokens.append(littleEndian: UInt16(truncatingIfNeeded: value))
      case .u32: tokens.append(littleEndian: UInt32(truncatingIfNeeded: value))
      }
      if line[at] == UInt8(ascii: "]") {
        return at + 2 == line.count && line[at + 1] == UInt8(ascii: "}") ? id : nil
      }
      guard line[at] == UInt8(ascii: ",") else { return nil }
      at += 1
    }
    return nil
  }

  /// Appends `1,2,3`. Digits go straight into the array's memory: one call per id costs several times more.
  static func append<Word: FixedWidthInteger>(
    _ tokens: UnsafeRawBufferPointer, as type: Word.Type, to line: inout [UInt8]
  ) {
    let count = tokens.count / MemoryLayout<Word>.size
    guard count > 0 else { return }
    // At most ten digits and a comma each.
    let text = [UInt8](unsafeUninitializedCapacity: count * 11) { buffer, initialized in
      var at = 0
      for index in 0..<count {
        let id = UInt32(
          truncatingIfNeeded: Word(
            littleEndian: tokens.loadUnaligned(
              fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self)))
        var digits = 1
        var bound: UInt64 = 10
        while UInt64(id) >= bound {
          digits += 1
          bound *= 10
        }
        var rest = id
        for position in stride(from: at + digits - 1, through: at, by: -1) {
          buffer[position] = 48 + UInt8(truncatingIfNeeded: rest % 10)
          rest /= 10
        }
        at += digits
        buffer[at] = UInt8(ascii: ",")
        at += 1
      }
      // Without the last comma.
      initialized = at - 1
    }
    line.append(contentsOf: text)
  }
}
