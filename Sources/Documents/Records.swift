import Storage

/// Raw records of a dump that travel from the reader (one, in order) to a parser (any worker): about `targetBytes`.
///
/// Shape: `bytes` holds the records' decoded bytes back to back; `records[i]` is where one lies and where it came from.
public struct RecordChunk: Sendable {
  public struct Record: Sendable {
    /// Place in `bytes`.
    public var range: Range<Int>
    /// Offset in the file: of the member (compressed) or of the record itself (plain).
    public var offset: Int64
    /// Number of the record within its member; 0 in files with a member per record.
    public var ordinal: Int
    /// Why the record is not whole (`truncated-file`, `short` …), or nil. The parser turns it into a mark.
    public var mark: String?
    public init(range: Range<Int>, offset: Int64, ordinal: Int = 0, mark: String? = nil) {
      self.range = range
      self.offset = offset
      self.ordinal = ordinal
      self.mark = mark
    }
  }

  /// A chunk is handed on once it holds this many bytes.
  public static let targetBytes = 2 << 20

  /// Dump name: the first part of ids.
  public var file = ""
  public var bytes: [UInt8] = []
  public var records: [Record] = []
  /// What the reader met between records; each that loses a record counts as one record in.
  public var defects: [Defect] = []

  public init() {}

  /// Empties the chunk and keeps its memory.
  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    records.removeAll(keepingCapacity: true)
    defects.removeAll(keepingCapacity: true)
  }
}

/// Cuts one unit of an input into records, in order. Cheap: decoding and framing, no parsing.
public protocol RecordReader: AnyObject {
  /// Appends the next records, about `RecordChunk.targetBytes`, to an empty chunk; false if the unit has no more (then
  /// the chunk may still hold defects). Chunk borders are a function of the input alone.
  ///
  /// - Throws: `StorageError` if the input cannot be read at all (I/O, not damage: damage is a defect).
  func next(_ chunk: inout RecordChunk) throws(StorageError) -> Bool
  /// Offset in the file where the record after the last one starts: where the next unit begins.
  var endOffset: Int64 { get }
}

/// Turns records into documents. One per worker; keeps its scratch memory.
///
/// Every record gives one document in `kept` (and `ledger.countOut`), or one in `dropped` (with a `Drop` member in its
/// extras, and `ledger.drop`), or a lost record (`ledger.record`), or a count in `ledger.other`; and counts as one in
/// `ledger.documentsIn`.
public protocol RecordParser: AnyObject {
  func parse(
    _ chunk: borrowing RecordChunk, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger)
}

/// The worker of a map stage: handles each document alone and owns its scratch memory.
public protocol DocumentTransform: AnyObject {
  /// Every document of `input` goes to `kept` (with `ledger.countOut`) or to `dropped` (with a `Drop` member in its extras and
  /// `ledger.drop`); each counts with `ledger.countIn`.
  func apply(
    _ input: borrowing DocumentBatch, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger)
}
