import Bytes
import Storage

/// Hashes of the blocks of a segment's files, `seg-00000.sums`: with them a changed byte is found to its block.
///
/// Derived from the segment: outside the manifest and the fingerprint. A store without it verifies as well, but the
/// place of the damage is then the whole file.
///
/// Shape: `sluisum1`; for each of the files `.doc`, `.origin.idx`, `.origin.zst` and `.tok` u64 bytes, then u64 XXH64
/// (seed 0) of each block of 64 KiB, the last one shorter; at the end u64 XXH64 of all that stands before. Little-endian.
struct SegmentSums: Equatable {
  static let suffix = "sums"
  static let mark = Array("sluisum1".utf8)
  static let blockBytes = 64 << 10

  struct File: Equatable {
    var bytes: Int
    var blocks: [UInt64]
  }

  /// In the order of `StoreManifest.Segment.files`.
  var files: [File]

  init(files: [File]) { self.files = files }

  /// Adds the hashes of the blocks of `bytes`, which start at a block's border.
  static func append(_ bytes: UnsafeRawBufferPointer, to sums: inout [UInt64]) {
    var offset = 0
    while offset < bytes.count {
      let end = min(offset + blockBytes, bytes.count)
      sums.append(XXH64.hash(UnsafeRawBufferPointer(rebasing: bytes[offset..<end])))
      offset = end
    }
  }

  var bytes: [UInt8] {
    var out = Self.mark
    for file in files {
      out.append(littleEndian: UInt64(file.bytes))
      for block in file.blocks { out.append(littleEndian: block) }
    }
    out.append(littleEndian: XXH64.hash(out.span))
    return out
  }

  /// Reads what `bytes` wrote; nil if anything in it is wrong.
  init?(bytes: [UInt8]) {
    guard bytes.count >= Self.mark.count + 8, bytes.count % 8 == 0, bytes.starts(with: Self.mark) else {
      return nil
    }
    let end = bytes.count - 8
    guard XXH64.hash(bytes.span.extracting(0..<end)) == bytes.littleEndianWord(at: end) else { return nil }
    var offset = Self.mark.count
    files = []
    while offset < end {
      let size = bytes.littleEndianWord(at: offset)
      offset += 8
      // Compared as blocks: a size from a file may be anything.
      let blocks = size / UInt64(Self.blockBytes) + (size % UInt64(Self.blockBytes) == 0 ? 0 : 1)
      guard blocks <= UInt64((end - offset) / 8) else { return nil }
      files.append(
        File(bytes: Int(size), blocks: (0..<Int(blocks)).map { bytes.littleEndianWord(at: offset + 8 * $0) }))
      offset += 8 * Int(blocks)
    }
    guard files.count == 4 else { return nil }
  }
}
