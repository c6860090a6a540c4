import Bytes
import Glibc
import Storage

/// A file of a segment on its way to disk, with the XXH64 of each of its blocks.
///
/// Bytes are gathered to whole blocks, so that every hash is taken while they are still in the processor's cache.
final class BlockFile {
  private static let bufferBytes = 4 * SegmentSums.blockBytes

  private let file: OutputFile
  private let buffer: UnsafeMutableRawPointer
  private var used = 0
  private(set) var sums: [UInt64] = []

  init(folder: String, name: String) throws(StorageError) {
    file = try OutputFile(folder: folder, name: name)
    buffer = .allocate(byteCount: Self.bufferBytes, alignment: 64)
  }

  deinit { buffer.deallocate() }

  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    guard var source = bytes.baseAddress else { return }
    var rest = bytes.count
    while rest > 0 {
      let count = min(rest, Self.bufferBytes - used)
      memcpy(buffer + used, source, count)
      used += count
      source += count
      rest -= count
      if used == Self.bufferBytes { try flush() }
    }
  }

  func append(_ bytes: [UInt8]) throws(StorageError) {
    try bytes.span.withUnsafeBytes { (bytes) throws(StorageError) in try append(bytes) }
  }

  /// Makes the file durable under its name.
  func commit() throws(StorageError) -> FileSummary {
    try flush()
    return try file.commit()
  }

  private func flush() throws(StorageError) {
    guard used > 0 else { return }
    let bytes = UnsafeRawBufferPointer(start: buffer, count: used)
    SegmentSums.append(bytes, to: &sums)
    try file.write(bytes)
    used = 0
  }
}
