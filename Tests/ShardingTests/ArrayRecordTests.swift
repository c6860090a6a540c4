import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct ArrayRecordTests {
  /// Writes records and gives the file's bytes.
  @discardableResult
  private func write(_ records: [[UInt8]], to folder: TemporaryFolder, _ name: String = "a.array_record")
    throws
    -> [UInt8]
  {
    let output = try OutputFile(folder: folder.path, name: name)
    let writer = try ArrayRecordWriter(output)
    for record in records { try append(record, to: writer) }
    try writer.finish()
    _ = try output.commit()
    return try readFile(folder(name))
  }

  private func append(_ record: [UInt8], to writer: ArrayRecordWriter) throws {
    try record.withPlace(0..<record.count) { (bytes) throws(StorageError) in try writer.append(bytes) }
  }

  private func read(_ path: String) throws -> [[UInt8]] {
    let reader = try ArrayRecordReader(path)
    var records: [[UInt8]] = []
    for number in 0..<reader.records { records.append(try reader.record(number)) }
    return records
  }

  /// A file of the records 05 00 06 00 and 07 00, as ArrayRecord 0.8.6 writes it with `group_size:1,uncompressed`.
  private static let golden: [(place: Int, field: String, bytes: String)] = [
    (0x00, "block: hash, 0 bytes since the chunk began, 64 to its end", "83af70d10d884a3f"),
    (0x08, "", "0000000000000000 4000000000000000"),
    (0x18, "signature: hash, 0 bytes of data, hash of nothing", "91bac23c9287e1a9"),
    (0x20, "", "0000000000000000 e19f13c0e9b1c372"),
    (0x30, "type s, no records, decoded size 0", "73 00000000000000 0000000000000000"),
    (
      0x40, "record 0: hash, 7 bytes of data, their hash",
      "0e9094d65ab3f31a 0700000000000000 de99e6aeaae81e87"
    ),
    (0x58, "type r, one record, decoded size 4", "72 01000000000000 0400000000000000"),
    (0x68, "no compression, sizes of 1 byte, size 4", "00 01 04"),
    (0x6B, "05 00 06 00", "05000600"),
    (
      0x6F, "record 1: hash, 5 bytes of data, their hash",
      "ddaa3240bd63e40d 0500000000000000 89c5d96e41e06dd6"
    ),
    (0x87, "type r, one record, decoded size 2", "72 01000000000000 0200000000000000"),
    (0x97, "no compression, sizes of 1 byte, size 2", "00 01 02"),
    (0x9A, "07 00", "0700"),
    (
      0x9C, "footer: hash, 114 bytes of data, their hash",
      "67ed11487ab18989 7200000000000000 7faef39b84300d4f"
    ),
    (0xB4, "type r, three records, decoded size 109", "72 03000000000000 6d00000000000000"),
    (0xC4, "no compression, sizes of 3 bytes: 97, 6, 6", "00 03 610606"),
    (0xC9, "1: {1: version 1, 2: 2 chunks, 3: 2 records, 4: 87 bytes of text}", "0a5f 0801 1002 1802 2257"),
    (0xD3, "group_size:1,transpose:false,pad_to_block_boundary:false,uncompressed,max_parallelism:1", ""),
    (0x12A, "{1: offset 0x40, 2: decoded size 4, 3: 1 record}", "0840 1004 1801"),
    (0x130, "{1: offset 0x6f, 2: decoded size 2, 3: 1 record}", "086f 1002 1801"),
    (
      0x136, "padding: hash, 0xfea2 bytes, hash of zeros",
      "2c59bea05c747e0d a2fe000000000000 202ff4432f059e81"
    ),
    (0x14E, "type p", "70 00000000000000 0000000000000000"),
    (0x10000, "block: hash, 0 since the chunk began, 0x6c to its end", "bc812e208ad95aea"),
    (0x10008, "", "0000000000000000 6c00000000000000"),
    (0x10018, "postscript: hash, 44 bytes, their hash", "cb21db8d29211573 2c00000000000000 df82121739b61565"),
    (0x10030, "type r, three records, decoded size 39", "72 03000000000000 2700000000000000"),
    (0x10040, "no compression, sizes of 3 bytes: 13 each", "00 03 0d0d0d"),
    (0x10045, "{1: footer 0x9c, 2: magic}", "089c01 10dec0ebfe84cec3c971"),
    (0x10052, "the same", "089c01 10dec0ebfe84cec3c971"),
    (0x1005F, "the same", "089c01 10dec0ebfe84cec3c971"),
    (
      0x1006C, "padding: hash, 0xff6c bytes, hash of zeros",
      "1c7e532e9646a196 6cff000000000000 3031 0d4a378006e6"
    ),
    (0x10084, "type p", "70 00000000000000 0000000000000000"),
  ]

  private func sum(_ records: [[UInt8]], in folder: TemporaryFolder) throws -> String {
    let bytes = try write(records, to: folder)
    return SHA256.hex(bytes.span)
  }

  private static func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { $0 != " " }.utf8.map { $0 < 58 ? $0 - 48 : $0 - 87 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  @Test func aTinyFileHasTheBytesOfArrayRecordsOwnWriter() throws {
    let folder = try TemporaryFolder()
    let bytes = try write([[5, 0, 6, 0], [7, 0]], to: folder)
    var expected = [UInt8](repeating: 0, count: 2 << 16)
    var last = 0
    for (place, field, text) in Self.golden {
      let part = text.isEmpty ? Array(field.utf8) : Self.hex(text)
      #expect(place == last || place == 0x10000, "\(field) begins where the field before ends")
      expected.replaceSubrange(place..<place + part.count, with: part)
      #expect(Array(bytes[place..<place + part.count]) == part, "\(field)")
      last = place + part.count
    }
    #expect(bytes == expected)
  }

  /// SHA-256 of files that ArrayRecord 0.8.6 wrote of the same records: chunks across blocks, blocks exactly full, footers and padding across blocks.
  @Test func largerFilesAreThoseOfArrayRecordsOwnWriter() throws {
    let folder = try TemporaryFolder()
    let small = (0..<5000).map { number in
      [[UInt8]](repeating: [UInt8(number & 255), UInt8(number >> 8), 0, 0], count: 1 + number % 50).flatMap {
        $0
      }
    }
    #expect(try sum(small, in: folder) == "2af26559f64249e7be80fee51159cbef57fe08f8bda9f05560ae688a2f9b5ad6")
    let aroundBlocks = (0..<300).map { [UInt8](repeating: UInt8($0 & 255), count: 65300 + $0) }
    #expect(
      try sum(aroundBlocks, in: folder) == "96b831191d0b57d641f8090b5a57c444bd04f6e24eb6969a4373f12a327507d5")
    let large: [UInt8] = (0..<200_000).map { UInt8($0 * 7 % 256) }
    #expect(
      try sum([large, Array("ab".utf8)], in: folder)
        == "8fa5d0103f42a6f7c4fcd0328b9ba39f8d8a3facae3358beee740dd66ebe46a2")
    // The footer ends so close to its block's end that no padding chunk fits there, or just fits.
    for (count, expected) in [
      (65100, "61db713a6501bd301848014fce51318804f4d1044d059399194b3ea8dfd465c3"),
      (65200, "a08104422448271b335aa2dbc656172b06d9f565548328f39808b779bfd6cd2f"),
      (65210, "eeb292984bcd643765c074c4a346fa961004d6cc2d32a4772fd41814013ce108"),
      (65220, "668daff32dde6edd79213066b792c2d515c71f5941935d0a8a973f302ad1004a"),
      (65230, "952d84fbafc6f7da74a22e4d6060d8675c8a86813ba0a6cb58a30d4f83d40b2b"),
      (65240, "c6de9899a8e43f2a44812cd5608b8c5467ddd01894f280f053a724c293b6d21b"),
      (65250, "57e69c71f5298a1a281b0230e6ccb61918f060f32fbaa8ad0a8829d56caa7e6f"),
      (65260, "3b8e6c8e51029a4f0c1767f0540748ef6c2f08e092fe20bccd2a5c1e513eb697"),
    ] {
      #expect(try sum([[UInt8](repeating: 0, count: count)], in: folder) == expected, "\(count) bytes")
    }
  }

  @Test func recordsComeBackInAnyOrder() throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 2)
    for round in 0..<8 {
      let records = (0..<Int.random(in: 1...30, using: &random)).map { _ in
        random.bytes(
          Int.random(in: 1...(round % 4 == 0 ? 150_000 : 3000), using: &random))
      }
      try write(records, to: folder)
      let reader = try ArrayRecordReader(folder("a.array_record"))
      #expect(reader.records == records.count)
      for number in records.indices.shuffled(using: &random) {
        #expect(try reader.record(number) == records[number])
      }
    }
  }

  /// Among sizes for which the chunk, its footer or the padding begin or end before or behind a block's border.
  @Test func sizesAroundABlocksBorderComeBack() throws {
    let folder = try TemporaryFolder()
    for size in stride(from: 65_536 - 420, through: 65_536, by: 7) {
      let records = [[UInt8](repeating: 1, count: size), [2]]
      let bytes = try write(records, to: folder)
      #expect(bytes.count % 65_536 == 0)
      #expect(try read(folder("a.array_record")) == records, "\(size) bytes")
    }
  }

  @Test func aFileOfNoRecordsIsReadToo() throws {
    let folder = try TemporaryFolder()
    #expect(try write([], to: folder).count == 2 << 16)
    #expect(try read(folder("a.array_record")).isEmpty)
  }

  @Test func anEmptyRecordIsRefusedWithItsNumber() throws {
    let folder = try TemporaryFolder()
    let output = try OutputFile(folder: folder.path, name: "a")
    let writer = try ArrayRecordWriter(output)
    try append([1], to: writer)
    #expect(throws: StorageError.usage("arrayrecord: record 1 has no tokens; a record needs at least one.")) {
      try append([], to: writer)
    }
  }

  @Test func endsOfChunksAreCountedAroundBlockHeaders() {
    for begin in [0, 24, 64, 1000, 65_535, 65_536, 65_560, 70_000] {
      for length in [1, 40, 64, 65_470, 65_512, 65_513, 131_024, 131_025, 400_000] {
        // Byte by byte.
        var place = begin
        for _ in 0..<length {
          if place % 65_536 == 0 { place += 24 }
          place += 1
        }
        #expect(ArrayRecordFormat.end(ofChunkAt: begin, length: length) == place, "\(begin), \(length)")
      }
    }
    #expect(ArrayRecordFormat.end(ofChunkAt: 23, length: 1) == nil)
    #expect(ArrayRecordFormat.end(ofChunkAt: 0, length: Int.max) == nil)
  }

  @Test func aFlippedBitInAnyByteIsFound() throws {
    let folder = try TemporaryFolder()
    let bytes = try write([[5, 0, 6, 0], [7, 0]], to: folder)
    // All that is not padding, and some padding.
    let places = Array(0..<0x160) + Array(0x10000..<0x10098) + [0x4000, 0xFFFF, 0x18000, 0x1FFFF]
    var random = SeededRandom(seed: 5)
    for place in places {
      var damaged = bytes
      damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      try writeFile(folder("damaged"), damaged)
      #expect(throws: StorageError.self, "byte \(place)") { try read(folder("damaged")) }
    }
  }

  @Test func damageIsAnErrorAndNeverATrap() throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 3)
    let records = [random.bytes(70_000), [1, 2], random.bytes(300)]
    let bytes = try write(records, to: folder)
    for _ in 0..<100 {
      let damaged = random.mutation(of: bytes)
      if damaged == bytes { continue }
      try writeFile(folder("damaged"), damaged)
      #expect(throws: StorageError.self) { try read(folder("damaged")) }
    }
    for count in [0, 1, 65_536, bytes.count - 65_536] {
      try writeFile(folder("damaged"), Array(bytes[..<count]))
      #expect(throws: StorageError.self) { try read(folder("damaged")) }
    }
  }

  /// Hashes keep most damage from the code behind them; so the hashes are made right again.
  @Test func damageUnderRightHashesIsNoTrapEither() throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 4)
    let bytes = try write([[5, 0, 6, 0], [7, 0]], to: folder)
    // Chunk headers of a record, the footer, the padding and the postscript, with the bytes of data behind each.
    let chunks = [(0x40, 7), (0x6F, 5), (0x9C, 114), (0x136, 20), (0x10018, 44)]
    for _ in 0..<500 {
      var damaged = bytes
      let (begin, count) = chunks[Int.random(in: 0..<chunks.count, using: &random)]
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let inHeader = Int.random(in: 0..<3, using: &random) == 0
        let place =
          inHeader
          ? begin + Int.random(in: 8..<40, using: &random)
          : begin + 40 + Int.random(in: 0..<count, using: &random)
        damaged[place] = UInt8(truncatingIfNeeded: random.next())
      }
      let size = damaged.littleEndianWord(at: begin + 8)
      if size <= UInt64(damaged.count - begin - 40), size < 60_000 {
        let hash = ArrayRecordFormat.hash(Array(damaged[begin + 40..<begin + 40 + Int(size)]))
        damaged.replaceSubrange(
          begin + 16..<begin + 24, with: withUnsafeBytes(of: hash.littleEndian) { Array($0) })
      }
      let hash = ArrayRecordFormat.hash(Array(damaged[begin + 8..<begin + 40]))
      damaged.replaceSubrange(begin..<begin + 8, with: withUnsafeBytes(of: hash.littleEndian) { Array($0) })
      try writeFile(folder("damaged"), damaged)
      _ = try? read(folder("damaged"))
    }
  }
}
