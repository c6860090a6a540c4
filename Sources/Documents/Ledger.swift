import Bytes

/// What a stage counted: in = out + dropped + defects + other, per unit and in sum.
///
/// Merging ledgers in the order of units gives the same ledger for any number of workers.
public struct Ledger: Equatable, Sendable {
  public struct Tally: Equatable, Sendable {
    public var documents = 0
    public var bytes = 0
    public init(documents: Int = 0, bytes: Int = 0) {
      self.documents = documents
      self.bytes = bytes
    }
  }
  public struct LanguageTally: Equatable, Sendable {
    public var documentsIn = 0
    public var documentsOut = 0
    public var bytesOut = 0
    public init() {}
  }

  /// Records (extract) or documents (other stages) that came in.
  public var documentsIn = 0
  public var textBytesIn = 0
  public var documentsOut = 0
  public var textBytesOut = 0
  /// Dropped, by rule.
  public var drops: [String: Tally] = [:]
  /// Records lost, by kind of defect.
  public var defects: [String: Int] = [:]
  /// Defects that lost nothing (the document carries a mark), by kind.
  public var marks: [String: Int] = [:]
  /// Records that are no documents by their nature (request, metadata, warcinfo, redirect page…), by type.
  public var other: [String: Int] = [:]
  public var languages: [String: LanguageTally] = [:]
  public var sources: [String: Tally] = [:]
  /// Counters of a stage's own (repairs, pretokens, candidate pairs …).
  public var counters: [String: Int] = [:]
  /// Histograms by name: bucket b counts values v with 2^(b-1) <= v < 2^b (bucket 0: v = 0).
  public var histograms: [String: [Int]] = [:]
  /// The first defects with their places, at most `defectListMax`.
  public var defectList: [Defect] = []
  public static let defectListMax = 100

  public init() {}

  public var droppedCount: Int { drops.values.reduce(0) { $0 + $1.documents } }
  public var defectCount: Int { defects.values.reduce(0, +) }
  public var otherCount: Int { other.values.reduce(0, +) }
  /// The law of every stage.
  public var isBalanced: Bool { documentsIn == documentsOut + droppedCount + defectCount + otherCount }

  public mutating func drop(rule: String, textBytes: Int) {
    drops[rule, default: Tally()].documents += 1
    drops[rule, default: Tally()].bytes += textBytes
  }

  /// Counts a defect. One that loses a record counts as a record in: add it to `documentsIn` too.
  public mutating func record(_ defect: Defect) {
    if defect.losesRecord {
      defects[defect.kind, default: 0] += 1
    } else {
      marks[defect.kind, default: 0] += 1
    }
    if defectList.count < Ledger.defectListMax { defectList.append(defect) }
  }

  public mutating func observe(_ histogram: String, _ value: Int) {
    let bucket = value <= 0 ? 0 : Int.bitWidth - value.leadingZeroBitCount
    var counts = histograms[histogram] ?? []
    histograms[histogram] = nil
    while counts.count <= bucket { counts.append(0) }
    counts[bucket] += 1
    histograms[histogram] = counts
  }

  /// Counts one document that came in.
  public mutating func countIn(language: String?, textBytes: Int) {
    documentsIn += 1
    textBytesIn += textBytes
    languages[language ?? "unknown", default: LanguageTally()].documentsIn += 1
  }

  /// Counts one document that goes on.
  public mutating func countOut(language: String?, source: String, textBytes: Int) {
    documentsOut += 1
    textBytesOut += textBytes
    languages[language ?? "unknown", default: LanguageTally()].documentsOut += 1
    languages[language ?? "unknown", default: LanguageTally()].bytesOut += textBytes
    sources[source, default: Tally()].documents += 1
    sources[source, default: Tally()].bytes += textBytes
  }

  public mutating func merge(_ other: Ledger) {
    documentsIn += other.documentsIn
    textBytesIn += other.textBytesIn
    documentsOut += other.documentsOut
    textBytesOut += other.textBytesOut
    func sum(_ a: Tally, _ b: Tally) -> Tally {
      Tally(documents: a.documents + b.documents, bytes: a.bytes + b.bytes)
    }
    drops.merge(other.drops, uniquingKeysWith: sum)
    defects.merge(other.defects, uniquingKeysWith: +)
    marks.merge(other.marks, uniquingKeysWith: +)
    self.other.merge(other.other, uniquingKeysWith: +)
    sources.merge(other.sources, uniquingKeysWith: sum)
    counters.merge(other.counters, uniquingKeysWith: +)
    languages.merge(other.languages) { a, b in
      var c = a
      c.documentsIn += b.documentsIn
      c.documentsOut += b.documentsOut
      c.bytesOut += b.bytesOut
      return c
    }
    histograms.merge(other.histograms) { a, b in
      (0..<max(a.count, b.count)).map { ($0 < a.count ? a[$0] : 0) + ($0 < b.count ? b[$0] : 0) }
    }
    defectList.append(contentsOf: other.defectList.prefix(max(0, Ledger.defectListMax - defectList.count)))
  }
}
