import Bytes
import Documents
import Storage
import TestSupport
import Testing

@Suite struct JSONLinesReaderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func file(_ bytes: [UInt8]) throws -> String {
    try writeFile(folder("in"), bytes)
    return folder("in")
  }

  func file(_ text: String) throws -> String { try file(Array(text.utf8)) }

  @Test func `gives each line with its offset, without empty lines, line ends and outer spaces`() throws {
    let reading = try readUnit(try file("{\"a\":1}\n\n{\"b\":2}\r\n\t{\"c\":3}\t\n{\"d\":4}"))
    #expect(reading.lines.map(\.text) == [#"{"a":1}"#, #"{"b":2}"#, #"{"c":3}"#, #"{"d":4}"#])
    #expect(reading.lines.map(\.offset) == [0, 9, 18, 28])
    #expect(reading.lines.allSatisfy { $0.ordinal == 0 })
    #expect(reading.endOffset == 35)
    #expect(reading.completeness == .unmarked)
  }

  @Test(arguments: ["", "\n", "\n\n\r\n", "   \n"]) func `a file without content gives nothing`(text: String)
    throws
  {
    let reading = try readUnit(try file(text))
    #expect(reading.lines.isEmpty)
    #expect(reading.defects.isEmpty)
  }

  @Test func `a byte order mark is no part of the first line`() throws {
    let reading = try readUnit(try file("\u{FEFF}{\"a\":1}\n\u{FEFF}x\n"))
    #expect(reading.lines.map(\.text) == [#"{"a":1}"#, "\u{FEFF}x"])
  }

  // MARK: Marks

  @Test(arguments: [
    (" {\"a\":1} \n", JSONLinesReader.Completeness.complete, 1), (" {\"a\":1}\n{\"b\":2} \n", .complete, 2),
    (" {\"a\":1}\n{\"b\":2}\n", .cut, 2), (" {\"a\":1}\n{\"b\"", .cut, 2), (" ", .cut, 0),
    (" {\"a\":1}", .cut, 1),
    ("  \n", .complete, 0), (" {\"a\":1} \n {\"b\":2} \n", .complete, 2),
    (" {\"a\":1} \n {\"b\":2}\n", .cut, 2), (" {\"a\":1}\n {\"b\":2} \n", .cut, 2),
    ("  \n  \n", .complete, 0),
    ("{\"a\":1}\n", .unmarked, 1), ("{\"a\":1} \n", .unmarked, 1), ("  \n {\"b\":2} \n", .complete, 1),
  ])
  func `stream marks tell whether a stream is whole`(
    text: String, completeness: JSONLinesReader.Completeness, lines: Int
  ) throws {
    let path = try file(text)
    let reading = try readUnit(path)
    #expect(reading.completeness == completeness)
    #expect(reading.lines.count == lines)
    if completeness == .cut {
      #expect(throws: StorageError.self) { try readUnit(path, refusesCut: true) }
    } else {
      #expect(try readUnit(path, refusesCut: true).lines.count == lines)
    }
  }

  @Test func `what the marking writer sends is whole, and cut at every byte but the last it is not`() throws {
    var stream = MarkedStream()
    var bytes: [UInt8] = []
    bytes += stream.marking([])
    bytes += stream.marking(Array("{\"id\":\"1\"}\n{\"id\":\"2\"}\n".utf8))
    bytes += stream.marking(Array("{\"id\":\"3\"}\n".utf8))
    bytes += stream.ending()
    #expect(bytes.string == " {\"id\":\"1\"}\n{\"id\":\"2\"}\n{\"id\":\"3\"} \n")
    for length in 1...bytes.count {
      let reading = try readUnit(try file(Array(bytes[..<length])))
      #expect(reading.completeness == (length >= bytes.count - 1 ? .complete : .cut), "\(length) bytes")
    }
    #expect(MarkedStream().ending() == Array("  \n".utf8))
  }

  // MARK: Chunks and units

  static func manyLines(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    var bytes: [UInt8] = []
    for index in 0..<count {
      let length = index % 97 == 0 ? 0 : Int.random(in: 1...20_000, using: &random)
      bytes.append(contentsOf: Array("\(index):".utf8) + [UInt8](repeating: 120, count: length) + [10])
    }
    return bytes
  }

  @Test func `chunks end with the line that crosses the target, however the bytes come`() throws {
    let bytes = Self.manyLines(800, seed: 1)
    let plain = try readUnit(try file(bytes))
    #expect(plain.chunkCounts.count >= 3)
    // The same bytes in frames of odd sizes arrive in other portions.
    var random = SeededRandom(seed: 2)
    var pieces: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + Int.random(in: 1...300_000, using: &random))
      pieces.append(Array(bytes[start..<end]))
      start = end
    }
    let framed = try readUnit(try file(zstdFrames(pieces).flatMap { $0 }))
    #expect(framed.chunkCounts == plain.chunkCounts)
    #expect(framed.lines.map(\.text) == plain.lines.map(\.text))
  }

  @Test(arguments: [1, 2, 7, 64, 1000, 4096, 100_000, 3_000_000])
  func `plain units of any size give each line once, in order`(unitBytes: Int64) throws {
    let count = unitBytes < 1000 ? 40 : 400
    var bytes: [UInt8] = []
    for index in 0..<count { bytes += Array("{\"n\":\(index)}\n".utf8) + (index % 5 == 0 ? [10] : []) }
    if unitBytes >= 1000 { bytes += Self.manyLines(300, seed: 3) }
    bytes += Array("last".utf8)
    let path = try file(bytes)
    let whole = try readUnit(path)
    let units = try readUnits(path, unitBytes: unitBytes, size: Int64(bytes.count))
    #expect(units.flatMap(\.lines) == whole.lines)
    #expect(units.last?.endOffset == Int64(bytes.count))
    for unit in units { #expect(unit.defects.isEmpty) }
  }

  @Test(arguments: [1, 30, 100, 1000, 100_000], ["gzip", "zstd"])
  func `compressed units of any size give each line once, in order`(unitBytes: Int64, codec: String) throws {
    var pieces: [[UInt8]] = []
    for index in 0..<30 {
      // Lines run over the borders of members, and some members are empty.
      let piece = "\(index) starts\n{\"n\":\(index)}\nline \(index) goes on"
      pieces.append(index % 7 == 3 ? [] : Array(piece.utf8))
    }
    let members = codec == "gzip" ? try gzipMembers(pieces) : zstdFrames(pieces)
    let bytes = members.flatMap { $0 }
    let path = try file(bytes)
    let whole = try readUnit(path)
    #expect(whole.lines.map(\.text).joined(separator: "\n") + "\n" == pieces.flatMap { $0 }.string + "\n")
    let units = try readUnits(path, unitBytes: unitBytes, size: Int64(bytes.count))
    #expect(units.flatMap(\.lines) == whole.lines)
  }

  @Test func `a line of a compressed file is named by its member and its number in it`() throws {
    let members = zstdFrames(["a\nb\n", "c\nd", "e\n\nf\n"].map { Array($0.utf8) })
    let path = try file(members.flatMap { $0 })
    let second = Int64(members[0].count)
    let third = second + Int64(members[1].count)
    let lines = try readUnit(path).lines
    #expect(
      lines == [
        ReadLine(text: "a", offset: 0, ordinal: 0), ReadLine(text: "b", offset: 0, ordinal: 1),
        ReadLine(text: "c", offset: second, ordinal: 0), ReadLine(text: "de", offset: second, ordinal: 1),
        ReadLine(text: "f", offset: third, ordinal: 1),
      ])
  }

  // MARK: Limits and damage

  @Test(arguments: [10, 100, 5000, 3_000_000])
  func `a line over the limit is a counted defect and its neighbours stay`(limit: Int) throws {
    var limits = Limits()
    limits.lineBytes = limit
    let long = String(repeating: "x", count: limit + 1)
    let fits = String(repeating: "y", count: limit)
    let text = "a\n\(long)\nb\n\(fits)\n\(long)\(long)\nc\n\(long)"
    let path = try file(text)
    let reading = try readUnit(path, limits: limits)
    let isRight = reading.lines.map(\.text) == ["a", "b", fits, "c"]
    #expect(isRight)
    let n = Int64(limit)
    #expect(reading.lines.map(\.offset) == [0, n + 4, n + 6, 4 * n + 10])
    #expect(reading.defects.map(\.kind) == Array(repeating: "line-too-long", count: 3))
    #expect(reading.defects.map(\.offset) == [2, 2 * n + 7, 4 * n + 12])
    #expect(reading.defects.map(\.losesRecord) == [true, true, true])
    #expect(reading.endOffset == Int64(text.utf8.count))
    if limit >= 5000 {
      let units = try readUnits(path, unitBytes: Int64(limit), size: Int64(text.utf8.count), limits: limits)
      #expect(units.flatMap(\.lines).map(\.offset) == reading.lines.map(\.offset))
      #expect(units.flatMap(\.lines).map(\.text.utf8.count) == reading.lines.map(\.text.utf8.count))
      #expect(units.flatMap(\.defects).map(\.offset) == reading.defects.map(\.offset))
    }
    let framed = try readUnit(
      try file(
        zstdFrames(
          stride(from: 0, to: text.utf8.count, by: 777_777).map {
            Array(Array(text.utf8)[$0..<min(text.utf8.count, $0 + 777_777)])
          }
        ).flatMap { $0 }), limits: limits)
    #expect(framed.lines.map(\.text.utf8.count) == reading.lines.map(\.text.utf8.count))
    #expect(framed.defects.count == 3)
  }

  @Test func `marks on lines over the limit still count`() throws {
    var limits = Limits()
    limits.lineBytes = 2 << 20
    let long = String(repeating: "x", count: 6 << 20)
    #expect(try readUnit(try file(" \(long)\na\n\(long) \n"), limits: limits).completeness == .complete)
    #expect(try readUnit(try file(" \(long)\na\n\(long)\n"), limits: limits).completeness == .cut)
  }

  @Test func `a compressed file cut at any byte keeps the whole lines before the cut and counts the cut one`()
    throws
  {
    let members = try gzipMembers(["a\nb\n", "c\nd\n", "e\nf\n"].map { Array($0.utf8) })
    let bytes = members.flatMap { $0 }
    let borders = [members[0].count, members[0].count + members[1].count]
    for length in 20..<bytes.count {
      let reading = try readUnit(try file(Array(bytes[..<length])))
      let text = reading.lines.map(\.text).joined()
      #expect("abcdef".hasPrefix(text), "cut at \(length)")
      #expect(text.count >= borders.filter { length >= $0 }.count * 2)
      #expect(reading.defects.count == (borders.contains(length) ? 0 : 1), "cut at \(length)")
    }
  }

  @Test func `a damaged member costs its own lines only`() throws {
    var members = zstdFrames(["a\nb\n", "c\nd\n", "e\nf\n"].map { Array($0.utf8) })
    members[1][members[1].count - 6] ^= 0x55
    let path = try file(members.flatMap { $0 })
    let reading = try readUnit(path)
    let text = reading.lines.map(\.text).joined()
    #expect(text.hasPrefix("ab"))
    #expect(text.hasSuffix("ef"))
    #expect(reading.defects.map(\.kind) == ["corrupt-member"])
    #expect(reading.defects.first?.offset == Int64(members[0].count))
    #expect(throws: StorageError.self) { try readUnit(path, isStrict: true) }
  }

  @Test func `random damage never traps and every reading ends`() throws {
    var random = SeededRandom(seed: 4)
    let text = Array(
      " {\"id\":\"1\",\"text\":\"x\"}\n{\"id\":\"2\"}\r\n\n{\"id\":\"3\",\"text\":\"é\"} \n".utf8)
    let seeds = [
      text, zstdFrames([text, text]).flatMap { $0 }, try gzipMembers([text, text]).flatMap { $0 },
      try run("bzip2", ["-c"], stdin: text).stdout,
    ]
    for round in 0..<1_500 {
      let bytes = random.mutation(of: seeds[round % seeds.count])
      let path = try file(bytes)
      let whole = try readUnit(path)
      #expect(whole.endOffset <= Int64(bytes.count))
      if round % seeds.count == 0 {
        let units = try readUnits(path, unitBytes: 11, size: Int64(bytes.count))
        #expect(units.flatMap(\.lines) == whole.lines)
      }
    }
  }
}
