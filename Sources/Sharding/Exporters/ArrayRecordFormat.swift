import Bytes

/// The layout of an ArrayRecord file: Riegeli chunks in blocks of 64 KiB.
///
/// Each block begins with a header of 24 bytes: u64 hash of the other 16, u64 distance from the begin of the chunk that the header
/// interrupts to the block, u64 distance from the block to that chunk's end. A chunk that begins with a block is
/// counted from the block's first byte. Chunk: u64 hash of the other 32 bytes of this header, u64 data size, u64
/// data hash, u8 type, u56 records, u64 decoded size, then the data.
///
/// - Source: google/riegeli, doc/riegeli_records_file_format.md; google/array_record 0.8, cpp/array_record_writer.cc.
enum ArrayRecordFormat {
  static let blockBytes = 1 << 16
  static let blockHeaderBytes = 24
  static let chunkHeaderBytes = 40
  /// Room for chunks in a block.
  static let usableBytes = blockBytes - blockHeaderBytes
  /// `Riegeli/records\n` twice, as four little-endian words.
  static let key = HighwayHash.Key(
    0x2F69_6C65_6765_6952, 0x0A73_6472_6F63_6572, 0x2F69_6C65_6765_6952, 0x0A73_6472_6F63_6572)
  /// What the last chunk of a file must hold.
  static let magic: UInt64 = 0x7193_0E70_4FDA_E05E
  /// Copies of the last chunk's message.
  static let postscriptCopies = 3
  /// Version of the file metadata.
  static let version: UInt64 = 1
  /// What the metadata says of how the file was written; the text of ArrayRecord's own writer for the same layout.
  static let options =
    "group_size:1,transpose:false,pad_to_block_boundary:false,uncompressed,max_parallelism:1"

  enum ChunkType: UInt8 {
    case signature = 0x73
    case simple = 0x72
    case padding = 0x70
  }

  struct ChunkHeader: Equatable {
    var dataBytes: Int
    var dataHash: UInt64
    var type: ChunkType
    var records: Int
    var decodedBytes: Int

    /// The 40 bytes, hash first.
    var bytes: [UInt8] {
      var fields: [UInt8] = []
      fields.append(littleEndian: UInt64(dataBytes))
      fields.append(littleEndian: dataHash)
      fields.append(littleEndian: UInt64(records) << 8 | UInt64(type.rawValue))
      fields.append(littleEndian: UInt64(decodedBytes))
      return ArrayRecordFormat.hashed(fields)
    }
  }

  /// `fields` behind their hash.
  static func hashed(_ fields: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: hash(fields))
    return bytes + fields
  }

  static func hash(_ bytes: [UInt8]) -> UInt64 { HighwayHash.hash(bytes.span, key: key) }

  static func blockHeader(previous: Int, next: Int) -> [UInt8] {
    var fields: [UInt8] = []
    fields.append(littleEndian: UInt64(previous))
    fields.append(littleEndian: UInt64(next))
    return hashed(fields)
  }

  /// Where a chunk of `length` bytes (header included) that begins at `begin` ends, block headers included; nil if
  /// that is beyond 2^62 or `begin` lies in a block header.
  static func end(ofChunkAt begin: Int, length: Int) -> Int? {
    let inBlock = begin % blockBytes
    guard begin >= 0, length > 0, begin < 1 << 61, length < 1 << 60 else { return nil }
    guard inBlock == 0 || inBlock >= blockHeaderBytes else { return nil }
    let usable = (inBlock == 0 ? 0 : inBlock - blockHeaderBytes) + length
    let blocks = (usable - 1) / usableBytes
    return begin - inBlock + blocks * blockBytes + blockHeaderBytes + (usable - blocks * usableBytes)
  }

  /// Data bytes of the padding chunk that fills the block in which `position` lies; nil if it is full. Where
  /// no chunk header fits, the next block is filled too.
  static func paddingBytes(at position: Int) -> Int? {
    let inBlock = position % blockBytes
    guard inBlock != 0 else { return nil }
    let room = blockBytes - inBlock
    return room - chunkHeaderBytes + (room < chunkHeaderBytes ? usableBytes : 0)
  }
}
