import Bytes

/// What `sluice inspect` shows of something: tables for people, one JSON for programs.
public struct Inspection: Sendable {
  public struct Table: Sendable {
    public var title: String
    public var columns: [String]
    public var rows: [[String]]
    public init(title: String, columns: [String], rows: [[String]] = []) {
      self.title = title
      self.columns = columns
      self.rows = rows
    }
  }

  public var json: JSONValue
  public var tables: [Table]
  public init(json: JSONValue, tables: [Table]) {
    self.json = json
    self.tables = tables
  }
}

/// Counts by length, from which percentiles come: exact below 2^16 tokens, by power of two above.
struct LengthCounts {
  private static let exact = 1 << 16
  private var counts: [Int]
  private var above: [Int]
  private(set) var documents = 0
  private(set) var tokens = 0
  private(set) var least = Int.max
  private(set) var most = 0

  init() {
    counts = Array(repeating: 0, count: Self.exact)
    above = Array(repeating: 0, count: 64)
  }

  mutating func add(_ length: Int) {
    documents += 1
    tokens += length
    least = min(least, length)
    most = max(most, length)
    if length < Self.exact {
      counts[length] += 1
    } else {
      above[Int.bitWidth - 1 - length.leadingZeroBitCount] += 1
    }
  }

  mutating func add(_ other: LengthCounts) {
    documents += other.documents
    tokens += other.tokens
    least = min(least, other.least)
    most = max(most, other.most)
    for index in counts.indices { counts[index] += other.counts[index] }
    for index in above.indices { above[index] += other.above[index] }
  }

  var mean: Double { documents == 0 ? 0 : Double(tokens) / Double(documents) }

  /// The smallest length that at least `percent` of the documents do not exceed; above 2^16 a power of two from below.
  func percentile(_ percent: Int) -> Int {
    let wanted = (documents * percent + 99) / 100
    guard wanted > 0 else { return documents == 0 ? 0 : least }
    var sum = 0
    for (length, count) in counts.enumerated() where count > 0 {
      sum += count
      if sum >= wanted { return length }
    }
    for (bucket, count) in above.enumerated() where count > 0 {
      sum += count
      if sum >= wanted { return 1 << bucket }
    }
    return most
  }
}
