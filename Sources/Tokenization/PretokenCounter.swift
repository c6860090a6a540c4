import Bytes
import Storage

/// What was counted, besides the counts of single pretokens.
public struct PretokenTotals: Equatable, Sendable {
  public var documents: Int64 = 0
  /// Bytes of text.
  public var bytes: Int64 = 0
  /// Pretokens, every occurrence.
  public var pretokens: Int64 = 0
  /// Pretokens that were longer than `Limits.trainingPretokenBytes` and were cut there.
  public var cut: Int64 = 0

  public init() {}

  public static func += (left: inout PretokenTotals, right: PretokenTotals) {
    left.documents &+= right.documents
    left.bytes &+= right.bytes
    left.pretokens &+= right.pretokens
    left.cut &+= right.cut
  }
}

/// Counts on their way from a worker to whoever adds them up.
public struct PretokenBatch: Sendable {
  public var totals: PretokenTotals
  var short: [PretokenTable.Short] = []
  var long: [PretokenTable.Long] = []
  var bytes: [UInt8] = []

  init(totals: PretokenTotals) { self.totals = totals }
}

/// Counts the pretokens of documents. One per worker; sums do not depend on how documents are shared out.
public final class PretokenCounter {
  public let pattern: PretokenPattern
  public private(set) var totals = PretokenTotals()
  private let lengthMax: Int
  private var table = PretokenTable()

  public init(pattern: PretokenPattern, limits: Limits = .standard) {
    self.pattern = pattern
    lengthMax = max(1, limits.trainingPretokenBytes)
  }

  /// Counts one document. Nothing joins it to the next; special tokens' texts are ordinary text.
  public func count(_ text: borrowing Span<UInt8>) {
    text.withUnsafeBufferPointer { buffer in
      let added = table.add(buffer, pattern, lengthMax: lengthMax)
      totals.documents += 1
      totals.bytes += Int64(buffer.count)
      totals.pretokens += added.pretokens
      totals.cut += added.cut
    }
  }

  /// Adds the counts of another counter.
  public func merge(_ other: borrowing PretokenCounter) {
    table.add(other.table)
    totals += other.totals
  }

  /// Adds counts that another counter gave away.
  public func merge(_ batch: borrowing PretokenBatch) {
    table.add(batch)
    totals += batch.totals
  }

  /// Gives all counts away and is empty after it.
  public func take() -> PretokenBatch {
    let batch = table.take(totals)
    totals = PretokenTotals()
    return batch
  }

  /// Different pretokens.
  public var uniqueCount: Int { table.count }

  /// Memory of the tables. Draining them when this passes a share of `--memory` bounds the counting.
  public var memoryBytes: Int { table.memoryBytes }

  public func removeAll() {
    table = PretokenTable()
    totals = PretokenTotals()
  }

  /// Gives all counts in the order of the pretokens' bytes, and is empty after it.
  public func drain(
    _ body: (_ pretoken: UnsafeRawBufferPointer, _ count: Int64) throws(StorageError) -> Void
  ) throws(StorageError) {
    defer { totals = PretokenTotals() }
    try table.drain(body)
  }

  /// Writes all counts to a file of sorted counts, and is empty after it.
  public func drain(folder: String, name: String) throws(StorageError) -> FileSummary {
    let writer = try PretokenCountsWriter(folder: folder, name: name, pattern: pattern)
    let totals = totals
    try drain { (pretoken, count) throws(StorageError) in try writer.add(pretoken, count) }
    return try writer.finish(totals)
  }
}
