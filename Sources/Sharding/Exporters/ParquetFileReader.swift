import Bytes
import Storage

/// Reads a Parquet file that `ParquetFileWriter` wrote, row by row, and checks all of it: page CRCs, the numbers in headers and
/// footer against what the pages hold, and that pages lie back to back from the first mark to the footer.
///
/// Memory: a page of each column. Lengths come from the file and are checked before they are used; damage is an error, never a trap.
struct ParquetFileReader {
  struct Row: Equatable {
    var id: [UInt8]
    /// Little-endian, of the file's width.
    var tokens: [UInt8]
  }

  let footer: ParquetFooter
  private let file: RandomAccessFile
  private var group = 0
  private var rowInGroup = 0
  private var ids: ColumnReader
  private var tokens: ColumnReader

  /// Reads the footer.
  ///
  /// - Throws: `.input` with the place of the damage.
  init(_ path: String) throws(StorageError) {
    file = try RandomAccessFile(path)
    let mark = ParquetFormat.magic
    let tail = try file.read(
      at: max(0, file.size - Int64(ParquetFormat.tailBytes)), count: ParquetFormat.tailBytes)
    guard file.size >= Int64(mark.count + ParquetFormat.tailBytes), tail.count == ParquetFormat.tailBytes,
      Array(tail[4...]) == mark, try file.read(at: 0, count: mark.count) == mark
    else { throw .input(path: path, reason: "it does not begin and end as a Parquet file") }
    let length = Int(tail.withUnsafeBytes { $0.integer(at: 0, as: UInt32.self) })
    let end = file.size - Int64(ParquetFormat.tailBytes)
    guard length <= ParquetFormat.footerBytesMax, Int64(mark.count + length) <= end else {
      throw .input(path: path, reason: "a footer of \(length) bytes does not fit the file")
    }
    let start = end - Int64(length)
    footer = try ParquetFooter(parsing: try file.read(at: start, count: length), path: path)
    try Self.checkPlaces(footer, end: Int(start), path: path)
    let first = footer.groups.first ?? ParquetFormat.RowGroup()
    ids = ColumnReader(file, first.ids, footer, isList: false)
    tokens = ColumnReader(file, first.tokens, footer, isList: true)
  }

  /// Rows of all groups.
  var rows: Int { footer.groups.reduce(0) { $0 &+ $1.rows } }

  /// The next row, nil behind the last.
  ///
  /// - Throws: `.input` at a wrong checksum or a page that contradicts itself, its column or the footer.
  mutating func next() throws(StorageError) -> Row? {
    guard group < footer.groups.count else { return nil }
    if rowInGroup == footer.groups[group].rows {
      try ids.finish()
      try tokens.finish()
      group += 1
      rowInGroup = 0
      guard group < footer.groups.count else { return nil }
      ids = ColumnReader(file, footer.groups[group].ids, footer, isList: false)
      tokens = ColumnReader(file, footer.groups[group].tokens, footer, isList: true)
    }
    rowInGroup += 1
    return Row(id: try ids.nextID(), tokens: try tokens.nextList())
  }

  /// Column after column, group after group, from the mark to the footer; so no byte is outside a page.
  private static func checkPlaces(_ footer: ParquetFooter, end: Int, path: String) throws(StorageError) {
    var place = ParquetFormat.magic.count
    for (number, group) in footer.groups.enumerated() {
      for chunk in [group.ids, group.tokens] {
        guard chunk.offset == place, chunk.storedBytes <= end - place else {
          throw .input(
            path: path, reason: "row group \(number): a column does not begin where the one before ends")
        }
        place += chunk.storedBytes
      }
    }
    guard place == end else {
      throw .input(path: path, reason: "\(end - place) bytes between the last page and the footer")
    }
  }
}

/// The pages of one column in one row group, one after the other.
private struct ColumnReader {
  private let file: RandomAccessFile
  private let chunk: ParquetFormat.ColumnChunk
  private let width: TokenWidth
  private let codec: ParquetCodec
  private let isList: Bool
  private var position: Int
  private var uncompressedBytes = 0
  private var values = 0
  private var page: ByteCursor
  /// Lengths of the page's rows that were not given yet, last first; lists only.
  private var lengths: [Int] = []

  private var end: Int { chunk.offset + chunk.storedBytes }

  init(
    _ file: RandomAccessFile, _ chunk: ParquetFormat.ColumnChunk, _ footer: ParquetFooter, isList: Bool
  ) {
    self.file = file
    self.chunk = chunk
    self.isList = isList
    width = footer.width
    codec = footer.codec
    position = chunk.offset
    page = ByteCursor([], path: file.path, piece: "page")
  }

  mutating func nextID() throws(StorageError) -> [UInt8] {
    if page.isAtEnd { try readPage() }
    let length = try page.length(UInt64(try page.integer(UInt32.self)))
    return Array(page.bytes[try page.take(length)])
  }

  mutating func nextList() throws(StorageError) -> [UInt8] {
    if page.isAtEnd { try readPage() }
    guard let length = lengths.popLast() else { throw page.damage("more values than rows") }
    let range = try page.take(length * ParquetFormat.valueBytes)
    switch width {
    case .u32: return Array(page.bytes[range])
    case .u16: return try narrow(range)
    }
  }

  /// Checks that nothing is left, and the footer's sums.
  func finish() throws(StorageError) {
    guard page.isAtEnd, lengths.isEmpty, position == end, values == chunk.values,
      uncompressedBytes == chunk.uncompressedBytes
    else {
      throw page.damage("the column's pages hold other numbers of values or bytes than the footer says")
    }
  }

  private func narrow(_ range: Range<Int>) throws(StorageError) -> [UInt8] {
    var isNarrow = true
    let narrow = [UInt8](unsafeUninitializedCapacity: range.count / 2) { buffer, initialized in
      let out = UnsafeMutableRawBufferPointer(buffer)
      page.bytes.withUnsafeBytes { bytes in
        for index in 0..<range.count / 4 {
          let value = bytes.integer(at: range.lowerBound + 4 * index, as: UInt32.self)
          isNarrow = isNarrow && value <= UInt32(UInt16.max)
          out.storeBytes(
            of: UInt16(truncatingIfNeeded: value).littleEndian, toByteOffset: 2 * index, as: UInt16.self)
        }
      }
      initialized = range.count / 2
    }
    guard isNarrow else { throw page.damage("an id that does not fit 16 bits") }
    return narrow
  }

  private mutating func readPage() throws(StorageError) {
    let place = position
    guard place < end else { throw page.damage("the column has fewer rows than the footer says") }
    let window = try file.read(at: Int64(place), count: min(ParquetFormat.pageHeaderBytesMax, end - place))
    var cursor = ByteCursor(window, path: file.path, piece: "page at byte \(place)")
    guard let header = ParquetFormat.PageHeader(try ThriftValue.structure(&cursor)),
      header.bytes == Array(window[..<cursor.position])
    else { throw cursor.damage("its header is damaged, or not of a page that sluice wrote") }
    position += cursor.position
    guard header.storedBytes <= end - position, header.values > 0 else {
      throw cursor.damage("it does not fit its column")
    }
    let stored = try file.read(at: Int64(position), count: header.storedBytes)
    guard stored.count == header.storedBytes, stored.withUnsafeBytes({ CRC32.hash($0) }) == header.crc else {
      throw cursor.damage("its CRC is wrong")
    }
    uncompressedBytes += cursor.position + header.uncompressedBytes
    position += header.storedBytes
    values += header.values
    page = ByteCursor(try content(stored, header, cursor), path: file.path, piece: "page at byte \(place)")
    if isList { try readLevels(header.values) }
  }

  private func content(
    _ stored: [UInt8], _ header: ParquetFormat.PageHeader, _ place: ByteCursor
  ) throws(StorageError) -> [UInt8] {
    var body = stored
    if codec == .zstd {
      body = []
      guard Zstd.decompressFrame(stored.span, limit: header.uncompressedBytes, into: &body) != nil else {
        throw place.damage("its zstd frame is damaged")
      }
    }
    guard body.count == header.uncompressedBytes else { throw place.damage("its size is not its header's") }
    return body
  }

  /// Reads the lengths of the page's rows, and checks that every value is there.
  private mutating func readLevels(_ count: Int) throws(StorageError) {
    var rows: [Int] = []
    try forEachRun(count) { (level, run, cursor) throws(StorageError) in
      if level == 1 {
        guard let last = rows.indices.last else { throw cursor.damage("it begins within a row") }
        rows[last] += run
      } else {
        // A value has four bytes in the page, so a damaged run cannot ask for more memory than that.
        guard run <= cursor.remaining / ParquetFormat.valueBytes else {
          throw cursor.damage("more rows than values")
        }
        rows.append(contentsOf: repeatElement(1, count: run))
      }
    }
    try forEachRun(count) { (level, _, cursor) throws(StorageError) in
      guard level == 1 else { throw cursor.damage("an empty list") }
    }
    guard page.remaining == count * ParquetFormat.valueBytes else {
      throw page.damage("its values are not as many as its header says")
    }
    lengths = rows.reversed()
  }

  private mutating func forEachRun(
    _ count: Int, _ body: (_ level: UInt8, _ run: Int, _ cursor: ByteCursor) throws(StorageError) -> Void
  ) throws(StorageError) {
    let bytes = try page.length(UInt64(try page.integer(UInt32.self)))
    let end = page.position + bytes
    var left = count
    while page.position < end {
      let head = try page.varint()
      let level = try page.byte()
      guard head & 1 == 0, level <= 1, head >> 1 <= UInt64(left), head > 0, page.position <= end else {
        throw page.damage("its levels are damaged")
      }
      left -= Int(head >> 1)
      try body(level, Int(head >> 1), page)
    }
    guard left == 0 else { throw page.damage("fewer levels than values") }
  }
}
