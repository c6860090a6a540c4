import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct VerificationTests {
  private struct Fixture {
    let folder: TemporaryFolder
    var path: String { folder("store") }

    init() throws {
      folder = try TemporaryFolder()
      var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 1000))
      options.segmentBytes = 8000
      options.order = .input
      options.holdout = try Holdout(seed: 0, parsing: "valid=10%")
      try Samples.store(Samples.corpus(300, vocabulary: 1000), options: options, in: folder.path)
    }

    func findings(_ level: Int) throws -> [Finding] {
      try StoreVerification.run(try TokenStore(path), level: level).findings
    }

    /// Changes a file of the store, which is read-only, and puts it back after `body`.
    func with(_ name: String, _ change: (inout [UInt8]) -> Void, _ body: () throws -> Void) throws {
      let whole = try readFile(path + "/" + name)
      var changed = whole
      change(&changed)
      removeTree(path + "/" + name)
      try writeFile(path + "/" + name, changed)
      try body()
      removeTree(path + "/" + name)
      try writeFile(path + "/" + name, whole)
    }
  }

  @Test func aGoodStoreHasNoFindings() throws {
    let fixture = try Fixture()
    for level in 0...2 {
      let result = try StoreVerification.run(try TokenStore(fixture.path), level: level)
      #expect(result.isGood && result.level == level)
      #expect(result.json["good"]?.bool == true)
    }
  }

  @Test func aFlippedTokenIsFoundFromLevelOneOn() throws {
    let fixture = try Fixture()
    try fixture.with("train/seg-00001.tok", { $0[100] ^= 1 }) { () throws in
      #expect(try fixture.findings(0).isEmpty)
      let one = try fixture.findings(1)
      #expect(one.map(\.place) == ["train/seg-00001.tok"] && one.map(\.level) == [1])
      // The second segment of the input order holds documents of the first part and maybe of the second.
      #expect(one[0].parts.first == "part-0.jsonl" && one[0].text.contains("Tokenize again: part-0.jsonl"))
      let two = try fixture.findings(2)
      #expect(two.contains { $0.level == 2 && $0.message.contains("its hash is not the recorded one") })
    }
    #expect(try fixture.findings(2).isEmpty)
  }

  @Test(arguments: ["tok", "doc", "origin.zst", "origin.idx"]) func everyFileIsChecked(suffix: String) throws
  {
    let fixture = try Fixture()
    let name = "train/seg-00000.\(suffix)"
    try fixture.with(name, { $0.removeLast() }) { () throws in
      #expect(try fixture.findings(0).contains { $0.level == 0 && $0.place == name })
    }
    try fixture.with(name, { $0[$0.count / 2] ^= 0x10 }) { () throws in
      #expect(try fixture.findings(1).contains { $0.place.hasPrefix("train/seg-00000") })
    }
    let path = fixture.path + "/" + name
    let whole = try readFile(path)
    removeTree(path)
    #expect(try fixture.findings(0).contains { $0.place == name && $0.message.contains("missing") })
    try writeFile(path, whole)
    #expect(try fixture.findings(2).isEmpty)
  }

  @Test func endsThatDoNotGrowAreLevelZero() throws {
    let fixture = try Fixture()
    try fixture.with("train/seg-00000.doc", { $0.replaceSubrange(32..<40, with: $0[0..<8]) }) { () throws in
      #expect(try fixture.findings(0).contains { $0.place == "train/seg-00000" && $0.level == 0 })
    }
    // An end that is huge or negative must not crash either.
    try fixture.with(
      "train/seg-00000.doc", { $0.replaceSubrange(32..<40, with: Array(repeating: 0xFF, count: 8)) }
    ) { () throws in
      #expect(try fixture.findings(2).contains { $0.place == "train/seg-00000" })
    }
  }

  @Test func filesThatNobodyNamedAreFound() throws {
    let fixture = try Fixture()
    try writeFile(fixture.path + "/valid/seg-00009.tok", "x")
    #expect(try fixture.findings(0).map(\.place) == ["valid/seg-00009.tok"])
  }

  @Test func aChangedManifestIsFoundByItsFingerprint() throws {
    let fixture = try Fixture()
    try fixture.with(
      "manifest.json",
      { bytes in
        let text = bytes.string.split(separator: "\"sample\"", maxSplits: 1)
        bytes = Array((text[0] + "\"simple\"" + text[1]).utf8)
      }
    ) { () throws in
      #expect(try fixture.findings(1).isEmpty)
      #expect(try fixture.findings(2).map(\.place) == ["manifest.json"])
    }
  }

  @Test func sumsMustAddUp() throws {
    let fixture = try Fixture()
    let store = try TokenStore(fixture.path)
    var manifest = store.manifest
    manifest.splits[0].documents += 1
    removeTree(fixture.path + "/manifest.json")
    try writeFile(fixture.path + "/manifest.json", manifest.bytes)
    #expect(try fixture.findings(0).contains { $0.message.contains("add up to") })
  }

  @Test func wrongEndsOfTextAndIDsAreLevelTwo() throws {
    // A store whose manifest claims a smaller vocabulary: every hash is right, the ids are not.
    let fixture = try Fixture()
    var manifest = try TokenStore(fixture.path).manifest
    manifest.tokenizer.vocabulary = 999
    manifest.tokenizer.eos = 998
    for split in manifest.splits.indices {
      for segment in manifest.splits[split].segments.indices {
        manifest.splits[split].segments[segment].maxID = 998
      }
    }
    removeTree(fixture.path + "/manifest.json")
    try writeFile(fixture.path + "/manifest.json", manifest.bytes)
    #expect(
      try fixture.findings(0).contains { $0.message.contains("its last id 999 is not below the vocabulary") })
    #expect(
      try fixture.findings(2).contains { $0.message.contains("id 999 is not below the vocabulary of 999") })
  }

  @Test func mutatedStoresNeverCrash() throws {
    let fixture = try Fixture()
    var random = SeededRandom(seed: 21)
    let names = try filesBelow(fixture.path).filter { $0 != "manifest.json" && $0 != "build.json" }
    for _ in 0..<60 {
      let name = try #require(names.randomElement(using: &random))
      var generator = random
      try fixture.with(name, { $0 = generator.mutation(of: $0) }) { () throws in
        let store = try TokenStore(fixture.path)
        _ = try StoreVerification.run(store, level: 2)
        _ = try? StoreInspection.run(store)
        _ = try? StoreExport.run(store, split: "train", as: JSONLExporter(), into: fixture.folder("out"))
        _ = try? StoreExport.run(store, split: "train", as: MegatronExporter(), into: fixture.folder("out"))
      }
      random = generator
    }
    #expect(try fixture.findings(2).isEmpty)
  }

  @Test func viewsAreVerifiedAgainstTheirStore() throws {
    let fixture = try Fixture()
    let store = try TokenStore(fixture.path)
    for gpus in [1, 3, 8, 40] {
      var options = ViewOptions()
      options.gpus = gpus
      options.sequenceTokens = 16
      options.microBatch = 3
      let view = try View(of: store.manifest, fingerprint: store.fingerprint, options)
      let path = fixture.folder("view-\(gpus).json")
      try writeFile(path, view.bytes)
      let split = try StoreSplit.find(for: view, viewPath: path)
      #expect(split?.stores.map(\.fingerprint) == [store.fingerprint])
      let result = try ViewVerification.run(view, path: path, split: split)
      #expect(result.isGood, "\(result.findings)")
      var wrong = view
      wrong.order.stores = ["sha256:00"]
      #expect(try ViewVerification.run(wrong, path: path, split: split).findings.count == 1)
      wrong = view
      wrong.order.tailTokens += 1
      #expect(try ViewVerification.run(wrong, path: path, split: split).findings.count > 0)
      wrong = view
      wrong.order.sequences -= 1
      #expect(try ViewVerification.run(wrong, path: path, split: split).findings.count > 0)
    }
  }
}
