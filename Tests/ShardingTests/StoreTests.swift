import Bytes
import Documents
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct StoreTests {
  private func options(vocabulary: Int = 1000, segmentBytes: Int = 4096) throws -> StoreOptions {
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: vocabulary))
    options.segmentBytes = segmentBytes
    options.holdout = try Holdout(seed: 0, parsing: "valid=10%")
    return options
  }

  /// All files of a folder with their bytes.
  private func tree(_ folder: String) throws -> [String: [UInt8]] {
    var out: [String: [UInt8]] = [:]
    for name in try filesBelow(folder) { out[name] = try readFile(folder + "/" + name) }
    return out
  }

  /// Everything that a store holds, by id of the document.
  private func contents(_ folder: String) throws -> [String: (
    split: String, tokens: [UInt32], source: String, language: String, part: Int, number: Int
  )] {
    let store = try TokenStore(folder)
    var out:
      [String: (split: String, tokens: [UInt32], source: String, language: String, part: Int, number: Int)] =
        [:]
    for split in store.manifest.splits {
      for segment in split.segments.indices {
        let reader = try store.open(split, segment: segment)
        for number in 0..<reader.segment.documents {
          let record = try reader.document(number)
          let tokens = try reader.tokens(try reader.range(ofDocument: number))
          let origin = try reader.origin(ofDocument: number)
          out[origin.id] = (
            split.name, tokens, store.manifest.sources[record.source],
            store.manifest.languages[record.language],
            record.part, record.numberInPart
          )
        }
      }
    }
    return out
  }

  @Test func documentHashesAreThoseOfTheReference() {
    func hash<Word: FixedWidthInteger>(_ ids: [Word]) -> String {
      var bytes: [UInt8] = []
      for id in ids { bytes.append(littleEndian: id) }
      return Hex.string(XXH64.hash(bytes.span))
    }
    #expect(hash([5, 3] as [UInt16]) == "8eadc39becd71f21")
    #expect(hash([5, 3] as [UInt32]) == "717929591b1762a1")
    #expect(hash([] as [UInt16]) == "ef46db3751d8e999")
    #expect(hash((1...40).map { UInt16($0) }) == "50aea1d46726c9b1")
  }

  @Test(arguments: [65_536, 65_537]) func whatGoesInComesOut(vocabulary: Int) throws {
    let folder = try TemporaryFolder()
    let corpus = Samples.corpus(600, vocabulary: vocabulary)
    let options = try options(vocabulary: vocabulary)
    let summary = try Samples.store(corpus, options: options, in: folder.path)
    #expect(summary.manifest.width == (vocabulary == 65_536 ? .u16 : .u32))
    let stored = try contents(folder("store"))
    let full = corpus.filter { !$0.tokens.isEmpty }
    #expect(
      summary.documentsIn == 600 && summary.documentsEmpty == 600 - full.count && stored.count == full.count)
    #expect(summary.manifest.languages == ["unknown", "de", "en", "ja"])
    for (number, document) in corpus.enumerated() where !document.tokens.isEmpty {
      let found = try #require(stored[document.id])
      #expect(found.tokens == document.tokens + [UInt32(vocabulary - 1)])
      #expect(found.source == document.source && found.language == document.language ?? "unknown")
      #expect(found.part == number / 200 && found.number == number % 200)
      let isValid = options.holdout.split(ofID: Array(document.id.utf8).span) == 1
      #expect(found.split == (isValid ? "valid" : "train"))
    }
    #expect(stored.values.contains { $0.split == "valid" })
  }

  @Test func provenanceSurvives() throws {
    let folder = try TemporaryFolder()
    let corpus = Samples.corpus(40, vocabulary: 1000)
    try Samples.store(corpus, options: try options(), in: folder.path)
    let store = try TokenStore(folder("store"))
    let split = try store.manifest.split("train")
    let reader = try store.open(split, segment: 0)
    for document in 0..<reader.segment.documents {
      let origin = try reader.origin(ofDocument: document)
      let number = try #require(corpus.firstIndex { $0.id == origin.id })
      #expect(origin.url == "https://example.org/\(number)?q=\"ü\"")
      #expect(origin.dump == "crawl/\(origin.id.split(separator: "/")[0]).warc.gz")
      #expect(origin.offset == number * 1000 && origin.recordID == "<urn:\(number)>")
      let range = try reader.range(ofDocument: document)
      #expect(try reader.document(atToken: range.lowerBound) == document)
      #expect(try reader.document(atToken: range.upperBound - 1) == document)
    }
  }

  @Test func bytesDoNotDependOnMemoryOrOnASecondTry() throws {
    let folder = try TemporaryFolder()
    let corpus = Samples.corpus(2000, vocabulary: 1000)
    let options = try options(segmentBytes: 20_000)
    try Samples.store(corpus, options: options, in: folder.path, memory: 1 << 26, name: "large")
    try Samples.store(corpus, options: options, in: folder.path, memory: 1 << 16, name: "small")
    let large = try tree(folder("large"))
    #expect(large.count > 20)
    #expect(try tree(folder("small")) == large)
    // A unit that is done again after a crash leaves the same folder.
    let units = try Samples.units(corpus, parts: 3, options: options, in: folder("again"))
    let builder = try StoreBuilder(
      folder: folder("small"), units: units, options: options, memoryBytes: 1 << 20,
      temporaryFolder: folder("t"))
    try writeFile(folder("small/train/seg-00099.tok"), "left over")
    _ = try builder.finish([try builder.buildSplit(0), try builder.buildSplit(1)])
    #expect(try tree(folder("small")) == large)
  }

  @Test func partsThatWereCutIntoRangesCountOn() throws {
    let folder = try TemporaryFolder()
    let corpus = Samples.corpus(300, vocabulary: 1000)
    let options = try options()
    func build(_ parts: Int) throws -> [String: [UInt8]] {
      var units = try Samples.units(corpus, parts: parts, options: options, in: folder("units-\(parts)"))
      for index in units.indices { units[index].part = StorePart(name: "one.jsonl", bytes: 9, sha256: "00") }
      let builder = try StoreBuilder(
        folder: folder("store-\(parts)"), units: units, options: options, memoryBytes: 1 << 20,
        temporaryFolder: folder("t"))
      _ = try builder.build()
      return try tree(folder("store-\(parts)"))
    }
    #expect(try build(1) == (try build(5)))
  }

  @Test func documentsLieInThePermutationsOrder() throws {
    let folder = try TemporaryFolder()
    let corpus = (0..<50).map {
      Samples.Encoded(id: "d\($0)", source: "web", language: nil, tokens: [UInt32($0)])
    }
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 1000))
    options.order = .shuffled(seed: 4)
    try Samples.store(corpus, options: options, in: folder.path, name: "shuffled")
    options.order = .input
    try Samples.store(corpus, options: options, in: folder.path, name: "kept")
    func ids(_ name: String) throws -> [UInt32] {
      let store = try TokenStore(folder(name))
      let reader = try store.open(store.manifest.splits[0], segment: 0)
      return try reader.tokens(0..<reader.segment.tokens).filter { $0 != 999 }
    }
    let permutation = KeyedPermutation(count: 50, seed: 4, epoch: 0, stream: 1 << 63)
    #expect(try ids("kept") == (0..<50).map { UInt32($0) })
    #expect(try ids("shuffled") == (0..<50).map { UInt32(permutation.inverse(UInt64($0))) })
  }

  @Test func segmentsCloseAtTheirBorder() throws {
    let folder = try TemporaryFolder()
    // Documents of 4 ids with end of text; 8 bytes as u16; a segment of 24 bytes holds exactly three.
    let corpus = (0..<7).map {
      Samples.Encoded(id: "d\($0)", source: "web", language: nil, tokens: [1, 2, 3])
    }
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 10))
    options.segmentBytes = 24
    let full = try Samples.store(corpus, options: options, in: folder.path, name: "full")
    #expect(full.manifest.splits[0].segments.map(\.documents) == [3, 3, 1])
    options.segmentBytes = 23
    let short = try Samples.store(corpus, options: options, in: folder.path, name: "short")
    #expect(short.manifest.splits[0].segments.map(\.documents) == [2, 2, 2, 1])
    options.segmentBytes = 7
    do {
      try Samples.store(corpus, options: options, in: folder.path, name: "none")
      Issue.record("a document larger than a segment was taken")
    } catch let error as StorageError {
      #expect(error.message.contains("d0") && error.message.contains("--segment-bytes"))
    }
  }

  @Test func filesAreAsTheFormatSays() throws {
    let folder = try TemporaryFolder()
    let corpus = [
      Samples.Encoded(id: "a", source: "web", language: "en", tokens: [5]),
      Samples.Encoded(id: "b", source: "wiki", language: nil, tokens: [1, 2]),
    ]
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 300))
    options.order = .input
    try Samples.store(corpus, options: options, in: folder.path, parts: 2)
    #expect(try readFile(folder("store/train/seg-00000.tok")) == [5, 0, 43, 1, 1, 0, 2, 0, 43, 1])
    var records: [UInt8] = []
    records.append(littleEndian: UInt64(2))
    records.append(littleEndian: XXH64.hash(([5, 0, 43, 1] as [UInt8]).span))
    records.append(littleEndian: UInt32(0))
    records.append(littleEndian: UInt32(1))
    records.append(littleEndian: UInt64(0))
    records.append(littleEndian: UInt64(5))
    records.append(littleEndian: XXH64.hash(([1, 0, 2, 0, 43, 1] as [UInt8]).span))
    records.append(littleEndian: UInt32(1))
    records.append(littleEndian: UInt32(0))
    records.append(littleEndian: UInt64(1) << 40)
    #expect(try readFile(folder("store/train/seg-00000.doc")) == records)
    let frames = try readFile(folder("store/train/seg-00000.origin.zst"))
    var index: [UInt8] = []
    index.append(littleEndian: UInt64(0))
    index.append(littleEndian: UInt64(frames.count))
    #expect(try readFile(folder("store/train/seg-00000.origin.idx")) == index)
    var text: [UInt8] = []
    #expect(Zstd.decompressFrame(frames.span, limit: 1 << 20, into: &text) != nil)
    #expect(
      text.string.split(separator: "\n").first
        == #"{"id":"a","url":"https://example.org/0?q=\"ü\"","dump":"crawl/a.warc.gz","offset":0,"record_id":"<urn:0>"}"#
    )
    let result = try shell("stat -c %a \(folder("store"))/train/*")
    #expect(result.output.split(separator: "\n").allSatisfy { $0 == "444" } && result.exit == 0)
    let bytes = try readFile(folder("store/manifest.json"))
    #expect(try StoreManifest(bytes: bytes, path: "m").bytes == bytes)
    #expect(try JSONValue.parse(bytes).canonical() == bytes)
  }

  @Test func originFramesHold1024Documents() throws {
    let folder = try TemporaryFolder()
    let corpus = (0..<2500).map { Samples.Encoded(id: "d\($0)", source: "web", language: nil, tokens: [1]) }
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 10))
    options.order = .input
    try Samples.store(corpus, options: options, in: folder.path)
    let index = try readFile(folder("store/train/seg-00000.origin.idx"))
    #expect(index.count == 4 * 8)
    let store = try TokenStore(folder("store"))
    let reader = try store.open(store.manifest.splits[0], segment: 0)
    for number in [0, 1023, 1024, 2047, 2048, 2499] {
      #expect(try reader.origin(ofDocument: number).id == "d\(number)")
    }
  }

  @Test func idsOutsideTheVocabularyAreErrors() throws {
    let folder = try TemporaryFolder()
    let corpus = [Samples.Encoded(id: "bad", source: "web", language: nil, tokens: [1, 10])]
    let options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 10))
    do {
      try Samples.store(corpus, options: options, in: folder.path)
      Issue.record("an id outside the vocabulary was taken")
    } catch let error as StorageError {
      #expect(error.message.contains("bad") && error.message.contains("10"))
    }
  }

  @Test func optionsThatNoStoreCanHaveAreUsageErrors() throws {
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 10))
    options.tokenizer.eos = nil
    #expect(throws: StorageError.self) { try options.validate() }
    options.tokenizer.policy = .none
    #expect(throws: Never.self) { try options.validate() }
    options.segmentBytes = 1 << 31
    #expect(throws: StorageError.self) { try options.validate() }
    options.segmentBytes = 1 << 20
    options.tokenizer.eos = 10
    #expect(throws: StorageError.self) { try options.validate() }
  }

  @Test func unitsOfAnotherTokenizerAreRefused() throws {
    let folder = try TemporaryFolder()
    let corpus = Samples.corpus(20, vocabulary: 100)
    let one = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 100))
    var two = one
    two.tokenizer.sha256 = "other"
    let units = try Samples.units(corpus, parts: 2, options: one, in: folder("units"))
    #expect(throws: StorageError.self) {
      try StoreBuilder(
        folder: folder("store"), units: units, options: two, memoryBytes: 1 << 20,
        temporaryFolder: folder("t"))
    }
  }

  @Test func damagedUnitsAndManifestsAreErrorsNotCrashes() throws {
    let folder = try TemporaryFolder()
    let corpus = Samples.corpus(60, vocabulary: 100)
    let options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 100))
    let units = try Samples.units(corpus, parts: 1, options: options, in: folder("units"))
    let unit = try readFile(units[0].path)
    var random = SeededRandom(seed: 8)
    var failures = 0
    for round in 0..<300 {
      let path = folder("units/mutated")
      let bytes = round % 3 == 0 ? Array(unit[..<(unit.count * round / 300)]) : random.mutation(of: unit)
      try writeFile(path, bytes)
      do {
        let builder = try StoreBuilder(
          folder: folder("mutated"), units: [StoreBuilder.Unit(path: path, part: units[0].part)],
          options: options,
          memoryBytes: 1 << 20, temporaryFolder: folder("t"))
        _ = try builder.build()
      } catch { failures += 1 }
    }
    #expect(failures > 100)
    try Samples.store(corpus, options: options, in: folder.path)
    let manifest = try readFile(folder("store/manifest.json"))
    for _ in 0..<300 {
      let bytes = random.mutation(of: manifest)
      guard let read = try? StoreManifest(bytes: bytes, path: "m") else { continue }
      var viewOptions = ViewOptions()
      viewOptions.gpus = 3
      _ = try? View(of: read, fingerprint: "x", viewOptions)
    }
  }

  @Test func theManifestIsWrittenLast() throws {
    let folder = try TemporaryFolder()
    let corpus = Samples.corpus(50, vocabulary: 100)
    let options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 100))
    let units = try Samples.units(corpus, parts: 2, options: options, in: folder("units"))
    let builder = try StoreBuilder(
      folder: folder("store"), units: units, options: options, memoryBytes: 1 << 20,
      temporaryFolder: folder("t"))
    let split = try builder.buildSplit(0)
    #expect(!exists(folder("store/manifest.json")) && !TokenStore.isStore(folder("store")))
    // What a journal keeps of the unit is enough to finish after a restart.
    let kept = try StoreManifest.Split(
      name: "train", json: split.json, sources: builder.sources.count, path: "journal")
    #expect(kept == split)
    _ = try builder.finish([kept])
    #expect(TokenStore.isStore(folder("store")))
  }
}
