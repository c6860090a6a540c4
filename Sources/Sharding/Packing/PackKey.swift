import Storage

/// How sequences are made of documents.
public enum PackingPolicy: String, CaseIterable, Sendable {
  /// Documents in their order as one stream, cut every C ids.
  case concat
  /// Best-fit decreasing: a document is cut only if it is longer than a sequence.
  case bestFit = "best-fit"
}

/// Which documents may share a sequence: all, or those of one class.
public enum Grouping: String, CaseIterable, Sendable {
  case none
  case source
  case language

  /// Names of the classes, in the order of the store's list; empty without grouping, where all documents are one class.
  public func classes(of store: StoreManifest) -> [String] {
    switch self {
    case .none: []
    case .source: store.sources
    case .language: store.languages
    }
  }
}

/// What a pack index depends on, beside the tokens of its split.
public struct PackKey: Hashable, Sendable {
  /// Ids per sequence, C.
  public var context: Int
  public var policy: PackingPolicy
  public var grouping: Grouping

  /// Longest sequence that can be packed: a packer keeps two numbers of four bytes per length.
  public static let contextMax = ViewOptions.sequenceTokensMax

  public init(context: Int, policy: PackingPolicy = .bestFit, grouping: Grouping = .none) {
    self.context = context
    self.policy = policy
    self.grouping = grouping
  }

  /// Folder of the index in the split's folder: `pack-4096`, `pack-4096-source`, `pack-4096-concat-source`.
  public var folderName: String {
    var name = "\(Self.folderPrefix)\(context)"
    if policy != .bestFit { name += "-\(policy.rawValue)" }
    if grouping != .none { name += "-\(grouping.rawValue)" }
    return name
  }

  /// How the names of all pack folders begin; nothing else in a split's folder does.
  public static let folderPrefix = "pack-"

  /// - Throws: `.usage` for a length that no index can have.
  public func validate() throws(StorageError) {
    guard context >= 1, context <= Self.contextMax else {
      throw .usage("--context must lie between 1 and \(Self.contextMax) ids.")
    }
  }
}
