import Bytes
import Storage

/// Little-endian numbers in byte records: what the files between the phases are made of.
extension Array where Element == UInt8 {
  @inline(__always) mutating func append(word value: UInt64) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}

extension UnsafeRawBufferPointer {
  /// The 64-bit number at byte `offset`; the caller has checked that it is there.
  @inline(__always) func word(_ offset: Int) -> UInt64 {
    UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}

/// Reads a file of the phases from front to back through one buffer.
final class RecordFile {
  let path: String
  let size: Int64
  private let file: RandomAccessFile
  private let buffer: UnsafeMutableRawBufferPointer
  private var position = 0
  private var limit = 0
  /// Offset in the file of the buffer's end.
  private var offset: Int64 = 0

  /// - Parameter bufferBytes: also the longest record that `next` can give.
  init(_ path: String, from start: Int64 = 0, bufferBytes: Int = 256 << 10) throws(StorageError) {
    self.path = path
    file = try RandomAccessFile(path)
    size = file.size
    offset = start
    buffer = .allocate(byteCount: bufferBytes, alignment: 16)
  }

  deinit { buffer.deallocate() }

  /// Offset in the file of what `next` gives next.
  var place: Int64 { offset - Int64(limit - position) }
  var isAtEnd: Bool { place >= size }

  /// The next `count` bytes, valid until the next call; nil at the end of the file.
  func next(_ count: Int) throws(StorageError) -> UnsafeRawBufferPointer? {
    if limit - position < count {
      if isAtEnd { return nil }
      guard count <= buffer.count else { throw damaged() }
      let kept = limit - position
      buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + position, byteCount: kept)
      let got = try file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[kept...]))
      offset += Int64(got)
      position = 0
      limit = kept + got
      guard limit >= count else { throw damaged() }
    }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: buffer[position..<position + count])
  }

  /// Goes on `count` bytes further.
  func skip(_ count: Int64) {
    if count <= Int64(limit - position) {
      position += Int(count)
    } else {
      offset = place + count
      position = 0
      limit = 0
    }
  }

  /// The next 64-bit number, or nil at the end of the file.
  func nextWord() throws(StorageError) -> UInt64? { try next(8)?.word(0) }

  func damaged() -> StorageError {
    .input(
      path: path,
      reason: "is damaged or cut at byte \(place); it was written by an earlier phase. Run with --restart.")
  }
}

/// Sorts records of up to four 64-bit numbers by the first `keyWords` of them.
final class WordSorter {
  private let sorter: ExternalSorter
  private let keyBytes: Int
  private let scratch: UnsafeMutableRawBufferPointer
  var count: Int64 { sorter.count }

  init(keyWords: Int, memoryBytes: Int, temporaryFolder: String) {
    sorter = ExternalSorter(memoryBytes: memoryBytes, temporaryFolder: temporaryFolder)
    keyBytes = keyWords * 8
    scratch = .allocate(byteCount: 32, alignment: 16)
  }

  deinit { scratch.deallocate() }

  func add(_ a: UInt64) throws(StorageError) { try put(a, 0, 0, 0, 8) }
  func add(_ a: UInt64, _ b: UInt64) throws(StorageError) { try put(a, b, 0, 0, 16) }
  func add(_ a: UInt64, _ b: UInt64, _ c: UInt64) throws(StorageError) { try put(a, b, c, 0, 24) }
  func add(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) throws(StorageError) {
    try put(a, b, c, d, 32)
  }

  @inline(__always)
  private func put(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64, _ count: Int) throws(StorageError) {
    // Big-endian, so that the order of bytes is the order of numbers.
    scratch.storeBytes(of: a.bigEndian, toByteOffset: 0, as: UInt64.self)
    scratch.storeBytes(of: b.bigEndian, toByteOffset: 8, as: UInt64.self)
    scratch.storeBytes(of: c.bigEndian, toByteOffset: 16, as: UInt64.self)
    scratch.storeBytes(of: d.bigEndian, toByteOffset: 24, as: UInt64.self)
    try sorter.add(
      key: UnsafeRawBufferPointer(rebasing: scratch[..<keyBytes]),
      payload: UnsafeRawBufferPointer(rebasing: scratch[keyBytes..<count]))
  }

  /// Everything added, in order.
  func sorted() throws(StorageError) -> SortedWords {
    try Interruption.check()
    return SortedWords(try sorter.sorted())
  }
}

/// The records of a `WordSorter`, in order.
final class SortedWords {
  private let records: SortedRecords
  /// Numbers of the record that `next` found; those beyond its length are 0.
  private(set) var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  init(_ records: SortedRecords) { self.records = records }

  /// The next record goes to `words`; false at the end.
  func next() throws(StorageError) -> Bool {
    guard let record = try records.next() else { return false }
    let key = record.key
    let payload = record.payload
    func word(_ index: Int) -> UInt64 {
      let offset = index * 8
      if offset < key.count {
        return UInt64(bigEndian: key.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      }
      guard offset - key.count < payload.count else { return 0 }
      return UInt64(bigEndian: payload.loadUnaligned(fromByteOffset: offset - key.count, as: UInt64.self))
    }
    words = (word(0), word(1), word(2), word(3))
    return true
  }
}

extension Interruption {
  /// - Throws: `.interrupted` after SIGINT or SIGTERM; the phases ask now and then.
  static func check() throws(StorageError) {
    if isRequested { throw .interrupted }
  }
}

/// Writes a file of the phases: numbers and bytes through one buffer, whole or not at all.
final class RecordOutput {
  private static let bufferBytes = 64 << 10
  private let file: OutputFile
  private var buffer: [UInt8] = []
  /// Bytes written so far.
  private(set) var byteCount: UInt64 = 0

  init(folder: String, name: String) throws(StorageError) {
    file = try OutputFile(folder: folder, name: name)
    buffer.reserveCapacity(Self.bufferBytes + 1024)
  }

  func write(word value: UInt64) throws(StorageError) {
    buffer.append(word: value)
    byteCount += 8
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  func write(pair first: UInt64, _ second: UInt64) throws(StorageError) {
    try write(word: first)
    try write(word: second)
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    buffer.append(contentsOf: bytes)
    byteCount += UInt64(bytes.count)
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  func commit() throws(StorageError) -> FileSummary {
    try flush()
    return try file.commit()
  }

  private func flush() throws(StorageError) {
    try file.write(buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
