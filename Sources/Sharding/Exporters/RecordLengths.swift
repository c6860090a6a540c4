import Bytes
import Glibc
import Storage

/// Lengths of a file's records in tokens, in blocks: what sidecars are made of. Can be gone through several times.
///
/// Sidecars cost a few nanoseconds a document, so nothing here is called per document.
struct RecordLengths {
  let count: Int
  private let source: Source

  private enum Source {
    case segment(SegmentReader)
    case lengths([Int32])
    case equal(Int32)
  }

  /// Of the documents of a segment, from `.doc`.
  init(_ segment: SegmentReader) {
    count = segment.segment.documents
    source = .segment(segment)
  }

  init(_ lengths: [Int32]) {
    count = lengths.count
    source = .lengths(lengths)
  }

  init(_ length: Int, count: Int) {
    self.count = count
    source = .equal(Int32(truncatingIfNeeded: length))
  }

  private static let block = 8192

  /// Gives the lengths in order, at most 8,192 at once.
  func forEachBlock(_ body: (UnsafeBufferPointer<Int32>) throws(StorageError) -> Void) throws(StorageError) {
    switch source {
    case .segment(let segment): try segment.forEachLengthBlock(body)
    case .lengths(let lengths): try Self.cut(lengths, body)
    case .equal(let length):
      var rest = count
      let block = [Int32](repeating: length, count: min(rest, Self.block))
      while rest > 0 {
        try Self.cut(block.count <= rest ? block : Array(block[..<rest]), body)
        rest -= block.count
      }
    }
  }

  private static func cut(
    _ lengths: [Int32], _ body: (UnsafeBufferPointer<Int32>) throws(StorageError) -> Void
  ) throws(StorageError) {
    var failure: StorageError?
    lengths.withUnsafeBufferPointer { all in
      var start = 0
      while start < all.count, failure == nil {
        let end = min(start + block, all.count)
        do throws(StorageError) { try body(UnsafeBufferPointer(rebasing: all[start..<end])) } catch {
          failure = error
        }
        start = end
      }
    }
    if let failure { throw failure }
  }

  /// Gives the running sum before (`.starts`) or after (`.ends`) each record times `factor`, as little-endian u64 in bytes.
  func forEachSumBlock(
    _ edge: Edge, factor: UInt64, _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    var sum: UInt64 = 0
    var words = [UInt64](repeating: 0, count: Self.block)
    try forEachBlock { (lengths) throws(StorageError) in
      words.withUnsafeMutableBufferPointer { words in
        for index in lengths.indices {
          let next = sum &+ UInt64(truncatingIfNeeded: lengths[index]) &* factor
          words[index] = (edge == .starts ? sum : next).littleEndian
          sum = next
        }
      }
      var failure: StorageError?
      words.withUnsafeBytes { bytes in
        do throws(StorageError) {
          try body(UnsafeRawBufferPointer(rebasing: bytes[..<(8 * lengths.count)]))
        } catch { failure = error }
      }
      if let failure { throw failure }
    }
  }

  enum Edge { case starts, ends }
}

extension SegmentReader {
  /// Lengths of all documents in tokens, from `.doc`, at most 8,192 at once.
  ///
  /// - Throws: `.input` at an end that does not grow or lies behind the segment.
  func forEachLengthBlock(
    _ body: (UnsafeBufferPointer<Int32>) throws(StorageError) -> Void
  ) throws(StorageError) {
    let size = SegmentWriter.documentRecordBytes
    let step = 8192
    var records = [UInt8](repeating: 0, count: step * size)
    var lengths = [Int32](repeating: 0, count: step)
    var start = 0
    var first = 0
    let limit = segment.tokens
    while first < segment.documents {
      let count = min(step, segment.documents - first)
      var failure: StorageError?
      records.withUnsafeMutableBytes { records in
        lengths.withUnsafeMutableBufferPointer { lengths in
          do throws(StorageError) {
            let part = UnsafeMutableRawBufferPointer(rebasing: records[..<(count * size)])
            guard try doc.read(at: Int64(first * size), into: part) == part.count else {
              throw .input(path: doc.path, reason: "the file is cut")
            }
            var isGood = true
            for index in 0..<count {
              let end = Int(
                truncatingIfNeeded: UInt64(
                  littleEndian: part.loadUnaligned(fromByteOffset: index * size, as: UInt64.self)))
              isGood = isGood && end > start && end <= limit
              lengths[index] = Int32(truncatingIfNeeded: end &- start)
              start = end
            }
            guard isGood else {
              throw .input(
                path: doc.path,
                reason:
                  "the ends of documents \(first) to \(first + count - 1) do not grow. Run `sluice verify`.")
            }
            try body(UnsafeBufferPointer(rebasing: lengths[..<count]))
          } catch { failure = error }
        }
      }
      if let failure { throw failure }
      first += count
    }
  }
}

/// Writes a sidecar, or compares it with the file: the same bytes made twice, so that what lies on the disk is checked.
struct SidecarCheck {
  private let file: RandomAccessFile
  private var offset: Int64 = 0
  private var buffer: [UInt8] = []

  init(_ path: String) throws(StorageError) { file = try RandomAccessFile(path) }

  /// - Throws: `.output` where the file differs.
  mutating func expect(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    if buffer.count < bytes.count { buffer = [UInt8](repeating: 0, count: bytes.count) }
    var failure: StorageError?
    let isEqual = buffer.withUnsafeMutableBytes { buffer in
      do throws(StorageError) {
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<bytes.count])
        let count = try file.read(at: offset, into: part)
        return count == bytes.count && UnsafeRawBufferPointer(part).elementsEqualFast(bytes)
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
    guard isEqual else {
      throw .output(
        path: file.path,
        reason: "bytes \(offset) to \(offset + Int64(bytes.count) - 1) do not read back equal")
    }
    offset += Int64(bytes.count)
  }

  /// - Throws: `.output` if the file is longer.
  func end() throws(StorageError) {
    guard offset == file.size else {
      throw .output(path: file.path, reason: "\(file.size) bytes where \(offset) were written")
    }
  }
}

extension UnsafeRawBufferPointer {
  func elementsEqualFast(_ other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count, let mine = baseAddress, let theirs = other.baseAddress else {
      return count == other.count
    }
    return memcmp(mine, theirs, count) == 0
  }
}
