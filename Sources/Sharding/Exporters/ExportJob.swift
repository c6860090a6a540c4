import Bytes
import Storage

/// An export that is planned and checked: units that can be done in any order, by any thread, and an end.
///
/// A unit is a segment to link, or a shard to write; each is read back as soon as it is written.
public struct ExportJob: Sendable {
  public let plan: ExportPlan
  let exporter: any Exporter
  let source: any ExportSource
  /// Not nil: segments are linked, and the plan says nothing of shards.
  let linked: (exporter: any LinkingExporter, store: TokenStore, split: StoreManifest.Split)?

  /// What a unit left behind.
  public struct Outcome: Sendable {
    public var files: [ExportReport.File]
    public var note: JSONValue
    public init(files: [ExportReport.File], note: JSONValue) {
      self.files = files
      self.note = note
    }
  }

  /// Plans the export of a split in the store's order.
  ///
  /// - Throws: `.usage` for what the format cannot hold, and for an empty split.
  public init(
    _ store: TokenStore, split name: String, as exporter: any Exporter, _ options: ExportOptions = .init()
  ) throws(StorageError) {
    let split = try store.manifest.split(name)
    guard split.documents > 0 else {
      let others = store.manifest.splits.filter { $0.documents > 0 }.map(\.name)
      throw .usage(
        "The split “\(name)” holds no document: nothing to export."
          + (others.isEmpty ? "" : " With documents: \(others.joined(separator: ", ")).")
      )
    }
    self.exporter = exporter
    if let linking = exporter as? any LinkingExporter, options.shards == nil, options.shardBytes == nil,
      linking.reasonToRewrite(split, of: store) == nil
    {
      try linking.checkLinks(split, of: store)
      var plan = ExportPlan(exporter, .documents, name, store.manifest, options)
      var first = 0
      for segment in split.segments {
        plan.shards.append(
          .init(firstRecord: first, records: segment.documents, tokens: segment.tokens))
        first += segment.documents
      }
      self.plan = plan
      linked = (linking, store, split)
      source = DocumentSource(opened: store, split: split)
      return
    }
    linked = nil
    if exporter.cutsWindows {
      plan = try .windows(of: store, split, as: exporter, options)
      source = WindowSource(opened: store, split: split, windowTokens: plan.tokensPerRecord ?? 1)
    } else {
      plan = try .documents(of: store, split, as: exporter, options)
      source = DocumentSource(opened: store, split: split)
    }
    try exporter.check(plan)
  }

  /// Plans the export of one epoch of a view, in the order in which it is read.
  ///
  /// - Parameter stores: the view's, as `StoreSplit.find` gives them.
  /// - Throws: `.usage` for what the format cannot hold, for an epoch that there is not, and for other stores.
  public init(
    _ view: View, _ stores: StoreSplit, as exporter: any Exporter, _ options: ExportOptions = .init()
  ) throws(StorageError) {
    self.exporter = exporter
    // A missing or foreign pack index is told now.
    _ = try SequenceReader(view, stores)
    let planned = try ExportPlan.sequences(of: view, stores, as: exporter, options)
    plan = planned.plan
    linked = nil
    source = SequenceSource(
      source: view, stores: stores, isPerRank: options.isPerRank, positions: planned.positions)
    try exporter.check(plan)
  }

  public var isLinked: Bool { linked != nil }
  public var unitCount: Int { plan.shards.count }

  /// All that decides the bytes: a run that is resumed must have the same.
  public var identity: JSONValue {
    [
      "stage": "export", "export": .string(exporter.name), "store": .string(source.store),
      "view": source.view.map { .string($0) } ?? .null, "split": .string(plan.split),
      "records": .string(plan.records.rawValue), "shards": .int(plan.shards.count),
      "shard_bytes": .optional(plan.options.shardBytes), "window": .optional(plan.options.window),
      "row_groups": .optional(plan.options.rowGroups),
      "compressed": .bool(plan.options.isCompressed), "epoch": .int(plan.options.epoch),
      "per_rank": .bool(plan.options.isPerRank), "linked": .bool(isLinked),
    ]
  }

  /// Does one unit and reads it back.
  ///
  /// - Parameter tick: called now and then with the token bytes handled since; what it throws ends the work.
  /// - Throws: `.output` if what was written does not read back equal; `.input` for a damaged store.
  public func run(
    unit: Int, folder path: String, tick: (_ bytes: Int) throws(StorageError) -> Void = { _ in }
  ) throws(StorageError) -> Outcome {
    let folder = try ExportFolder(path)
    if let linked {
      let segment = try linked.store.open(linked.split, segment: unit)
      try linked.exporter.link(segment, number: unit, of: linked.split, in: linked.store, into: folder)
      try linked.exporter.compareLinks(
        segment, number: unit, of: linked.split, in: linked.store, folder: folder)
      try tick(Int(segment.segment.tok.bytes))
      return Outcome(files: folder.files, note: .null)
    }
    var written = ExportLedger(plan.width, hasBoundaries: exporter.hasBoundaries)
    let writer = try exporter.makeWriter(plan, shard: unit, folder: folder)
    try writer.begin(
      ShardLengths { (body) throws(StorageError) in
        try source.forEachLength(of: plan, shard: unit, body)
      })
    var since = 0
    let withIDs = exporter.carriesIDs
    try source.forEachRecord(of: plan, shard: unit, withIDs: withIDs) {
      (record, hash) throws(StorageError) in
      written.add(id: withIDs ? exporter.storedID(record.id) : nil, record.tokens, contents: hash)
      try writer.add(record)
      since += record.tokens.count
      if since >= 1 << 20 {
        try tick(since)
        since = 0
      }
    }
    written.finish()
    guard written.records == plan.shards[unit].records, written.tokens == plan.shards[unit].tokens else {
      throw .bug("shard \(unit) got \(written.records) records of \(plan.shards[unit].records)")
    }
    let note = try writer.finish()
    try tick(since)
    var read = ExportLedger(plan.width, hasBoundaries: exporter.hasBoundaries)
    try exporter.readBack(plan, shard: unit, folder: path) { (id, tokens) throws(StorageError) in
      read.add(id: withIDs ? id : nil, tokens)
      since += 1
      if since & 0xFF == 0 { try tick(0) }
    }
    read.finish()
    if let difference = written.difference(read) {
      throw .output(path: Path.join(path, plan.stem(unit)), reason: difference)
    }
    return Outcome(files: folder.files, note: note)
  }

  /// Writes what needs all shards and, last, the manifest.
  public func finish(_ outcomes: [Outcome], folder path: String) throws(StorageError) -> ExportReport {
    let folder = try ExportFolder(path)
    if !isLinked { try exporter.finish(plan, notes: outcomes.map(\.note), folder: folder) }
    let report = ExportReport(
      plan, store: source.store, view: source.view, files: outcomes.flatMap(\.files) + folder.files)
    _ = try OutputFile.write(report.manifestBytes, folder: path, name: StoreManifest.fileName)
    return report
  }

  /// Does everything in this thread.
  public func run(folder: String) throws(StorageError) -> ExportReport {
    var outcomes: [Outcome] = []
    for unit in 0..<unitCount { outcomes.append(try run(unit: unit, folder: folder)) }
    return try finish(outcomes, folder: folder)
  }
}

extension ExportReport.File {
  /// Reads what `json` wrote; nil if it is none.
  public init?(json: JSONValue) {
    guard let name = json["name"]?.string, let bytes = json["bytes"]?.int,
      let sha256 = json["sha256"]?.string,
      let method = json["method"]?.string.flatMap({ ExportMethod(rawValue: $0) })
    else { return nil }
    self.init(name: name, bytes: Int64(bytes), sha256: sha256, method: method)
  }
}

/// Exports one split of a store and reads it back.
public enum StoreExport {
  /// - Throws: as `ExportJob`.
  public static func run(
    _ store: TokenStore, split: String, as exporter: any Exporter, into path: String,
    _ options: ExportOptions = .init()
  ) throws(StorageError) -> ExportReport {
    try ExportJob(store, split: split, as: exporter, options).run(folder: path)
  }
}
