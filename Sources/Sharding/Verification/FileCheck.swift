import Bytes
import Storage

/// Reads one file of a segment from front to back and hashes it while the bytes are in the processor's cache: SHA-256 and
/// XXH64 of all of it, and XXH64 of each block where the segment's sums are known.
struct FileCheck: ~Copyable {
  /// A multiple of a block.
  static let chunkBytes = 16 * SegmentSums.blockBytes

  let file: RandomAccessFile
  private let recorded: StoreManifest.File
  private let sums: SegmentSums.File?
  private let hasSHA256: Bool
  private var fast = XXH64()
  private var strong = SHA256()
  private var offset: Int64 = 0
  /// Byte ranges of blocks that are not what they were, neighbours joined.
  private(set) var changed: [Range<Int>] = []

  /// - Parameter sums: of this file, if they are there.
  init(_ file: RandomAccessFile, _ recorded: StoreManifest.File, _ sums: SegmentSums.File?, level: Int) {
    self.file = file
    self.recorded = recorded
    self.sums = sums?.bytes == Int(recorded.bytes) ? sums : nil
    hasSHA256 = level >= 2
  }

  var hasSums: Bool { sums != nil }

  /// The next chunk in `buffer`, of which `chunkBytes` are free behind `position`; its count, 0 at the end.
  ///
  /// - Throws: `.input` where the file cannot be read.
  mutating func next(
    into buffer: UnsafeMutableRawBufferPointer, at position: Int = 0
  ) throws(StorageError) -> Int {
    let room = UnsafeMutableRawBufferPointer(rebasing: buffer[position..<position + Self.chunkBytes])
    let count = try file.read(at: offset, into: room)
    guard count > 0 else { return 0 }
    let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
    fast.update(bytes)
    if hasSHA256 { strong.update(bytes) }
    compareBlocks(bytes)
    offset += Int64(count)
    return count
  }

  private mutating func compareBlocks(_ bytes: UnsafeRawBufferPointer) {
    guard let sums else { return }
    var start = 0
    while start < bytes.count {
      let end = min(start + SegmentSums.blockBytes, bytes.count)
      let block = (Int(offset) + start) / SegmentSums.blockBytes
      let isGood =
        block < sums.blocks.count
        && XXH64.hash(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) == sums.blocks[block]
      if !isGood { note(Int(offset) + start..<Int(offset) + end) }
      start = end
    }
  }

  private mutating func note(_ range: Range<Int>) {
    if let last = changed.last, last.upperBound == range.lowerBound {
      changed[changed.count - 1] = last.lowerBound..<range.upperBound
    } else {
      changed.append(range)
    }
  }

  /// What is wrong with the file, or nil: the level of the check, and the words.
  mutating func problem() -> (level: Int, message: String)? {
    if offset != recorded.bytes {
      // What is missing, or too much, is changed too.
      let (short, long) = (min(offset, recorded.bytes), max(offset, recorded.bytes))
      note(Int(short)..<Int(long))
      return (0, "\(offset) bytes, and the manifest says \(recorded.bytes)")
    }
    if Hex.string(fast.finalize()) != recorded.xxh64 { return (1, "its XXH64 is not the manifest's") }
    if hasSHA256, Hex.string(strong.finalize()) != recorded.sha256 {
      return (2, "its SHA-256 is not the manifest's")
    }
    return nil
  }
}
