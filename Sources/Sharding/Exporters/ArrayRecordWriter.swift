import Bytes
import Storage

/// Writes an ArrayRecord file, uncompressed, one record per chunk (`group_size:1`, which random access needs).
///
/// The bytes are those of ArrayRecord's own writer with the options `group_size:1,uncompressed`. Memory: one record, and
/// about 10 bytes for each record of the file, for the footer.
final class ArrayRecordWriter {
  private let output: OutputFile
  /// Bytes written so far, and so the place of the next.
  private var position = 0
  private(set) var records = 0
  /// The footer's messages: their sizes, and their bytes, one per chunk.
  private var footerSizes: [UInt8] = []
  private var footerMessages: [UInt8] = []

  /// Writes the signature.
  init(_ output: OutputFile) throws(StorageError) {
    self.output = output
    try writeChunk(.signature, records: 0, decodedBytes: 0, data: [])
  }

  /// Adds a record.
  ///
  /// - Throws: `.usage` for an empty record: readers cannot tell it from a lost one.
  func append(_ record: UnsafeRawBufferPointer) throws(StorageError) {
    guard !record.isEmpty else {
      throw .usage("arrayrecord: record \(records) has no tokens; a record needs at least one.")
    }
    let begin = position
    var size: [UInt8] = []
    size.append(varint: UInt64(record.count))
    try writeSimpleChunk(records: 1, sizes: size, values: record)
    records += 1
    // Offset, decoded size and number of records of the chunk.
    var message: [UInt8] = []
    for (field, value) in [(1, UInt64(begin)), (2, UInt64(record.count)), (3, 1)] {
      message.append(UInt8(field << 3))
      message.append(varint: value)
    }
    footerSizes.append(varint: UInt64(message.count))
    footerMessages.append(contentsOf: message)
  }

  /// Writes footer and postscript; the caller commits the file.
  func finish() throws(StorageError) {
    let footer = position
    let description = fileMetadata()
    var sizes: [UInt8] = []
    sizes.append(varint: UInt64(description.count))
    try writeSimpleChunk(
      records: records + 1, sizes: sizes + footerSizes, values: description + footerMessages)
    footerSizes = []
    footerMessages = []
    try pad()
    var postscript: [UInt8] = [1 << 3]
    postscript.append(varint: UInt64(footer))
    postscript.append(2 << 3)
    postscript.append(varint: ArrayRecordFormat.magic)
    let copies = ArrayRecordFormat.postscriptCopies
    try writeSimpleChunk(
      records: copies, sizes: Array(repeating: UInt8(postscript.count), count: copies),
      values: Array(repeatElement(postscript, count: copies).joined()))
    try pad()
  }

  private func fileMetadata() -> [UInt8] {
    var inner: [UInt8] = []
    for (field, value) in [(1, ArrayRecordFormat.version), (2, UInt64(records)), (3, UInt64(records))] {
      inner.append(UInt8(field << 3))
      inner.append(varint: value)
    }
    let options = Array(ArrayRecordFormat.options.utf8)
    inner.append(4 << 3 | 2)
    inner.append(varint: UInt64(options.count))
    inner.append(contentsOf: options)
    var bytes: [UInt8] = [1 << 3 | 2]
    bytes.append(varint: UInt64(inner.count))
    return bytes + inner
  }

  private func writeSimpleChunk(records: Int, sizes: [UInt8], values: [UInt8]) throws(StorageError) {
    try values.withPlace(0..<values.count) { (bytes) throws(StorageError) in
      try writeSimpleChunk(records: records, sizes: sizes, values: bytes)
    }
  }

  /// 0 (no compression), the length of the sizes, the sizes, the values.
  private func writeSimpleChunk(
    records: Int, sizes: [UInt8], values: UnsafeRawBufferPointer
  ) throws(StorageError) {
    var data: [UInt8] = []
    data.reserveCapacity(values.count + sizes.count + 11)
    data.append(0)
    data.append(varint: UInt64(sizes.count))
    data.append(contentsOf: sizes)
    data.append(contentsOf: values)
    try writeChunk(.simple, records: records, decodedBytes: values.count, data: data)
  }

  private func pad() throws(StorageError) {
    guard let bytes = ArrayRecordFormat.paddingBytes(at: position) else { return }
    try writeChunk(.padding, records: 0, decodedBytes: 0, data: Array(repeating: 0, count: bytes))
  }

  private func writeChunk(
    _ type: ArrayRecordFormat.ChunkType, records: Int, decodedBytes: Int, data: [UInt8]
  ) throws(StorageError) {
    let header = ArrayRecordFormat.ChunkHeader(
      dataBytes: data.count, dataHash: ArrayRecordFormat.hash(data), type: type, records: records,
      decodedBytes: decodedBytes)
    let begin = position
    let length = ArrayRecordFormat.chunkHeaderBytes + data.count
    guard let end = ArrayRecordFormat.end(ofChunkAt: begin, length: length) else {
      throw .usage(
        "arrayrecord: the file would grow beyond what its offsets can say. Use a smaller --shard-bytes.")
    }
    try write(header.bytes, chunk: begin..<end)
    try write(data, chunk: begin..<end)
  }

  /// Writes bytes of a chunk, with the headers of the blocks that begin among them.
  private func write(_ bytes: [UInt8], chunk: Range<Int>) throws(StorageError) {
    var written = 0
    while written < bytes.count {
      if position % ArrayRecordFormat.blockBytes == 0 {
        let header = ArrayRecordFormat.blockHeader(
          previous: position - chunk.lowerBound, next: chunk.upperBound - position)
        try output.write(header)
        position += header.count
      }
      let room = ArrayRecordFormat.blockBytes - position % ArrayRecordFormat.blockBytes
      let count = min(room, bytes.count - written)
      try bytes.withPlace(written..<written + count) { (part) throws(StorageError) in try output.write(part) }
      position += count
      written += count
    }
  }
}
