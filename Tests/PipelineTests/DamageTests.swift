import Bytes
import Documents
import Glibc
import Sharding
import Storage
import TestSupport
import Testing

@testable import Pipeline

/// Damage of every kind, in every file of a store, of its derived files, of exports and of views: `verify` finds it all,
/// names the file and, of what changed, bytes among which the damage lies.
@Suite struct DamageTests {
  /// A store of two splits, pack indexes, views and two exports; made once, damaged and put back place by place.
  private struct Fixture {
    let folder: TemporaryFolder
    /// Files that must not change, and the folder or file that is verified for each.
    let subjects: [(file: String, verify: String)]

    init() throws {
      folder = try TemporaryFolder()
      var options = StoreOptions(
        tokenizer: TokenizerIdentity(
          name: "t", sha256: String(repeating: "0", count: 64), vocabulary: 40_000, eos: 39_999))
      options.segmentBytes = 400_000
      options.holdout = try Holdout(seed: 0, parsing: "valid=20%")
      let writer = try EncodedUnitWriter(folder: folder("units"), name: "unit", options: options)
      var random = SeededRandom(seed: 4)
      for number in 0..<900 {
        var batch = DocumentBatch()
        batch.append(
          Document(id: "dump/\(number)", text: "x", source: ["web", "wiki"][number % 2], url: "u"))
        let tokens = (0..<Int.random(in: 1...700, using: &random)).map { _ in
          UInt32.random(in: 0..<39_999, using: &random)
        }
        try writer.add(batch, 0, tokens: tokens.span)
      }
      _ = try writer.commit()
      let unit = StoreBuilder.Unit(
        path: folder("units/unit"), part: StorePart(name: "part.jsonl", bytes: 1, sha256: "00"))
      _ = try StoreBuilder(
        folder: folder("store"), units: [unit], options: options, memoryBytes: 1 << 22,
        temporaryFolder: folder("temp")
      ).build([.init("options", ["stage": "tokenize"])])
      removeTree(folder("units"))
      let store = try TokenStore(folder("store"))
      let key = PackKey(context: 256, policy: .bestFit, grouping: .none)
      _ = try PackRun.ensure(store: store, split: "train", key: key, options: RunOptions())
      for format in ["megatron", "mds"] {
        let job = try ExportJob(store, split: "train", as: try Exporters.named(format))
        _ = try ExportRun(job, folder: folder(format), options: RunOptions()).run()
      }
      var viewOptions = ViewOptions()
      viewOptions.gpus = 4
      viewOptions.sequenceTokens = 256
      viewOptions.packing = .concat
      let split = try StoreSplit(store, split: "train")
      try writeFile(folder("view.json"), try View(of: split, viewOptions).bytes)
      var subjects: [(file: String, verify: String)] = []
      for name in try filesBelow(folder.path) where !name.hasPrefix("temp") {
        subjects.append((name, String(name.split(separator: "/")[0])))
      }
      self.subjects = subjects
    }

    func findings(_ name: String) throws -> [Finding] {
      try VerifyRun.run(folder(name)).flatMap(\.verification.findings)
    }

    /// Writes new bytes under a name, in place: a link of the file is damaged with it.
    func write(_ name: String, _ bytes: [UInt8]) throws {
      removeTree(folder(name))
      try writeFile(folder(name), bytes)
    }
  }

  /// What is done to a file, and the bytes that changed, in the longer of both.
  private enum Damage: CaseIterable {
    case flip, cut, zero, swapBlocks, swapFiles, insert
  }

  private static func damage(
    _ kind: Damage, _ whole: [UInt8], other: [UInt8], _ random: inout SeededRandom
  ) -> [UInt8] {
    var bytes = whole
    let place = Int.random(in: 0..<bytes.count, using: &random)
    switch kind {
    case .flip: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case .cut: bytes.removeLast(bytes.count - place)
    case .zero:
      for index in place..<min(bytes.count, place + 512) { bytes[index] = 0 }
    case .swapBlocks:
      let size = min(4096, bytes.count / 2)
      let to = Int.random(in: 0...bytes.count - size, using: &random)
      let from = Int.random(in: 0...bytes.count - size, using: &random)
      let (a, b) = (Array(whole[from..<from + size]), Array(whole[to..<to + size]))
      bytes.replaceSubrange(from..<from + size, with: b)
      bytes.replaceSubrange(to..<to + size, with: a)
    case .swapFiles: bytes = other
    case .insert: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
    }
    return bytes
  }

  private static func firstDifference(_ a: [UInt8], _ b: [UInt8]) -> Int {
    a.withUnsafeBytes { a in
      b.withUnsafeBytes { b in
        var place = 0
        let both = min(a.count, b.count)
        while place < both,
          memcmp(a.baseAddress! + place, b.baseAddress! + place, min(1024, both - place)) == 0
        {
          place = min(both, place + 1024)
        }
        while place < both, a[place] == b[place] { place += 1 }
        return place
      }
    }
  }

  @Test func `five hundred random places, each found with its file and its bytes`() throws {
    let fixture = try Fixture()
    for name in ["store", "megatron", "mds", "view.json"] {
      let findings = try fixture.findings(name)
      try #require(findings.isEmpty, "\(name): \(findings)")
    }
    var random = SeededRandom(seed: 8)
    var done = 0
    while done < 500 {
      let kind = Damage.allCases[done % Damage.allCases.count]
      let subject = try #require(fixture.subjects.randomElement(using: &random))
      let whole = try readFile(fixture.folder(subject.file))
      let peer = try #require(
        fixture.subjects.filter {
          $0.file.split(separator: ".").last == subject.file.split(separator: ".").last
        }
        .randomElement(using: &random))
      let changed = Self.damage(kind, whole, other: try readFile(fixture.folder(peer.file)), &random)
      guard changed.count != whole.count || Self.firstDifference(whole, changed) < whole.count else {
        continue
      }
      done += 1
      try fixture.write(subject.file, changed)
      let findings = try fixture.findings(subject.verify)
      try fixture.write(subject.file, whole)
      let name = subject.file.split(separator: "/").dropFirst().joined(separator: "/")
      let file = name.isEmpty ? subject.file : name
      let stem = file.split(separator: ".")[0]
      // A pack index is one unit, and a folder whose manifest is another's has none of the files that it names.
      let isPack = file.contains("/pack-")
      let isForeign = kind == .swapFiles && file.hasSuffix("manifest.json")
      let mine = findings.filter {
        $0.place == file || $0.place == stem || isForeign
          || isPack && $0.place.hasPrefix(String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]))
      }
      #expect(!mine.isEmpty, "\(kind) of \(subject.file): \(findings.map(\.text))")
      let place = Self.firstDifference(whole, changed)
      // Bytes that are gone have a place where the size is recorded.
      let isSegment = file.contains("/seg-") && !isPack && !file.hasSuffix(".sums")
      guard place < changed.count || isSegment, !isForeign else { continue }
      let narrow = mine.flatMap(\.ranges).filter { $0.contains(place) }.map(\.count).min()
      let most = isSegment && kind == .flip ? 64 << 10 : Int.max
      let isPlaced = isPack ? !mine.flatMap(\.ranges).isEmpty : narrow ?? Int.max <= most && narrow != nil
      #expect(isPlaced, "\(kind) of \(subject.file) at \(place): \(mine.map(\.text))")
    }
    #expect(try fixture.findings("store").isEmpty)
  }

  @Test func `a changed token names its documents, of which the parts are to be redone`() throws {
    let fixture = try Fixture()
    let name = "store/train/seg-00000.tok"
    let whole = try readFile(fixture.folder(name))
    var bytes = whole
    bytes[150_000] ^= 1
    try fixture.write(name, bytes)
    let found = try fixture.findings("store")
    let file = try #require(found.first { $0.place == "train/seg-00000.tok" })
    #expect(file.ranges == [131_072..<196_608] && file.parts == ["part.jsonl"] && file.level == 1)
    #expect(file.message.contains("the bytes 131072 to 196607 have changed (documents "), "\(file.message)")
    let document = try #require(found.first { $0.place == "train/seg-00000" })
    #expect(
      document.ranges[0].contains(150_000) && document.message.contains("its hash is not the recorded one"))
    // Without sums the document is the place.
    removeTree(fixture.folder("store/train/seg-00000.sums"))
    let bare = try #require(try fixture.findings("store").first { $0.place == "train/seg-00000.tok" })
    #expect(bare.ranges == document.ranges)
    // The export that links the store's file says so: here it is a file of its own, and whole.
    #expect(try fixture.findings("megatron").isEmpty)
  }

  @Test func `a linked export names the segment and its blocks`() throws {
    let fixture = try Fixture()
    let name = "megatron/train-00000.bin"
    let whole = try readFile(fixture.folder(name))
    var bytes = whole
    bytes[70_000] ^= 1
    try fixture.write(name, bytes)
    let found = try fixture.findings("megatron")
    #expect(found.map(\.place) == ["train-00000.bin"] && found[0].ranges == [65_536..<131_072])
    #expect(found[0].message.contains("train/seg-00000.tok"))
  }
}
