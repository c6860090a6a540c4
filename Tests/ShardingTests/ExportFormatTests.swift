import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

/// Every format, every source of records: what is written reads back, in the right order, and damage is found.
@Suite struct ExportFormatTests {
  static let formats = Exporters.all.map(\.name)

  /// A store of several segments whose documents start with BOS, so that every format takes it.
  static func store(_ folder: TemporaryFolder, _ width: TokenWidth) throws -> TokenStore {
    let vocabulary = width == .u16 ? 1000 : 70_000
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: vocabulary, policy: .prependBOS))
    options.tokenizer.bos = vocabulary - 1
    options.segmentBytes = 8000
    try Samples.store(Samples.corpus(300, vocabulary: vocabulary), options: options, in: folder.path)
    return try TokenStore(folder("store"))
  }

  static func view(_ store: TokenStore, _ policy: PackingPolicy, context: Int, gpus: Int) throws -> View {
    var options = ViewOptions()
    options.sequenceTokens = context
    options.packing = policy
    options.gpus = gpus
    options.microBatch = 3
    options.globalBatch = 24
    options.epochs = 2
    let split = try StoreSplit(store, split: "train")
    guard let key = options.packKey else { return try View(of: split, packs: [], options) }
    let segments = try store.manifest.split("train")
    let units = try PackIndex.plan(segments).map {
      try PackIndex.buildUnit(store, split: segments, key, segments: $0)
    }
    let pack = try PackIndex.finish(store, split: segments, key, units: units)
    return try View(of: split, packs: [pack], options)
  }

  static func options(_ exporter: any Exporter) -> ExportOptions {
    var options = ExportOptions()
    if exporter.cutsWindows { options.window = 64 }
    return options
  }

  static func isRefused(_ format: String, _ width: TokenWidth) -> Bool {
    width == .u32 && (format == "nanogpt" || format == "modded-nanogpt")
  }

  /// Ids and tokens of all shards, through the format's own re-reader; boundaries only if it has them.
  static func read(_ job: ExportJob, _ folder: String) throws -> [(id: String, tokens: [UInt8])] {
    var records: [(id: String, tokens: [UInt8])] = []
    for shard in job.plan.shards.indices {
      try job.exporter.readBack(job.plan, shard: shard, folder: folder) { (id, tokens) in
        records.append((id.map(\.string) ?? "", Array(tokens)))
      }
    }
    return records
  }

  /// What a job's source gives.
  static func expected(_ job: ExportJob) throws -> [(id: String, tokens: [UInt8])] {
    var records: [(id: String, tokens: [UInt8])] = []
    for shard in job.plan.shards.indices {
      try job.source.forEachRecord(of: job.plan, shard: shard, withIDs: true) { (record, _) in
        records.append((record.id.string, Array(record.tokens)))
      }
    }
    return records
  }

  static func check(_ job: ExportJob, _ folder: String) throws -> ExportReport {
    let report = try job.run(folder: folder)
    let found = try read(job, folder)
    let wanted = try expected(job)
    #expect(found.flatMap(\.tokens) == wanted.flatMap(\.tokens))
    if job.exporter.hasBoundaries { #expect(found.map(\.tokens) == wanted.map(\.tokens)) }
    if job.exporter.carriesIDs { #expect(found.map(\.id) == wanted.map(\.id)) }
    #expect(report.documents == wanted.count)
    #expect(try ExportVerification.run(folder).isGood)
    return report
  }

  @Test(arguments: formats, [TokenWidth.u16, .u32])
  func storesReadBackInShardsOfEqualNumberOrOfBoundedSize(format: String, width: TokenWidth) throws {
    let folder = try TemporaryFolder()
    let store = try Self.store(folder, width)
    let exporter = try Exporters.named(format)
    guard !Self.isRefused(format, width) else {
      #expect(throws: StorageError.self) { try ExportJob(store, split: "train", as: exporter) }
      return
    }
    var options = Self.options(exporter)
    for shards in [1, 3, 7] {
      options.shards = shards
      let job = try ExportJob(store, split: "train", as: exporter, options)
      #expect(!job.isLinked && job.plan.shards.count == shards)
      let sizes = job.plan.shards.map(\.records)
      #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= (exporter.cutsWindows ? 2 : 1))
      _ = try Self.check(job, folder("out-\(shards)"))
    }
    options.shards = nil
    options.shardBytes = 3000
    let job = try ExportJob(store, split: "train", as: exporter, options)
    #expect(job.plan.shards.count > 3)
    let bytes = job.plan.shards.dropLast().map { $0.tokens * width.bytes }
    #expect(bytes.allSatisfy { $0 <= 3000 && $0 > 1000 })
    _ = try Self.check(job, folder("out-bytes"))
  }

  @Test(arguments: formats, [PackingPolicy.concat, .bestFit])
  func viewsReadBackInConsumptionOrder(format: String, policy: PackingPolicy) throws {
    let folder = try TemporaryFolder()
    let store = try Self.store(folder, .u16)
    let exporter = try Exporters.named(format)
    let view = try Self.view(store, policy, context: 64, gpus: 4)
    let split = try StoreSplit(store, split: "train")
    let reader = try SequenceReader(view, split)
    var options = ExportOptions()
    for (epoch, isPerRank) in [(0, false), (1, false), (0, true), (1, true)] {
      options.epoch = epoch
      options.isPerRank = isPerRank
      options.shards = isPerRank ? nil : 4
      let job = try ExportJob(view, split, as: exporter, options)
      let report = try Self.check(job, folder("out-\(epoch)-\(isPerRank)"))
      #expect(report.epoch == epoch && report.view == view.orderHash)
      // The plan's order, told position by position.
      let positions = epoch * view.order.sequences..<(epoch + 1) * view.order.sequences
      var wanted: [String] = []
      for rank in isPerRank ? Array(0..<4) : [-1] {
        for position in positions
        where rank < 0 || reader.plan.replica(reading: position, epochs: view.epochs) == rank {
          wanted.append("sequence-\(reader.plan.sequence(at: position).sequence)")
        }
      }
      #expect(try Self.expected(job).map(\.id) == wanted)
    }
  }

  @Test(arguments: formats, [TokenWidth.u16, .u32])
  func damageIsFoundByVerifyAndByTheReader(format: String, width: TokenWidth) throws {
    guard !Self.isRefused(format, width) else { return }
    let folder = try TemporaryFolder()
    let store = try Self.store(folder, width)
    let exporter = try Exporters.named(format)
    var options = Self.options(exporter)
    options.shards = 2
    let job = try ExportJob(store, split: "train", as: exporter, options)
    let report = try job.run(folder: folder("out"))
    let wanted = try Self.expected(job)
    for file in report.files {
      let path = folder("out/\(file.name)")
      let whole = try readFile(path)
      var flipped = whole
      flipped[whole.count / 2] ^= 1
      for (bytes, level) in [(flipped, 2), (Array(whole.dropLast(3)), 0)] {
        try writeFile(path, bytes)
        let findings = try ExportVerification.run(folder("out")).findings
        #expect(findings.map(\.place) == [file.name] && findings.map(\.level) == [level])
        // The re-reader refuses it, or gives something else; an index of all shards is not read again.
        if file.name.hasSuffix(".json") || file.name.hasSuffix(".metadata") { continue }
        let found = (try? Self.read(job, folder("out"))) ?? []
        let isEqual =
          (!exporter.carriesIDs || found.map(\.id) == wanted.map(\.id))
          && (exporter.hasBoundaries
            ? found.map(\.tokens) == wanted.map(\.tokens)
            : found.flatMap(\.tokens) == wanted.flatMap(\.tokens))
        #expect(!isEqual, "\(file.name) level \(level)")
      }
      removeTree(path)
      #expect(try ExportVerification.run(folder("out")).findings.map(\.place) == [file.name])
      if !file.name.hasSuffix(".json") {
        #expect(throws: (any Error).self) { try Self.read(job, folder("out")) }
      }
      try writeFile(path, whole)
    }
  }

  @Test(arguments: formats) func reReadersNeverCrashOnMutatedFiles(format: String) throws {
    let folder = try TemporaryFolder()
    let store = try Self.store(folder, .u16)
    let exporter = try Exporters.named(format)
    var options = Self.options(exporter)
    options.shards = 12
    for isCompressed in format == "mds" ? [false, true] : [false] {
      options.isCompressed = isCompressed
      let job = try ExportJob(store, split: "train", as: exporter, options)
      let out = folder("out-\(isCompressed)")
      _ = try job.run(folder: out)
      let files = try filesBelow(out).filter { $0.contains("0001.") || $0.contains("-1.") }
      #expect(!files.isEmpty)
      var random = SeededRandom(seed: 11)
      for file in files {
        let whole = try readFile(out + "/" + file)
        for _ in 0..<150 {
          try writeFile(out + "/" + file, random.mutation(of: whole))
          var count = 0
          _ = try? job.exporter.readBack(job.plan, shard: 1, folder: out) { (_, tokens) in
            count += tokens.count
          }
        }
        try writeFile(out + "/" + file, whole)
      }
    }
  }
}
