import Bytes
import Storage

/// JSON lines `{"id":"…","tokens":[1,2,3]}` in store order: slow and large, readable by anything, what exports are compared with.
public struct JSONLExporter: Exporter {
  public let name = "jsonl"
  public let summary = "JSON lines {\"id\",\"tokens\"} in store order, one file"

  public init() {}

  public func check(_ store: TokenStore, _ split: StoreManifest.Split) throws(StorageError) {}

  public func export(
    _ split: StoreManifest.Split, of store: TokenStore, into folder: ExportFolder
  ) throws(StorageError) {
    try folder.write(split.name + ".jsonl") { (output) throws(StorageError) in
      for number in split.segments.indices {
        let segment = try store.open(split, segment: number)
        try Self.forEachLine(of: segment) { (line, _) throws(StorageError) in try output.write(line) }
      }
    }
  }

  /// Compares the file with the lines made again: both come from the store, so that only the way to the disk is
  /// checked; the store's own hashes are `sluice verify`'s.
  public func compare(
    _ split: StoreManifest.Split, of store: TokenStore, in folder: String
  ) throws(StorageError) {
    let file = try RandomAccessFile(Path.join(folder, split.name + ".jsonl"))
    var offset: Int64 = 0
    for number in split.segments.indices {
      let segment = try store.open(split, segment: number)
      try Self.forEachLine(of: segment) { (line, document) throws(StorageError) in
        guard try file.read(at: offset, count: line.count) == line else {
          throw .output(
            path: file.path, reason: "document \(document) of segment \(number) does not read back equal")
        }
        offset += Int64(line.count)
      }
    }
    guard offset == file.size else { throw .output(path: file.path, reason: "more bytes than the split has") }
  }

  /// Makes the lines of a segment, one document at a time.
  static func forEachLine(
    of segment: SegmentReader, _ body: (_ line: [UInt8], _ document: Int) throws(StorageError) -> Void
  ) throws(StorageError) {
    var origins: [[UInt8]] = []
    var line: [UInt8] = []
    try segment.forEachDocument { (number, start, document) throws(StorageError) in
      let (frame, inFrame) = number.quotientAndRemainder(dividingBy: StoreOptions.originFrameDocuments)
      if inFrame == 0 { origins = try segment.originLines(ofFrame: frame) }
      guard inFrame < origins.count, let origin = DocumentOrigin(line: origins[inFrame]) else {
        throw .input(path: segment.doc.path, reason: "document \(number) has no origin. Run `sluice verify`.")
      }
      line.removeAll(keepingCapacity: true)
      line.append("{\"id\":")
      JSONText.append(string: origin.id, to: &line)
      line.append(",\"tokens\":[")
      Self.append(try segment.tokens(start..<document.end), to: &line)
      line.append("]}\n")
      try body(line, number)
    }
  }

  /// Appends `1,2,3`. Digits go straight into the array's memory: one call per id costs several times more.
  static func append(_ ids: [UInt32], to line: inout [UInt8]) {
    guard !ids.isEmpty else { return }
    // At most ten digits and a comma each.
    let text = [UInt8](unsafeUninitializedCapacity: ids.count * 11) { buffer, initialized in
      var at = 0
      for id in ids {
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
