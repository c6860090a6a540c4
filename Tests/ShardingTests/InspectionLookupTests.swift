import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

/// `where` and `show` are inverse: what one says is read at a place, the other finds there.
@Suite struct InspectionLookupTests {
  /// Two stores, their corpora, and views of every kind.
  private struct Fixture {
    let folder: TemporaryFolder
    let corpora: [[Samples.Encoded]]
    let split: StoreSplit

    init() throws {
      folder = try TemporaryFolder()
      var corpora: [[Samples.Encoded]] = []
      var stores: [TokenStore] = []
      for (number, count) in [300, 140].enumerated() {
        var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 1000))
        options.segmentBytes = 9000
        var corpus = Samples.corpus(count, vocabulary: 1000, seed: UInt64(number + 7))
        for index in corpus.indices { corpus[index].id = "\(number)-\(corpus[index].id)" }
        try Samples.store(corpus, options: options, in: folder.path, name: "store-\(number)")
        corpora.append(corpus)
        stores.append(try TokenStore(folder("store-\(number)")))
      }
      self.corpora = corpora
      split = try StoreSplit(stores, split: "train")
    }

    func view(_ change: (inout ViewOptions) -> Void) throws -> View {
      var options = ViewOptions()
      options.sequenceTokens = 64
      options.epochs = 2
      change(&options)
      var packs: [PackManifest] = []
      if let key = options.packKey {
        for store in split.stores {
          if let made = try PackIndex.read(store, split: "train", key) {
            packs.append(made)
            continue
          }
          let segments = try store.manifest.split("train")
          let units = try PackIndex.plan(segments).map {
            try PackIndex.buildUnit(store, split: segments, key, segments: $0)
          }
          packs.append(try PackIndex.finish(store, split: segments, key, units: units))
        }
      }
      return try View(of: split, packs: packs, options)
    }

    /// Concat, overlapping, packed, in blocks, mixed, resumed, and with steps that do not divide the run.
    func views() throws -> [View] {
      let resumed = try view { $0.packing = .bestFit }
      return [
        try view { $0.gpus = 3 },
        try view {
          $0.overlap = 1
          $0.sequenceTokens = 33
          $0.gpus = 8
          $0.tensor = 2
          $0.pipeline = 2
          $0.microBatch = 3
          $0.globalBatch = 12
          $0.framework = .gptNeoX
        },
        try view {
          $0.packing = .bestFit
          $0.gpus = 8
          $0.context = 2
          $0.microBatch = 2
          $0.globalBatch = 16
          $0.framework = .olmo
        },
        try view {
          $0.packing = .bestFit
          $0.shuffle = .blocks(block: 16, window: 4)
          $0.gpus = 5
        },
        try view {
          $0.mixture = try? MixtureOptions(by: .source, parsing: "web=60,wiki=30,code=10", repetitions: nil)
          $0.gpus = 2
          $0.packing = .bestFit
          $0.sequenceTokens = 48
        },
        try view {
          $0.packing = .bestFit
          $0.gpus = 4
          $0.globalBatch = 24
          $0.resume = ResumeState(resumed, nextPosition: 37)
        },
      ]
    }
  }

  @Test func placesOfARunCoverItsPositionsOnce() throws {
    let fixture = try Fixture()
    for view in try fixture.views() {
      let plan = SequencePlan(view)
      var seen = [Int](repeating: 0, count: view.positions)
      let steps = (view.positions - view.start + view.globalBatch - 1) / view.globalBatch
      for step in 0..<steps {
        for replica in 0..<view.dataParallel {
          for micro in 0..<view.microBatches {
            for item in 0..<view.microBatch {
              let place = SequencePlan.Place(step: step, replica: replica, microBatch: micro, item: item)
              guard let position = plan.positionInRun(place) else { continue }
              seen[position] += 1
              #expect(plan.placeInRun(position) == place)
            }
          }
        }
      }
      #expect(seen[view.start...].allSatisfy { $0 == 1 } && seen[..<view.start].allSatisfy { $0 == 0 })
    }
  }

  @Test func whereAndShowAreInverseForAThousandTokens() throws {
    let fixture = try Fixture()
    let split = fixture.split
    var random = SeededRandom(seed: 31)
    for view in try fixture.views() {
      let reader = try SequenceReader(view, split)
      let index = try readings(of: view, reader)
      for _ in 0..<170 {
        let token = Int.random(in: 0..<split.tokens, using: &random)
        let found = try WhereInspection(token: token, of: split)
        #expect(found.tokenInSplit == token)
        try checkOrigin(found, fixture)
        let readings = found.readings(try found.parts(reader), reader)
        // Every place that a naive walk through the run finds, and no other.
        #expect(readings.map(\.position) == index[token].map(\.position).sorted())
        for reading in readings {
          guard let place = reading.place else {
            #expect(reading.position < view.start)
            continue
          }
          let rank = try #require(WhereInspection.ranks(ofReplica: place.replica, view).first)
          let batch = try BatchInspection(view, step: place.step, rank: rank, microBatch: place.microBatch)
          #expect(batch.reads && batch.place?.data == place.replica)
          var hits = 0
          try batch.forEachItem(reader) { (item) throws(StorageError) in
            guard item.item == place.item else { return }
            hits += 1
            #expect(item.position == reading.position && item.sequence == reading.part.sequence)
            let piece = item.pieces.first {
              $0.start <= reading.part.row && reading.part.row < $0.start + $0.count
            }
            #expect(piece?.facts == found.facts)
            #expect(piece.map { $0.offset + reading.part.row - $0.start } == found.token)
            let stored = try split.open(found.facts.segment).tokens(found.facts.tokens)
            #expect(item.tokens[reading.part.row] == stored[found.token ?? 0])
          }
          #expect(hits == 1)
        }
      }
    }
  }

  @Test func documentsOfABatchAreFoundWhereTheyWereShown() throws {
    let fixture = try Fixture()
    var random = SeededRandom(seed: 32)
    for view in try fixture.views() {
      let reader = try SequenceReader(view, fixture.split)
      let steps = (view.positions - view.start + view.globalBatch - 1) / view.globalBatch
      for _ in 0..<6 {
        let step = Int.random(in: 0..<steps, using: &random)
        try BatchInspection(view, step: step, rank: nil).forEachItem(reader) { (item) throws(StorageError) in
          guard item.item == 0 else { return }
          for piece in item.pieces {
            let found = try DocumentSearch.documents(named: piece.facts.origin.id, in: fixture.split)
            #expect(found == [piece.facts])
            let one = WhereInspection(piece.facts, of: fixture.split)
            let readings = one.readings(try one.parts(reader), reader)
            let here = readings.first { $0.position == item.position && $0.part.row == piece.start }
            #expect(here?.part.offset == piece.offset && here?.part.count == piece.count)
            #expect(here?.place?.replica == item.replica && here?.place?.step == step)
          }
          let held = item.pieces.reduce(0) { $0 + $1.count }
          #expect(held + item.padding == view.order.tokens && item.tokens.count == view.order.tokens)
        }
      }
    }
  }

  @Test func documentsAreFoundByAddressAndByNumber() throws {
    let fixture = try Fixture()
    // Address and number are those of `Samples`; both stores have a document 8 (empty ones are not stored).
    let address = "https://example.org/8?q=\"ü\""
    let found = try DocumentSearch.documents(named: address, in: fixture.split)
    #expect(
      found.map(\.origin.id)
        == ["0-dump-2/8000", "1-dump-2/8000"].filter { id in
          fixture.corpora.joined().contains { $0.id == id && !$0.tokens.isEmpty }
        })
    #expect(!found.isEmpty)
    for facts in found {
      #expect(try WhereInspection(document: facts.document, of: fixture.split).facts == facts)
      #expect(facts.origin.url == address && facts.origin.offset == 8000)
    }
    #expect(try DocumentSearch.documents(named: "0-dump", in: fixture.split).isEmpty)
    #expect(try DocumentSearch.documents(named: "", in: fixture.split).isEmpty)
  }

  @Test func whatIsNotThereIsAUsageErrorThatNamesWhatIs() throws {
    let fixture = try Fixture()
    let split = fixture.split
    let view = try fixture.view { $0.gpus = 4 }
    func message(_ body: () throws(StorageError) -> Void) -> String {
      do throws(StorageError) { try body() } catch {
        if case .usage(let text) = error { return text }
      }
      return ""
    }
    #expect(
      message { () throws(StorageError) in _ = try WhereInspection(token: split.tokens, of: split) }
        .contains("0 to \(split.tokens - 1)"))
    #expect(
      message { () throws(StorageError) in _ = try WhereInspection(segment: 99, offset: 0, of: split) }
        .contains("segments 0 to \(split.segments.count - 1)"))
    #expect(
      message { () throws(StorageError) in _ = try WhereInspection(document: -1, of: split) }
        .contains("0 to \(split.documents - 1)"))
    #expect(
      message { () throws(StorageError) in _ = try BatchInspection(view, step: 1 << 40, rank: 0) }
        .contains("steps 0 to"))
    #expect(
      message { () throws(StorageError) in _ = try BatchInspection(view, step: 0, rank: 4) }
        .contains("ranks 0 to 3"))
    #expect(
      message { () throws(StorageError) in _ = try BatchInspection(view, step: 0, rank: 0, microBatch: 1) }
        .contains("micro-batches 0 to 0"))
  }

  @Test func viewsSayWhatWasAskedAndWhatIsAchieved() throws {
    let fixture = try Fixture()
    for view in try fixture.views() {
      let inspection = try ViewInspection.run(view, split: fixture.split)
      for table in inspection.tables { #expect(table.rows.allSatisfy { $0.count == table.columns.count }) }
      let json = inspection.json
      #expect(json["sequence_tokens"]?.int == view.order.sequences * view.order.tokens)
      #expect(json["rank_replicas"]?.array?.count == view.topology.gpus)
      let rows = inspection.tables[0].rows
      #expect(rows.contains { $0[0] == "step 0 begins at position" && $0[1].hasPrefix("\(view.start)") })
      guard let mixture = view.order.mixture else {
        #expect(json["mixture"] == .null)
        continue
      }
      let classes = try #require(json["mixture"]?.array)
      #expect(classes.compactMap { $0["name"]?.string } == mixture.classes.map(\.name))
      #expect(classes.compactMap { $0["asked_ppm"]?.int } == [600_000, 300_000, 100_000])
      // How often a class is read, against a count of the run's positions.
      var counts = mixture.classes.map { _ in 0 }
      var plan = SequencePlan(view)
      for position in 0..<view.positions {
        var sequence = plan.sequence(at: position).sequence
        for (number, kind) in mixture.classes.enumerated() {
          if sequence < kind.sequences {
            counts[number] += 1
            break
          }
          sequence -= kind.sequences
        }
      }
      for (number, kind) in mixture.classes.enumerated() {
        let times = try #require(classes[number]["repetitions"]?.double)
        #expect(abs(times - Double(counts[number]) / Double(kind.sequences)) < 0.2)
        let achieved = Double(counts[number]) / Double(view.positions)
        #expect(abs(achieved - Double(kind.weightPPM) / 1e6) < 0.01)
      }
    }
  }

  @Test func damagedStoresAreErrorsAndNeverCrashes() throws {
    let fixture = try Fixture()
    let view = try fixture.view {
      $0.packing = .bestFit
      $0.gpus = 2
    }
    let train = fixture.split.stores[0].folder + "/train/"
    let names = ["seg-00000.doc", "seg-00000.origin.idx", "seg-00000.origin.zst", "pack-64/seg-00000.pack"]
    var random = SeededRandom(seed: 33)
    var failures = 0
    for round in 0..<160 {
      let path = train + names[round % names.count]
      let good = try readFile(path)
      var bad = good
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        bad[Int.random(in: 0..<bad.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if round % 16 == 0 { bad.removeLast(bad.count / 2) }
      try replace(path, bad)
      for _ in 0..<4 {
        do {
          let reader = try SequenceReader(view, fixture.split)
          let token = Int.random(in: 0..<2000, using: &random)
          let found = try WhereInspection(token: token, of: fixture.split)
          _ = found.readings(try found.parts(reader), reader)
          let step = Int.random(in: 0..<view.positions / view.globalBatch, using: &random)
          try BatchInspection(view, step: step, rank: nil).forEachItem(reader) { _ in }
          _ = try DocumentSearch.documents(named: found.facts.origin.url, in: fixture.split)
          _ = try StoreInspection.run(fixture.split.stores[0])
        } catch {
          failures += 1
        }
      }
      try replace(path, good)
    }
    #expect(failures > 40)
    _ = try StoreInspection.run(fixture.split.stores[0])
  }

  /// The files of a store are read-only: a new one takes the place.
  private func replace(_ path: String, _ bytes: [UInt8]) throws {
    removeTree(path)
    try writeFile(path, bytes)
  }

  // MARK: Naive counterparts

  /// For every token of the split: all readings of the run's epochs, found by walking through all positions.
  private func readings(of view: View, _ reader: SequenceReader) throws -> [[(position: Int, row: Int)]] {
    let split = reader.split
    var index = [[(position: Int, row: Int)]](repeating: [], count: split.tokens)
    for position in 0..<view.positions {
      let (_, sequence) = reader.plan.sequence(at: position)
      for piece in try reader.pieces(of: sequence) {
        let first = split.segments[piece.segment].firstToken
        for (row, token) in piece.tokens.enumerated() {
          index[first + token].append((position, piece.start + row))
        }
      }
    }
    return index
  }

  /// The origin leads to the document of the corpus that holds the token.
  private func checkOrigin(_ found: WhereInspection, _ fixture: Fixture) throws {
    let facts = found.facts
    let store = fixture.split.segments[facts.segment].store
    let number = try #require(facts.origin.offset) / 1000
    let document = fixture.corpora[store][number]
    #expect(facts.origin.id == document.id && facts.source == document.source)
    #expect(facts.language == document.language ?? "unknown")
    #expect(facts.origin.url == "https://example.org/\(number)?q=\"ü\"")
    let stored = try fixture.split.open(facts.segment).tokens(facts.tokens)
    #expect(stored == document.tokens + [999])
    #expect(facts.hash.count == 16)
  }
}
