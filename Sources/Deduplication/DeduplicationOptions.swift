/// What a deduplication run decides with, and the memory that each of its phases may use.
public struct DeduplicationOptions: Equatable, Sendable {
  /// Which copies are looked for.
  public enum Method: String, CaseIterable, Sendable {
    /// Equal texts only.
    case exact
    /// Near copies by MinHash, equal texts among them. Texts under five words have no signature and all stay.
    case minhash
    /// Equal texts first, then near copies among what is left.
    case both

    public var findsExact: Bool { self != .minhash }
    public var findsNear: Bool { self != .exact }
  }

  /// Which document of a cluster stays. Ties: the one that comes first in the input.
  public enum Keep: String, CaseIterable, Sendable {
    case first
    /// Most bytes of text.
    case longest
    /// The latest `created`; a document without one is older than all others.
    case newest
  }

  public var method = Method.both
  public var keep = Keep.first
  /// Least Jaccard similarity of the shingle sets at which two documents are copies: 0 < threshold ≤ 1.
  public var threshold = 0.8
  /// Memory for sorting and tables of one phase, in bytes.
  public var memoryBytes = 512 << 20
  /// An existing folder for spilled sort runs. They have no names there, so nothing is left behind.
  public var temporaryFolder: String

  public init(temporaryFolder: String) { self.temporaryFolder = temporaryFolder }

  /// What the buffers of files and the fixed tables of a phase take, beside its sorts.
  static let fixedBytes = 8 << 20

  /// Two sorts live at the same time: one gives its records while the next takes them in.
  var sortBytes: Int { max(64 << 10, (memoryBytes - Self.fixedBytes) / 2) }
}
