import Bytes
import Storage

/// Makes one store out of several: of one tokenizer, width, holdout and policy around documents.
///
/// Sources, languages and input parts are united and renumbered. `shuffled` puts all documents of a split into one order
/// again; `input` takes the segments as they are, store after store: files that need no change are linked, and only
/// document records whose numbers change are written. One split is one unit of work, as with `StoreBuilder`. The bytes
/// depend on the stores, their order and the options alone. A document that two stores hold is kept twice.
public final class StoreMerge {
  public let stores: [TokenStore]
  public let folder: String
  public let options: StoreOptions
  private let splits: [StoreSplit]
  private let lists: StoreLists
  private let memoryBytes: Int
  private let temporaryFolder: String

  /// - Parameters:
  ///   - folder: of the new store; made if needed.
  ///   - segmentBytes: of shuffled segments; those that are linked keep their size.
  ///   - memoryBytes: bound of the shuffle's memory.
  /// - Throws: `.usage` for stores that do not fit together; the message says what differs.
  public init(
    _ stores: [TokenStore], order: StoreOrder, segmentBytes: Int = StoreOptions.standardSegmentBytes,
    folder: String, memoryBytes: Int, temporaryFolder: String
  ) throws(StorageError) {
    guard let first = stores.first else { throw .usage("No token store was given.") }
    self.stores = stores
    self.folder = folder
    self.memoryBytes = memoryBytes
    self.temporaryFolder = temporaryFolder
    // Against the first store, all at once: another holdout would also lack splits.
    for store in stores { try StoreSplit.check(store, with: first) }
    var splits: [StoreSplit] = []
    for name in first.manifest.holdout.names { splits.append(try StoreSplit(stores, split: name)) }
    self.splits = splits
    lists = try StoreLists(stores, sources: splits[0].sources, languages: splits[0].languages)
    var options = try StoreOptions(of: first)
    options.order = order
    options.segmentBytes = segmentBytes
    try options.validate()
    self.options = options
  }

  public var sources: [String] { lists.sources }
  public var splitNames: [String] { options.holdout.names }
  public var documents: Int { splits.reduce(0) { $0 + $1.documents } }
  public var tokens: Int { splits.reduce(0) { $0 + $1.tokens } }

  /// Writes the segments of one split; those of an earlier try are removed first.
  ///
  /// - Parameter tick: called now and then; what it throws ends the work.
  /// - Throws: `.input` for a damaged store: documents do not add up, or one has not its hash.
  public func buildSplit(
    _ number: Int, _ links: inout StoreLinks, tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> StoreManifest.Split {
    let split = splits[number]
    try FileSystem.removeTree(Path.join(folder, split.name))
    let writer = SegmentWriter(
      folder: folder, split: split.name, options: options, sources: lists.sources.count)
    switch options.order {
    case .input: try concatenate(split, into: writer, &links, tick)
    case .shuffled(let seed): try shuffle(split, seed: seed, into: writer, tick)
    }
    try writer.finish()
    if options.order != .input { links.segmentsWritten += writer.segments.count }
    let result = StoreManifest.Split(name: split.name, segments: writer.segments)
    guard result.documents == split.documents, result.tokens == split.tokens else {
      throw .input(
        path: stores[0].folder,
        reason:
          "the stores hold \(result.documents) documents and \(result.tokens) tokens in \(split.name), and their "
          + "manifests say \(split.documents) and \(split.tokens). Run `sluice verify` on each")
    }
    return result
  }

  /// Writes `build.json` and, last, `manifest.json`.
  public func finish(
    _ splits: [StoreManifest.Split], build: [JSONValue.Member] = []
  ) throws(StorageError) -> (manifest: StoreManifest, fingerprint: String) {
    let manifest = StoreManifest(
      tokenizer: options.tokenizer, width: options.width, order: options.order, sources: lists.sources,
      languages: lists.languages, parts: lists.parts, holdout: options.holdout, splits: splits)
    let inputs = stores.map { store -> JSONValue in
      [
        "fingerprint": .string(store.fingerprint),
        "documents": .int(store.manifest.splits.reduce(0) { $0 + $1.documents }),
        "tokens": .int(store.manifest.splits.reduce(0) { $0 + $1.tokens }),
      ]
    }
    let fingerprint = try manifest.publish(
      in: folder,
      build: [.init("merged", .array(inputs)), .init("segment_bytes", .int(options.segmentBytes))] + build)
    return (manifest, fingerprint)
  }

  private func concatenate(
    _ split: StoreSplit, into writer: SegmentWriter, _ links: inout StoreLinks,
    _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) {
    for segment in split.segments {
      try tick()
      let store = stores[segment.store]
      try writer.adopt(
        segment.entry, of: try store.manifest.split(split.name), in: store,
        numbers: lists.numbers[segment.store],
        sources: lists.sources.count, &links)
    }
    if !split.segments.isEmpty { try FileSystem.synchronizeFolder(Path.join(folder, split.name)) }
  }

  private func shuffle(
    _ split: StoreSplit, seed: Int, into writer: SegmentWriter, _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) {
    guard split.documents > 0 else { return }
    var shuffle = try DocumentShuffle(
      documents: split.documents,
      expectedBytes: Int64(split.tokens * split.width.bytes)
        + split.segments.reduce(0) { $0 + 4 * $1.entry.originFrames.bytes },
      seed: seed, memoryBytes: memoryBytes, temporaryFolder: temporaryFolder)
    for (index, segment) in split.segments.enumerated() {
      let reader = try split.open(index)
      let numbers = lists.numbers[segment.store]
      try reader.forEachWholeDocument { (number, document, line, tokens) throws(StorageError) in
        guard let stored = numbers.stored(document) else {
          throw .input(
            path: reader.doc.path,
            reason:
              "document \(number) names a source, language or part that the manifest does not have. Run "
              + "`sluice verify`.")
        }
        try shuffle.add(
          EncodedRecord(
            origin: stored.origin, source: stored.source, language: stored.language, split: 0,
            tokens: UInt32(tokens.count / reader.width.bytes), originBytes: UInt32(line.count)),
          line, tokens)
        if number % 1024 == 0 { try tick() }
      }
    }
    try shuffle.write(to: writer, tick)
  }
}
