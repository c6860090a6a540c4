import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct ParquetTests {
  private typealias Row = ParquetFileReader.Row

  /// Writes rows and gives the file's bytes.
  @discardableResult
  private func write(
    _ rows: [ParquetFileReader.Row], _ width: TokenWidth, to folder: TemporaryFolder, groups: Int = 1,
    codec: ParquetCodec = .none
  ) throws -> [UInt8] {
    let output = try OutputFile(folder: folder.path, name: "a.parquet")
    let tokens = rows.reduce(0) { $0 + $1.tokens.count / width.bytes }
    let plan = ParquetRowGroups(rows: rows.count, tokens: tokens, count: groups)
    let writer = try ParquetFileWriter(output, width: width, codec: codec, groups: plan)
    for row in rows { try append(row, to: writer) }
    try writer.finish()
    _ = try output.commit()
    return try readFile(folder("a.parquet"))
  }

  private func append(_ row: ParquetFileReader.Row, to writer: ParquetFileWriter) throws {
    try row.tokens.withPlace(0..<row.tokens.count) { (bytes) throws(StorageError) in
      try writer.append(id: row.id, tokens: bytes)
    }
  }

  private func read(_ path: String) throws -> [ParquetFileReader.Row] {
    var reader = try ParquetFileReader(path)
    var rows: [ParquetFileReader.Row] = []
    while let row = try reader.next() { rows.append(row) }
    return rows
  }

  private func rows(_ count: Int, _ width: TokenWidth, tokensMax: Int, _ random: inout SeededRandom) -> [Row]
  {
    (0..<count).map { number in
      Row(
        id: Array("dump-\(number)/ü“\"\n\(number * 7)".utf8),
        tokens: random.bytes(Int.random(in: 1...tokensMax, using: &random) * width.bytes))
    }
  }

  /// Bit by bit, from the definition in RFC 1952.
  private static func plainCRC(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return ~crc
  }

  private static func zigzag(_ value: Int) -> [UInt8] {
    var rest = UInt64(bitPattern: Int64(value * 2 ^ (value < 0 ? -1 : 0)))
    var bytes: [UInt8] = []
    repeat {
      bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
      rest >>= 7
    } while rest > 0
    return bytes
  }

  /// A page header: type, two sizes, CRC, then {values, PLAIN, RLE, RLE}; every field is an i32.
  private static func page(_ body: [UInt8], values: Int) -> [UInt8] {
    let size = zigzag(body.count)
    let crc = zigzag(Int(Int32(bitPattern: plainCRC(body))))
    return [0x15, 0] + [0x15] + size + [0x15] + size + [0x15] + crc + [0x1C, 0x15] + zigzag(values)
      + [0x15, 0, 0x15, 6, 0x15, 6, 0, 0] + body
  }

  private static func column(
    _ type: UInt8, _ path: [String], values: Int, bytes: Int, offset: Int
  ) -> [UInt8] {
    let names = path.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
    return [0x26, 0, 0x1C, 0x15, type * 2, 0x19, 0x25, 0, 6, 0x19, UInt8(path.count) << 4 | 8] + names
      + [0x15, 0, 0x16] + zigzag(values) + [0x16] + zigzag(bytes) + [0x16] + zigzag(bytes) + [0x26]
      + zigzag(offset) + [0, 0]
  }

  @Test(arguments: [TokenWidth.u16, .u32]) func aTinyFileHasTheseBytes(width: TokenWidth) throws {
    let folder = try TemporaryFolder()
    let isNarrow = width == .u16
    let bytes = try write(
      [
        Row(id: Array("a".utf8), tokens: isNarrow ? [5, 0, 6, 0xFF] : [5, 0, 0, 0, 6, 0xFF, 0, 0]),
        Row(id: Array("ü".utf8), tokens: isNarrow ? [7, 0] : [7, 0, 0, 0]),
      ], width, to: folder)
    let ids = Self.page([1, 0, 0, 0, 0x61, 2, 0, 0, 0, 0xC3, 0xBC], values: 2)
    // Repetition levels 0 1 0 as three runs, definition levels 1 1 1 as one, the values.
    let levels: [UInt8] = [6, 0, 0, 0, 2, 0, 2, 1, 2, 0] + [2, 0, 0, 0, 6, 1]
    let tokens = Self.page(levels + [5, 0, 0, 0, 6, 0xFF, 0, 0, 7, 0, 0, 0], values: 3)
    var footer: [UInt8] = [0x15, 2, 0x19, 0x5C]
    footer += [0x48, 6] + Array("schema".utf8) + [0x15, 4, 0]
    footer += [0x15, 12, 0x25, 0, 0x18, 2] + Array("id".utf8) + [0x25, 0, 0x4C, 0x1C, 0, 0, 0]
    footer += [0x35, 0, 0x18, 9] + Array("input_ids".utf8) + [0x15, 2, 0x15, 6, 0x4C, 0x3C, 0, 0, 0]
    footer += [0x35, 4, 0x18, 4] + Array("list".utf8) + [0x15, 2, 0]
    footer += [0x15, 2, 0x25, 0, 0x18, 7] + Array("element".utf8)
    footer += [0x25, isNarrow ? 24 : 26, 0x4C, 0xAC, 0x13, isNarrow ? 16 : 32, 0x12, 0, 0, 0]
    footer += [0x16, 4, 0x19, 0x1C, 0x19, 0x2C]
    footer += Self.column(6, ["id"], values: 2, bytes: ids.count, offset: 4)
    footer += Self.column(
      1, ["input_ids", "list", "element"], values: 3, bytes: tokens.count, offset: 4 + ids.count)
    let total = Self.zigzag(ids.count + tokens.count)
    footer += [0x16] + total + [0x16, 4, 0x26, 8, 0x16] + total + [0x14, 0, 0]
    footer += [0x28, 16] + Array("sluice version 1".utf8) + [0]
    let mark = Array("PAR1".utf8)
    #expect(
      bytes == mark + ids + tokens + footer + [UInt8(footer.count & 255), UInt8(footer.count >> 8), 0, 0]
        + mark)
  }

  @Test(arguments: [TokenWidth.u16, .u32], ParquetCodec.allCases)
  func rowsComeBack(width: TokenWidth, codec: ParquetCodec) throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 1)
    for (count, tokensMax, groups) in [(1, 1, 1), (1, 50, 4), (7, 3, 7), (40, 5000, 3), (300, 40, 11)] {
      let rows = rows(count, width, tokensMax: tokensMax, &random)
      let bytes = try write(rows, width, to: folder, groups: groups, codec: codec)
      #expect(try read(folder("a.parquet")) == rows)
      let reader = try ParquetFileReader(folder("a.parquet"))
      #expect(reader.footer.groups.count == min(groups, count) && reader.rows == count)
      #expect(try write(rows, width, to: folder, groups: groups, codec: codec) == bytes)
    }
  }

  /// Rows that fill a page, and one that is larger than a page.
  @Test func largeRowsComeBack() throws {
    let folder = try TemporaryFolder()
    let sizes = [ParquetFormat.pageBytes / 4 - 1, 1, 1, ParquetFormat.pageBytes / 4 + 1, 3]
    let rows = sizes.map { Row(id: [], tokens: [UInt8](repeating: 9, count: 4 * $0)) }
    try write(rows, .u32, to: folder)
    #expect(try read(folder("a.parquet")) == rows)
  }

  @Test func aFileOfNoRowsIsReadToo() throws {
    let folder = try TemporaryFolder()
    try write([], .u16, to: folder)
    #expect(try read(folder("a.parquet")).isEmpty)
  }

  @Test func aRowWithoutTokensIsRefusedWithItsNumber() throws {
    let folder = try TemporaryFolder()
    let output = try OutputFile(folder: folder.path, name: "a")
    let writer = try ParquetFileWriter(
      output, width: .u16, codec: .none, groups: ParquetRowGroups(rows: 2, tokens: 1, count: 1))
    try append(Row(id: [], tokens: [1, 0]), to: writer)
    #expect(throws: StorageError.usage("parquet: row 1 has no tokens; a row needs at least one.")) {
      try append(Row(id: [], tokens: []), to: writer)
    }
  }

  /// The sums of tokens of each group.
  private func groups(_ lengths: [Int], _ count: Int) -> [Int] {
    var plan = ParquetRowGroups(rows: lengths.count, tokens: lengths.reduce(0, +), count: count)
    var sums: [Int] = []
    for length in lengths {
      if plan.startsGroup(withRowOf: length) || sums.isEmpty { sums.append(0) }
      sums[sums.count - 1] += length
    }
    return sums
  }

  @Test func rowGroupsHaveEqualTokens() {
    #expect(groups([1, 1, 1, 1, 1, 1], 3) == [2, 2, 2])
    #expect(groups([5], 3) == [5])
    // Long rows: the others share what is left.
    #expect(groups([1, 100, 1, 1, 1, 1], 3) == [1, 100, 4])
    #expect(groups([1, 1, 100], 3) == [1, 1, 100])
    #expect(groups([100, 1, 1, 1, 1, 1, 1], 4) == [100, 2, 2, 2])
    var random = SeededRandom(seed: 5)
    for _ in 0..<300 {
      let lengths = (0..<Int.random(in: 1...400, using: &random)).map { _ in
        Int.random(in: 1...60, using: &random)
      }
      let count = Int.random(in: 1...20, using: &random)
      let sums = groups(lengths, count)
      #expect(sums.count == min(count, lengths.count) && sums.reduce(0, +) == lengths.reduce(0, +))
      // Both ends of a group are within half a row of their place.
      if lengths.count > 20 * count {
        let most = sums.max() ?? 0
        let least = sums.min() ?? 0
        #expect(most - least <= 120, "\(sums)")
      }
    }
  }

  @Test(arguments: ParquetCodec.allCases) func aFlippedBitInAnyByteIsFound(codec: ParquetCodec) throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 6)
    let bytes = try write(rows(3, .u16, tokensMax: 5, &random), .u16, to: folder, groups: 2, codec: codec)
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      try writeFile(folder("damaged"), damaged)
      #expect(throws: StorageError.self, "byte \(place)") { try read(folder("damaged")) }
    }
  }

  @Test(arguments: ParquetCodec.allCases) func damageIsAnErrorAndNeverATrap(codec: ParquetCodec) throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 7)
    let bytes = try write(rows(30, .u16, tokensMax: 30, &random), .u16, to: folder, groups: 4, codec: codec)
    for _ in 0..<1000 {
      let damaged = random.mutation(of: bytes)
      if damaged == bytes { continue }
      try writeFile(folder("damaged"), damaged)
      #expect(throws: StorageError.self) { try read(folder("damaged")) }
    }
    for count in stride(from: 0, to: bytes.count, by: 9) {
      try writeFile(folder("damaged"), Array(bytes[..<count]))
      #expect(throws: StorageError.self) { try read(folder("damaged")) }
    }
  }

  /// The CRC keeps most damage of a page from the code behind it; so it is made right again.
  @Test func damageUnderARightChecksumIsNoTrapEither() throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 8)
    let bytes = try write(
      [Row(id: [0x61], tokens: [5, 0, 6, 0]), Row(id: [0x62], tokens: [7, 0])], .u16, to: folder)
    let footer = try ParquetFileReader(folder("a.parquet")).footer.groups[0]
    var found = 0
    for _ in 0..<2000 {
      let chunk = Bool.random(using: &random) ? footer.ids : footer.tokens
      let stored = Array(bytes[chunk.offset..<chunk.offset + chunk.storedBytes])
      var cursor = ByteCursor(stored, path: "", piece: "")
      let header = try #require(ParquetFormat.PageHeader(try ThriftValue.structure(&cursor)))
      var body = Array(stored[cursor.position...])
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        body[Int.random(in: 0..<body.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
      }
      var right = header
      right.crc = Self.plainCRC(body)
      guard right.bytes.count == cursor.position else { continue }
      var damaged = bytes
      damaged.replaceSubrange(chunk.offset..<chunk.offset + chunk.storedBytes, with: right.bytes + body)
      try writeFile(folder("damaged"), damaged)
      if (try? read(folder("damaged"))) == nil { found += 1 }
    }
    #expect(found > 500)
  }

  @Test func thriftNumbersAndListsComeBack() throws {
    let numbers = [0, 1, -1, 63, 64, -64, -65, 1 << 40, Int.max, Int.min]
    let bytes = ThriftWriter.structure { writer in
      writer.int64(1, numbers[7])
      writer.list(40, .int64, count: numbers.count) { list in for number in numbers { list.element(number) } }
      writer.list(41, .int32, count: 20) { list in for number in 0..<20 { list.element(number) } }
      writer.bool(42, true)
      writer.binary(300, [1, 2])
    }
    var cursor = ByteCursor(bytes, path: "", piece: "")
    let value = try ThriftValue.structure(&cursor)
    #expect(value[1]?.int == 1 << 40)
    #expect(value[40]?.list?.map(\.int) == numbers)
    #expect(value[41]?.list?.map(\.int) == Array(0..<20))
    #expect(value[42] == .bool(true) && value[300]?.binary == [1, 2] && cursor.isAtEnd)
  }

  @Test func structsThatNestWithoutEndAreRefused() {
    var cursor = ByteCursor([UInt8](repeating: 0x1C, count: 100_000), path: "", piece: "")
    #expect(throws: StorageError.self) { try ThriftValue.structure(&cursor) }
  }
}
