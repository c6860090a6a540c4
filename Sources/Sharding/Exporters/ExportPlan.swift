import Bytes
import Storage

/// What a user asks for when exporting; every member can change bytes.
public struct ExportOptions: Equatable, Sendable {
  /// Number of output shards; nil: by `shardBytes`, or as many as the format needs.
  public var shards: Int?
  /// Token bytes after which a shard is closed; nil: the format's default.
  public var shardBytes: Int?
  /// T of readers that cut windows of T ids by themselves (litdata).
  public var window: Int?
  /// Parquet: row groups of a file; nil: by size and replicas.
  public var rowGroups: Int?
  /// MDS: shards compressed with zstd; Parquet: pages.
  public var isCompressed = false
  /// Views: the epoch whose sequences are written.
  public var epoch = 0
  /// Views: one shard per data-parallel replica, in the order in which that replica reads.
  public var isPerRank = false

  public init() {}
}

/// One record on its way into an export: a document of a store, or a sequence of a view.
public struct ExportRecord {
  /// Plain UTF-8, not escaped; empty if the format does not carry ids (`Exporter.carriesIDs`).
  public var id: [UInt8]
  /// Ids as stored: little-endian u16 or u32, never empty. Valid during the call only.
  public var tokens: UnsafeRawBufferPointer
  /// Documents: name of the input part they came from, and their number there.
  public var part: (name: String, number: Int)?

  init(id: [UInt8], tokens: UnsafeRawBufferPointer, part: (name: String, number: Int)? = nil) {
    self.id = id
    self.tokens = tokens
    self.part = part
  }
}

/// Everything that is known of an export before its first byte is written.
public struct ExportPlan: Equatable, Sendable {
  /// What a record is.
  public enum Records: String, Sendable {
    case documents
    /// Ids [k·T, (k+1)·T) of the split as one stream, the last one shorter (`tailTokens`).
    case windows
    case sequences
  }

  /// One output shard: usually one file, or one file and its sidecars.
  public struct Shard: Equatable, Sendable {
    /// Number of its first record, counted through all shards.
    public var firstRecord: Int
    public var records: Int
    public var tokens: Int
    public init(firstRecord: Int, records: Int, tokens: Int) {
      self.firstRecord = firstRecord
      self.records = records
      self.tokens = tokens
    }
  }

  public var format: String
  public var records: Records
  public var split: String
  public var width: TokenWidth
  public var tokenizer: TokenizerIdentity
  /// Ids per record if all records are equal: C of a view, T of windows (but for the tail).
  public var tokensPerRecord: Int?
  /// Ids at the end that fill no window; they stand at the end of the last shard.
  public var tailTokens = 0
  public var shards: [Shard]
  /// Views: number of data-parallel replicas, and sequences of a micro-batch.
  public var replicas: Int?
  public var microBatch: Int?
  public var options: ExportOptions

  public var vocabulary: Int { tokenizer.vocabulary }
  public var tokens: Int { shards.reduce(0) { $0 + $1.tokens } }
  public var recordCount: Int { shards.reduce(0) { $0 + $1.records } }

  /// `train-00003`, or `train-rank-00003` if shards are replicas: the stem of a shard's files. Names sort in order.
  public func stem(_ shard: Int) -> String {
    let digits = max(5, String(max(0, shards.count - 1)).utf8.count)
    return split + (options.isPerRank ? "-rank-" : "-") + Path.padded(shard, digits: digits)
  }

  /// Number of the largest shard by its tokens.
  var largest: Shard? { shards.max { $0.tokens < $1.tokens } }
}
