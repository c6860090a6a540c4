import TestSupport
import Testing

@testable import Sharding

/// A packed unit as lists, and the plain way to make one.
enum PackingReference {
  typealias Bin = [PackPiece]

  /// Best-fit decreasing by looking at every open bin for each piece: O(n²), word for word as the reference says.
  static func bestFit(_ lengths: [Int], context: Int, members: [Int]? = nil) -> [Bin] {
    let members = members ?? Array(lengths.indices)
    var bins: [Bin] = []
    var rests: [PackPiece] = []
    for document in members {
      let full = lengths[document] / context
      for number in 0..<full {
        bins.append([PackPiece(document: document, offset: number * context, length: context)])
      }
      let rest = lengths[document] % context
      if rest > 0 { rests.append(PackPiece(document: document, offset: full * context, length: rest)) }
    }
    rests.sort { ($1.length, $0.document, $0.offset) < ($0.length, $1.document, $1.offset) }
    var open: [(bin: Int, left: Int, reached: Int)] = []
    for (time, piece) in rests.enumerated() {
      let fitting = open.indices.filter { open[$0].left >= piece.length }
      if let best = fitting.min(by: {
        (open[$0].left, open[$1].reached) < (open[$1].left, open[$0].reached)
      }) {
        bins[open[best].bin].append(piece)
        open[best].left -= piece.length
        open[best].reached = time
      } else {
        open.append((bins.count, context - piece.length, time))
        bins.append([piece])
      }
    }
    return bins
  }

  /// Token by token: a new bin every C, a new piece where the document changes.
  static func concat(_ lengths: [Int], context: Int, members: [Int]) -> [Bin] {
    var bins: [Bin] = []
    var filled = context
    for document in members {
      for token in 0..<lengths[document] {
        if filled == context {
          bins.append([])
          filled = 0
        }
        let bin = bins.count - 1
        if let last = bins[bin].last, last.document == document {
          bins[bin][bins[bin].count - 1].length += 1
        } else {
          bins[bin].append(PackPiece(document: document, offset: token, length: 1))
        }
        filled += 1
      }
    }
    return bins
  }

  /// The bins of a packed unit by class.
  static func bins(_ unit: PackedUnit) -> [[Bin]] {
    (0..<unit.classCount).map { number in
      var bins: [Bin] = []
      unit.forEachPiece(ofClass: number) { (document, offset, length, isFirst) in
        if isFirst { bins.append([]) }
        bins[bins.count - 1].append(
          PackPiece(document: Int(document), offset: Int(offset), length: Int(length)))
      }
      return bins
    }
  }

  static func pack(
    _ lengths: [Int], _ key: PackKey, classes: [Int] = [], classCount: Int = 1
  ) -> [[Bin]] {
    bins(
      PackedUnit(
        key, lengths: lengths.map { UInt32($0) }, classes: classes.map { UInt16($0) }, classCount: classCount)
    )
  }
}

@Suite struct PackingTests {
  private func bestFit(_ lengths: [Int], context: Int) -> [PackingReference.Bin] {
    PackingReference.pack(lengths, PackKey(context: context))[0]
  }

  private func check(
    _ bins: [PackingReference.Bin], of lengths: [Int], members: [Int]? = nil, context: Int, isBestFit: Bool
  ) {
    var covered = [Int: [Range<Int>]]()
    for bin in bins {
      #expect(!bin.isEmpty && bin.reduce(0) { $0 + $1.length } <= context)
      for piece in bin {
        covered[piece.document, default: []].append(piece.offset..<piece.offset + piece.length)
        let isWhole = piece.length == lengths[piece.document]
        if isBestFit, lengths[piece.document] <= context { #expect(isWhole, "a document that fits is cut") }
      }
    }
    for document in members ?? Array(lengths.indices) {
      var at = 0
      for range in (covered.removeValue(forKey: document) ?? []).sorted(by: { $0.lowerBound < $1.lowerBound })
      {
        #expect(range.lowerBound == at)
        at = range.upperBound
      }
      #expect(at == lengths[document], "each token exactly once")
    }
    #expect(covered.isEmpty)
  }

  @Test func packsTheExampleOfTheReference() {
    let bins = bestFit([5, 3, 9, 4, 1, 7, 2, 8, 6, 17], context: 8)
    let expected: [[(Int, Int, Int)]] = [
      [(2, 0, 8)], [(7, 0, 8)], [(9, 0, 8)], [(9, 8, 8)], [(5, 0, 7), (2, 8, 1)], [(8, 0, 6), (6, 0, 2)],
      [(0, 0, 5), (1, 0, 3)], [(3, 0, 4), (4, 0, 1), (9, 16, 1)],
    ]
    #expect(bins == expected.map { $0.map { PackPiece(document: $0.0, offset: $0.1, length: $0.2) } })
    #expect(bins.count * 8 - 62 == 2)
  }

  @Test func equalsTheNaiveBestFitOnRandomDocuments() {
    var random = SeededRandom(seed: 21)
    for round in 0..<600 {
      let context = round < 80 ? round + 1 : Int.random(in: 1...300, using: &random)
      let longest = [context, 2 * context, 5 * context, max(1, context / 3)][round % 4]
      let lengths = (0..<Int.random(in: 0...120, using: &random)).map { _ in
        Int.random(in: 1...longest, using: &random)
      }
      let bins = bestFit(lengths, context: context)
      #expect(bins == PackingReference.bestFit(lengths, context: context), "round \(round), C = \(context)")
      check(bins, of: lengths, context: context, isBestFit: true)
    }
  }

  @Test func equalsTheNaiveBestFitAcrossTheWordsOfTheBitmap() {
    var random = SeededRandom(seed: 22)
    for context in [63, 64, 65, 4095, 4096, 4097, 8192, 20_000] {
      for spread in [context - 1, context / 2, 70] {
        let lengths = (0..<250).map { _ in max(1, context - Int.random(in: 0..<spread, using: &random)) }
        let more = (0..<150).map { _ in Int.random(in: 1...max(1, spread / 2), using: &random) }
        let bins = bestFit(lengths + more, context: context)
        #expect(bins == PackingReference.bestFit(lengths + more, context: context), "C = \(context)")
      }
    }
  }

  @Test func documentsLongerThanEverySequenceFillIt() {
    for lengths in [[9], [4, 4, 8], [100, 55, 7, 4, 5]] {
      let bins = bestFit(lengths, context: 4)
      check(bins, of: lengths, context: 4, isBestFit: true)
      #expect(bins == PackingReference.bestFit(lengths, context: 4))
    }
    #expect(bestFit([3, 3], context: 1).count == 6)
  }

  @Test func lengthsEqualToTheContextAreFullBinsWithoutPadding() {
    let bins = bestFit(Array(repeating: 16, count: 50), context: 16)
    #expect(bins == (0..<50).map { [PackPiece(document: $0, offset: 0, length: 16)] })
  }

  @Test func oneDocumentIsOneBin() {
    #expect(bestFit([3], context: 2048) == [[PackPiece(document: 0, offset: 0, length: 3)]])
    #expect(bestFit([], context: 2048).isEmpty)
  }

  @Test func classesNeverShareABinAndComeInOrder() {
    var random = SeededRandom(seed: 23)
    for round in 0..<200 {
      let context = Int.random(in: 1...64, using: &random)
      let classCount = Int.random(in: 1...6, using: &random)
      let lengths = (0..<90).map { _ in Int.random(in: 1...2 * context, using: &random) }
      let classes = lengths.map { _ in Int.random(in: 0..<classCount, using: &random) }
      for policy in PackingPolicy.allCases {
        let bins = PackingReference.pack(
          lengths, PackKey(context: context, policy: policy, grouping: .source), classes: classes,
          classCount: classCount)
        #expect(bins.count == classCount)
        for number in 0..<classCount {
          let members = classes.indices.filter { classes[$0] == number }
          let expected =
            policy == .bestFit
            ? PackingReference.bestFit(lengths, context: context, members: members)
            : PackingReference.concat(lengths, context: context, members: members)
          #expect(bins[number] == expected, "round \(round), class \(number), \(policy)")
          check(
            bins[number], of: lengths, members: members, context: context, isBestFit: policy == .bestFit)
        }
      }
    }
  }

  @Test func aStreamIsCutEverySequence() {
    let bins = PackingReference.pack([3, 5, 1], PackKey(context: 4, policy: .concat))[0]
    let expected: [[(Int, Int, Int)]] = [[(0, 0, 3), (1, 0, 1)], [(1, 1, 4)], [(2, 0, 1)]]
    #expect(bins == expected.map { $0.map { PackPiece(document: $0.0, offset: $0.1, length: $0.2) } })
  }

  @Test func paddingIsSmallOnDocumentsOfTheWeb() {
    // Lognormal lengths as the reference measured them: mean 903, median 492; 10,000 documents, C = 2,048: 0.021 %.
    var random = SeededRandom(seed: 24)
    let lengths = (0..<10_000).map { _ in Int(LogNormal.sample(median: 492, sigma: 1.1, &random)) + 1 }
    let bins = bestFit(lengths, context: 2048)
    let tokens = lengths.reduce(0, +)
    let padding = Double(bins.count * 2048 - tokens) / Double(bins.count * 2048)
    #expect(padding < 0.0005, "\(padding)")
  }
}

/// Lengths of web documents are close to lognormal.
enum LogNormal {
  /// By the sum of twelve uniform numbers: near enough to normal, and without a mathematical library.
  static func sample(median: Double, sigma: Double, _ random: inout SeededRandom) -> Double {
    var sum = -6.0
    for _ in 0..<12 { sum += Double(random.next() >> 11) / 9_007_199_254_740_992 }
    var factor = 1.0
    var term = 1.0
    // e^x by its series; |x| is below 7.
    let x = sum * sigma
    for n in 1..<60 {
      term *= abs(x) / Double(n)
      factor += term
    }
    return x < 0 ? median / factor : median * factor
  }
}
