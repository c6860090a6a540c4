import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

/// What `inspect` computes of a store and of a view, against naive counts.
@Suite struct InspectionTallyTests {
  private func store(
    _ corpus: [Samples.Encoded], _ folder: TemporaryFolder, _ order: StoreOrder = .shuffled(seed: 0)
  ) throws -> TokenStore {
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 1000))
    options.segmentBytes = 9000
    options.order = order
    try Samples.store(corpus, options: options, in: folder.path)
    return try TokenStore(folder("store"))
  }

  @Test func cutsOfTheStreamAreThoseOfANaiveCount() {
    var random = SeededRandom(seed: 4)
    for context in [4, 16, 64] {
      var cut = PackingTally.Cut(context: context)
      var (split, severed, long, longSevered) = (0, 0, 0, 0)
      var start = 0
      for _ in 0..<200 {
        let end = start + Int.random(in: 1...40, using: &random)
        cut.add(start, end)
        let sequences = (start..<end).map { $0 / context }
        if Set(sequences).count > 1 { split += 1 }
        severed += sequences.filter { $0 != sequences[0] }.count
        // Best-fit: pieces of C from the document's own start.
        let pieces = (0..<end - start).map { $0 / context }
        if Set(pieces).count > 1 { long += 1 }
        longSevered += pieces.filter { $0 != 0 }.count
        start = end
      }
      #expect(cut.streamSplit == split && cut.streamSevered == severed)
      #expect(cut.longDocuments == long && cut.longSevered == longSevered)
    }
  }

  @Test(arguments: [8, 64, 1024]) func bestFitIsThatOfTheIndex(context: Int) throws {
    let folder = try TemporaryFolder()
    let store = try store(Samples.corpus(400, vocabulary: 1000), folder)
    let split = try store.manifest.split("train")
    let key = PackKey(context: context)
    let units = try PackIndex.plan(split).map {
      try PackIndex.buildUnit(store, split: split, key, segments: $0)
    }
    let index = try PackIndex.finish(store, split: split, key, units: units)
    var tally = PackingTally(split)
    var cut = PackingTally.Cut(context: context)
    var first = 0
    for number in split.segments.indices {
      try store.open(split, segment: number).forEachDocument { (_, start, document) throws(StorageError) in
        tally.add(first + start, first + document.end)
        cut.add(first + start, first + document.end)
      }
      first += split.segments[number].tokens
    }
    let packed = tally.packed(context)
    #expect(packed == .init(documents: split.documents, bins: index.bins, padding: index.padding))
    // Documents in several bins, and tokens behind the first, counted in the index itself.
    var bins: [Int: Int] = [:]
    var severed = 0
    for number in index.units.indices {
      let reader = try PackReader(store, split: split, index, unit: number)
      for bin in 0..<reader.unit.bins {
        for piece in try reader.pieces(ofBin: bin) {
          bins[number << 32 + piece.document, default: 0] += 1
          if piece.offset > 0 { severed += piece.length }
        }
      }
    }
    #expect(cut.longDocuments == bins.values.filter { $0 > 1 }.count && cut.longSevered == severed)
  }

  @Test func aLargeStoreIsPackedInPart() throws {
    var manifest = Samples.manifest(segmentTokens: [1_200_000, 1_200_000, 1_200_000])
    for segment in manifest.splits[0].segments.indices {
      manifest.splits[0].segments[segment].documents = 60_000
    }
    manifest.splits[0].documents = 180_000
    var tally = PackingTally(manifest.splits[0])
    for document in 0..<180_000 { tally.add(document * 20, document * 20 + 20) }
    let packed = tally.packed(1024)
    // 51 documents of 20 fill a sequence of 1,024 but for 4 ids; each unit ends with one that is not full.
    let bins = 2 * ((60_000 + 50) / 51)
    #expect(packed == .init(documents: 120_000, bins: bins, padding: bins * 1024 - 120_000 * 20))
    let table = PackingTally.table(
      [.init(context: 1024, policy: .bestFit, split: 0, severed: 0, packed: packed)], manifest.splits[0])
    #expect(table.title.contains("first 120000 documents") && table.rows[0][2] == "-")
  }

  @Test func imbalanceIsThatOfANaiveDeal() {
    var random = SeededRandom(seed: 6)
    let lengths = (0..<1000).map { _ in Int.random(in: 1...100, using: &random) }
    let total = lengths.reduce(0, +)
    var tally = ImbalanceTally(documents: lengths.count)
    for length in lengths { tally.add(length) }
    let manifest = Samples.manifest(segmentTokens: [total - 2000, 1500, 500])
    for row in tally.rows(manifest.splits[0]) {
      let shares = (0..<row.ranks).map { rank in
        lengths.enumerated().filter { $0.offset * row.ranks / 1000 == rank }.reduce(0) { $0 + $1.element }
      }
      #expect(row.documents == .init(shares))
      #expect(row.segments.most == total - 2000 && row.segments.least == 0)
      #expect(row.view.most - row.view.least <= total / 512)
      #expect(row.mean == Double(total) / Double(row.ranks))
    }
    let table = ImbalanceTally.table(tally.rows(manifest.splits[0]), "train")
    #expect(table.rows.count == 3 && table.rows[0][1] == "some get none" && table.rows[0][2].hasPrefix("+"))
  }

  @Test func aShuffledStoreLooksRandomAndASortedOneDoesNot() throws {
    var corpus = Samples.corpus(3000, vocabulary: 1000, seed: 3).filter { !$0.tokens.isEmpty }
    corpus.sort { $0.source < $1.source }
    for (order, isMixed) in [(StoreOrder.shuffled(seed: 1), true), (.input, false)] {
      let folder = try TemporaryFolder()
      let store = try store(corpus, folder, order)
      let json = try StoreInspection.run(store).json
      let shuffle = try #require(json["splits"]?["train"]?["shuffle"])
      #expect(shuffle["order"]?.string == (isMixed ? "shuffled" : "input"))
      // Naive counts over all records.
      var documents: [SegmentReader.Document] = []
      let split = try store.manifest.split("train")
      for number in split.segments.indices {
        try store.open(split, segment: number).forEachDocument { (_, _, document) throws(StorageError) in
          documents.append(document)
        }
      }
      let pairs = zip(documents, documents.dropFirst())
      #expect(shuffle["same_source"]?["pairs"]?.int == pairs.filter { $0.source == $1.source }.count)
      #expect(shuffle["same_part"]?["pairs"]?.int == pairs.filter { $0.part == $1.part }.count)
      #expect(shuffle["same_language"]?["pairs"]?.int == pairs.filter { $0.language == $1.language }.count)
      let next = pairs.filter { $0.part == $1.part && abs($0.numberInPart - $1.numberInPart) == 1 }.count
      #expect(shuffle["next_in_input"]?["pairs"]?.int == next)
      let n = Double(documents.count)
      let expected = Dictionary(grouping: documents, by: \.source).values.reduce(0.0) {
        $0 + Double($1.count * ($1.count - 1)) / n
      }
      let shown = try #require(shuffle["same_source"]?["expected"]?.double)
      #expect(abs(shown - expected) < 1e-3)
      let ratio = try #require(shuffle["same_source"]?["pairs"]?.double) / expected
      let entropy = try #require(shuffle["source_entropy"])
      let bits = try #require(entropy["window_bits"]?.double) / (entropy["whole_bits"]?.double ?? 0)
      #expect(isMixed ? abs(ratio - 1) < 0.15 && bits > 0.95 : ratio > 2.5 && bits < 0.3)
      #expect(isMixed ? next < 30 : next > 2500)
    }
  }

  @Test func entropyIsThatOfEqualShares() {
    #expect(ShuffleTally.entropy([4, 4, 4, 4]) == 2)
    #expect(ShuffleTally.entropy([7, 0, 0]) == 0 && ShuffleTally.entropy([]) == 0)
  }

  @Test func blocksMixLessThanAPermutation() throws {
    let manifest = Samples.manifest(segmentTokens: Array(repeating: 1 << 29, count: 8))
    let mixed = try Samples.view(manifest) {
      $0.sequenceTokens = 4096
      $0.globalBatch = 1024
    }
    let blocks = try Samples.view(manifest) {
      $0.sequenceTokens = 4096
      $0.globalBatch = 1024
      $0.shuffle = .blocks(block: 8192, window: 4)
    }
    let one = try #require(BatchMix(mixed, width: .u16))
    let other = try #require(BatchMix(blocks, width: .u16))
    #expect(one.shards == 128 && one.sequences == 1024 && one.batches == 32)
    #expect(abs(one.ratio - 1) < 0.05)
    // A window of 4 shards of 128: 32 times as many pairs.
    #expect(abs(other.ratio - 32) < 2 && other.touchedShards <= 32 * 5)
    let small = try Samples.view(Samples.manifest(segmentTokens: [100_000])) { _ in }
    #expect(BatchMix(small, width: .u16) == nil)
  }

  @Test func decimalsRoundAndKeepTheirSign() {
    #expect(StoreInspection.decimal(1.25) == "1.3" && StoreInspection.decimal(-0.04) == "0.0")
    #expect(StoreInspection.decimal(-2.5) == "-2.5" && StoreInspection.decimal(0.0049, 3) == "0.005")
    #expect(StoreInspection.decimal(.infinity) == "0.0")
    #expect(
      StoreInspection.percent(1, of: 3, digits: 3) == "33.333%" && StoreInspection.percent(1, of: 0) == "0.0%"
    )
  }
}
