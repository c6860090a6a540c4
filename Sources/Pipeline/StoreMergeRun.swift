import Bytes
import Sharding
import Storage

/// `sluice shard merge`: several stores become one. A unit per split; a run that was killed goes on with the next split.
public enum StoreMergeRun {
  public struct Outcome: Sendable {
    public var stores: Int
    public var documents: Int
    public var tokens: Int
    public var fingerprint: String
    public var links: StoreLinks
    public var seconds: Double

    public var json: JSONValue {
      .object(
        [
          .init("stores", .int(stores)), .init("documents", .int(documents)), .init("tokens", .int(tokens)),
          .init("fingerprint", .string(fingerprint)),
        ] + (links.json.members ?? []))
    }

    /// A line for people.
    public var text: String {
      "\(stores) stores merged: \(Format.count(documents)) documents, \(Format.count(tokens)) tokens; \(links.text).\n"
    }
  }

  /// - Parameters:
  ///   - folders: of the stores, in their order.
  ///   - segmentBytes: of shuffled segments; nil: 1 GiB.
  /// - Throws: `.usage` for stores that do not fit together (the message says what differs) or an output folder that
  ///   cannot be; `.input` for damaged stores; `.interrupted`: finished splits are kept, `--resume` goes on.
  public static func run(
    _ folders: [String], order: String, seed: Int, segmentBytes: Int?, output: String, options: RunOptions
  ) throws(StorageError) -> Outcome {
    let clock = RunClock()
    guard folders.count >= 2 else { throw .usage("Merging takes two stores or more.") }
    var stores: [TokenStore] = []
    for folder in folders { stores.append(try TokenStore(folder)) }
    let bytes = segmentBytes ?? StoreOptions.standardSegmentBytes
    let kind = try StoreSettings.order(order, seed: seed)
    let plan: JSONValue = [
      "version": .string(Version.number), "stage": "merge", "order": StoreSettings.json(kind),
      "segment_bytes": .int(bytes), "stores": .array(stores.map { .string($0.fingerprint) }),
    ]
    // Whatever is wrong with the stores is said before the output is touched.
    let merge = try StoreMerge(
      stores, order: kind, segmentBytes: bytes, folder: output, memoryBytes: options.workingMemory,
      temporaryFolder: options.temporaryFolder ?? Path.join(output, ".tmp"))
    let stage = try StoreFolders.open(output, inputs: stores, plan: plan, mode: options.mode)
    if stage.opening == .complete {
      try stage.close()
      let store = try TokenStore(output)
      return Outcome(
        stores: stores.count, documents: merge.documents, tokens: merge.tokens,
        fingerprint: store.fingerprint,
        links: StoreLinks(), seconds: 0)
    }
    var splits: [StoreManifest.Split] = []
    var links = StoreLinks()
    for (number, name) in merge.splitNames.enumerated() {
      if let done = try StoreFolders.finished(stage, number, name: name, sources: merge.sources.count) {
        splits.append(done.split)
        links.add(StoreLinks(json: done.entry["links"]))
        continue
      }
      var mine = StoreLinks()
      let split = try merge.buildSplit(number, &mine, tick: StoreFolders.tick)
      try StoreFolders.commit(stage, number, split, [.init("links", mine.json)])
      splits.append(split)
      links.add(mine)
    }
    let (_, fingerprint) = try merge.finish(
      splits, build: [.init("options", plan), .init("version", .string(Version.number))])
    _ = try OutputFile.write(
      clock.json(options).serialized(indent: 2) + [10], folder: output, name: "run.json")
    try stage.close()
    return Outcome(
      stores: stores.count, documents: merge.documents, tokens: merge.tokens, fingerprint: fingerprint,
      links: links,
      seconds: clock.seconds)
  }
}
