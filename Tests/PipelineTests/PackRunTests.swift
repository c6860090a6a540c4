import Bytes
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Pipeline
@testable import Sharding

@Suite struct PackRunTests {
  /// A store of document records only: packing reads no token. 9 segments, 3 units.
  private struct Fixture {
    let folder: TemporaryFolder
    let store: TokenStore
    let key = PackKey(context: 512)
    var path: String { PackIndex.folder(store, split: "train", key) }

    init(perSegment: Int = 4_000, segments: Int = 9) throws {
      folder = try TemporaryFolder()
      var random = SeededRandom(seed: 3)
      var entries: [StoreManifest.Segment] = []
      let none = StoreManifest.File(bytes: 0, sha256: "", xxh64: "")
      for number in 0..<segments {
        var records: [UInt8] = []
        var end = 0
        for document in 0..<perSegment {
          end += Int.random(in: 1..<900, using: &random)
          records.append(contentsOf: Self.record(end: end, source: document % 2))
        }
        let name = StoreManifest.segmentName(number)
        try writeFile(folder("store/train/\(name).doc"), records)
        entries.append(
          StoreManifest.Segment(
            name: name, tokens: end, documents: perSegment, minID: 0, maxID: 9, tok: none, doc: none,
            originIndex: none, originFrames: none, sourceTokens: [end, 0], lengthHistogram: []))
      }
      let tokens = entries.reduce(0) { $0 + $1.tokens }
      let manifest = StoreManifest(
        tokenizer: TokenizerIdentity(name: "t", sha256: "00", vocabulary: 1000, eos: 0), width: .u16,
        order: .input, sources: ["a", "b"], languages: ["unknown"], parts: [], holdout: Holdout(),
        splits: [
          .init(name: "train", tokens: tokens, documents: perSegment * segments, segments: entries)
        ])
      try writeFile(folder("store/manifest.json"), manifest.bytes)
      store = try TokenStore(folder("store"))
    }

    private static func record(end: Int, source: Int) -> [UInt8] {
      (0..<8).map { UInt8(truncatingIfNeeded: end >> (8 * $0)) } + [UInt8](repeating: 0, count: 8)
        + [UInt8(source)] + [UInt8](repeating: 0, count: 15)
    }

    func ensure(workers: Int = 2) throws -> PackManifest {
      try ensure(key, workers: workers)
    }

    func ensure(_ key: PackKey, workers: Int = 2) throws -> PackManifest {
      var options = RunOptions()
      options.workers = workers
      options.isQuiet = true
      return try PackRun.ensure(store: store, split: "train", key: key, options: options)
    }

    func inode(_ name: String) throws -> UInt64 { try FileSystem.identity(of: path + "/" + name).inode }
  }

  static let files = ["manifest.json", "seg-00000.pack", "seg-00003.pack", "seg-00006.pack"]

  @Test func `an index has the same bytes for any number of workers`() throws {
    let fixture = try Fixture()
    let first = try fixture.ensure(workers: 1)
    #expect(try filesBelow(fixture.path) == Self.files)
    #expect(first.units.map(\.segmentRange) == [0..<3, 3..<6, 6..<9] && first.bins > 0)
    let bytes = try outputTree(fixture.path)
    for workers in [2, 3, 7] {
      removeTree(fixture.path)
      #expect(try fixture.ensure(workers: workers) == first)
      #expect(try outputTree(fixture.path) == bytes)
    }
  }

  @Test func `an index that is there stays as it is`() throws {
    let fixture = try Fixture()
    let first = try fixture.ensure()
    let inodes = try Self.files.map { try fixture.inode($0) }
    #expect(try fixture.ensure() == first)
    #expect(try Self.files.map { try fixture.inode($0) } == inodes)
    // Another key is another index.
    let grouped = try fixture.ensure(PackKey(context: 512, grouping: .source))
    #expect(grouped.classes == ["a", "b"] && grouped.classBins.allSatisfy { $0 > 0 })
    #expect(try fixture.ensure() == first)
  }

  @Test func `an index that is damaged or of other tokens is made anew`() throws {
    let fixture = try Fixture()
    let first = try fixture.ensure()
    let bytes = try outputTree(fixture.path)
    let damages: [() throws -> Void] = [
      { try writeFile(fixture.path + "/manifest.json", "{}") },
      { removeTree(fixture.path + "/seg-00003.pack") },
      { try writeFile(fixture.path + "/seg-00003.pack", [1, 2, 3]) },
      {
        var other = first
        other.store = "sha256:00"
        try writeFile(fixture.path + "/manifest.json", other.bytes)
      },
      {
        try writeFile(fixture.path + "/seg-00001.pack", [1])
        try writeFile(fixture.path + "/.tmp/seg-00001.pack.1-1", [1])
        removeTree(fixture.path + "/manifest.json")
      },
    ]
    for damage in damages {
      for name in ["manifest.json", "seg-00003.pack"] {
        let whole = try readFile(fixture.path + "/" + name)
        removeTree(fixture.path + "/" + name)
        try writeFile(fixture.path + "/" + name, whole)
      }
      try damage()
      #expect(try fixture.ensure() == first)
      #expect(try outputTree(fixture.path) == bytes)
    }
  }

  @Test func `a killed run goes on with the units that its journal lacks`() throws {
    let fixture = try Fixture()
    let whole = try fixture.ensure()
    let bytes = try outputTree(fixture.path)
    // As a kill leaves it: two units in the journal, one of them with a damaged file; the third was never begun.
    removeTree(fixture.path + "/manifest.json")
    removeTree(fixture.path + "/seg-00006.pack")
    for unit in whole.units.prefix(2) {
      var entry = whole
      entry.units = [unit]
      try writeFile(fixture.path + "/journal/\(unit.name).json", entry.bytes)
    }
    let kept = try fixture.inode("seg-00000.pack")
    let redone = try fixture.inode("seg-00003.pack")
    var damaged = try readFile(fixture.path + "/seg-00003.pack")
    damaged[damaged.count - 1] ^= 1
    let name = fixture.path + "/seg-00003.pack"
    try writeFile(name + ".new", damaged)
    try FileSystem.move(name + ".new", to: name)
    let damagedInode = try fixture.inode("seg-00003.pack")
    #expect(damagedInode != redone)
    #expect(try fixture.ensure() == whole)
    #expect(try outputTree(fixture.path) == bytes)
    #expect(try fixture.inode("seg-00000.pack") == kept)
    #expect(try fixture.inode("seg-00003.pack") != damagedInode)
    #expect(try filesBelow(fixture.path) == Self.files)
  }

  @Test func `runs of one index at a time wait for each other`() throws {
    let fixture = try Fixture()
    let expected = try fixture.ensure()
    let bytes = try outputTree(fixture.path)
    for _ in 0..<5 {
      removeTree(fixture.path)
      let results = Mutex<[PackManifest]>([])
      let (store, key) = (fixture.store, fixture.key)
      try Threads.run(4) { _ in
        var options = RunOptions()
        options.workers = 2
        options.isQuiet = true
        if let manifest = try? PackRun.ensure(store: store, split: "train", key: key, options: options) {
          results.withLock { $0.append(manifest) }
        }
      }
      #expect(results.withLock { $0 } == [expected, expected, expected, expected])
      #expect(try outputTree(fixture.path) == bytes)
    }
  }

  @Test func `a folder that cannot be written to is an output error that says so`() throws {
    let fixture = try Fixture()
    try writeFile(fixture.path, "in the way")
    let error = #expect(throws: StorageError.self) { try fixture.ensure() }
    #expect(error?.exitCode == 4)
    #expect(error?.message.contains("kept in the folder of the store") == true, "\(error?.message ?? "")")
  }

  @Test func `damaged document records end the run and leave no manifest`() throws {
    let fixture = try Fixture()
    let path = fixture.folder("store/train/seg-00007.doc")
    var records = try readFile(path)
    records[64] ^= 0xFF
    records[70] = 1
    try writeFile(path, records)
    let error = #expect(throws: StorageError.self) { try fixture.ensure() }
    #expect(error?.exitCode == 3 && error?.message.contains("seg-00007.doc") == true)
    #expect(!exists(fixture.path + "/manifest.json"))
    #expect(throws: StorageError.self) { try fixture.ensure(PackKey(context: 0)) }
  }
}
