import Bytes
import Storage

/// Writes a Parquet file of rows (id, token ids). Memory: one row group, and the row.
final class ParquetFileWriter {
  private let output: OutputFile
  private var footer: ParquetFooter
  private var plan: ParquetRowGroups
  private var position = ParquetFormat.magic.count
  private var group = ParquetFormat.RowGroup()
  private var ids: ColumnPages
  private var tokens: ColumnPages
  /// Rows of all groups.
  private(set) var rows = 0

  /// Writes the mark.
  init(
    _ output: OutputFile, width: TokenWidth, codec: ParquetCodec, groups: ParquetRowGroups
  ) throws(StorageError) {
    self.output = output
    footer = ParquetFooter(width: width, codec: codec)
    plan = groups
    ids = ColumnPages(codec: codec, isList: false)
    tokens = ColumnPages(codec: codec, isList: true)
    try output.write(ParquetFormat.magic)
  }

  /// Adds a row.
  ///
  /// - Parameters:
  ///   - id: UTF-8.
  ///   - stored: its tokens as the store holds them, little-endian.
  /// - Throws: `.usage` for no tokens, or more than a page can say.
  func append(id: [UInt8], tokens stored: UnsafeRawBufferPointer) throws(StorageError) {
    let count = stored.count / footer.width.bytes
    guard count > 0 else {
      throw .usage("parquet: row \(rows) has no tokens; a row needs at least one.")
    }
    // Values and levels of one row, with room for the headers.
    let roomMax = ParquetFormat.pageBytesMax - 1024
    guard count <= roomMax / ParquetFormat.valueBytes, id.count <= roomMax else {
      throw .usage(
        "parquet: row \(rows) has \(count) tokens, and a page holds at most \(roomMax / ParquetFormat.valueBytes)."
      )
    }
    if plan.startsGroup(withRowOf: count) { try closeGroup() }
    ids.append(id: id)
    tokens.append(list: stored, footer.width)
    group.rows += 1
    rows += 1
  }

  /// Writes the last group and the footer; the caller commits the file.
  func finish() throws(StorageError) {
    if group.rows > 0 { try closeGroup() }
    var bytes = footer.bytes
    guard bytes.count <= ParquetFormat.footerBytesMax else {
      throw .usage(
        "parquet: \(footer.groups.count) row groups are too many for one file. Use a smaller --shard-bytes.")
    }
    bytes.append(littleEndian: UInt32(bytes.count))
    try output.write(bytes + ParquetFormat.magic)
  }

  private func closeGroup() throws(StorageError) {
    group.ids = ids.close(at: position)
    group.tokens = tokens.close(at: position + group.ids.storedBytes)
    for part in ids.stored { try output.write(part) }
    for part in tokens.stored { try output.write(part) }
    position += group.ids.storedBytes + group.tokens.storedBytes
    ids.reset()
    tokens.reset()
    footer.groups.append(group)
    group = ParquetFormat.RowGroup()
  }
}

/// The pages of one column of the row group that is being written.
private struct ColumnPages {
  let codec: ParquetCodec
  /// A list's page begins with its levels.
  let isList: Bool
  /// Headers and bodies of the closed pages, in turn: one array of all would be copied while it grows.
  private(set) var stored: [[UInt8]] = []
  private var chunk = ParquetFormat.ColumnChunk()
  private var values: [UInt8] = []
  private var valueCount = 0
  /// Repetition levels: 0 for the first value of a row, 1 for the others.
  private var repetitions = LevelRuns()

  init(codec: ParquetCodec, isList: Bool) {
    self.codec = codec
    self.isList = isList
  }

  /// u32 length, bytes.
  mutating func append(id: [UInt8]) {
    makeRoom(4 + id.count)
    values.append(littleEndian: UInt32(id.count))
    values.append(contentsOf: id)
    valueCount += 1
  }

  /// 32 bits a value.
  mutating func append(list stored: UnsafeRawBufferPointer, _ width: TokenWidth) {
    let count = stored.count / width.bytes
    makeRoom(count * ParquetFormat.valueBytes)
    switch width {
    case .u32: values.append(contentsOf: stored)
    case .u16: Self.widen(stored, into: &values)
    }
    repetitions.add(0, count: 1)
    repetitions.add(1, count: count - 1)
    valueCount += count
  }

  private mutating func makeRoom(_ bytes: Int) {
    if valueCount > 0, values.count + bytes > ParquetFormat.pageBytes { closePage() }
  }

  /// Closes the last page; the column will stand at `offset`.
  mutating func close(at offset: Int) -> ParquetFormat.ColumnChunk {
    closePage()
    chunk.offset = offset
    return chunk
  }

  private mutating func closePage() {
    guard valueCount > 0 else { return }
    var body: [UInt8] = []
    body.reserveCapacity(values.count + 64)
    if isList {
      repetitions.finish(into: &body)
      // No list is empty or null: every definition level is 1.
      var definitions = LevelRuns()
      definitions.add(1, count: valueCount)
      definitions.finish(into: &body)
    }
    body.append(contentsOf: values)
    let bytes = body.count
    if codec == .zstd {
      var frame: [UInt8] = []
      Zstd.compressFrame(body.span, into: &frame)
      body = frame
    }
    let header = ParquetFormat.PageHeader(
      uncompressedBytes: bytes, storedBytes: body.count, crc: body.withUnsafeBytes({ CRC32.hash($0) }),
      values: valueCount
    ).bytes
    stored.append(header)
    stored.append(body)
    chunk.storedBytes += header.count + body.count
    chunk.uncompressedBytes += header.count + bytes
    chunk.values += valueCount
    values.removeAll(keepingCapacity: true)
    valueCount = 0
  }

  mutating func reset() {
    stored.removeAll(keepingCapacity: true)
    chunk = ParquetFormat.ColumnChunk()
  }

  private static func widen(_ stored: UnsafeRawBufferPointer, into values: inout [UInt8]) {
    let count = stored.count / 2
    let wide = [UInt8](unsafeUninitializedCapacity: 4 * count) { buffer, initialized in
      let out = UnsafeMutableRawBufferPointer(buffer)
      for index in 0..<count {
        let value = UInt32(stored.integer(at: 2 * index, as: UInt16.self))
        out.storeBytes(of: value.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
      }
      initialized = 4 * count
    }
    values.append(contentsOf: wide)
  }
}

/// Levels of 0 and 1 as runs: u32 length of what follows, then per run its length times two (base-128) and its level in a byte.
struct LevelRuns {
  private var bytes: [UInt8] = []
  private var level: UInt8 = 0
  private var count = 0

  mutating func add(_ level: UInt8, count: Int) {
    if level != self.level { closeRun() }
    self.level = level
    self.count += count
  }

  private mutating func closeRun() {
    guard count > 0 else { return }
    bytes.append(varint: UInt64(count) << 1)
    bytes.append(level)
    count = 0
  }

  /// Appends the levels and starts anew.
  mutating func finish(into output: inout [UInt8]) {
    closeRun()
    output.append(littleEndian: UInt32(bytes.count))
    output.append(contentsOf: bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}
