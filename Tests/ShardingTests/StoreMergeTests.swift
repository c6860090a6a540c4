import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct StoreMergeTests {
  /// Two stores of different documents, sources, languages and parts, and one of both.
  private struct Fixture {
    let folder: TemporaryFolder
    let corpora: [[Samples.Encoded]]
    var options: StoreOptions

    init(order: StoreOrder = .input, seed: UInt64 = 1) throws {
      folder = try TemporaryFolder()
      options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 1000))
      options.segmentBytes = 6000
      options.order = order
      options.holdout = try Holdout(seed: 0, parsing: "valid=10%")
      var corpora: [[Samples.Encoded]] = []
      for (number, sources) in [["web", "wiki"], ["books", "web", "code"]].enumerated() {
        corpora.append(
          Samples.corpus(400 + 100 * number, vocabulary: 1000, seed: seed + UInt64(number)).enumerated().map {
            var document = $1
            document.id = "s\(number)/" + document.id
            document.source = sources[$0 % sources.count]
            document.language = [[nil, "en", "ja"], ["en", "de", "fr"]][number][$0 % 3]
            return document
          })
      }
      self.corpora = corpora
      for number in corpora.indices {
        let units = try self.units(number)
        let builder = try StoreBuilder(
          folder: folder("store-\(number)"), units: units, options: options, memoryBytes: 1 << 20,
          temporaryFolder: folder("temp"))
        _ = try builder.build()
      }
    }

    func units(_ number: Int) throws -> [StoreBuilder.Unit] {
      try Samples.units(corpora[number], parts: 2, options: options, in: folder("units-\(number)")).map {
        StoreBuilder.Unit(
          path: $0.path, part: StorePart(name: "\(number)/" + $0.part.name, bytes: 10, sha256: "0\(number)"))
      }
    }

    func stores() throws -> [TokenStore] { try corpora.indices.map { try TokenStore(folder("store-\($0)")) } }

    func merge(_ stores: [TokenStore], _ order: StoreOrder, into name: String = "merged") throws -> StoreLinks
    {
      let merge = try StoreMerge(
        stores, order: order, segmentBytes: options.segmentBytes, folder: folder(name), memoryBytes: 1 << 16,
        temporaryFolder: folder("temp"))
      var links = StoreLinks()
      var splits: [StoreManifest.Split] = []
      for number in merge.splitNames.indices { splits.append(try merge.buildSplit(number, &links)) }
      _ = try merge.finish(splits)
      return links
    }
  }

  /// Every document of a split in stored order, by names instead of numbers.
  static func documents(_ store: TokenStore, _ name: String) throws -> [[String]] {
    let split = try store.manifest.split(name)
    var out: [[String]] = []
    for segment in split.segments.indices {
      let reader = try store.open(split, segment: segment)
      try reader.forEachWholeDocument { (_, document, line, tokens) throws(StorageError) in
        out.append([
          String(decoding: line, as: UTF8.self), Hex.string(Array(tokens)),
          store.manifest.sources[document.source],
          store.manifest.languages[document.language],
          "\(store.manifest.parts[document.part].name):\(document.numberInPart)",
        ])
      }
    }
    return out
  }

  @Test func `a shuffled merge is the store of both corpora, byte for byte`() throws {
    let fixture = try Fixture()
    _ = try fixture.merge(try fixture.stores(), .shuffled(seed: 7))
    var options = fixture.options
    options.order = .shuffled(seed: 7)
    let builder = try StoreBuilder(
      folder: fixture.folder("both"), units: try fixture.units(0) + fixture.units(1), options: options,
      memoryBytes: 1 << 22, temporaryFolder: fixture.folder("temp"))
    let both = try builder.build()
    #expect(try TokenStore(fixture.folder("merged")).fingerprint == both.fingerprint)
    #expect(try StoreVerification.run(try TokenStore(fixture.folder("merged")), level: 2).isGood)
  }

  @Test(arguments: [StoreOrder.input, .shuffled(seed: 3)])
  func `a merge in input order links the segments of both stores`(made: StoreOrder) throws {
    let fixture = try Fixture(order: made)
    let stores = try fixture.stores()
    let links = try fixture.merge(stores, .input)
    let merged = try TokenStore(fixture.folder("merged"))
    #expect(try StoreVerification.run(merged, level: 2).findings == [])
    #expect(merged.manifest.order == .input)
    #expect(merged.manifest.sources == ["books", "code", "web", "wiki"])
    #expect(merged.manifest.languages == ["unknown", "de", "en", "fr", "ja"])
    #expect(
      merged.manifest.parts.map(\.name) == [
        "0/part-0.jsonl", "0/part-1.jsonl", "1/part-0.jsonl", "1/part-1.jsonl",
      ])
    var segments = 0
    for split in merged.manifest.splits {
      let parts = try stores.map { try Self.documents($0, split.name) }
      let isBoth = try Self.documents(merged, split.name) == parts[0] + parts[1]
      #expect(isBoth)
      let old = try stores.flatMap { store in
        let split = try store.manifest.split(split.name)
        return split.segments.map { store.path(split, $0, "") }
      }
      #expect(old.count == split.segments.count && !old.isEmpty)
      segments += old.count
      for (path, segment) in zip(old, split.segments) {
        for suffix in ["tok", "origin.zst", "origin.idx"] {
          let (mine, theirs) = (
            try FileSystem.identity(of: merged.path(split, segment, suffix)),
            try FileSystem.identity(of: path + suffix)
          )
          #expect(mine.inode == theirs.inode && mine.linkCount == 2)
        }
        #expect(FileSystem.isRegularFile(merged.path(split, segment, "sums")))
      }
    }
    #expect(links.segmentsLinked == segments && links.bytesCopied == 0 && links.segmentsWritten == 0)
    // All of them name a source, language or part that has moved.
    #expect(links.segmentsRenumbered == segments)
  }

  @Test func `document records are linked where no number changes`() throws {
    let fixture = try Fixture()
    let first = try fixture.stores()[0]
    // The other store has the same lists: the same documents again, in another order.
    var options = fixture.options
    options.order = .shuffled(seed: 5)
    let builder = try StoreBuilder(
      folder: fixture.folder("again"), units: try fixture.units(0), options: options, memoryBytes: 1 << 20,
      temporaryFolder: fixture.folder("temp"))
    _ = try builder.build()
    let links = try fixture.merge([first, try TokenStore(fixture.folder("again"))], .input)
    #expect(links.segmentsRenumbered == 0 && links.segmentsLinked > 4)
    let merged = try TokenStore(fixture.folder("merged"))
    #expect(merged.manifest.parts == first.manifest.parts)
    #expect(try StoreVerification.run(merged, level: 2).isGood)
    let split = try merged.manifest.split("train")
    let record = merged.path(split, split.segments[0], "doc")
    #expect(
      try FileSystem.identity(of: record).inode
        == FileSystem.identity(of: fixture.folder("store-0/train/seg-00000.doc")).inode)
  }

  @Test func `stores that do not fit are refused with what differs`() throws {
    let fixture = try Fixture()
    let first = try fixture.stores()[0]
    func refusal(_ change: (inout StoreOptions) throws -> Void) throws -> String {
      var options = fixture.options
      try change(&options)
      let name = "other"
      removeTree(fixture.folder(name))
      try Samples.store(
        Samples.corpus(50, vocabulary: 900), options: options, in: fixture.folder.path, name: name)
      do {
        _ = try fixture.merge([first, try TokenStore(fixture.folder(name))], .input)
        return ""
      } catch let error as StorageError { return error.message }
    }
    #expect(try refusal { $0.tokenizer.sha256 = String(repeating: "cd", count: 32) }.contains("tokenizer"))
    #expect(try refusal { $0.holdout = Holdout(seed: 0) }.contains("held-out splits"))
    #expect(try refusal { $0.tokenizer.policy = .none }.contains("end-of-text policy"))
    #expect(try refusal { _ in } == "")
    #expect(throws: StorageError.self) { try fixture.merge([first, first], .input) }
  }

  @Test func `a damaged document is not blessed by a shuffle`() throws {
    let fixture = try Fixture()
    let path = fixture.folder("store-1/train/seg-00000.tok")
    var bytes = try readFile(path)
    bytes[20] ^= 1
    removeTree(path)
    try writeFile(path, bytes)
    #expect(throws: StorageError.self) { try fixture.merge(try fixture.stores(), .shuffled(seed: 0)) }
  }
}
