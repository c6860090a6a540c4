import Bytes
import Storage

/// Reads an ArrayRecord file with one uncompressed record per chunk, and checks every byte of it: the hashes of block headers,
/// chunk headers and data, and that chunks lie back to back.
///
/// Lengths come from the file and are checked against its size before memory is taken for them; damage is an error, never a trap.
struct ArrayRecordReader {
  private typealias Format = ArrayRecordFormat

  private struct Chunk {
    var header: ArrayRecordFormat.ChunkHeader
    var data: [UInt8]
    var end: Int
  }

  /// Where each record's chunk begins, then where the footer begins.
  private let offsets: [Int]
  private let file: RandomAccessFile
  var records: Int { offsets.count - 1 }

  /// Reads the postscript and the footer, and checks all that is not a record.
  ///
  /// - Throws: `.input` with the place of the damage.
  init(_ path: String) throws(StorageError) {
    file = try RandomAccessFile(path)
    guard file.size >= Int64(2 * Format.blockBytes), file.size % Int64(Format.blockBytes) == 0,
      let size = Int(exactly: file.size)
    else {
      throw .input(
        path: path,
        reason: "\(file.size) bytes; an ArrayRecord file is two blocks of 64 KiB or more, and whole ones")
    }
    let signature = try Self.chunk(at: 0, in: file)
    guard signature.header.type == .signature, signature.data.isEmpty, signature.header.records == 0 else {
      throw .input(path: path, reason: "it does not begin with the signature of a Riegeli file")
    }
    let last = size - Format.blockBytes
    let footer = try Self.footerOffset(in: file, last: last, size: size)
    let content = try Self.chunk(at: footer, in: file)
    try Self.checkPadding(in: file, from: content.end, to: last)
    offsets = try Self.offsets(content, at: footer, first: signature.end, path: path)
  }

  /// Record `number` (below `records`): its bytes.
  ///
  /// - Throws: `.input` if a hash is wrong.
  func record(_ number: Int) throws(StorageError) -> [UInt8] {
    let chunk = try Self.chunk(at: offsets[number], in: file)
    guard chunk.end == offsets[number + 1] else {
      throw Self.damage(file, offsets[number], "record \(number) does not end where the next chunk begins")
    }
    let values = try Self.values(chunk, at: offsets[number], path: file.path)
    guard chunk.header.records == 1, let value = values.first else {
      throw Self.damage(file, offsets[number], "record \(number) is no chunk of one record")
    }
    return Array(chunk.data[value])
  }

  private static func damage(_ file: RandomAccessFile, _ place: Int, _ reason: String) -> StorageError {
    .input(path: file.path, reason: "byte \(place): \(reason)")
  }

  /// The postscript in the last block: three equal messages, then padding to the end.
  private static func footerOffset(
    in file: RandomAccessFile, last: Int, size: Int
  ) throws(StorageError) -> Int {
    let postscript = try chunk(at: last, in: file)
    let values = try values(postscript, at: last, path: file.path)
    guard values.count == Format.postscriptCopies else {
      throw damage(file, last, "\(values.count) copies of the postscript, not \(Format.postscriptCopies)")
    }
    var found: UInt64?
    for value in values {
      let fields = try protobuf(Array(postscript.data[value]), path: file.path, piece: "postscript")
      guard fields.map(\.number) == [1, 2], fields[1].value == Format.magic,
        found == nil || found == fields[0].value
      else { throw damage(file, last, "the postscript is no ArrayRecord file's") }
      found = fields[0].value
    }
    try checkPadding(in: file, from: postscript.end, to: size)
    guard let found, found < UInt64(last) else {
      throw damage(file, last, "the footer's offset lies outside the file")
    }
    return Int(found)
  }

  private static func checkPadding(
    in file: RandomAccessFile, from begin: Int, to end: Int
  ) throws(StorageError) {
    guard begin != end else { return }
    guard begin < end else { throw damage(file, begin, "a chunk runs into the next") }
    let padding = try chunk(at: begin, in: file)
    guard padding.header.type == .padding, padding.end == end, padding.data.allSatisfy({ $0 == 0 }) else {
      throw damage(file, begin, "there is no padding to the end of the block")
    }
  }

  /// Reads the file's metadata and the offsets of the chunks, which begin at `first` and grow.
  private static func offsets(
    _ content: Chunk, at footer: Int, first: Int, path: String
  ) throws(StorageError) -> [Int] {
    let values = try values(content, at: footer, path: path)
    guard let description = values.first else {
      throw .input(path: path, reason: "byte \(footer): the footer is empty")
    }
    let outer = try protobuf(Array(content.data[description]), path: path, piece: "footer")
    guard outer.count == 1, outer[0].number == 1, let bytes = outer[0].bytes else {
      throw .input(path: path, reason: "byte \(footer): the footer does not begin with the file's metadata")
    }
    let fields = try protobuf(bytes, path: path, piece: "footer")
    let count = UInt64(values.count - 1)
    guard fields.map(\.number) == [1, 2, 3, 4], fields[0].value == Format.version, fields[1].value == count,
      fields[2].value == count, fields[3].bytes == Array(Format.options.utf8)
    else {
      throw .input(
        path: path,
        reason: "byte \(footer): the metadata is not that of \(count) uncompressed chunks of one record")
    }
    var offsets: [Int] = []
    offsets.reserveCapacity(values.count)
    for value in values.dropFirst() {
      let message = try protobuf(Array(content.data[value]), path: path, piece: "footer")
      guard message.map(\.number) == [1, 2, 3], message[2].value == 1, let begin = message[0].value,
        begin < UInt64(footer), offsets.last.map({ $0 < Int(begin) }) ?? (begin == UInt64(first))
      else {
        throw .input(
          path: path, reason: "byte \(footer): the footer's offset of record \(offsets.count) is wrong")
      }
      offsets.append(Int(begin))
    }
    guard !offsets.isEmpty || footer == first else {
      throw .input(path: path, reason: "byte \(first): chunks that the footer does not name")
    }
    return offsets + [footer]
  }

  /// The ranges of a simple chunk's records in its data.
  private static func values(
    _ chunk: Chunk, at begin: Int, path: String
  ) throws(StorageError) -> [Range<Int>] {
    guard chunk.header.type == .simple else {
      throw .input(path: path, reason: "byte \(begin): no chunk of records")
    }
    var sizes = ByteCursor(chunk.data, path: path, piece: "chunk at byte \(begin)")
    guard try sizes.byte() == 0 else {
      throw sizes.damage("it is compressed, which this reader does not know")
    }
    let bytes = try sizes.length(try sizes.varint())
    // A size has one byte or more, so this bounds the array below.
    guard chunk.header.records <= bytes else { throw sizes.damage("fewer sizes than records") }
    let start = sizes.position + bytes
    var values: [Range<Int>] = []
    values.reserveCapacity(chunk.header.records)
    var end = start
    for _ in 0..<chunk.header.records {
      let size = try sizes.varint()
      guard sizes.position <= start, size <= UInt64(chunk.data.count - end) else {
        throw sizes.damage("the sizes of the records do not fit the chunk")
      }
      values.append(end..<end + Int(size))
      end += Int(size)
    }
    guard sizes.position == start, end == chunk.data.count, chunk.header.decodedBytes == end - start else {
      throw sizes.damage("the sizes of the records do not fit the chunk")
    }
    return values
  }
}

/// One field of a protobuf message: a number, or bytes.
private struct ProtobufField {
  var number: Int
  var value: UInt64?
  var bytes: [UInt8]?
}

/// The fields of a message of numbers and bytes, in their order.
private func protobuf(_ message: [UInt8], path: String, piece: String) throws(StorageError) -> [ProtobufField]
{
  var cursor = ByteCursor(message, path: path, piece: piece)
  var fields: [ProtobufField] = []
  while !cursor.isAtEnd {
    let tag = try cursor.varint()
    switch tag & 7 {
    case 0: fields.append(ProtobufField(number: Int(tag >> 3), value: try cursor.varint()))
    case 2:
      let range = try cursor.take(try cursor.length(try cursor.varint()))
      fields.append(ProtobufField(number: Int(tag >> 3), bytes: Array(message[range])))
    default: throw cursor.damage("a field of unknown kind")
    }
  }
  return fields
}

extension ArrayRecordReader {
  /// Reads the chunk that begins at `begin`, and checks its hashes and those of the block headers in it.
  private static func chunk(at begin: Int, in file: RandomAccessFile) throws(StorageError) -> Chunk {
    var position = begin
    var blocks: [(place: Int, next: UInt64)] = []
    let bytes = try read(Format.chunkHeaderBytes, at: &position, chunk: begin, &blocks, in: file)
    let header = try header(bytes, at: begin, in: file)
    guard
      let end = Format.end(ofChunkAt: begin, length: Format.chunkHeaderBytes + header.dataBytes),
      Int64(end) <= file.size
    else { throw damage(file, begin, "a chunk of \(header.dataBytes) bytes that does not fit the file") }
    let data = try read(header.dataBytes, at: &position, chunk: begin, &blocks, in: file)
    guard Format.hash(data) == header.dataHash else {
      throw damage(file, begin, "the hash of the chunk's data is wrong")
    }
    for block in blocks where block.next != UInt64(end - block.place) {
      throw damage(file, block.place, "the block's header does not name the chunk's end")
    }
    return Chunk(header: header, data: data, end: end)
  }

  private static func header(
    _ bytes: [UInt8], at begin: Int, in file: RandomAccessFile
  ) throws(StorageError) -> ArrayRecordFormat.ChunkHeader {
    guard Format.hash(Array(bytes[8...])) == bytes.littleEndianWord(at: 0) else {
      throw damage(file, begin, "the hash of the chunk's header is wrong")
    }
    let kind = bytes.littleEndianWord(at: 24)
    guard let type = Format.ChunkType(rawValue: UInt8(truncatingIfNeeded: kind)),
      let dataBytes = Int(exactly: bytes.littleEndianWord(at: 8)), Int64(dataBytes) <= file.size,
      let decodedBytes = Int(exactly: bytes.littleEndianWord(at: 32))
    else { throw damage(file, begin, "no chunk that this reader knows") }
    return ArrayRecordFormat.ChunkHeader(
      dataBytes: dataBytes, dataHash: bytes.littleEndianWord(at: 16), type: type, records: Int(kind >> 8),
      decodedBytes: decodedBytes)
  }

  /// The next `count` bytes of a chunk without the block headers among them, which are checked and collected.
  private static func read(
    _ count: Int, at position: inout Int, chunk begin: Int, _ blocks: inout [(place: Int, next: UInt64)],
    in file: RandomAccessFile
  ) throws(StorageError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      let inBlock = position % Format.blockBytes
      if inBlock == 0 {
        let header = try file.read(at: Int64(position), count: Format.blockHeaderBytes)
        guard header.count == Format.blockHeaderBytes,
          Format.hash(Array(header[8...])) == header.littleEndianWord(at: 0)
        else { throw damage(file, position, "the hash of the block's header is wrong") }
        guard header.littleEndianWord(at: 8) == UInt64(position - begin) else {
          throw damage(file, position, "the block's header does not name the chunk's begin")
        }
        blocks.append((position, header.littleEndianWord(at: 16)))
        position += header.count
      } else if inBlock < Format.blockHeaderBytes {
        throw damage(file, position, "a chunk begins in a block's header")
      }
      let room = Format.blockBytes - position % Format.blockBytes
      let part = try file.read(at: Int64(position), count: min(room, count - bytes.count))
      guard !part.isEmpty else { throw damage(file, position, "the file ends in a chunk") }
      bytes.append(contentsOf: part)
      position += part.count
    }
    return bytes
  }
}
