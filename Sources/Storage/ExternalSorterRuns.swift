import Glibc
import Synchronization

/// The file that holds all sorted runs of one round, back to back: without a name from the start, so that not even a
/// killed process leaves it behind.
final class RunFile {
  private static let fileCount = Atomic<Int>(0)
  private let descriptor: Int32
  private let path: String
  private(set) var size: Int64 = 0

  init(folder: String) throws(StorageError) {
    try FileSystem.makeFolder(folder)
    let number = RunFile.fileCount.wrappingAdd(1, ordering: .relaxed).newValue
    path = Path.join(folder, "sort.\(System.processID)-\(number)")
    do throws(System.Failure) { descriptor = try System.createUnnamed(path) } catch {
      throw .output(path: path, reason: "cannot make a temporary file: \(error.reason). Check --temp.")
    }
  }

  deinit { try? System.closeFile(descriptor) }

  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    do throws(System.Failure) { try System.writeAll(bytes, to: descriptor) } catch {
      throw error.isFull ? .full(path: path, written: size) : .output(path: path, reason: error.reason)
    }
    size += Int64(bytes.count)
  }

  /// Fills `bytes`.
  func read(at offset: Int64, into bytes: UnsafeMutableRawBufferPointer) throws(StorageError) {
    let count: Int
    do throws(System.Failure) { count = try System.read(descriptor, at: offset, into: bytes) } catch {
      throw .input(path: path, reason: "cannot read the temporary file: \(error.reason)")
    }
    guard count == bytes.count else {
      throw .input(path: path, reason: "the temporary file is shorter than what was written to it")
    }
  }
}

/// Writes the records of one run: key length and payload length as varints (LEB128), key, payload.
struct RunWriter: ~Copyable {
  /// Longest two varints of a record.
  static let headerBytesMax = 10

  private let file: RunFile
  private let buffer: UnsafeMutableRawPointer
  private let capacity: Int
  private var used = 0

  init(file: RunFile, bufferBytes: Int) {
    self.file = file
    capacity = bufferBytes
    buffer = .allocate(byteCount: bufferBytes, alignment: 16)
  }

  deinit { buffer.deallocate() }

  mutating func write(_ record: SortedRecord) throws(StorageError) {
    if capacity - used < Self.headerBytesMax { try flush() }
    putVarint(record.key.count)
    putVarint(record.payload.count)
    try put(record.key)
    try put(record.payload)
  }

  mutating func flush() throws(StorageError) {
    guard used > 0 else { return }
    try file.append(UnsafeRawBufferPointer(start: buffer, count: used))
    used = 0
  }

  @inline(__always) private mutating func putVarint(_ value: Int) {
    var rest = value
    while rest >= 128 {
      buffer.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 128, toByteOffset: used, as: UInt8.self)
      used += 1
      rest >>= 7
    }
    buffer.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: used, as: UInt8.self)
    used += 1
  }

  @inline(__always) private mutating func put(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    guard let source = bytes.baseAddress else { return }
    if bytes.count > capacity - used {
      try flush()
      if bytes.count > capacity { return try file.append(bytes) }
    }
    memcpy(buffer + used, source, bytes.count)
    used += bytes.count
  }
}

/// Reads one run through a part of the merge's memory. `current` stays valid until `advance`.
struct RunReader {
  private let file: RunFile
  private let buffer: UnsafeMutableRawBufferPointer
  private var offset: Int64
  private let end: Int64
  private var position = 0
  private var limit = 0
  private(set) var prefix: UInt64 = 0
  private(set) var current: SortedRecord

  /// - Parameter buffer: at least as large as the longest record of the run with its header.
  init(file: RunFile, range: Range<Int64>, buffer: UnsafeMutableRawBufferPointer) {
    self.file = file
    self.buffer = buffer
    offset = range.lowerBound
    end = range.upperBound
    let empty = UnsafeRawBufferPointer(start: buffer.baseAddress, count: 0)
    current = SortedRecord(key: empty, payload: empty)
  }

  /// Makes the next record current; false at the end of the run.
  mutating func advance() throws(StorageError) -> Bool {
    if decode() { return true }
    try refill()
    if limit == 0 { return false }
    guard decode() else { throw .bug("a record of a sorted run does not fit its buffer") }
    return true
  }

  private mutating func refill() throws(StorageError) {
    let kept = limit - position
    if kept > 0, position > 0 { memmove(buffer.baseAddress!, buffer.baseAddress! + position, kept) }
    let count = Int(min(Int64(buffer.count - kept), end - offset))
    try file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[kept..<kept + count]))
    offset += Int64(count)
    position = 0
    limit = kept + count
  }

  /// Decodes the record at `position` if all of it is in the buffer.
  @inline(__always) private mutating func decode() -> Bool {
    var at = position
    guard let keyCount = varint(&at), let payloadCount = varint(&at) else { return false }
    guard keyCount <= limit - at, payloadCount <= limit - at - keyCount else { return false }
    let start = UnsafeRawPointer(buffer.baseAddress!) + at
    current = SortedRecord(
      key: UnsafeRawBufferPointer(start: start, count: keyCount),
      payload: UnsafeRawBufferPointer(start: start + keyCount, count: payloadCount))
    prefix = keyPrefix(current.key)
    position = at + keyCount + payloadCount
    return true
  }

  @inline(__always) private func varint(_ at: inout Int) -> Int? {
    var value = 0
    var shift = 0
    while at < limit, shift < 35 {
      let byte = buffer[at]
      at += 1
      value |= Int(byte & 127) << shift
      if byte < 128 { return value }
      shift += 7
    }
    return nil
  }
}
