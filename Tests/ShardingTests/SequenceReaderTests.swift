import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

/// Sequences of real stores, against lists of their documents.
@Suite struct SequenceReaderTests {
  private struct Fixture {
    let folder: TemporaryFolder
    let stores: [TokenStore]

    init(vocabulary: Int = 1000) throws {
      folder = try TemporaryFolder()
      var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: vocabulary))
      options.segmentBytes = 9000
      var stores: [TokenStore] = []
      for (number, documents) in [300, 140].enumerated() {
        let name = "store-\(number)"
        try Samples.store(
          Samples.corpus(documents, vocabulary: vocabulary, seed: UInt64(number + 7)), options: options,
          in: folder.path, name: name)
        stores.append(try TokenStore(folder(name)))
      }
      self.stores = stores
    }

    func split(_ numbers: [Int]) throws -> StoreSplit {
      try StoreSplit(numbers.map { stores[$0] }, split: "train")
    }

    func view(_ split: StoreSplit, _ change: (inout ViewOptions) -> Void) throws -> View {
      var options = ViewOptions()
      options.sequenceTokens = 64
      options.gpus = 2
      change(&options)
      var packs: [PackManifest] = []
      if let key = options.packKey {
        for store in split.stores {
          let segments = try store.manifest.split("train")
          let units = try PackIndex.plan(segments).map {
            try PackIndex.buildUnit(store, split: segments, key, segments: $0)
          }
          packs.append(try PackIndex.finish(store, split: segments, key, units: units))
        }
      }
      return try View(of: split, packs: packs, options)
    }
  }

  /// All documents of a split, in order: their tokens, source and language.
  private func documents(
    _ split: StoreSplit
  ) throws -> [(tokens: [UInt32], source: String, language: String)] {
    var result: [(tokens: [UInt32], source: String, language: String)] = []
    for number in split.segments.indices {
      let reader = try split.open(number)
      let manifest = split.stores[split.segments[number].store].manifest
      for document in 0..<reader.segment.documents {
        let record = try reader.document(document)
        result.append(
          (
            try reader.tokens(try reader.range(ofDocument: document)), manifest.sources[record.source],
            manifest.languages[record.language]
          ))
      }
    }
    return result
  }

  /// Reads every sequence, checks it against the documents it names, and counts how often each token is read.
  private func check(_ view: View, _ split: StoreSplit) throws -> [[Int]] {
    let documents = try documents(split)
    var read = documents.map { [Int](repeating: 0, count: $0.tokens.count) }
    let reader = try SequenceReader(view, split)
    for sequence in 0..<view.order.sequences {
      let whole = try reader.read(sequence)
      #expect(whole.tokens.count == view.order.tokens)
      var at = 0
      for piece in whole.pieces {
        let number = split.segments[piece.segment].firstDocument + piece.document
        let tokens = documents[number].tokens
        #expect(piece.start == at && piece.offset + piece.tokens.count <= tokens.count)
        #expect(
          Array(whole.tokens[at..<at + piece.tokens.count])
            == Array(tokens[piece.offset..<piece.offset + piece.tokens.count]))
        for token in piece.offset..<piece.offset + piece.tokens.count { read[number][token] += 1 }
        at += piece.tokens.count
      }
      #expect(at + whole.padding == view.order.tokens)
      #expect(whole.tokens[at...].allSatisfy { $0 == UInt32(split.tokenizer.eos ?? 0) })
      var bytes: [UInt8] = [1, 2, 3]
      try reader.readBytes(sequence, into: &bytes)
      let stored = Array(bytes[3...])
      #expect(SegmentReader.ids(stored.span, split.width) == whole.tokens)
    }
    return read
  }

  @Test(arguments: [1000, 70_000]) func packedSequencesHoldEveryTokenOnce(vocabulary: Int) throws {
    let fixture = try Fixture(vocabulary: vocabulary)
    for numbers in [[0], [0, 1], [1, 0]] {
      let split = try fixture.split(numbers)
      let view = try fixture.view(split) { $0.packing = .bestFit }
      #expect(try check(view, split).allSatisfy { $0.allSatisfy { $0 == 1 } })
      #expect(view.order.sequences * 64 - view.order.paddingTokens == split.tokens)
      let result = try ViewVerification.run(view, path: "view.json", split: split)
      #expect(result.isGood, "\(result.findings)")
    }
  }

  @Test func windowsOfTheStreamHoldEveryTokenButTheTailOnce() throws {
    let fixture = try Fixture()
    for (numbers, overlap) in [([0], 0), ([0, 1], 0), ([0, 1], 1)] {
      let split = try fixture.split(numbers)
      let view = try fixture.view(split) {
        $0.overlap = overlap
        $0.sequenceTokens = 50
      }
      let flat = try check(view, split).flatMap { $0 }
      #expect(flat.suffix(view.order.tailTokens).allSatisfy { $0 == 0 })
      let covered = flat.dropLast(view.order.tailTokens)
      #expect(covered.filter { $0 == 2 }.count == (view.order.sequences - 1) * overlap)
      #expect(covered.allSatisfy { $0 == 1 || $0 == 1 + overlap })
      let result = try ViewVerification.run(view, path: "view.json", split: split)
      #expect(result.isGood, "\(result.findings)")
    }
  }

  @Test(arguments: [PackingPolicy.bestFit, .concat], [Grouping.source, .language])
  func aMixtureReadsItsClassesOnly(policy: PackingPolicy, by: Grouping) throws {
    let fixture = try Fixture()
    let split = try fixture.split([0, 1])
    let weights: [(name: String, weight: Double)] =
      by == .source ? [("wiki", 3), ("code", 1)] : [("ja", 1), ("unknown", 1), ("de", 2)]
    let view = try fixture.view(split) {
      $0.packing = policy
      $0.epochs = 2
      var mixture = MixtureOptions(by: by)
      mixture.weights = weights
      $0.mixture = mixture
    }
    let mixture = try #require(view.order.mixture)
    #expect(try View(bytes: view.bytes, path: "view.json") == view)
    let documents = try documents(split)
    let read = try check(view, split)
    let names = weights.map(\.name)
    for (document, counts) in zip(documents, read) {
      let isRead = names.contains(by == .source ? document.source : document.language)
      #expect(counts.allSatisfy { $0 == (isRead ? 1 : 0) })
    }
    // No sequence mixes classes, and each lies in the range of its own.
    let reader = try SequenceReader(view, split)
    let order = MixtureOrder(mixture, seed: view.order.seed)
    for sequence in 0..<view.order.sequences {
      let name = mixture.classes[order.kind(ofSequence: sequence)].name
      for piece in try reader.pieces(of: sequence) {
        let document = documents[split.segments[piece.segment].firstDocument + piece.document]
        #expect((by == .source ? document.source : document.language) == name)
      }
    }
    let result = try ViewVerification.run(view, path: "view.json", split: split)
    #expect(result.isGood, "\(result.findings)")
  }

  @Test func storesThatDoNotBelongTogetherAreRefused() throws {
    let fixture = try Fixture()
    let other = try Fixture(vocabulary: 999)
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return (error as? StorageError)?.message ?? "another error" }
      return "no error"
    }
    #expect(message { _ = try StoreSplit([], split: "train") }.contains("No token store"))
    #expect(
      message { _ = try StoreSplit([fixture.stores[0], fixture.stores[0]], split: "train") }.contains(
        "the same"))
    #expect(
      message { _ = try StoreSplit([fixture.stores[0], other.stores[0]], split: "train") }
        .contains("end-of-text ids"))
    let split = try fixture.split([0])
    let view = try fixture.view(split) { $0.packing = .bestFit }
    #expect(message { _ = try SequenceReader(view, try fixture.split([1])) }.contains("another corpus"))
    #expect(message { _ = try SequenceReader(view, try fixture.split([0, 1])) }.contains("another corpus"))
    removeTree(fixture.folder("store-0/train/pack-64"))
    #expect(message { _ = try SequenceReader(view, split) }.contains("pack index of the view is missing"))
  }

  @Test func aStateGoesOnOnOtherGPUsAndRefusesAnotherOrder() throws {
    let fixture = try Fixture()
    let split = try fixture.split([0])
    let view = try fixture.view(split) {
      $0.packing = .bestFit
      $0.globalBatch = 8
      $0.epochs = 3
    }
    let state = ResumeState(view, nextPosition: 24)
    #expect(try ResumeState(bytes: state.json.serialized(), path: "state.json") == state)
    let resumed = try fixture.view(split) {
      $0.packing = .bestFit
      $0.gpus = 4
      $0.globalBatch = 12
      $0.epochs = 3
      $0.resume = state
    }
    #expect(resumed.orderHash == view.orderHash && resumed.start == 24)
    var (before, after) = (SequencePlan(view), SequencePlan(resumed))
    // Both batches divide 24: four steps of twelve hold what six of eight do, from position 24 on.
    func read(_ plan: inout SequencePlan, steps: Range<Int>) -> [Int] {
      var result: [Int] = []
      for step in steps {
        var sequences: [Int] = []
        for replica in 0..<plan.view.dataParallel {
          for micro in 0..<plan.view.microBatches {
            let position = plan.position(
              of: .init(step: step, replica: replica, microBatch: micro, item: 0))
            sequences.append(plan.sequence(at: position).sequence)
          }
        }
        result += sequences
      }
      return result.sorted()
    }
    #expect(read(&before, steps: 3..<9) == read(&after, steps: 0..<4))
    let table = try RankTable(resumed)
    #expect((0..<4).reduce(0) { $0 + table.row($1).sequences } == 3 * view.order.sequences - 24)
    let result = try ViewVerification.run(resumed, path: "view.json", split: split)
    #expect(result.isGood, "\(result.findings)")
    do {
      _ = try fixture.view(split) {
        $0.packing = .bestFit
        $0.seed = 9
        $0.sequenceTokens = 32
        $0.resume = state
      }
      Issue.record("another order was accepted")
    } catch {
      let text = (error as? StorageError)?.message ?? ""
      #expect(
        text.contains("seed: 0 in the state, 9 here") && text.contains("sequence.tokens: 64 in the state, 32")
      )
    }
    var broken = state
    broken.order.seed = 5
    #expect(throws: StorageError.self) {
      _ = try ResumeState(bytes: broken.json.serialized(), path: "state.json")
    }
  }

  @Test func damagedIndexesAndRecordsAreErrorsNotCrashes() throws {
    let fixture = try Fixture()
    let split = try fixture.split([0])
    let view = try fixture.view(split) { $0.packing = .bestFit }
    var random = SeededRandom(seed: 21)
    for name in ["store-0/train/pack-64/seg-00000.pack", "store-0/train/seg-00000.doc"] {
      let good = try readFile(fixture.folder(name))
      for _ in 0..<40 {
        let bad = random.mutation(of: good)
        removeTree(fixture.folder(name))
        try writeFile(fixture.folder(name), bad)
        guard let reader = try? SequenceReader(view, split) else { continue }
        for sequence in 0..<view.order.sequences { _ = try? reader.read(sequence) }
      }
      removeTree(fixture.folder(name))
      try writeFile(fixture.folder(name), good)
    }
    #expect(try check(view, split).allSatisfy { $0.allSatisfy { $0 == 1 } })
  }

  @Test func anEditedViewIsRefused() throws {
    let view = try Samples.view(Samples.manifest(segmentTokens: [1 << 20])) { $0.gpus = 16 }
    let text = String(decoding: view.bytes, as: UTF8.self)
    let edited = text.split(separator: "\"seed\": 0").joined(separator: "\"seed\": 1")
    #expect(edited != text)
    do {
      _ = try View(bytes: Array(edited.utf8), path: "view.json")
      Issue.record("an edited view was read")
    } catch { #expect(error.message.contains("edited or damaged")) }
  }
}
