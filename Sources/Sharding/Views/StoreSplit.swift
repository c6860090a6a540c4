import Bytes
import Storage

/// One split of one or more token stores, read as one list of segments: those of the first store, then those of the next.
///
/// Stores that are read together hold ids of one tokenizer, of one width, under one holdout: what is held out in one is
/// then held out in all.
public final class StoreSplit: Sendable {
  /// A segment in the list.
  public struct Segment: Equatable, Sendable {
    /// Index into `stores`.
    public var store: Int
    /// Number of the segment in its store's split.
    public var number: Int
    public var entry: StoreManifest.Segment
    /// Its first token and document, counted through the list.
    public var firstToken: Int
    public var firstDocument: Int
  }

  public let stores: [TokenStore]
  /// Of the split.
  public let name: String
  public let segments: [Segment]
  public let tokens: Int
  public let documents: Int
  /// All names, sorted by their bytes.
  public let sources: [String]
  /// `unknown`, then the others sorted by their bytes.
  public let languages: [String]

  /// - Throws: `.usage` if there is no store, no such split, or two stores that cannot be read together; the message says
  ///   what differs.
  public init(_ stores: [TokenStore], split name: String) throws(StorageError) {
    guard let first = stores.first else { throw .usage("No token store was given.") }
    self.stores = stores
    self.name = name
    var segments: [Segment] = []
    var tokens = 0
    var documents = 0
    for (index, store) in stores.enumerated() {
      try Self.check(store, with: first)
      if let twin = stores[..<index].first(where: { $0.fingerprint == store.fingerprint }) {
        throw .usage(
          "The stores \(twin.folder) and \(store.folder) are the same; each sequence is read once.")
      }
      for (number, entry) in try store.manifest.split(name).segments.enumerated() {
        segments.append(
          Segment(store: index, number: number, entry: entry, firstToken: tokens, firstDocument: documents))
        let (tokenSum, tokensOverflow) = tokens.addingReportingOverflow(entry.tokens)
        let (documentSum, documentsOverflow) = documents.addingReportingOverflow(entry.documents)
        guard !tokensOverflow, !documentsOverflow, tokenSum <= ViewOptions.tokensMax else {
          throw .usage("The stores hold more than \(ViewOptions.tokensMax) tokens.")
        }
        tokens = tokenSum
        documents = documentSum
      }
    }
    self.segments = segments
    self.tokens = tokens
    self.documents = documents
    sources = Self.union(stores.map(\.manifest.sources))
    let known = stores.map { $0.manifest.languages.filter { $0 != DocumentOrigin.unknownLanguage } }
    languages = [DocumentOrigin.unknownLanguage] + Self.union(known)
  }

  public convenience init(_ store: TokenStore, split name: String) throws(StorageError) {
    try self.init([store], split: name)
  }

  public var width: TokenWidth { stores[0].manifest.width }
  public var tokenizer: TokenizerIdentity { stores[0].manifest.tokenizer }

  /// Opens a segment's files.
  ///
  /// - Throws: `.input` if one is missing or has another size than the manifest says.
  public func open(_ segment: Int) throws(StorageError) -> SegmentReader {
    let place = segments[segment]
    let store = stores[place.store]
    return try store.open(try store.manifest.split(name), segment: place.number)
  }

  /// The segment that holds a document, counted through the list.
  public func segment(ofDocument document: Int) -> Int { last { $0.firstDocument <= document } }

  /// The segment that holds a token, counted through the list.
  public func segment(ofToken token: Int) -> Int { last { $0.firstToken <= token } }

  /// The last segment for which `isBefore` holds; it holds for the first.
  private func last(where isBefore: (Segment) -> Bool) -> Int {
    var low = 0
    var high = segments.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if isBefore(segments[middle]) { low = middle } else { high = middle }
    }
    return low
  }

  static func check(_ store: TokenStore, with first: TokenStore) throws(StorageError) {
    let (mine, theirs) = (store.manifest, first.manifest)
    var differences: [String] = []
    if mine.tokenizer.sha256 != theirs.tokenizer.sha256 { differences.append("tokenizer") }
    if mine.width != theirs.width { differences.append("width of ids") }
    if mine.tokenizer.policy != theirs.tokenizer.policy { differences.append("end-of-text policy") }
    if mine.tokenizer.eos != theirs.tokenizer.eos || mine.tokenizer.bos != theirs.tokenizer.bos {
      differences.append("end-of-text ids")
    }
    if mine.holdout != theirs.holdout { differences.append("held-out splits") }
    guard differences.isEmpty else {
      throw .usage(
        "The stores \(first.folder) and \(store.folder) cannot be read together: they differ in "
          + differences.joined(separator: ", ") + ". Tokenize both with the same options.")
    }
  }

  private static func union(_ lists: [[String]]) -> [String] {
    var seen: Set<String> = []
    for list in lists { seen.formUnion(list) }
    return seen.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
  }
}

extension StoreSplit {
  /// The stores that a view was made of: those given, else looked for where views usually lie: in the view's folder, in
  /// the folders beside the view and their `store`, in the folder above and the folders there. Views hold no path, so that they can move.
  ///
  /// - Parameter folders: of stores that the user named; empty: look for them.
  /// - Returns: nil if one was not found.
  /// - Throws: `.usage` if the named stores are not those of the view.
  public static func find(
    for view: View, viewPath: String, stores folders: [String] = []
  ) throws(StorageError) -> StoreSplit? {
    let candidates = folders.isEmpty ? try places(around: viewPath) : folders
    var found: [String: TokenStore] = [:]
    for folder in candidates where FileSystem.isRegularFile(Path.join(folder, StoreManifest.fileName)) {
      guard let bytes = try? FileSystem.readAll(Path.join(folder, StoreManifest.fileName)) else { continue }
      let fingerprint = StoreManifest.fingerprint(of: bytes)
      if view.order.stores.contains(fingerprint), found[fingerprint] == nil {
        found[fingerprint] = try TokenStore(folder)
      }
    }
    var stores: [TokenStore] = []
    for fingerprint in view.order.stores {
      guard let store = found[fingerprint] else {
        if folders.isEmpty { return nil }
        throw .usage(
          "The view was made of the store \(fingerprint), and none of the given stores is that one: another corpus, "
            + "tokenizer or order. Make a new view with `sluice shard`.")
      }
      stores.append(store)
    }
    return try StoreSplit(stores, split: view.order.split)
  }

  private static func places(around viewPath: String) throws(StorageError) -> [String] {
    let beside = Path.parent(viewPath).isEmpty ? "." : Path.parent(viewPath)
    var places = [beside]
    for name in try FileSystem.list(beside) {
      places.append(Path.join(beside, name))
      // The store of a run whose folder lies beside the view.
      places.append(Path.join(Path.join(beside, name), "store"))
    }
    // In the folder of a run, view and store lie in sibling folders.
    let above = Path.join(beside, "..")
    places.append(above)
    for name in (try? FileSystem.list(above)) ?? [] { places.append(Path.join(above, name)) }
    return places
  }
}
