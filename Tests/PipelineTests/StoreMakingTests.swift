import Bytes
import Documents
import Sharding
import Storage
import TestSupport
import Testing

@testable import Pipeline

/// Stores made out of stores, as runs: what is refused, and what a second try finds.
@Suite struct StoreMakingTests {
  private struct Fixture {
    let folder: TemporaryFolder

    init() throws {
      folder = try TemporaryFolder()
      for name in ["a", "b"] { try store(name) }
    }

    private func store(_ name: String) throws {
      var options = StoreOptions(
        tokenizer: TokenizerIdentity(
          name: "t", sha256: String(repeating: "0", count: 64), vocabulary: 500, eos: 499))
      options.segmentBytes = 2000
      options.holdout = try Holdout(seed: 0, parsing: "valid=30%")
      let writer = try EncodedUnitWriter(folder: folder("units"), name: name, options: options)
      for number in 0..<200 {
        var batch = DocumentBatch()
        batch.append(Document(id: "\(name)/\(number)", text: "x", source: name, url: ""))
        let tokens = (0..<10 + number % 7).map { UInt32($0 * number % 499) }
        try writer.add(batch, 0, tokens: tokens.span)
      }
      _ = try writer.commit()
      let unit = StoreBuilder.Unit(
        path: folder("units/\(name)"), part: StorePart(name: "\(name).jsonl", bytes: 1, sha256: "00"))
      _ = try StoreBuilder(
        folder: folder(name), units: [unit], options: options, memoryBytes: 1 << 20,
        temporaryFolder: folder("temp")
      ).build()
    }

    func merge(_ output: String, mode: RunOptions.Mode = .fresh, order: String = "shuffled") throws
      -> StoreMergeRun.Outcome
    {
      var options = RunOptions()
      options.mode = mode
      return try StoreMergeRun.run(
        [folder("a"), folder("b")], order: order, seed: 1, segmentBytes: 2000, output: folder(output),
        options: options)
    }

    func take(_ ids: String, _ output: String, mode: RunOptions.Mode = .fresh) throws -> StoreTakedown.Outcome
    {
      try writeFile(folder("ids.txt"), Array(ids.utf8))
      var options = RunOptions()
      options.mode = mode
      options.workers = 3
      return try StoreTakedown.run(
        store: folder("a"), without: folder("ids.txt"), output: folder(output), options: options)
    }

    func bytes(_ store: String) throws -> [String: [UInt8]] {
      var out: [String: [UInt8]] = [:]
      for name in try filesBelow(folder(store)) where name != "run.json" {
        out[name] = try readFile(folder(store) + "/" + name)
      }
      return out
    }

    func damage(_ file: String) throws {
      var bytes = try readFile(folder(file))
      bytes[bytes.count / 2] ^= 4
      removeTree(folder(file))
      try writeFile(folder(file), bytes)
    }
  }

  @Test func `a merge that failed goes on with the split that is missing`() throws {
    let fixture = try Fixture()
    let whole = try fixture.merge("whole")
    #expect(whole.documents == 400 && whole.stores == 2)
    try fixture.damage("b/valid/seg-00000.tok")
    #expect(throws: StorageError.self) { try fixture.merge("again") }
    #expect(!TokenStore.isStore(fixture.folder("again")))
    let first = try FileSystem.identity(of: fixture.folder("again/train/seg-00000.tok")).inode
    try fixture.damage("b/valid/seg-00000.tok")
    let resumed = try fixture.merge("again", mode: .resume)
    #expect(resumed.fingerprint == whole.fingerprint)
    #expect(try FileSystem.identity(of: fixture.folder("again/train/seg-00000.tok")).inode == first)
    #expect(try fixture.bytes("again") == fixture.bytes("whole"))
    // Whole: nothing more to do. With another order: refused.
    #expect(try fixture.merge("again", mode: .resume).fingerprint == whole.fingerprint)
    #expect(throws: StorageError.self) { try fixture.merge("again", mode: .resume, order: "input") }
    #expect(throws: StorageError.self) { try fixture.merge("again") }
    #expect(try fixture.merge("again", mode: .restart, order: "input").links.segmentsWritten == 0)
  }

  @Test func `a store is not merged into itself`() throws {
    let fixture = try Fixture()
    let before = try fixture.bytes("a")
    for mode in [RunOptions.Mode.fresh, .resume, .restart] {
      #expect(throws: StorageError.self) { try fixture.merge("a", mode: mode) }
      #expect(throws: StorageError.self) { try fixture.take("a/1", "a", mode: mode) }
    }
    #expect(try fixture.bytes("a") == before)
  }

  @Test func `a takedown tells what it did and not whom it concerned`() throws {
    let fixture = try Fixture()
    let outcome = try fixture.take("a/7\na/8\nb/1\nnobody\n# a/9\n", "new")
    #expect(outcome.removed.documents == 2 && outcome.idsGiven == 4 && outcome.idsUnknown == 2)
    #expect(Set(outcome.unknown) == ["b/1", "nobody"])
    #expect(outcome.text.contains("2 of 4 ids are not in the store") && outcome.text.contains("  nobody\n"))
    for (name, bytes) in try fixture.bytes("new") where name.hasSuffix(".json") {
      #expect(!bytes.string.contains("a/7") && !bytes.string.contains("ids"), "\(name)")
    }
    let verified = try StoreVerification.run(try TokenStore(fixture.folder("new")), level: 2)
    #expect(verified.isGood)
    // The same again, and with other ids.
    #expect(try fixture.take("a/7\na/8\n", "new", mode: .resume).fingerprint == outcome.fingerprint)
    #expect(throws: StorageError.self) { try fixture.take("a/9\n", "new", mode: .resume) }
    #expect(try fixture.take("a/9\n", "new", mode: .restart).removed.documents == 1)
  }

  @Test func `a takedown that failed goes on, with the same ids only`() throws {
    let fixture = try Fixture()
    // One document of each split, so that both have a segment that is written.
    let ids = (0..<200).map { "a/\($0)" }.joined(separator: "\n")
    let some = (0..<20).map { "a/\($0)" }.joined(separator: "\n")
    let whole = try fixture.take(some, "whole")
    for segment in try filesBelow(fixture.folder("a/valid")).filter({ $0.hasSuffix(".tok") }) {
      try fixture.damage("a/valid/\(segment)")
    }
    #expect(throws: StorageError.self) { try fixture.take(some, "again") }
    for segment in try filesBelow(fixture.folder("a/valid")).filter({ $0.hasSuffix(".tok") }) {
      try fixture.damage("a/valid/\(segment)")
    }
    #expect(throws: StorageError.self) { try fixture.take(ids, "again", mode: .resume) }
    let resumed = try fixture.take(some, "again", mode: .resume)
    #expect(resumed.fingerprint == whole.fingerprint && resumed.removed == whole.removed)
    #expect(resumed.links == whole.links)
    #expect(try fixture.bytes("again") == fixture.bytes("whole"))
  }
}
