import Storage

/// The pack index of a store's split for one `PackKey`: derived from the document records, outside the store's manifest and
/// fingerprint, made once and shared by all views of that key.
///
/// Its unit is a run of consecutive segments, packed on its own: memory is bounded, and any unit can be made by any worker.
public enum PackIndex {
  /// A unit has at least so many documents if the split has: below, padding is more than it need be (token-store reference,
  /// "Packing").
  public static let unitDocuments = 10_000
  /// … or at least so many tokens: documents are then so long that full pieces are nearly all, and the numbers of a file,
  /// u32, hold any unit (below 2^30 tokens before the last segment, below 2^31 in it, below 2^30 after it).
  public static let unitTokens = 1 << 30

  /// `STORE/SPLIT/pack-…`.
  public static func folder(_ store: TokenStore, split: String, _ key: PackKey) -> String {
    Path.join(store.folder, "\(split)/\(key.folderName)")
  }

  /// The manifest of an index; nil if it was not made yet.
  ///
  /// - Throws: `.usage` for a split that the store does not have; `.input` if the manifest is damaged or of other tokens.
  public static func read(
    _ store: TokenStore, split name: String, _ key: PackKey
  ) throws(StorageError) -> PackManifest? {
    let split = try store.manifest.split(name)
    let path = Path.join(folder(store, split: name, key), PackManifest.fileName)
    guard FileSystem.exists(path) else { return nil }
    let manifest = try PackManifest(bytes: try FileSystem.readAll(path), path: path)
    if let problem = manifest.problem(store: store, split: split, key) {
      throw .input(
        path: path, reason: "the pack index \(problem). Remove its folder; `sluice shard` makes it again")
    }
    return manifest
  }

  /// The units of a split as ranges of segments: as many consecutive ones as are needed for `unitDocuments` documents or
  /// `unitTokens` tokens; what is left at the end and has less joins the last unit.
  public static func plan(_ split: StoreManifest.Split) -> [Range<Int>] {
    var units: [Range<Int>] = []
    var first = 0
    var documents = 0
    var tokens = 0
    for (number, segment) in split.segments.enumerated() {
      documents += segment.documents
      tokens += segment.tokens
      guard documents >= unitDocuments || tokens >= unitTokens else { continue }
      units.append(first..<number + 1)
      (first, documents, tokens) = (number + 1, 0, 0)
    }
    if first < split.segments.count {
      let start = units.popLast()?.lowerBound ?? first
      units.append(start..<split.segments.count)
    }
    return units
  }
}
