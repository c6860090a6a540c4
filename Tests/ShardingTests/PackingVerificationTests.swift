import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct PackingVerificationTests {
  private struct Fixture {
    let folder: TemporaryFolder
    let store: TokenStore
    let split: StoreManifest.Split
    let key: PackKey
    let manifest: PackManifest
    var file: String { PackIndex.folder(store, split: "train", key) + "/seg-00000.pack" }

    init(_ key: PackKey) throws {
      folder = try TemporaryFolder()
      var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 1000))
      options.segmentBytes = 8000
      try Samples.store(Samples.corpus(150, vocabulary: 1000), options: options, in: folder.path)
      store = try TokenStore(folder("store"))
      split = try store.manifest.split("train")
      self.key = key
      let store = store
      let split = split
      let units = try PackIndex.plan(split).map {
        try PackIndex.buildUnit(store, split: split, key, segments: $0)
      }
      manifest = try PackIndex.finish(store, split: split, key, units: units)
    }

    func verify(_ level: Int, _ manifest: PackManifest? = nil) throws -> [Finding] {
      try PackVerification.run(store, split: "train", manifest ?? self.manifest, key: key, level: level)
        .findings
    }

    /// Changes the file of the unit, gives `body` a manifest whose hash fits the new bytes, and puts it back.
    func with(_ change: (inout [UInt8]) -> Void, _ body: (PackManifest) throws -> Void) throws {
      let whole = try readFile(file)
      var changed = whole
      change(&changed)
      removeTree(file)
      try writeFile(file, changed)
      var manifest = manifest
      manifest.units[0].sha256 = SHA256.hex(changed.span)
      try body(manifest)
      removeTree(file)
      try writeFile(file, whole)
    }

    /// Byte offset of a word of a piece.
    func place(_ piece: Int, _ word: Int) -> Int {
      16 + 4 * (manifest.units[0].bins + 1) + 12 * piece + 4 * word
    }
  }

  static let keys = PackingIndexTests.keys

  @Test(arguments: keys) func aGoodIndexHasNoFindings(key: PackKey) throws {
    let fixture = try Fixture(key)
    for level in 0...3 {
      let result = try PackVerification.run(
        fixture.store, split: "train", fixture.manifest, key: key, level: level)
      #expect(result.isGood, "\(result.findings)")
      #expect(
        result.kind == "pack index" && result.checked.contains { $0 == ("pieces", fixture.manifest.pieces) })
    }
    #expect(try StoreVerification.run(fixture.store, level: 2).isGood)
  }

  @Test func aFlippedBitIsFoundFromLevelOneOnAndNamesItsFile() throws {
    let fixture = try Fixture(PackKey(context: 64))
    try fixture.with({ $0[fixture.place(5, 1)] ^= 4 }) { (_) throws in
      #expect(try fixture.verify(0).isEmpty)
      let findings = try fixture.verify(1)
      #expect(findings.map(\.place) == ["train/pack-64/seg-00000.pack"] && findings[0].level == 1)
      #expect(findings[0].message.contains("Remove the folder train/pack-64; `sluice shard` makes it again"))
    }
  }

  @Test func sizesHeadsAndTablesAreLevelZero() throws {
    let fixture = try Fixture(PackKey(context: 64))
    for change in [
      { $0.removeLast() }, { $0.removeAll() }, { $0[0] ^= 1 }, { $0[8] ^= 1 }, { $0[16] = 1 },
      { $0[24] = $0[20] },
      { $0[16 + 4 * fixture.manifest.units[0].bins] -= 1 },
    ] as [(inout [UInt8]) -> Void] {
      try fixture.with(change) { (_) throws in #expect(try fixture.verify(0).map(\.level) == [0]) }
    }
    removeTree(fixture.file)
    #expect(try fixture.verify(0).map(\.level) == [0])
  }

  @Test func everyChangedPieceIsFoundByItsMeaning() throws {
    for key in [PackKey(context: 64), PackKey(context: 64, policy: .concat, grouping: .source)] {
      let fixture = try Fixture(key)
      var random = SeededRandom(seed: 31)
      for _ in 0..<150 {
        let piece = Int.random(in: 0..<fixture.manifest.pieces, using: &random)
        let word = Int.random(in: 0..<3, using: &random)
        let bit = UInt8(1) << UInt8.random(in: 0..<7, using: &random)
        try fixture.with({ $0[fixture.place(piece, word)] ^= bit }) { (manifest) throws in
          #expect(try fixture.verify(3, manifest).map(\.level) == [3], "piece \(piece), word \(word)")
        }
      }
    }
  }

  @Test func aManifestThatDoesNotFitItsFilesIsFound() throws {
    let fixture = try Fixture(PackKey(context: 64, grouping: .source))
    var manifest = fixture.manifest
    manifest.units[0].padding += 1
    #expect(try fixture.verify(3, manifest).map(\.message).first?.contains("ids of padding") == true)
    manifest = fixture.manifest
    manifest.units[0].classBins[0] += 1
    manifest.units[0].classBins[1] -= 1
    #expect(try fixture.verify(3, manifest).map(\.message).first?.contains("of class") == true)
    manifest = fixture.manifest
    manifest.store = "sha256:00"
    #expect(try fixture.verify(0, manifest).map(\.place) == ["train/pack-64-source/manifest.json"])
  }

  @Test func aDocumentThatFitsAndIsCutIsFound() throws {
    // The same tokens, cut as a stream: every token is covered once, and best-fit would not have cut.
    let stream = try Fixture(PackKey(context: 64, policy: .concat))
    let fixture = try Fixture(PackKey(context: 64))
    let bytes = try readFile(stream.file)
    removeTree(fixture.file)
    try writeFile(fixture.file, bytes)
    var manifest = fixture.manifest
    manifest.units = stream.manifest.units
    #expect(
      try fixture.verify(3, manifest).map(\.message).first?.contains("fits a sequence and is cut") == true)
  }

  @Test func damagedDocumentsAreNotBlamedOnTheIndex() throws {
    let fixture = try Fixture(PackKey(context: 64))
    removeTree(fixture.store.folder + "/train/seg-00001.doc")
    let findings = try fixture.verify(3)
    #expect(findings.count == 1 && findings[0].message.contains("cannot be compared with seg-00001.doc"))
    #expect(!findings[0].message.contains("Remove"))
  }
}
