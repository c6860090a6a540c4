import Bytes
import Storage

/// Bytes per token id: two if all ids of the vocabulary fit, else four.
public enum TokenWidth: String, Sendable {
  case u16
  case u32

  public init(vocabulary: Int) { self = vocabulary <= 65_536 ? .u16 : .u32 }
  public var bytes: Int { self == .u16 ? 2 : 4 }
}

/// What a store says of the tokenizer that made its ids.
public struct TokenizerIdentity: Equatable, Sendable {
  /// Which marks stand around each document.
  public enum Policy: String, CaseIterable, Sendable {
    /// The end-of-text id after it.
    case appendEOS = "append-eos"
    /// The begin-of-text id before it, as trainers want it that look for the starts of documents.
    case prependBOS = "prepend-bos"
    /// Both.
    case bosEOS = "bos-eos"
    case none

    public var startsWithBOS: Bool { self == .prependBOS || self == .bosEOS }
    public var endsWithEOS: Bool { self == .appendEOS || self == .bosEOS }

    /// What `--eos` takes, for help and messages.
    public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
  }

  public var name: String
  /// Of the tokenizer's own file, in hexadecimal.
  public var sha256: String
  /// Number of ids, special tokens included: each id is below.
  public var vocabulary: Int
  public var eos: Int?
  /// The id before documents; nil under a policy that puts none there.
  public var bos: Int?
  public var policy: Policy

  /// The id that each document starts with, or nil.
  public var firstID: Int? { policy.startsWithBOS ? bos : nil }
  /// The id that each document ends with, or nil.
  public var lastID: Int? { policy.endsWithEOS ? eos : nil }

  public init(
    name: String, sha256: String, vocabulary: Int, eos: Int?, bos: Int? = nil, policy: Policy = .appendEOS
  ) {
    self.name = name
    self.sha256 = sha256
    self.vocabulary = vocabulary
    self.eos = eos
    self.bos = bos
    self.policy = policy
  }
}

/// An input part of a store: the file whose documents were tokenized.
public struct StorePart: Equatable, Sendable {
  /// Path as the user sees it, relative to the input's root.
  public var name: String
  public var bytes: Int64
  public var sha256: String
  public init(name: String, bytes: Int64, sha256: String) {
    self.name = name
    self.bytes = bytes
    self.sha256 = sha256
  }
}

/// In which order documents lie in a store.
public enum StoreOrder: Equatable, Sendable {
  /// By one keyed permutation per split: readers that go front to back then train in shuffled order.
  case shuffled(seed: Int)
  case input
}

/// What `manifest.json` of a token store holds: content only, no path of a machine, no time.
public struct StoreManifest: Equatable, Sendable {
  public static let format = "sluice-tokens/1"
  public static let fileName = "manifest.json"

  public struct File: Equatable, Sendable {
    public var bytes: Int64
    public var sha256: String
    public var xxh64: String
  }

  public struct Segment: Equatable, Sendable {
    /// `seg-00000`: the stem of its four files.
    public var name: String
    public var tokens: Int
    public var documents: Int
    public var minID: Int
    public var maxID: Int
    public var tok: File
    public var doc: File
    public var originIndex: File
    public var originFrames: File
    /// Tokens by source, as in `sources`.
    public var sourceTokens: [Int]
    /// Documents by length: element b counts those of 2^b to 2^(b+1) - 1 tokens.
    public var lengthHistogram: [Int]

    /// The four files by the extension of their names.
    public var files: [(extension: String, file: File)] {
      [("doc", doc), ("origin.idx", originIndex), ("origin.zst", originFrames), ("tok", tok)]
    }
  }

  public struct Split: Equatable, Sendable {
    public var name: String
    public var tokens: Int
    public var documents: Int
    public var segments: [Segment]

    public init(name: String, tokens: Int, documents: Int, segments: [Segment]) {
      self.name = name
      self.tokens = tokens
      self.documents = documents
      self.segments = segments
    }

    /// Of whole segments, added up.
    init(name: String, segments: [Segment]) {
      self.init(
        name: name, tokens: segments.reduce(0) { $0 + $1.tokens },
        documents: segments.reduce(0) { $0 + $1.documents }, segments: segments)
    }
  }

  public var tokenizer: TokenizerIdentity
  public var width: TokenWidth
  public var order: StoreOrder
  public var sources: [String]
  /// Number 0 is `unknown`.
  public var languages: [String]
  public var parts: [StorePart]
  public var holdout: Holdout
  /// `train`, then the held-out ones.
  public var splits: [Split]

  /// - Throws: `.usage` that names the splits which exist.
  public func split(_ name: String) throws(StorageError) -> Split {
    if let split = splits.first(where: { $0.name == name }) { return split }
    throw .usage("This store has no split “\(name)”; it has \(splits.map(\.name).joined(separator: ", ")).")
  }

  /// Writes `build.json` and, last, `manifest.json`; returns the fingerprint.
  ///
  /// - Parameter build: lineage (inputs, options, version): no time, no path of a machine.
  func publish(in folder: String, build: [JSONValue.Member]) throws(StorageError) -> String {
    let bytes = bytes
    let fingerprint = Self.fingerprint(of: bytes)
    let members: [JSONValue.Member] =
      [.init("format", "sluice-build/1"), .init("fingerprint", .string(fingerprint))] + build
    let hash = Hex.string(SHA256.hash(JSONValue.object(members).canonical().span))
    let lineage = JSONValue.object(members + [.init("sha256", .string(hash))])
    _ = try OutputFile.write(lineage.serialized(indent: 1) + [10], folder: folder, name: "build.json")
    _ = try OutputFile.write(bytes, folder: folder, name: Self.fileName)
    return fingerprint
  }

  /// Is a `build.json` what was written? Its `sha256` is that of the canonical JSON of its other members; older ones have
  /// none.
  static func isWhole(_ bytes: [UInt8], _ build: JSONValue) -> Bool {
    guard let recorded = build["sha256"] else {
      // A last member of that shape under another name is one whose name was damaged.
      return build.members?.last?.value.string?.utf8.count != 64
    }
    guard bytes == build.serialized(indent: 1) + [10] else { return false }
    let rest = JSONValue.object((build.members ?? []).filter { $0.key != "sha256" })
    return recorded.string == Hex.string(SHA256.hash(rest.canonical().span))
  }

  public static func segmentName(_ number: Int) -> String {
    let digits = String(number)
    return "seg-" + String(repeating: "0", count: max(0, 5 - digits.utf8.count)) + digits
  }

  /// SHA-256 of the canonical bytes: two stores of one fingerprint hold the same tokens in the same order.
  public static func fingerprint(of manifestBytes: [UInt8]) -> String {
    "sha256:" + Hex.string(SHA256.hash(manifestBytes.span))
  }
}
