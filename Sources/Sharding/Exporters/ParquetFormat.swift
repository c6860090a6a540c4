import Storage

/// How the pages of a Parquet file are compressed.
public enum ParquetCodec: String, Sendable, CaseIterable {
  case none
  /// One frame per page; the bytes follow libzstd's version.
  case zstd

  /// Number in the format's list of codecs.
  var code: Int { self == .none ? 0 : 6 }
}

/// The layout of our Parquet files: columns `id: string` and `input_ids: list<element: uint16 | uint32>`, no nulls.
///
/// `PAR1`, then per row group the pages of `id` and those of `input_ids`, then the footer, u32 its length, `PAR1`. Data pages of version 1,
/// values PLAIN, levels RLE, a CRC-32 in each page header. A page holds whole rows.
///
/// - Source: apache/parquet-format 2.10, README.md, LogicalTypes.md, Encodings.md, src/main/thrift/parquet.thrift.
enum ParquetFormat {
  static let magic = Array("PAR1".utf8)
  /// Length of the footer and the mark behind it.
  static let tailBytes = 8
  /// A page is closed before a row would take it past this many bytes of values.
  static let pageBytes = 1 << 20
  /// Sizes in page headers are i32.
  static let pageBytesMax = Int(Int32.max)
  /// Bytes that a page header may have; ours have less than 50.
  static let pageHeaderBytesMax = 256
  static let footerBytesMax = 1 << 28
  static let creator = Array("sluice version 1".utf8)
  /// Bytes of a value: there is no physical type below 32 bits.
  static let valueBytes = 4

  /// Codes of parquet.thrift.
  enum Code {
    static let int32 = 1
    static let byteArray = 6
    static let required = 0
    static let repeated = 2
    static let utf8 = 0
    static let list = 3
    static let uint16 = 12
    static let uint32 = 13
    static let plain = 0
    static let rle = 3
    static let dataPage = 0
  }

  struct PageHeader: Equatable {
    var uncompressedBytes: Int
    var storedBytes: Int
    var crc: UInt32
    var values: Int

    var bytes: [UInt8] {
      ThriftWriter.structure { page in
        page.int32(1, Code.dataPage)
        page.int32(2, uncompressedBytes)
        page.int32(3, storedBytes)
        page.int32(4, Int(Int32(bitPattern: crc)))
        page.structure(5) { data in
          data.int32(1, values)
          data.int32(2, Code.plain)
          data.int32(3, Code.rle)
          data.int32(4, Code.rle)
        }
      }
    }

    init(uncompressedBytes: Int, storedBytes: Int, crc: UInt32, values: Int) {
      self.uncompressedBytes = uncompressedBytes
      self.storedBytes = storedBytes
      self.crc = crc
      self.values = values
    }

    /// nil if it is no header that `bytes` gives.
    init?(_ value: ThriftValue) {
      guard let uncompressed = value[2]?.int, let stored = value[3]?.int, let crc = value[4]?.int,
        let signed = Int32(exactly: crc), let values = value[5]?[1]?.int,
        [uncompressed, stored, values].allSatisfy({ (0...ParquetFormat.pageBytesMax).contains($0) })
      else { return nil }
      self.init(
        uncompressedBytes: uncompressed, storedBytes: stored, crc: UInt32(bitPattern: signed), values: values)
    }
  }

  /// The pages of one column in one row group.
  struct ColumnChunk: Equatable {
    /// Of the first page, in the file.
    var offset = 0
    /// With the page headers.
    var storedBytes = 0
    var uncompressedBytes = 0
    var values = 0
  }

  struct RowGroup: Equatable {
    var rows = 0
    var ids = ColumnChunk()
    var tokens = ColumnChunk()
  }
}

/// The footer: schema and row groups.
struct ParquetFooter: Equatable {
  var width: TokenWidth
  var codec: ParquetCodec
  var groups: [ParquetFormat.RowGroup] = []

  private typealias Code = ParquetFormat.Code

  var bytes: [UInt8] {
    ThriftWriter.structure { file in
      file.int32(1, 1)
      file.list(2, .structure, count: 5) { writeSchema(to: &$0) }
      file.int64(3, groups.reduce(0) { $0 &+ $1.rows })
      file.list(4, .structure, count: groups.count) { list in
        for (number, group) in groups.enumerated() { list.element { write(group, number, to: &$0) } }
      }
      file.binary(6, ParquetFormat.creator)
    }
  }

  /// Root, `id`, and the three levels of `input_ids`.
  private func writeSchema(to list: inout ThriftWriter) {
    list.element { root in
      root.binary(4, Array("schema".utf8))
      root.int32(5, 2)
    }
    list.element { id in
      id.int32(1, Code.byteArray)
      id.int32(3, Code.required)
      id.binary(4, Array("id".utf8))
      id.int32(6, Code.utf8)
      id.structure(10) { $0.structure(1) { _ in } }
    }
    list.element { column in
      column.int32(3, Code.required)
      column.binary(4, Array("input_ids".utf8))
      column.int32(5, 1)
      column.int32(6, Code.list)
      column.structure(10) { $0.structure(3) { _ in } }
    }
    list.element { repeated in
      repeated.int32(3, Code.repeated)
      repeated.binary(4, Array("list".utf8))
      repeated.int32(5, 1)
    }
    list.element { element in
      element.int32(1, Code.int32)
      element.int32(3, Code.required)
      element.binary(4, Array("element".utf8))
      element.int32(6, width == .u16 ? Code.uint16 : Code.uint32)
      element.structure(10) { logical in
        logical.structure(10) { integer in
          integer.int8(1, width.bytes * 8)
          integer.bool(2, false)
        }
      }
    }
  }

  private func write(_ group: ParquetFormat.RowGroup, _ number: Int, to writer: inout ThriftWriter) {
    writer.list(1, .structure, count: 2) { list in
      list.element { write(group.ids, Code.byteArray, ["id"], to: &$0) }
      list.element { write(group.tokens, Code.int32, ["input_ids", "list", "element"], to: &$0) }
    }
    writer.int64(2, group.ids.uncompressedBytes + group.tokens.uncompressedBytes)
    writer.int64(3, group.rows)
    writer.int64(5, group.ids.offset)
    writer.int64(6, group.ids.storedBytes + group.tokens.storedBytes)
    if let ordinal = Int16(exactly: number) { writer.int16(7, Int(ordinal)) }
  }

  private func write(
    _ chunk: ParquetFormat.ColumnChunk, _ type: Int, _ path: [String], to writer: inout ThriftWriter
  ) {
    writer.int64(2, 0)
    writer.structure(3) { data in
      data.int32(1, type)
      data.list(2, .int32, count: 2) { list in
        list.element(Code.plain)
        list.element(Code.rle)
      }
      data.list(3, .binary, count: path.count) { list in
        for name in path { list.element(Array(name.utf8)) }
      }
      data.int32(4, codec.code)
      data.int64(5, chunk.values)
      data.int64(6, chunk.uncompressedBytes)
      data.int64(7, chunk.storedBytes)
      data.int64(9, chunk.offset)
    }
  }

  init(width: TokenWidth, codec: ParquetCodec) {
    self.width = width
    self.codec = codec
  }

  /// Reads a footer that this type wrote; any other is refused, down to the bit.
  ///
  /// - Throws: `.input`.
  init(parsing bytes: [UInt8], path: String) throws(StorageError) {
    var cursor = ByteCursor(bytes, path: path, piece: "footer")
    let file = try ThriftValue.structure(&cursor)
    // The rest of the schema is compared by its bytes below.
    let bits = file[2]?.list?.last?[10]?[10]?[1]?.int
    guard let list = file[4]?.list, let width = [TokenWidth.u16, .u32].first(where: { $0.bytes * 8 == bits })
    else { throw .input(path: path, reason: "the footer is not that of columns id and input_ids") }
    let code = list.first?[1]?.list?.first?[3]?[4]?.int ?? ParquetCodec.none.code
    guard let codec = ParquetCodec.allCases.first(where: { $0.code == code }) else {
      throw .input(path: path, reason: "the footer names codec \(code), which this reader does not know")
    }
    self.init(width: width, codec: codec)
    for value in list {
      guard let rows = value[3]?.int, rows > 0, let columns = value[1]?.list, columns.count == 2,
        let ids = Self.chunk(columns[0][3]), let tokens = Self.chunk(columns[1][3])
      else { throw .input(path: path, reason: "row group \(groups.count): the footer lacks its numbers") }
      groups.append(ParquetFormat.RowGroup(rows: rows, ids: ids, tokens: tokens))
    }
    guard self.bytes == bytes else {
      throw .input(path: path, reason: "the footer is damaged, or not of a file that sluice wrote")
    }
  }

  /// Numbers below 2^60, so that sums of a few do not overflow.
  private static func chunk(_ value: ThriftValue?) -> ParquetFormat.ColumnChunk? {
    guard let values = value?[5]?.int, let uncompressed = value?[6]?.int, let stored = value?[7]?.int,
      let offset = value?[9]?.int
    else { return nil }
    guard [values, uncompressed, stored, offset].allSatisfy({ (0..<1 << 60).contains($0) }) else {
      return nil
    }
    return ParquetFormat.ColumnChunk(
      offset: offset, storedBytes: stored, uncompressedBytes: uncompressed, values: values)
  }
}
