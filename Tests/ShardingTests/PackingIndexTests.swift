import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

/// The index of a real store: units, files, the reader.
@Suite struct PackingIndexTests {

  private func store(_ folder: String, documents: Int = 300) throws -> TokenStore {
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 1000))
    options.segmentBytes = 8000
    try Samples.store(Samples.corpus(documents, vocabulary: 1000), options: options, in: folder)
    return try TokenStore(folder + "/store")
  }

  /// Builds an index unit by unit, as `PackRun` does.
  private func build(_ store: TokenStore, _ key: PackKey, units: [Range<Int>]? = nil) throws -> PackManifest {
    let split = try store.manifest.split("train")
    var built: [PackManifest.Unit] = []
    for segments in units ?? PackIndex.plan(split) {
      built.append(try PackIndex.buildUnit(store, split: split, key, segments: segments))
    }
    if units == nil { return try PackIndex.finish(store, split: split, key, units: built) }
    return PackManifest(
      store: store.fingerprint, split: "train", key: key, classes: key.grouping.classes(of: store.manifest),
      units: built)
  }

  static let keys = [
    PackKey(context: 64), PackKey(context: 100, grouping: .source), PackKey(context: 50, grouping: .language),
    PackKey(context: 64, policy: .concat, grouping: .source), PackKey(context: 1),
  ]

  @Test(arguments: keys) func everyTokenOfAStoreIsReadOnceThroughItsIndex(key: PackKey) throws {
    let folder = try TemporaryFolder()
    let store = try store(folder.path)
    let split = try store.manifest.split("train")
    #expect(split.segments.count >= 4)
    #expect(try PackIndex.read(store, split: "train", key) == nil)
    let whole = try build(store, key)
    #expect(try PackIndex.read(store, split: "train", key) == whole)
    // Tests pack by parts too: a real unit has 10,000 documents.
    for isParted in [false, true] {
      let manifest = isParted ? try build(store, key, units: [0..<2, 2..<split.segments.count]) : whole
      var tokens = 0
      var seen = [[Int]](repeating: [], count: split.segments.count)
      for (number, segment) in split.segments.enumerated() {
        seen[number] = Array(repeating: 0, count: segment.tokens)
      }
      for number in manifest.units.indices {
        let reader = try PackReader(store, split: split, manifest, unit: number)
        var bin = 0
        for (classNumber, count) in manifest.units[number].classBins.enumerated() {
          for _ in 0..<count {
            for piece in try reader.pieces(ofBin: bin) {
              let place = reader.place(ofDocument: piece.document)
              #expect(
                reader.number(ofDocument: place.document, inSegment: place.segment) == piece.document)
              let segment = try store.open(split, segment: place.segment)
              let range = try segment.range(ofDocument: place.document)
              #expect(piece.offset + piece.length <= range.count)
              for token in 0..<piece.length {
                seen[place.segment][range.lowerBound + piece.offset + token] += 1
              }
              let document = try segment.document(place.document)
              switch key.grouping {
              case .none: break
              case .source: #expect(document.source == classNumber)
              case .language: #expect(document.language == classNumber)
              }
              tokens += piece.length
            }
            bin += 1
          }
        }
        #expect(bin == manifest.units[number].bins)
      }
      #expect(tokens == split.tokens && seen.allSatisfy { $0.allSatisfy { $0 == 1 } })
      #expect(manifest.bins * key.context - tokens == manifest.padding)
    }
  }

  @Test func theBinsOfADocumentAreFound() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder.path)
    let split = try store.manifest.split("train")
    let manifest = try build(store, PackKey(context: 32))
    let reader = try PackReader(store, split: split, manifest, unit: 0)
    #expect(reader.documents == split.documents)
    var expected: [Int: [Int]] = [:]
    for bin in 0..<reader.unit.bins {
      for piece in try reader.pieces(ofBin: bin) { expected[piece.document, default: []].append(bin) }
    }
    for document in [0, 1, 17, reader.documents - 1] {
      let found = try reader.bins(holding: document)
      #expect(found.map(\.bin) == expected[document])
      #expect(try found.allSatisfy { try reader.pieces(ofBin: $0.bin).contains($0.piece) })
    }
  }

  @Test func filesAreReadOnlyAndHoldWhatTheirManifestSays() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder.path)
    let key = PackKey(context: 64)
    let manifest = try build(store, key)
    let path = PackIndex.folder(store, split: "train", key)
    #expect(path.hasSuffix("store/train/pack-64"))
    let bytes = try readFile(path + "/seg-00000.pack")
    #expect(
      SHA256.hex(bytes.span) == manifest.units[0].sha256 && Int64(bytes.count) == manifest.units[0].bytes)
    #expect(try readFile(path + "/manifest.json") == manifest.bytes)
    let table = (0...manifest.units[0].bins).map { bin in
      bytes.withUnsafeBytes { $0.integer(at: 16 + 4 * bin, as: UInt32.self) }
    }
    #expect(table.first == 0 && table.last == UInt32(manifest.units[0].pieces))
    #expect(zip(table, table.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func anIndexOfAnotherStoreIsRefused() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder.path)
    let key = PackKey(context: 64)
    var manifest = try build(store, key)
    manifest.store = "sha256:00"
    let path = PackIndex.folder(store, split: "train", key) + "/manifest.json"
    removeTree(path)
    try writeFile(path, manifest.bytes)
    #expect(throws: StorageError.self) { try PackIndex.read(store, split: "train", key) }
    #expect(throws: StorageError.self) { try PackIndex.read(store, split: "test", key) }
  }

  @Test func damagedDocumentRecordsAreAnInputError() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder.path)
    let split = try store.manifest.split("train")
    let path = store.folder + "/train/seg-00000.doc"
    let whole = try readFile(path)
    for (change, key) in [
      ({ (bytes: inout [UInt8]) in bytes.removeLast() }, PackKey(context: 64)),
      ({ $0[0] = 0 }, PackKey(context: 64)), ({ $0[7] = 0xFF }, PackKey(context: 64)),
      ({ $0[$0.count - 31] ^= 1 }, PackKey(context: 64)),
      ({ $0[16] = 200 }, PackKey(context: 64, grouping: .source)),
      ({ $0[21] = 200 }, PackKey(context: 64, grouping: .language)),
    ] as [((inout [UInt8]) -> Void, PackKey)] {
      var bytes = whole
      change(&bytes)
      removeTree(path)
      try writeFile(path, bytes)
      #expect(throws: StorageError.self) {
        try PackIndex.buildUnit(store, split: split, key, segments: 0..<1)
      }
    }
  }

  @Test func damagedIndexFilesNeverCrashTheReader() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder.path, documents: 60)
    let split = try store.manifest.split("train")
    let manifest = try build(store, PackKey(context: 64))
    let path = PackIndex.folder(store, split: "train", manifest.key) + "/seg-00000.pack"
    let whole = try readFile(path)
    var random = SeededRandom(seed: 8)
    var refused = 0
    for _ in 0..<300 {
      var bytes = random.mutation(of: whole)
      // Half of them keep their size: the others are refused at once.
      if Bool.random(using: &random) { bytes = Array((bytes + whole).prefix(whole.count)) }
      removeTree(path)
      try writeFile(path, bytes)
      do {
        let reader = try PackReader(store, split: split, manifest, unit: 0)
        for bin in 0..<reader.unit.bins {
          for piece in try reader.pieces(ofBin: bin) {
            #expect(reader.place(ofDocument: piece.document).segment < split.segments.count)
          }
        }
        _ = try reader.bins(holding: 3)
      } catch { refused += 1 }
    }
    #expect(refused > 100)
  }
}
