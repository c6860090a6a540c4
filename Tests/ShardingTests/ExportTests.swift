import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct ExportTests {
  private func store(_ folder: TemporaryFolder, vocabulary: Int = 1000, segmentBytes: Int = 8000) throws
    -> TokenStore
  {
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: vocabulary))
    options.segmentBytes = segmentBytes
    options.holdout = try Holdout(seed: 0, parsing: "valid=10%")
    try Samples.store(Samples.corpus(300, vocabulary: vocabulary), options: options, in: folder.path)
    return try TokenStore(folder("store"))
  }

  @Test func theRegistryIsSortedAndComplete() throws {
    let names = Exporters.all.map(\.name)
    #expect(names == names.sorted() && Set(names).count == names.count)
    #expect(try Exporters.named("megatron").name == "megatron")
    #expect(throws: StorageError.self) { try Exporters.named("tfrecord") }
  }

  @Test func megatronFilesAreAsItsReaderWantsThem() throws {
    let folder = try TemporaryFolder()
    let corpus = [
      Samples.Encoded(id: "a", source: "web", language: nil, tokens: [5, 6]),
      Samples.Encoded(id: "b", source: "web", language: nil, tokens: [7]),
    ]
    for (vocabulary, code, width) in [(300, UInt8(8), 2), (70_000, UInt8(4), 4)] {
      var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: vocabulary))
      options.order = .input
      try Samples.store(corpus, options: options, in: folder.path, name: "s\(width)")
      let store = try TokenStore(folder("s\(width)"))
      let report = try StoreExport.run(
        store, split: "train", as: MegatronExporter(), into: folder("out\(width)"))
      var expected = Array("MMIDIDX\0\0".utf8)
      expected.append(littleEndian: UInt64(1))
      expected.append(code)
      expected.append(littleEndian: UInt64(2))
      expected.append(littleEndian: UInt64(3))
      for length in [3, 2] { expected.append(littleEndian: Int32(length)) }
      for offset in [0, 3 * width] { expected.append(littleEndian: Int64(offset)) }
      for index in 0...2 { expected.append(littleEndian: Int64(index)) }
      #expect(try readFile(folder("out\(width)/train-00000.idx")) == expected)
      #expect(expected.count == 34 + 20 * 2 + 8)
      #expect(report.files.map(\.name) == ["train-00000.bin", "train-00000.idx"])
      #expect(report.files(.hardLink).count == 1)
      let mine = try FileSystem.identity(of: folder("out\(width)/train-00000.bin"))
      let theirs = try FileSystem.identity(of: folder("s\(width)/train/seg-00000.tok"))
      #expect(mine.inode == theirs.inode && mine.linkCount > 1)
    }
  }

  @Test func datatroveFilesAreAsItsReaderWantsThem() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder)
    let split = try store.manifest.split("train")
    #expect(split.segments.count > 2)
    let report = try StoreExport.run(store, split: "train", as: DatatroveExporter(), into: folder("out"))
    #expect(
      report.files.count == 3 * split.segments.count && report.files(.hardLink).count == split.segments.count)
    for (number, segment) in split.segments.enumerated() {
      let stem = "out/train-0000\(number).ds"
      let reader = try store.open(split, segment: number)
      var ends: [UInt8] = []
      try reader.forEachDocument { (_, _, document) throws(StorageError) in
        ends.append(littleEndian: UInt64(document.end))
      }
      #expect(try readFile(folder(stem + ".index")) == ends)
      let lines = try readText(folder(stem + ".metadata")).split(separator: "\n")
      #expect(lines.prefix(2) == ["sample|2", "\(segment.tokens)"] && lines.count == 3)
    }
  }

  @Test func idsAreWrittenAsTheStandardLibraryWritesThemAndReadBack() {
    var random = SeededRandom(seed: 6)
    var ids: [UInt32] = [0, 9, 10, 99, 100, 999_999_999, 1_000_000_000, UInt32(Int32.max)]
    for _ in 0..<500 {
      ids.append(
        UInt32.random(in: 0...UInt32(Int32.max), using: &random) >> UInt32.random(in: 0..<32, using: &random))
    }
    var stored: [UInt8] = []
    for id in ids { stored.append(littleEndian: id) }
    var line: [UInt8] = []
    stored.withUnsafeBytes { JSONLExporter.append($0, as: UInt32.self, to: &line) }
    #expect(line.string == ids.map(String.init).joined(separator: ","))
    let whole = Array("{\"id\":\"a\\\"\\\\\",\"tokens\":[".utf8) + line + Array("]}".utf8)
    var read: [UInt8] = []
    #expect(JSONLExporter.parse(whole.span, .u32, 1 << 31, into: &read) == Array("a\"\\".utf8))
    #expect(read == stored)
    line = []
    JSONLExporter.append(UnsafeRawBufferPointer(start: nil, count: 0), as: UInt32.self, to: &line)
    #expect(line.isEmpty)
  }

  @Test func roundedNumbersAreForPeople() {
    #expect(DatatroveExporter.rounded(999) == "999")
    #expect(DatatroveExporter.rounded(1234) == "1.2K")
    #expect(DatatroveExporter.rounded(5_678_901) == "5.6M")
    #expect(DatatroveExporter.rounded(3_000_000_000_000) == "3.0T")
  }

  @Test func jsonLinesHoldEveryDocumentInStoreOrder() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder, vocabulary: 70_000)
    _ = try StoreExport.run(store, split: "valid", as: JSONLExporter(), into: folder("out"))
    let split = try store.manifest.split("valid")
    var lines = try readText(folder("out/valid.jsonl")).split(separator: "\n")[...]
    for number in split.segments.indices {
      let reader = try store.open(split, segment: number)
      for document in 0..<reader.segment.documents {
        let line = lines.popFirst() ?? ""
        let json = try JSONValue.parse(Array(line.utf8))
        let origin = try reader.origin(ofDocument: document)
        #expect(json["id"]?.string == origin.id)
        let ids = try reader.tokens(try reader.range(ofDocument: document)).map { JSONValue.int(Int($0)) }
        #expect(json["tokens"]?.array == ids)
      }
    }
    #expect(lines.isEmpty)
  }

  @Test func exportsNeverContainHeldOutDocuments() throws {
    let folder = try TemporaryFolder()
    let store = try store(folder)
    func ids(_ split: String) throws -> Set<String> {
      _ = try StoreExport.run(store, split: split, as: JSONLExporter(), into: folder("out-\(split)"))
      return Set(
        try readText(folder("out-\(split)/\(split).jsonl")).split(separator: "\n").compactMap {
          try JSONValue.parse(Array($0.utf8))["id"]?.string
        })
    }
    let train = try ids("train")
    let valid = try ids("valid")
    #expect(!train.isEmpty && !valid.isEmpty && train.isDisjoint(with: valid))
    #expect(valid.allSatisfy { store.manifest.holdout.split(ofID: Array($0.utf8).span) == 1 })
    let segments = try store.manifest.split("train").segments
    let report = try StoreExport.run(store, split: "train", as: MegatronExporter(), into: folder("out"))
    #expect(report.files(.hardLink).map(\.sha256) == segments.map(\.tok.sha256))
  }

  @Test func whatAFormatCannotHoldIsRefused() throws {
    let folder = try TemporaryFolder()
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 300))
    options.tokenizer.name = "a|b"
    try Samples.store(Samples.corpus(10, vocabulary: 300), options: options, in: folder.path)
    let store = try TokenStore(folder("store"))
    #expect(throws: StorageError.self) {
      try StoreExport.run(store, split: "train", as: DatatroveExporter(), into: folder("out"))
    }
    #expect(!exists(folder("out")))
    #expect(throws: StorageError.self) {
      try StoreExport.run(store, split: "test", as: JSONLExporter(), into: folder("out"))
    }
  }

  @Test(arguments: ["megatron", "datatrove", "jsonl"]) func verifyFindsWhatWasDamaged(format: String) throws {
    let folder = try TemporaryFolder()
    let store = try store(folder)
    let report = try StoreExport.run(
      store, split: "train", as: try Exporters.named(format), into: folder("out"))
    #expect(ExportVerification.isExport(folder("out")))
    #expect(try ExportVerification.run(folder("out")).isGood)
    for file in report.files {
      let path = folder("out/\(file.name)")
      let whole = try readFile(path)
      var flipped = whole
      flipped[whole.count / 2] ^= 1
      for (bytes, level) in [(flipped, 2), (Array(whole.dropLast()), 0)] {
        removeTree(path)
        try writeFile(path, bytes)
        let findings = try ExportVerification.run(folder("out")).findings
        #expect(findings.map(\.place) == [file.name] && findings.map(\.level) == [level])
      }
      removeTree(path)
      #expect(try ExportVerification.run(folder("out")).findings.map(\.place) == [file.name])
      try writeFile(path, whole)
    }
    #expect(try ExportVerification.run(folder("out")).isGood)
  }
}
