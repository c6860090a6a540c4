import Bytes
import Storage

/// Builds a token store out of encoded units: shuffles the documents of each split and writes its segments.
///
/// One split is one unit of work: `buildSplit` can be done again from the start at any time, and its result (a small
/// JSON) is all that `finish` needs. The bytes depend on the units and the options alone, not on the memory given.
public final class StoreBuilder {
  /// An encoded unit and the input part that it was made of. Units of one part follow one another.
  public struct Unit: Sendable {
    public var path: String
    public var part: StorePart
    public init(path: String, part: StorePart) {
      self.path = path
      self.part = part
    }
  }

  /// A finished store, in sum.
  public struct Summary: Equatable, Sendable {
    public var manifest: StoreManifest
    public var fingerprint: String
    public var documentsIn: Int
    public var documentsEmpty: Int
  }

  private struct Input {
    var path: String
    var summary: EncodedUnitSummary
    /// `origin` of the unit's first document.
    var firstOrigin: UInt64
    /// Numbers of the unit's sources and languages in the store's lists.
    var sources: [UInt32]
    var languages: [UInt16]
  }

  public let folder: String
  public let options: StoreOptions
  public private(set) var sources: [String] = []
  public private(set) var languages: [String] = []
  private var inputs: [Input] = []
  private var parts: [StorePart] = []
  private let memoryBytes: Int
  private let temporaryFolder: String

  /// Reads the footers of the units.
  ///
  /// - Parameters:
  ///   - folder: of the store; made if needed.
  ///   - memoryBytes: bound of the shuffle's memory.
  ///   - temporaryFolder: where it spills; needs the store's size once more.
  /// - Throws: `.input` for a unit that is cut or was made with other options; `.usage` for options no store can have.
  public init(
    folder: String, units: [Unit], options: StoreOptions, memoryBytes: Int, temporaryFolder: String
  ) throws(StorageError) {
    try options.validate()
    self.folder = folder
    self.options = options
    self.memoryBytes = memoryBytes
    self.temporaryFolder = temporaryFolder
    var summaries: [EncodedUnitSummary] = []
    for unit in units {
      let summary = try EncodedUnitReader(unit.path).summary
      guard summary.width == options.width, summary.vocabulary == options.tokenizer.vocabulary,
        summary.tokenizer == options.tokenizer.sha256, summary.holdout == options.holdout
      else {
        throw .input(
          path: unit.path, reason: "encoded with another tokenizer or other splits; tokenize its input again")
      }
      summaries.append(summary)
    }
    sources = Self.sortedUnion(summaries.map(\.sources))
    let known = summaries.map { $0.languages.filter { $0 != DocumentOrigin.unknownLanguage } }
    languages = [DocumentOrigin.unknownLanguage] + Self.sortedUnion(known)
    guard sources.count <= StoreOptions.sourcesMax else {
      throw .usage(
        "More than \(StoreOptions.sourcesMax) names of sources; a source names a corpus. Set one with --source."
      )
    }
    guard languages.count <= StoreOptions.languagesMax else {
      throw .usage("More than \(StoreOptions.languagesMax) names of languages.")
    }
    try number(units, summaries)
  }

  /// Names of the splits, by number.
  public var splitNames: [String] { options.holdout.names }

  /// Documents that came in, those without a token among them.
  public var documentsIn: Int { inputs.reduce(0) { $0 + $1.summary.documents } }
  public var documentsEmpty: Int { inputs.reduce(0) { $0 + $1.summary.empty } }

  /// Stored documents of a split.
  public func documents(inSplit split: Int) -> Int {
    inputs.reduce(0) { $0 + $1.summary.splits[split].documents }
  }

  /// Writes the segments of one split; those of an earlier try are removed first.
  ///
  /// - Parameter tick: called now and then; what it throws ends the work.
  public func buildSplit(
    _ split: Int, tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> StoreManifest.Split {
    let name = splitNames[split]
    try FileSystem.removeTree(Path.join(folder, name))
    let writer = SegmentWriter(folder: folder, split: name, options: options, sources: sources.count)
    switch options.order {
    case .input:
      try forEachDocument(inSplit: split, tick) { (record, body) throws(StorageError) in
        try writer.add(
          record.stored, originLine: UnsafeRawBufferPointer(rebasing: body[..<Int(record.originBytes)]),
          tokens: UnsafeRawBufferPointer(rebasing: body[Int(record.originBytes)...]))
      }
    case .shuffled(let seed): try shuffle(split, seed: seed, into: writer, tick)
    }
    try writer.finish()
    return StoreManifest.Split(name: name, segments: writer.segments)
  }

  /// Writes `build.json` and, last, `manifest.json`.
  ///
  /// - Parameters:
  ///   - splits: what `buildSplit` gave, by number.
  ///   - build: members for `build.json` (inputs, options, version): no time, no path of a machine.
  public func finish(
    _ splits: [StoreManifest.Split], build: [JSONValue.Member] = []
  ) throws(StorageError) -> Summary {
    for (number, split) in splits.enumerated() where split.documents != documents(inSplit: number) {
      throw .bug("the split \(split.name) has \(split.documents) documents of \(documents(inSplit: number))")
    }
    let manifest = StoreManifest(
      tokenizer: options.tokenizer, width: options.width, order: options.order, sources: sources,
      languages: languages,
      parts: parts, holdout: options.holdout, splits: splits)
    let fingerprint = try manifest.publish(
      in: folder,
      build: [
        .init("documents_in", .int(documentsIn)), .init("documents_empty", .int(documentsEmpty)),
        .init("segment_bytes", .int(options.segmentBytes)),
      ] + build)
    return Summary(
      manifest: manifest, fingerprint: fingerprint, documentsIn: documentsIn, documentsEmpty: documentsEmpty)
  }

  /// All splits and the manifest in one go.
  public func build(
    _ lineage: [JSONValue.Member] = [], tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> Summary {
    var splits: [StoreManifest.Split] = []
    for split in splitNames.indices { splits.append(try buildSplit(split, tick: tick)) }
    return try finish(splits, build: lineage)
  }

  /// Numbers parts, documents, sources and languages through all units.
  private func number(_ units: [Unit], _ summaries: [EncodedUnitSummary]) throws(StorageError) {
    var sourceNumbers: [String: UInt32] = [:]
    for (number, name) in sources.enumerated() { sourceNumbers[name] = UInt32(number) }
    var languageNumbers: [String: UInt16] = [:]
    for (number, name) in languages.enumerated() { languageNumbers[name] = UInt16(number) }
    var firstDocument = 0
    for (unit, summary) in zip(units, summaries) {
      if parts.last?.name != unit.part.name {
        parts.append(unit.part)
        firstDocument = 0
      }
      guard parts.count <= StoreOptions.partsMax,
        firstDocument <= StoreOptions.partDocumentsMax - summary.documents
      else { throw .usage("More than \(StoreOptions.partsMax) input parts, or 2^40 documents in one.") }
      inputs.append(
        Input(
          path: unit.path, summary: summary,
          firstOrigin: UInt64(parts.count - 1) << 40 | UInt64(firstDocument),
          sources: summary.sources.map { sourceNumbers[$0] ?? 0 },
          languages: summary.languages.map { languageNumbers[$0] ?? 0 }))
      firstDocument += summary.documents
    }
  }

  /// Sorts the documents by the place that a keyed permutation gives their number in the split.
  private func shuffle(
    _ split: Int, seed: Int, into writer: SegmentWriter, _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) {
    let count = documents(inSplit: split)
    guard count > 0 else { return }
    var bytes: Int64 = 0
    for input in inputs where input.summary.splits[split].documents > 0 {
      bytes += try FileSystem.size(of: input.path)
    }
    var shuffle = try DocumentShuffle(
      documents: count, expectedBytes: bytes, seed: seed, memoryBytes: memoryBytes,
      temporaryFolder: temporaryFolder)
    try forEachDocument(inSplit: split, tick) { (record, body) throws(StorageError) in
      try shuffle.add(record, body)
    }
    try shuffle.write(to: writer, tick)
  }

  /// Gives the documents of a split in input order, with the store's numbers: record, then origin line and tokens.
  private func forEachDocument(
    inSplit split: Int, _ tick: () throws(StorageError) -> Void,
    _ body: (_ record: EncodedRecord, _ body: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    for input in inputs where input.summary.splits[split].documents > 0 {
      let reader = try EncodedUnitReader(input.path)
      var number = 0
      while try reader.next(
        split: split,
        { (record, bytes) throws(StorageError) in
          var record = record
          record.origin &+= input.firstOrigin
          record.source = input.sources[Int(record.source)]
          record.language = input.languages[Int(record.language)]
          try body(record, bytes)
        })
      {
        number += 1
        if number % 1024 == 0 { try tick() }
        guard number <= input.summary.splits[split].documents else { break }
      }
      guard number == input.summary.splits[split].documents else {
        throw .input(
          path: input.path, reason: "the encoded unit does not hold what its footer says; tokenize again")
      }
    }
  }

  private static func sortedUnion(_ lists: [[String]]) -> [String] {
    var seen: Set<String> = []
    for list in lists { seen.formUnion(list) }
    return seen.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
  }
}
