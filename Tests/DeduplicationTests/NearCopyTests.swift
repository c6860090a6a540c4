import Bytes
import Documents
import TestSupport
import Testing

@testable import Deduplication

/// Planted near copies, whose true similarity is computed and not assumed.
@Suite struct NearCopyTests {
  /// Shingle set of a text, by the plain way: texts here are ASCII words between single spaces.
  private func shingles(_ words: [String]) -> Set<String> {
    guard words.count >= 5 else { return [] }
    return Set((0...words.count - 5).map { words[$0..<$0 + 5].joined(separator: " ") })
  }

  private func jaccard(_ a: [String], _ b: [String]) -> Double {
    let (first, second) = (shingles(a), shingles(b))
    return Double(first.intersection(second).count) / Double(first.union(second).count)
  }

  /// A copy of a text with words replaced, inserted or removed, a block moved, or a header added.
  private func edited(_ words: [String], _ random: inout SeededRandom) -> [String] {
    var copy = words
    switch Int.random(in: 0..<8, using: &random) {
    case 0: copy = Corpus.words(Int.random(in: 1...100, using: &random), &random) + copy
    case 1:
      let length = Int.random(in: 10...100, using: &random)
      let block = Array(copy[50..<50 + length])
      copy.removeSubrange(50..<50 + length)
      copy += block
    default:
      for _ in 0..<Int.random(in: 0...26, using: &random) {
        let place = Int.random(in: 0..<copy.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: copy.remove(at: place)
        case 1: copy.insert(Corpus.words(1, &random)[0], at: place)
        default: copy[place] = Corpus.words(1, &random)[0]
        }
      }
    }
    return copy
  }

  private func pairs(_ count: Int, seed: UInt64) -> [(original: [String], copy: [String])] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in
      let original = Corpus.words(200, &random)
      return (original, edited(original, &random))
    }
  }

  private func batch(_ pairs: [(original: [String], copy: [String])]) -> DocumentBatch {
    Corpus.batch(
      pairs.enumerated().map { ("o\($0.offset)", $0.element.original.joined(separator: " ")) }
        + pairs.enumerated().map { ("c\($0.offset)", $0.element.copy.joined(separator: " ")) })
  }

  @Test func `recall follows the curve of 14 buckets of 8, and each drop names its true similarity`() throws {
    let pairs = pairs(1000, seed: 21)
    let outcome = try Corpus.run([batch(pairs)]) {
      $0.threshold = 0.01
      $0.method = .minhash
    }
    var bins: [Int: (expected: Double, variance: Double, found: Int, count: Int)] = [:]
    for (number, pair) in pairs.enumerated() {
      let similarity = jaccard(pair.original, pair.copy)
      let probability = 1 - Pow.of(1 - Pow.of(similarity, 8), 14)
      var bin = bins[Int(similarity * 20)] ?? (0, 0, 0, 0)
      bin.expected += probability
      bin.variance += probability * (1 - probability)
      bin.count += 1
      if let drop = outcome.drops["c\(number)"] {
        bin.found += 1
        #expect(drop.peer == "o\(number)")
        #expect(drop.value == similarity)
      }
      bins[Int(similarity * 20)] = bin
    }
    #expect(bins.count >= 10)
    for (bin, tally) in bins {
      let distance = abs(Double(tally.found) - tally.expected)
      let isNear = distance <= 3 * tally.variance.squareRoot() + 1e-6 || distance < 1
      #expect(
        isNear,
        "similarity \(Double(bin) / 20): found \(tally.found) of \(tally.count), expected \(tally.expected)")
    }
  }

  @Test func `nothing below the threshold is joined`() throws {
    let pairs = pairs(400, seed: 22)
    let outcome = try Corpus.run([batch(pairs)])
    var found = 0
    for (number, pair) in pairs.enumerated() where outcome.drops["c\(number)"] != nil {
      found += 1
      #expect(jaccard(pair.original, pair.copy) >= 0.8)
    }
    #expect(found > 60)
    #expect(outcome.counters["candidate_pairs", default: 0] > outcome.counters["verified_pairs", default: 0])
    #expect(outcome.ledger.isBalanced)
  }

  @Test func `documents that share only a footer do not merge`() throws {
    var random = SeededRandom(seed: 23)
    let footer = Corpus.words(200, &random).joined(separator: " ")
    let documents = (0..<500).map { number in
      ("d\(number)", Corpus.words(100, &random).joined(separator: " ") + " " + footer)
    }
    let outcome = try Corpus.run([Corpus.batch(documents)])
    #expect(outcome.counters["candidate_pairs", default: 0] > 0)
    #expect(outcome.drops.isEmpty)
    #expect(outcome.kept.count == 500)
  }

  @Test func `a chain of copies is one cluster, and each drop tells its similarity to the survivor`() throws {
    var random = SeededRandom(seed: 24)
    var chain = [Corpus.words(200, &random)]
    for step in 1..<5 {
      var next = chain[step - 1]
      for place in 0..<3 { next[step * 30 + place * 9] = "changed\(step)x\(place)" }
      chain.append(next)
    }
    #expect(jaccard(chain[0], chain[1]) >= 0.8)
    #expect(jaccard(chain[0], chain[4]) < 0.8)
    // Every document is in the bucket of its neighbours often enough for this seed.
    let outcome = try Corpus.run([
      Corpus.batch(chain.enumerated().map { ("\($0.offset)", $0.element.joined(separator: " ")) })
    ])
    #expect(outcome.kept == ["0"])
    #expect(outcome.sizes == ["0": 5])
    for step in 1..<5 {
      #expect(outcome.drops["\(step)"]?.value == jaccard(chain[0], chain[step]))
      #expect(outcome.drops["\(step)"]?.peer == "0")
    }
  }

  @Test func `texts under five words are no near copies of each other`() throws {
    let outcome = try Corpus.run([Corpus.batch([("a", "one two three four"), ("b", "one two three four")])]) {
      $0.method = .minhash
    }
    #expect(outcome.kept == ["a", "b"])
  }
}

/// Powers without a C library.
enum Pow {
  static func of(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }
}
