import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct InspectionTests {
  @Test func percentilesAreThoseOfASortedList() {
    var random = SeededRandom(seed: 2)
    var counts = LengthCounts()
    var lengths: [Int] = []
    for _ in 0..<999 {
      let length = Int.random(in: 1...5000, using: &random)
      lengths.append(length)
      counts.add(length)
    }
    lengths.sort()
    for percent in [1, 5, 25, 50, 75, 95, 99, 100] {
      #expect(counts.percentile(percent) == lengths[(999 * percent + 99) / 100 - 1])
    }
    #expect(counts.least == lengths.first && counts.most == lengths.last)
    counts.add(70_000)
    #expect(counts.percentile(100) == 65_536)
  }

  @Test func aStoreShowsItsSums() throws {
    let folder = try TemporaryFolder()
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 1000))
    options.segmentBytes = 8000
    let summary = try Samples.store(Samples.corpus(300, vocabulary: 1000), options: options, in: folder.path)
    let inspection = try StoreInspection.run(try TokenStore(folder("store")))
    let split = summary.manifest.splits[0]
    #expect(inspection.json["tokens"]?.int == split.tokens)
    let train = try #require(inspection.json["splits"]?["train"])
    #expect(train["segments"]?.array?.count == split.segments.count)
    let bySource = (train["sources"]?.members ?? []).compactMap { $0.value["tokens"]?.int }.reduce(0, +)
    let byLanguage = (train["languages"]?.members ?? []).compactMap { $0.value["documents"]?.int }.reduce(
      0, +)
    #expect(bySource == split.tokens && byLanguage == split.documents)
    for table in inspection.tables { #expect(table.rows.allSatisfy { $0.count == table.columns.count }) }
  }

  @Test func rankRowsAgreeWithThePlan() throws {
    let manifest = Samples.manifest(segmentTokens: [100_000])
    let view = try Samples.view(manifest) {
      $0.gpus = 48
      $0.tensor = 2
      $0.pipeline = 3
      $0.context = 2
      $0.sequenceTokens = 64
      $0.globalBatch = 16
    }
    let table = try RankTable(view, epochs: 3)
    let rows = (0..<table.count).map { table.row($0) }
    #expect(rows.filter(\.reads).count == 2 * 2 * 4)
    #expect(rows[13].node == 1 && rows[13].localRank == 5)
    // Each replica once: its first rank on the first stage.
    let firsts = rows.filter { $0.place.tensor == 0 && $0.place.context == 0 && $0.place.pipeline == 0 }
    #expect(firsts.reduce(0) { $0 + $1.sequences } == 3 * view.order.sequences)
    let balance = table.balance
    #expect(balance.least == firsts.map(\.sequences).min() && balance.most == firsts.map(\.sequences).max())
    #expect(firsts.filter { $0.sequences == balance.most }.count == balance.replicasWithMost)
    var bytes: [UInt8] = []
    try table.writeJSON { (more) throws(StorageError) in bytes.append(contentsOf: more) }
    let json = try JSONValue.parse(bytes)
    #expect(json["ranks"]?.array?.count == 48 && json["groups"]?["dp"]?["stride"]?.int == 4)
    #expect(json["ranks"]?.array?[0]["cp_slices"] == [[0, 16], [48, 64]])
    let inspection = try ViewInspection.run(view, split: nil)
    for table in inspection.tables { #expect(table.rows.allSatisfy { $0.count == table.columns.count }) }
    #expect(throws: StorageError.self) { try RankTable(view, epochs: 0) }
  }
}
