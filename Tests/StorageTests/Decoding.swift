import Bytes
import Storage
import TestSupport

/// What a reader gave until its end.
struct Decoded: Equatable {
  var bytes: [UInt8] = []
  /// Offsets of the members that gave bytes or ended.
  var memberOffsets: [Int64] = []
  var memberEnds = 0
  /// Nil: a clean end.
  var problem: String?
  var endOffset: Int64 = 0
}

/// Reads to the end or to the first damage; a step that gives nothing would be a hang, so steps are counted.
func decode(_ bytes: [UInt8], upTo count: Int = 1 << 16, limits: Limits = .standard) throws -> Decoded {
  try drain(try DecodingReader(bytes: bytes, limits: limits), upTo: count)
}

func drain(_ reader: DecodingReader, upTo count: Int = 1 << 16) throws -> Decoded {
  var result = Decoded()
  loop: while true {
    let before = result.bytes.count
    switch try reader.read(into: &result.bytes, upTo: count) {
    case .bytes(let produced):
      if produced < 1 || produced > count || result.bytes.count != before + produced {
        result.problem = "\(produced) bytes announced, \(result.bytes.count - before) given"
        break loop
      }
      if result.memberOffsets.last != reader.memberOffset { result.memberOffsets.append(reader.memberOffset) }
    case .memberEnd:
      if result.memberOffsets.last != reader.memberOffset { result.memberOffsets.append(reader.memberOffset) }
      result.memberEnds += 1
    case .end: break loop
    case .truncated:
      result.problem = "truncated"
      break loop
    case .corrupt(let reason):
      result.problem = reason
      break loop
    }
  }
  result.endOffset = reader.encodedOffset
  return result
}

func gzip(_ bytes: [UInt8], level: Int = 6) throws -> [UInt8] {
  try run("gzip", ["-nc\(level)"], stdin: bytes).stdout
}
func bzip2(_ bytes: [UInt8]) throws -> [UInt8] { try run("bzip2", ["-c"], stdin: bytes).stdout }
func zstdFrame(_ bytes: [UInt8]) -> [UInt8] {
  var frame: [UInt8] = []
  Zstd.compressFrame(bytes.span, into: &frame)
  return frame
}

/// A gzip member with header parts of choice around the deflate data of another.
func gzip(_ bytes: [UInt8], flags: UInt8, extra: [UInt8]) throws -> [UInt8] {
  var member = try gzip(bytes)
  member[3] = flags
  member.insert(contentsOf: extra, at: 10)
  return member
}

/// Text that compresses neither too well nor not at all.
func sampleText(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = SeededRandom(seed: seed)
  let words = ["river", "garden", "über", "日本", "and", "the", "1234", "\n"].map { Array($0.utf8) }
  var bytes: [UInt8] = []
  while bytes.count < count { bytes += (words.randomElement(using: &random) ?? []) + [32] }
  return Array(bytes[..<count])
}
