import Bytes
import TestSupport
import Testing

@testable import Storage

@Suite struct GzipTests {
  /// Every repetition that a plain search finds is named; pieces of `cut` bytes are added at once.
  private func compressed(_ bytes: [UInt8], cut: Int) -> [UInt8] {
    var out: [UInt8] = []
    var encoder = GzipEncoder(into: &out)
    var found: [GzipEncoder.Copy] = []
    var places: [[UInt8]: Int] = [:]
    var at = 0
    while at + 4 <= bytes.count {
      let key = Array(bytes[at..<at + 4])
      let before = places.updateValue(at, forKey: key)
      guard let before, at - before <= GzipEncoder.distanceMax else {
        at += 1
        continue
      }
      var length = 4
      while at + length < bytes.count, bytes[before + length] == bytes[at + length] { length += 1 }
      found.append(.init(at: at, length: length, distance: at - before))
      at += length
    }
    var start = 0
    while start < bytes.count {
      let end = cut > bytes.count - start ? bytes.count : start + cut
      // A copy across the cut is shortened on both sides.
      let copies = found.compactMap { copy -> GzipEncoder.Copy? in
        let part = (copy.at..<copy.at + copy.length).clamped(to: start..<end)
        return part.isEmpty
          ? nil : .init(at: part.lowerBound - start, length: part.count, distance: copy.distance)
      }
      bytes[start..<end].withUnsafeBytes { encoder.add($0, copies: copies, into: &out) }
      start = end
    }
    encoder.finish(into: &out)
    return out
  }

  private func decoded(_ gzip: [UInt8]) throws -> [UInt8]? {
    let reader = try DecodingReader(bytes: gzip)
    guard reader.codec == .gzip else { return nil }
    var bytes: [UInt8] = []
    while true {
      switch try reader.read(into: &bytes, upTo: 1 << 16) {
      case .bytes, .memberEnd: continue
      case .end: return bytes
      default: return nil
      }
    }
  }

  /// The decoder is ISA-L's: what it accepts, with its checksum, is gzip.
  @Test func everyInputReadsBackInPiecesOfAnySize() throws {
    var random = SeededRandom(seed: 3)
    var inputs: [[UInt8]] = [[], [0], [255], Array(repeating: 97, count: 70_000), Array("abcabcabcabc".utf8)]
    // Bytes of both code lengths without repetition; matches of every length and of far distances.
    inputs.append((0..<200_000).map { _ in UInt8.random(in: 0...255, using: &random) })
    var rows: [UInt8] = []
    for row in 0..<4000 {
      rows += Array("\(row * 37),\(row * 37 + 36),crawl/part-\(row % 7)/\(row),x,\(row)\n".utf8)
    }
    inputs.append(rows)
    for _ in 0..<60 {
      var bytes: [UInt8] = []
      while bytes.count < 40_000 {
        if bytes.isEmpty || Bool.random(using: &random) {
          for _ in 0..<Int.random(in: 1...40, using: &random) {
            bytes.append(UInt8.random(in: 0...255, using: &random))
          }
        } else {
          let distance = min(bytes.count, 1 << Int.random(in: 0...15, using: &random))
          for _ in 0..<Int.random(in: 3...600, using: &random) { bytes.append(bytes[bytes.count - distance]) }
        }
      }
      inputs.append(bytes)
    }
    for input in inputs {
      let whole = compressed(input, cut: Int.max)
      #expect(try decoded(whole) == input)
      #expect(try decoded(compressed(input, cut: 2000 + Int.random(in: 0...5000, using: &random))) == input)
    }
    #expect(compressed(rows, cut: 999).count * 2 < rows.count)
  }

  @Test func theBytesAreThese() {
    // Stored by hand: header, a block of fixed codes with the literal "a" (0x30 + 97 = 0x91), its end.
    #expect(
      compressed([97], cut: 1) == [
        0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 0x4B, 0x04, 0x00, 0x43, 0xBE, 0xB7, 0xE8, 1, 0, 0, 0,
      ])
    #expect(CRC32.hash(UnsafeRawBufferPointer(start: nil, count: 0)) == 0)
    Array("123456789".utf8).withUnsafeBytes { #expect(CRC32.hash($0) == 0xCBF4_3926) }
  }
}
