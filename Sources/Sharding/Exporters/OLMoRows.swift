import Bytes
import Glibc
import Storage

/// The rows `start,end,id,src,loc` of OLMo's `.csv.gz`, on their way to the disk.
///
/// A row resembles the one before: it starts where that ended, its id often begins alike, its part is often the same. These
/// repetitions are known while the row is made, so that compression costs no search; that they are true is seen when the file is
/// read back.
final class OLMoRows {
  private let output: OutputFile
  private let name: String
  private let folder: ExportFolder
  private var encoder: GzipEncoder
  private var compressed: [UInt8] = []
  private var copies: [GzipEncoder.Copy] = []
  /// Of the rows that are decoded again when the file is read back.
  private var hash = XXH64()
  private var hashed = 0

  private var text: UnsafeMutableRawBufferPointer
  /// Bytes of `text` in use, and where those begin that are not compressed yet: the last row stays for the next to refer to.
  private var count = 0
  private var fresh = 0
  private var last: Row?

  /// Where the fields of a row begin in `text`.
  private struct Row {
    var start: Int
    var end: Int
    var id: Int
    var part: Int
    /// The comma behind the part.
    var partEnd: Int
    var endValue: Int
  }

  private static let textBytes = 128 << 10
  /// Rows of a linked segment that are decoded again; the rest is compared by the file's hash. Decoding all would cost as much as
  /// all else together.
  private static let decodedBytes = 4 << 20

  init(_ name: String, _ folder: ExportFolder) throws(StorageError) {
    output = try folder.create(name)
    self.name = name
    self.folder = folder
    encoder = GzipEncoder(into: &compressed)
    text = .allocate(byteCount: Self.textBytes, alignment: 16)
  }

  deinit { text.deallocate() }

  /// - Parameters:
  ///   - id: plain text.
  ///   - part: a field already (`OLMoExporter.field`).
  func add(
    _ start: Int, _ end: Int, id: UnsafeRawBufferPointer, part: [UInt8], number: Int?
  ) throws(StorageError) {
    try reserve(96 + 2 * id.count + part.count)
    guard let base = text.baseAddress else { return }
    // Members of a class are checked at each access: the row is made with locals.
    let last = last
    var out = Cursor(base: base, count: count)
    var row = Row(start: count, end: 0, id: 0, part: 0, partEnd: 0, endValue: end)
    if let last, last.endValue == start {
      // The last row's end, with its comma.
      let length = last.id - last.end
      out.put(UnsafeRawBufferPointer(start: base + last.end, count: length))
      copy(length, from: last.end, to: row.start)
    } else {
      out.put(decimal: start)
      out.put(UInt8(ascii: ","))
    }
    row.end = out.count
    out.put(decimal: end)
    copy(out.common(row.start, row.end, out.count - row.end), from: row.start, to: row.end)
    out.put(UInt8(ascii: ","))
    row.id = out.count
    out.put(field: id)
    out.put(UInt8(ascii: ","))
    row.part = out.count
    part.withUnsafeBytes { out.put($0) }
    row.partEnd = out.count
    out.put(UInt8(ascii: ","))
    if let last {
      // The id's beginning; its comma before belongs to the copy.
      let limit = min(row.part - row.id, last.part - last.id)
      let same = out.common(last.id, row.id, limit)
      copy(same + 1, from: last.id - 1, to: row.id - 1)
      // The part with the comma before it, unless the id is the same to its end, and the comma behind.
      let length = row.partEnd - row.part
      let from = same == row.part - row.id ? row.part : row.part - 1
      if length == last.partEnd - last.part, out.common(last.part, row.part, length) == length {
        copy(row.partEnd + 1 - from, from: last.part - (row.part - from), to: from)
      }
    }
    if let number { out.put(decimal: number) }
    out.put(10)
    count = out.count
    self.last = row
  }

  /// Ends the file and gives it to the folder.
  func commit() throws(StorageError) {
    try flush()
    encoder.finish(into: &compressed)
    try output.write(compressed)
    let file = try output.commit()
    folder.record(file)
    folder.note(name, .init(file: file.xxh64, decoded: hash.finalize(), decodedBytes: hashed))
  }

  // MARK: Text

  private func copy(_ length: Int, from source: Int, to target: Int) {
    guard length > GzipEncoder.lengthMin, target - source <= GzipEncoder.distanceMax else { return }
    copies.append(.init(at: target - fresh, length: length, distance: target - source))
  }

  /// Where the next byte of a row goes; room is reserved.
  private struct Cursor {
    let base: UnsafeMutableRawPointer
    var count: Int

    /// Equal bytes from two places on, at most `limit`.
    @inline(__always) func common(_ a: Int, _ b: Int, _ limit: Int) -> Int {
      var same = 0
      while same + 8 <= limit {
        let difference =
          base.loadUnaligned(fromByteOffset: a + same, as: UInt64.self).littleEndian
          ^ base.loadUnaligned(fromByteOffset: b + same, as: UInt64.self).littleEndian
        if difference != 0 { return same + difference.trailingZeroBitCount / 8 }
        same += 8
      }
      while same < limit, byte(a + same) == byte(b + same) { same += 1 }
      return same
    }

    @inline(__always) private func byte(_ offset: Int) -> UInt8 {
      base.load(fromByteOffset: offset, as: UInt8.self)
    }

    @inline(__always) mutating func put(_ byte: UInt8) {
      base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
      count += 1
    }

    /// At most 19 digits.
    @inline(__always) mutating func put(decimal value: Int) {
      var rest = UInt(bitPattern: value)
      var digits = 1
      var bound: UInt = 10
      while digits < 19, rest >= bound {
        digits += 1
        bound &*= 10
      }
      var at = count + digits
      count = at
      repeat {
        at -= 1
        base.storeBytes(of: 48 + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: at, as: UInt8.self)
        rest /= 10
      } while rest > 0
    }

    mutating func put(field: UnsafeRawBufferPointer) {
      var special = false
      for byte in field {
        let isSeparator = byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"")
        special = special || isSeparator || byte == 10 || byte == 13
      }
      if special {
        for byte in OLMoExporter.field(Array(field).span) { put(byte) }
      } else {
        put(field)
      }
    }

    @inline(__always) mutating func put(_ bytes: UnsafeRawBufferPointer) {
      guard let source = bytes.baseAddress else { return }
      memmove(base + count, source, bytes.count)
      count += bytes.count
    }
  }

  /// Makes room: compresses what is there, and keeps the last row.
  private func reserve(_ bytes: Int) throws(StorageError) {
    guard count + bytes > text.count else { return }
    try flush()
    let kept = last?.start ?? count
    let length = count - kept
    if length + bytes > text.count {
      let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * (length + bytes), alignment: 16)
      memcpy(larger.baseAddress!, text.baseAddress! + kept, length)
      text.deallocate()
      text = larger
    } else {
      memmove(text.baseAddress!, text.baseAddress! + kept, length)
    }
    if var row = last {
      row.start -= kept
      row.end -= kept
      row.id -= kept
      row.part -= kept
      row.partEnd -= kept
      last = row
    }
    count = length
    fresh = length
  }

  private func flush() throws(StorageError) {
    let part = UnsafeRawBufferPointer(rebasing: text[fresh..<count])
    if hashed < Self.decodedBytes {
      hash.update(part)
      hashed += part.count
    }
    encoder.add(part, copies: copies, into: &compressed)
    copies.removeAll(keepingCapacity: true)
    try output.write(compressed)
    compressed.removeAll(keepingCapacity: true)
    fresh = count
  }

  // MARK: Reading back

  /// Compares a file of this folder with what was written: all its bytes, and the first rows decoded.
  ///
  /// - Throws: `.output` where it differs.
  static func compare(_ name: String, in folder: ExportFolder) throws(StorageError) {
    let path = Path.join(folder.path, name)
    guard let wanted = folder.contents[name] else { throw .bug("\(name) was not noted") }
    let file = try RandomAccessFile(path)
    var hash = XXH64()
    try file.forEachPart(from: 0, to: file.size) { (bytes) throws(StorageError) in hash.update(bytes) }
    var decoded = XXH64()
    var rest = wanted.decodedBytes
    try forEachPart(of: path, limit: rest) { (bytes) throws(StorageError) in
      bytes.withUnsafeBytes { decoded.update(UnsafeRawBufferPointer(rebasing: $0[..<min(rest, $0.count)])) }
      rest -= min(rest, bytes.count)
    }
    guard Hex.string(hash.finalize()) == wanted.file, rest == 0, decoded.finalize() == wanted.decoded else {
      throw .output(path: path, reason: "the rows do not read back equal")
    }
  }

  /// Gives the decoded bytes of a file in parts, at least `limit` of them.
  ///
  /// - Throws: `.output` for damaged or cut data.
  static func forEachPart(
    of path: String, limit: Int = .max, _ body: ([UInt8]) throws(StorageError) -> Void
  ) throws(StorageError) {
    var given = 0
    let size = try FileSystem.size(of: path)
    let reader = try DecodingReader(InputFile(path: path, name: path, size: size))
    guard reader.codec == .gzip else { throw .output(path: path, reason: "is no gzip file") }
    var part: [UInt8] = []
    while given < limit {
      part.removeAll(keepingCapacity: true)
      switch try reader.read(into: &part, upTo: 256 << 10) {
      case .bytes(let count):
        given += count
        try body(part)
      case .memberEnd: continue
      case .end: return
      case .corrupt(let reason): throw .output(path: path, reason: reason)
      case .truncated: throw .output(path: path, reason: "the file is cut")
      }
    }
  }
}
