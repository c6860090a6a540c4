import Bytes
import Storage
import TestSupport
import Testing

@testable import Tokenization

@Suite struct PretokenCountsTests {
  static func counts(_ path: String) throws -> [[UInt8]: Int64] {
    var counts: [[UInt8]: Int64] = [:]
    try PretokenCountsFile(path: path).forEach { counts[Array($0)] = $1 }
    return counts
  }

  static func texts(_ random: inout SeededRandom) -> [[UInt8]] {
    (0..<60).map { _ in
      PretokenScannerTests.hostileText(&random, pieces: Int.random(in: 0...60, using: &random))
    }
  }

  @Test func `counts equal those of a dictionary, in the order of bytes`() throws {
    var random = SeededRandom(seed: 61)
    let texts = Self.texts(&random)
    let counter = PretokenCounter(pattern: .o200k)
    var wanted: [[UInt8]: Int64] = [:]
    for text in texts {
      counter.count(text.span)
      var start = 0
      for length in PretokenReference.lengths(.o200k, text) {
        wanted[Array(text[start..<start + length]), default: 0] += 1
        start += length
      }
    }
    #expect(counter.uniqueCount == wanted.count)
    let list = try TrainingGolden.list(counter).counts
    #expect(list.map(\.pretoken) == wanted.keys.sorted { $0.lexicographicallyPrecedes($1) })
    #expect(list.allSatisfy { wanted[$0.pretoken] == $0.count })
    #expect(counter.uniqueCount == 0)
  }

  @Test func `parts merged through files, or in memory, are the whole, byte for byte`() throws {
    var random = SeededRandom(seed: 62)
    let texts = Self.texts(&random) + Self.texts(&random)
    let folder = try TemporaryFolder()
    let whole = PretokenCounter(pattern: .cl100k)
    let second = PretokenCounter(pattern: .cl100k)
    var parts: [String] = []
    for (index, text) in texts.enumerated() {
      whole.count(text.span)
      let part = PretokenCounter(pattern: .cl100k)
      part.count(text.span)
      second.merge(part)
      _ = try part.drain(folder: folder.path, name: "part-\(index)")
      parts.append(folder("part-\(index)"))
    }
    let wanted = try whole.drain(folder: folder.path, name: "whole")
    #expect(try second.drain(folder: folder.path, name: "memory").sha256 == wanted.sha256)
    // 120 parts are more than one merge reads at once.
    parts.shuffle(using: &random)
    let merged = try PretokenCountsFile.merge(
      parts, folder: folder.path, name: "merged", pattern: .cl100k, temporaryFolder: folder("rounds"))
    #expect(merged.sha256 == wanted.sha256)
    #expect(try filesBelow(folder("rounds")).isEmpty)
    let summary = try PretokenCountsFile(path: folder("merged")).summary()
    #expect(summary.totals.documents == 120)
    #expect(summary.totals.bytes == Int64(texts.reduce(0) { $0 + $1.count }))
    #expect(summary.totals.pretokens == (try Self.counts(folder("merged")).values.reduce(0, +)))
  }

  @Test func `longer pretokens are cut at the limit and counted`() throws {
    var limits = Limits()
    limits.trainingPretokenBytes = 100
    let counter = PretokenCounter(pattern: .gpt2, limits: limits)
    counter.count([UInt8](repeating: UInt8(ascii: "a"), count: 250).span)
    #expect(counter.totals.cut == 1)
    #expect(counter.totals.pretokens == 3)
    let list = try TrainingGolden.list(counter).counts
    #expect(list.map(\.pretoken.count) == [50, 100])
    #expect(list.map(\.count) == [1, 2])
  }

  @Test func `a cut or changed file is an input error`() throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 63)
    let counter = PretokenCounter(pattern: .gpt2)
    for text in Self.texts(&random) { counter.count(text.span) }
    _ = try counter.drain(folder: folder.path, name: "good")
    let good = try readFile(folder("good"))
    let plain = try decoded(good)
    for round in 0..<400 {
      var bytes = round % 2 == 0 ? random.mutation(of: plain) : random.mutation(of: good)
      if round % 5 == 0 { bytes = Array(plain.prefix(Int.random(in: 0..<plain.count, using: &random))) }
      try writeFile(folder("bad"), bytes)
      if bytes == plain || bytes == good { continue }
      do {
        try PretokenCountsFile(path: folder("bad")).forEach { _, _ in }
        // A change in the header or in the totals may stay unseen; the counts may not change.
        #expect(try Self.counts(folder("bad")) == Self.counts(folder("good")))
      } catch {
        #expect((error as? StorageError)?.exitCode == 3)
      }
    }
  }

  /// The content of a zstd file.
  private func decoded(_ bytes: [UInt8]) throws -> [UInt8] {
    let reader = try DecodingReader(bytes: bytes)
    var output: [UInt8] = []
    while true {
      switch try reader.read(into: &output, upTo: 1 << 20) {
      case .bytes, .memberEnd: continue
      default: return output
      }
    }
  }
}
