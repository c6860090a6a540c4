import Bytes
import Storage
import TestSupport
import Testing

@Suite struct DecodingReaderTests {
  static let windows = [1, 2, 3, 7, 64, 4096, 1 << 20]

  static func members(_ codec: String, _ contents: [[UInt8]]) throws -> [[UInt8]] {
    try contents.map { content in
      switch codec {
      case "gzip": try gzip(content)
      case "zstd": zstdFrame(content)
      default: try bzip2(content)
      }
    }
  }

  @Test(arguments: ["gzip", "zstd", "bzip2"])
  func `three members give the same bytes and places through every window`(codec: String) throws {
    let contents = [sampleText(1_000, seed: 1), sampleText(1, seed: 2), sampleText(70_000, seed: 3)]
    let members = try Self.members(codec, contents)
    let bytes = members.flatMap { $0 }
    let offsets = [0, Int64(members[0].count), Int64(members[0].count + members[1].count)]
    for window in Self.windows {
      let decoded = try decode(bytes, upTo: window)
      #expect(decoded.problem == nil, "window \(window)")
      let isEqual = decoded.bytes == contents.flatMap { $0 }
      #expect(isEqual, "window \(window)")
      #expect(decoded.memberOffsets == offsets, "window \(window)")
      #expect(decoded.memberEnds == 3)
      #expect(decoded.endOffset == Int64(bytes.count))
    }
    let reader = try DecodingReader(bytes: bytes)
    #expect(reader.codec.rawValue == codec)
  }

  @Test(arguments: ["gzip", "zstd", "bzip2"])
  func `members over several buffers decode, and reading may start at any member`(codec: String) throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 4)
    // Random bytes do not shrink: the members are larger than the reader's buffer.
    let contents = [
      random.bytes(300_000), sampleText(10, seed: 5), random.bytes(600_000), random.bytes(262_144),
    ]
    let members = try Self.members(codec, contents)
    try writeFile(folder("x.txt"), members.flatMap { $0 })
    let file = InputFile(path: folder("x.txt"), name: "x")
    var offset: Int64 = 0
    for index in members.indices {
      let decoded = try drain(try DecodingReader(file, from: offset), upTo: 50_000)
      let isEqual = decoded.bytes == contents[index...].flatMap { $0 }
      #expect(isEqual, "from member \(index)")
      #expect(decoded.problem == nil)
      #expect(decoded.memberOffsets.first == offset)
      offset += Int64(members[index].count)
    }
  }

  @Test(arguments: ["gzip", "zstd", "bzip2"])
  func `a file cut at any byte keeps what came before and says truncated`(codec: String) throws {
    let contents = [sampleText(90, seed: 6), sampleText(40, seed: 7), sampleText(60, seed: 8)]
    let members = try Self.members(codec, contents)
    let bytes = members.flatMap { $0 }
    let whole = contents.flatMap { $0 }
    let first = members[0].count
    let second = first + members[1].count
    for length in 0..<bytes.count {
      let decoded = try decode(Array(bytes[..<length]), upTo: 16)
      // A head too short to be told is plain bytes.
      if length < 10 { continue }
      let isPrefix = whole.starts(with: decoded.bytes)
      #expect(isPrefix, "cut at \(length)")
      #expect(decoded.bytes.count >= (length >= second ? 130 : length >= first ? 90 : 0), "cut at \(length)")
      #expect(
        decoded.problem == (length == first || length == second ? nil : "truncated"), "cut at \(length)")
    }
  }

  @Test(arguments: ["gzip", "zstd", "bzip2"])
  func `no flipped bit traps or hangs, and none passes unseen where a checksum guards it`(codec: String)
    throws
  {
    let content = sampleText(200, seed: 9)
    let member = try Self.members(codec, [content])[0]
    for bit in 0..<member.count * 8 {
      var bytes = member
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let decoded = try decode(bytes, upTo: 33)
      let isSame = decoded.bytes == content
      if decoded.problem == nil, decoded.memberEnds > 0 { #expect(isSame, "bit \(bit)") }
      let reader = try DecodingReader(bytes: bytes)
      _ = try drain(reader)
      _ = try reader.skipToNextMember()
    }
  }

  @Test(arguments: ["gzip", "zstd", "bzip2"])
  func `random damage never traps, and resuming after damage ends`(codec: String) throws {
    let contents = (0..<5).map { sampleText(150, seed: UInt64(10 + $0)) }
    let bytes = try Self.members(codec, contents).flatMap { $0 }
    var random = SeededRandom(seed: 20)
    for _ in 0..<400 {
      let damaged = random.mutation(of: bytes)
      let reader = try DecodingReader(bytes: damaged)
      var steps = 0
      while try drain(reader, upTo: 100).problem != nil, steps <= damaged.count {
        steps += 1
        if try !reader.skipToNextMember() { break }
      }
      #expect(steps <= damaged.count)
    }
  }

  // MARK: gzip

  @Test func `extra fields, names, comments and header checksums are passed over`() throws {
    let content = sampleText(500, seed: 30)
    let cases: [(UInt8, [UInt8])] = [
      (0x04, [8, 0, 0x73, 0x6C, 4, 0, 1, 2, 3, 4]), (0x08, Array("name.warc\u{0}".utf8)),
      (0x10, Array("a comment\u{0}".utf8)), (0x01, []),
      (0x1C, [2, 0, 9, 9] + Array("n\u{0}c\u{0}".utf8)), (0x04, [0, 0]),
      (0x08, [UInt8](repeating: 0x61, count: 300_000) + [0]),
    ]
    for (flags, extra) in cases {
      for window in [1, 4096] {
        let decoded = try decode(try gzip(content, flags: flags, extra: extra), upTo: window)
        #expect(decoded.problem == nil, "flags \(flags)")
        let isEqual = decoded.bytes == content
        #expect(isEqual, "flags \(flags)")
      }
    }
  }

  @Test func `a header cut in two by the reader's buffer is read at every place`() throws {
    let content = sampleText(300, seed: 35)
    let header: [UInt8] = [4, 0, 1, 2, 3, 4] + Array("name\u{0}comment\u{0}".utf8)
    let second = try gzip(content, flags: 0x1C, extra: header)
    // A first member whose length puts the border of the buffer into the second one's header.
    for inside in 0...(10 + header.count) {
      let wanted = (256 << 10) - inside
      let name = [UInt8](repeating: 0x61, count: wanted - (try gzip(content)).count - 1) + [0]
      let first = try gzip(content, flags: 0x08, extra: name)
      #expect(first.count == wanted)
      let decoded = try decode(first + second)
      #expect(decoded.problem == nil, "\(inside) bytes before the border")
      #expect(decoded.bytes == content + content)
    }
  }

  @Test func `empty and stored members, and zeros between and behind members, are fine`() throws {
    let a = sampleText(100, seed: 31)
    let bytes =
      try gzip([]) + gzip(a, level: 1) + [0, 0, 0] + gzip([]) + gzip([]) + gzip(a)
      + [UInt8](repeating: 0, count: 600_000)
    let decoded = try decode(bytes)
    #expect(decoded.problem == nil)
    #expect(decoded.bytes == a + a)
    #expect(decoded.memberEnds == 5)
    var random = SeededRandom(seed: 32)
    let stored = random.bytes(100_000)
    let back = try decode(try gzip(stored), upTo: 7).bytes
    #expect(back == stored)
  }

  @Test func `ten thousand empty members are read`() throws {
    let empty = try gzip([])
    let decoded = try decode((0..<10_000).flatMap { _ in empty })
    #expect(decoded.memberEnds == 10_000)
    #expect(decoded.problem == nil)
  }

  @Test func `a wrong checksum or length is damage, told after the bytes`() throws {
    let content = sampleText(100, seed: 33)
    for place in [8, 1] {
      var member = try gzip(content)
      member[member.count - place] ^= 1
      let decoded = try decode(member)
      #expect(decoded.bytes == content)
      #expect(decoded.problem == "wrong checksum")
    }
  }

  @Test(arguments: [0, 1, 17, 100, 300_000])
  func `after garbage between members the next member is found`(garbage: Int) throws {
    var random = SeededRandom(seed: 34)
    let contents = [Array("WARC/1.0 one".utf8), Array("other".utf8), Array("WARC/1.1 two".utf8)]
    let noise = random.bytes(garbage).map { $0 == 0 || $0 == 0x1F ? 1 : $0 }
    let members = try contents.map { try gzip($0) }
    let bytes = members[0] + noise + members[1] + members[2]
    let reader = try DecodingReader(bytes: bytes)
    var decoded = try drain(reader)
    if garbage > 0 {
      #expect(decoded.bytes == contents[0])
      #expect(decoded.problem != nil)
      let isFound = try reader.skipToNextMember(accepting: "WARC/")
      #expect(isFound)
      decoded = try drain(reader)
      #expect(decoded.bytes == contents[2])
      #expect(decoded.memberOffsets == [Int64(members[0].count + garbage + members[1].count)])
    }
    #expect(decoded.problem == nil)
    let isThereMore = try reader.skipToNextMember()
    #expect(!isThereMore)
  }

  @Test func `damage in the middle costs one member of a file`() throws {
    let folder = try TemporaryFolder()
    let contents = (0..<20).map { Array("WARC/1.0 ".utf8) + sampleText(30_000, seed: UInt64(40 + $0)) }
    var members = try contents.map { try gzip($0) }
    members[7][members[7].count / 2] ^= 0xFF
    try writeFile(folder("x.gz"), members.flatMap { $0 })
    let reader = try DecodingReader(InputFile(path: folder("x.gz"), name: "x"))
    let first = try drain(reader)
    let before = contents[..<7].flatMap { $0 }
    let isPrefix = first.bytes.starts(with: before)
    #expect(isPrefix)
    #expect(first.problem != nil)
    #expect(reader.memberOffset == Int64(members[..<7].reduce(0) { $0 + $1.count }))
    let isFound = try reader.skipToNextMember(accepting: "WARC/")
    #expect(isFound)
    let rest = try drain(reader)
    let isRest = rest.bytes == contents[8...].flatMap { $0 }
    #expect(isRest)
    #expect(rest.problem == nil)
  }

  @Test func `damage after damage is passed in linear time`() throws {
    // Headers that look sound, each running into the same damage far behind.
    var member = try gzip(sampleText(200_000, seed: 60), level: 1)
    member.removeLast(12)
    let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
    var bytes: [UInt8] = []
    for _ in 0..<2_000 { bytes += header + [0, 30, 0, 225, 255] + [UInt8](repeating: 0x55, count: 20) }
    let reader = try DecodingReader(bytes: member + bytes)
    let start = monotonicSeconds()
    var count = 0
    while try drain(reader).problem != nil, try reader.skipToNextMember() { count += 1 }
    #expect(monotonicSeconds() - start < 20)
    #expect(count <= 2_001)
  }

  // MARK: zstd and bzip2

  @Test func `skippable frames give no bytes, and one may come first`() throws {
    let content = sampleText(300, seed: 70)
    func skippable(_ number: UInt8, _ count: Int) -> [UInt8] {
      [0x50 + number, 0x2A, 0x4D, 0x18, UInt8(count & 255), UInt8(count >> 8 & 255), UInt8(count >> 16), 0]
        + [UInt8](repeating: 7, count: count)
    }
    let frame = zstdFrame(content)
    for window in [1, 4096] {
      let bytes = skippable(0, 5) + frame + skippable(15, 300_000) + frame + skippable(3, 0)
      let decoded = try decode(bytes, upTo: window)
      #expect(decoded.problem == nil)
      #expect(decoded.bytes == content + content)
    }
  }

  @Test func `a window over the limit is refused with the limit in the message`() throws {
    guard let made = try? run("zstd", ["-c", "--long=24", "-19", "-"], stdin: sampleText(100_000, seed: 71)),
      made.exit == 0
    else {
      Notices.once("skipped: no zstd program, so no frames with large windows")
      return
    }
    // With the size unknown (standard input) the frame announces its whole window.
    let decoded = try decode(made.stdout)
    #expect(decoded.bytes.isEmpty)
    #expect(decoded.problem == "the zstd window is over the limit of 2^23 bytes")
    var limits = Limits()
    limits.zstdWindowLog = 24
    #expect(try decode(made.stdout, limits: limits).problem == nil)
  }

  @Test func `a wrong zstd checksum is damage`() throws {
    var frame = zstdFrame(sampleText(100, seed: 72))
    frame[frame.count - 1] ^= 1
    #expect(try decode(frame).problem != nil)
    var out: [UInt8] = []
    let count = Zstd.decompressFrame(frame.span, limit: 1 << 20, into: &out)
    #expect(count == nil)
    #expect(out.isEmpty)
  }

  @Test func `a hundred thousand empty frames are read`() throws {
    let frame = zstdFrame([])
    let decoded = try decode((0..<100_000).flatMap { _ in frame })
    #expect(decoded.memberEnds == 100_000)
    #expect(decoded.problem == nil)
  }

  @Test func `an empty bzip2 stream is an empty member`() throws {
    let content = sampleText(50, seed: 73)
    let decoded = try decode(try bzip2([]) + bzip2(content) + bzip2([]))
    #expect(decoded.bytes == content)
    #expect(decoded.memberEnds == 3)
    #expect(decoded.problem == nil)
  }

  @Test(arguments: ["gzip", "zstd"]) func `a bomb is refused by its ratio`(codec: String) throws {
    var limits = Limits()
    limits.expansionGrace = 1 << 20
    let zeros = [UInt8](repeating: 0, count: 64 << 20)
    let bomb = codec == "gzip" ? try gzip(zeros, level: 9) : zstdFrame(zeros)
    let reader = try DecodingReader(bytes: bomb, limits: limits)
    var bytes: [UInt8] = []
    var total = 0
    var problem: String?
    loop: while true {
      bytes.removeAll(keepingCapacity: true)
      switch try reader.read(into: &bytes, upTo: 1 << 16) {
      case .bytes(let count): total += count
      case .corrupt(let reason):
        problem = reason
        break loop
      case .memberEnd: continue
      case .end, .truncated: break loop
      }
    }
    #expect(problem == "expands more than 200 : 1")
    #expect(total < 16 << 20)
    #expect(try decode(bomb).problem == nil, "within the grace of the standard limits")
  }

  // MARK: plain, and the head

  @Test func `plain bytes pass as they are, from any offset`() throws {
    let folder = try TemporaryFolder()
    let content = sampleText(700_000, seed: 80)
    try writeFile(folder("x.gz"), content)
    let file = InputFile(path: folder("x.gz"), name: "x")
    for offset in [0, 1, 99_999, 699_999, 700_000, 800_000] {
      let reader = try DecodingReader(file, from: Int64(offset))
      #expect(reader.codec == .plain)
      let isEqual = try drain(reader, upTo: 5000).bytes == Array(content[min(offset, content.count)...])
      #expect(isEqual)
      #expect(reader.decodedInMember == Int64(max(offset, content.count)))
      #expect(reader.memberOffset == 0)
    }
    #expect(try decode([]) == Decoded())
  }

  @Test func `the codec is told by the bytes alone, and the head is not consumed`() throws {
    let folder = try TemporaryFolder()
    let content = sampleText(5_000, seed: 81)
    let cases: [([UInt8], DecodingReader.Codec)] = [
      (content, .plain), (try gzip(content), .gzip), (zstdFrame(content), .zstd),
      (try bzip2(content), .bzip2),
      ([], .plain), ([0x1F], .plain), (Array("BZh".utf8), .plain), (Array("BZh9 is a name".utf8), .plain),
    ]
    for (bytes, codec) in cases {
      try writeFile(folder("dump.warc"), bytes)
      let head = try DecodingReader.head(of: InputFile(path: folder("dump.warc"), name: "d"), count: 100)
      #expect(head.codec == codec)
      let wanted = bytes.count > 100 ? Array(content[..<100]) : bytes
      #expect(head.bytes == wanted)
    }
    let cut = Array(try gzip(content)[..<200])
    try writeFile(folder("cut"), cut)
    let head = try DecodingReader.head(of: InputFile(path: folder("cut"), name: "d"), count: 100_000)
    let isPrefix = content.starts(with: head.bytes)
    #expect(isPrefix)
  }

  @Test func `a missing file and a folder are errors with the path`() throws {
    let folder = try TemporaryFolder()
    for path in [folder("none"), folder.path] {
      let error = #expect(throws: StorageError.self) { try DecodingReader(InputFile(path: path, name: "x")) }
      #expect(error?.message.hasPrefix(path + ": ") == true)
      #expect(error?.exitCode == 3)
    }
  }
}
