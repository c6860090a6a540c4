import Bytes
import Documents
import Sharding
import Storage
import TestSupport
import Testing

@testable import Pipeline

@Suite struct ExportRunTests {
  /// A store of one split in `folder/store`, of documents with known ids.
  private func store(_ folder: TemporaryFolder) throws -> TokenStore {
    var options = StoreOptions(
      tokenizer: TokenizerIdentity(
        name: "sample", sha256: String(repeating: "ab", count: 32), vocabulary: 1000, eos: 999))
    options.order = .input
    let writer = try EncodedUnitWriter(folder: folder("units"), name: "unit", options: options)
    var random = SeededRandom(seed: 4)
    for number in 0..<200 {
      var batch = DocumentBatch()
      batch.append(Document(id: "d/\(number)", text: "text", source: "web"))
      let tokens = (0..<Int.random(in: 1..<80, using: &random)).map { _ in
        UInt32.random(in: 0..<999, using: &random)
      }
      try writer.add(batch, 0, tokens: tokens.span)
    }
    _ = try writer.commit()
    let unit = StoreBuilder.Unit(
      path: folder("units/unit"), part: StorePart(name: "part.jsonl", bytes: 1, sha256: "00"))
    _ = try StoreBuilder(
      folder: folder("store"), units: [unit], options: options, memoryBytes: 1 << 20,
      temporaryFolder: folder("temp")
    ).build()
    return try TokenStore(folder("store"))
  }

  private func run(
    _ store: TokenStore, _ format: String, into folder: String, shards: Int? = 8,
    mode: RunOptions.Mode = .fresh,
    workers: Int = 1
  ) throws -> ExportReport {
    var options = ExportOptions()
    options.shards = shards
    var running = RunOptions()
    running.workers = workers
    running.mode = mode
    running.isQuiet = true
    let job = try ExportJob(store, split: "train", as: try Exporters.named(format), options)
    return try ExportRun(job, folder: folder, options: running).run()
  }

  @Test func workersDoNotChangeABit() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder)
    for format in ["mds", "olmo", "webdataset"] {
      let one = try run(store, format, into: folder("one-\(format)"))
      let three = try run(store, format, into: folder("three-\(format)"), workers: 3)
      #expect(one == three)
      #expect(try outputTree(folder("one-\(format)")) == outputTree(folder("three-\(format)")))
    }
  }

  @Test(arguments: ["mds", "jsonl"]) func aResumedExportWritesOnlyWhatIsMissing(format: String) throws {
    let folder = try TemporaryFolder()
    let store = try store(folder)
    _ = try run(store, format, into: folder("clean"))
    // A token near the end is wrong: the last shards cannot be written.
    let tokens = folder("store/train/seg-00000.tok")
    let whole = try readFile(tokens)
    var damaged = whole
    damaged[whole.count - 2] ^= 1
    removeTree(tokens)
    try writeFile(tokens, damaged)
    #expect(throws: StorageError.self) { try run(store, format, into: folder("out")) }
    let done = try filesBelow(folder("out")).filter { !$0.contains("/") }
    #expect(!done.isEmpty && !done.contains("manifest.json"))
    #expect(throws: StorageError.self) { try run(store, format, into: folder("out")) }
    #expect(throws: StorageError.self) {
      try run(store, format, into: folder("out"), shards: 7, mode: .resume)
    }
    let before = try done.map { try FileSystem.identity(of: folder("out/\($0)")).inode }
    // One of the finished shards is lost meanwhile.
    removeTree(folder("out/\(done[1])"))
    removeTree(tokens)
    try writeFile(tokens, whole)
    let report = try run(store, format, into: folder("out"), mode: .resume)
    #expect(try outputTree(folder("out")) == outputTree(folder("clean")))
    let after = try done.map { try FileSystem.identity(of: folder("out/\($0)")).inode }
    #expect(before[0] == after[0] && before[2...] == after[2...])
    // Once more: it is whole, and nothing is done.
    #expect(try run(store, format, into: folder("out"), mode: .resume) == report)
    #expect(try outputTree(folder("out")) == outputTree(folder("clean")))
  }

  @Test func linkingReadsNoToken() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder)
    // A token file of the right size and of other content: whoever reads it notices.
    let tokens = folder("store/train/seg-00000.tok")
    let size = try readFile(tokens).count
    removeTree(tokens)
    try writeFile(tokens, [UInt8](repeating: 7, count: size))
    for format in ["megatron", "datatrove", "olmo", "nanogpt"] {
      let report = try run(store, format, into: folder(format), shards: nil)
      #expect(report.files(.hardLink).count == 1)
      #expect(throws: StorageError.self) { try run(store, format, into: folder("rewritten-\(format)")) }
    }
  }
}
