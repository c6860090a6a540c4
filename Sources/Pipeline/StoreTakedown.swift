import Bytes
import Sharding
import Storage
import Synchronization

/// `sluice shard STORE --without ids.txt`: a store without some documents, as a takedown asks for.
///
/// Phases: origins are read for the ids, segment by segment in any worker; then a unit per split.
public enum StoreTakedown {
  public struct Outcome: Sendable {
    public var idsGiven: Int
    public var idsUnknown: Int
    /// The first of those that the store does not hold.
    public var unknown: [String]
    public var removed: StoreRemoval.Removed
    public var fingerprint: String
    public var links: StoreLinks

    public static let unknownShownMax = 20

    public var json: JSONValue {
      .object(
        [
          .init("ids", .int(idsGiven)), .init("ids_unknown", .int(idsUnknown)),
          .init("unknown", .array(unknown.map { .string($0) })),
          .init("documents_removed", .int(removed.documents)), .init("tokens_removed", .int(removed.tokens)),
          .init("fingerprint", .string(fingerprint)),
        ] + (links.json.members ?? []))
    }

    /// Lines for people.
    public var text: String {
      var text =
        "\(Format.count(removed.documents)) documents, \(Format.count(removed.tokens)) tokens removed; \(links.text).\n"
      if idsUnknown > 0 {
        text += "\(Format.count(idsUnknown)) of \(Format.count(idsGiven)) ids are not in the store:\n"
        for id in unknown { text += "  \(id)\n" }
        if idsUnknown > unknown.count { text += "  … and \(Format.count(idsUnknown - unknown.count)) more\n" }
      }
      return text
    }
  }

  /// Makes `output`, a store without the documents whose ids stand in `ids`, one a line. An id that the store does not
  /// hold is no error: it is counted and named in the outcome.
  ///
  /// - Throws: `.usage` if the output folder cannot be; `.input` for a damaged store or list; `.interrupted`.
  public static func run(
    store folder: String, without ids: String, output: String, options: RunOptions = RunOptions()
  ) throws(StorageError) -> Outcome {
    let store = try TokenStore(folder)
    let list = try DocumentIDList(ids)
    let removal = try StoreRemoval(store, folder: output)
    var plan: [JSONValue.Member] = [
      .init("version", .string(Version.number)), .init("stage", "takedown"),
      .init("store", .string(store.fingerprint)),
    ]
    // What was taken must not be told by what remains: only the journal, which goes, knows the list.
    let published = JSONValue.object(plan)
    let isFinished = options.mode == .resume && TokenStore.isStore(output)
    if !isFinished { plan.append(.init("ids", .string(try SHA256.hexOfFile(ids).hex))) }
    let stage = try StoreFolders.open(output, inputs: [store], plan: .object(plan), mode: options.mode)
    let hits = try find(in: store, list, workers: options.workers)
    let outcome = try outcome(list, hits)
    if stage.opening == .complete { return try resume(outcome, list, stage, options) }
    var result = outcome
    var splits: [StoreManifest.Split] = []
    for (number, split) in store.manifest.splits.enumerated() {
      if let done = try StoreFolders.finished(
        stage, number, name: split.name, sources: store.manifest.sources.count)
      {
        splits.append(done.split)
        result.links.add(StoreLinks(json: done.entry["links"]))
        continue
      }
      var links = StoreLinks()
      let built = try removal.buildSplit(number, hits: hits[number], &links, tick: StoreFolders.tick)
      try StoreFolders.commit(stage, number, built.split, [.init("links", links.json)])
      splits.append(built.split)
      result.links.add(links)
    }
    for (old, new) in zip(store.manifest.splits, splits) {
      result.removed.documents += old.documents - new.documents
      result.removed.tokens += old.tokens - new.tokens
    }
    result.fingerprint = try removal.finish(
      splits, removed: result.removed,
      build: [.init("options", published), .init("version", .string(Version.number))]
    ).fingerprint
    try stage.close()
    return result
  }

  /// A whole folder: it must be one of this store without these ids.
  private static func resume(
    _ outcome: Outcome, _ list: DocumentIDList, _ stage: StageFolder, _ options: RunOptions
  ) throws(StorageError) -> Outcome {
    let made = try TokenStore(stage.path)
    for segments in try find(in: made, list, workers: options.workers) {
      guard segments.allSatisfy(\.documents.isEmpty) else {
        throw .usage(
          "\(stage.path): the store there was made with other ids and holds documents of these. Nothing was changed. "
            + "Use --restart.")
      }
    }
    try stage.close()
    var result = outcome
    result.fingerprint = made.fingerprint
    return result
  }

  /// The documents of each split's segments whose ids are in the list.
  private static func find(
    in store: TokenStore, _ list: DocumentIDList, workers: Int
  ) throws(StorageError) -> [[StoreRemoval.Hits]] {
    let units = store.manifest.splits.indices.flatMap { split in
      store.manifest.splits[split].segments.indices.map { (split, $0) }
    }
    let found = Mutex(
      (hits: [StoreRemoval.Hits?](repeating: nil, count: units.count), failure: (Int, StorageError)?.none))
    let next = Atomic<Int>(0)
    try Threads.run(min(max(1, workers), max(1, units.count))) { _ in
      while true {
        let unit = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard unit < units.count else { return }
        do throws(StorageError) {
          try StoreFolders.tick()
          let hits = try StoreRemoval.hits(
            store, store.manifest.splits[units[unit].0], segment: units[unit].1, list)
          found.withLock { $0.hits[unit] = hits }
        } catch {
          // The first in order, so that the message does not depend on the workers.
          found.withLock { if unit < $0.failure?.0 ?? Int.max { $0.failure = (unit, error) } }
          return
        }
      }
    }
    let (hits, failure) = found.withLock { ($0.hits, $0.failure) }
    if let failure { throw failure.1 }
    var result = store.manifest.splits.map { _ in [StoreRemoval.Hits]() }
    for (unit, hits) in zip(units, hits) {
      guard let hits else { throw .bug("a segment was not searched") }
      result[unit.0].append(hits)
    }
    return result
  }

  private static func outcome(
    _ list: DocumentIDList, _ hits: [[StoreRemoval.Hits]]
  ) throws(StorageError) -> Outcome {
    var isKnown = [Bool](repeating: false, count: list.count)
    for id in hits.joined().flatMap(\.ids) { isKnown[id] = true }
    var unknown: [String] = []
    for (number, known) in isKnown.enumerated() where !known {
      unknown.append(try list.text(number))
      if unknown.count == Outcome.unknownShownMax { break }
    }
    return Outcome(
      idsGiven: list.count, idsUnknown: isKnown.count { !$0 }, unknown: unknown, removed: .init(),
      fingerprint: "",
      links: StoreLinks())
  }
}
