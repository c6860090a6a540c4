import Bytes
import Storage

/// What readers get that take whole files, or equal numbers of documents, per rank; and what a view gives.
struct ImbalanceTally {
  static let ranks = [8, 64, 512]
  /// Ids per sequence of the view that is compared, less for a small split.
  static let context = 4096

  /// Tokens of the rank with the most and of the one with the least.
  struct Range: Equatable {
    var most: Int
    var least: Int
    init(_ shares: [Int]) {
      most = shares.max() ?? 0
      least = shares.min() ?? 0
    }
  }

  /// Tokens by rank, if document i of D belongs to rank i·R div D.
  private var byDocuments = ranks.map { Array(repeating: 0, count: $0) }
  /// For each number of ranks the one whose turn it is, and the document at which the next begins.
  private var current: [(rank: Int, end: Int)]
  private let documents: Int
  private var seen = 0

  init(documents: Int) {
    self.documents = documents
    current = Self.ranks.map { (0, Self.end(ofRank: 0, of: $0, documents)) }
  }

  private static func end(ofRank rank: Int, of ranks: Int, _ documents: Int) -> Int {
    ((rank + 1) * documents + ranks - 1) / ranks
  }

  mutating func add(_ length: Int) {
    for index in current.indices {
      while seen >= current[index].end, current[index].rank + 1 < Self.ranks[index] {
        current[index].rank += 1
        current[index].end = Self.end(ofRank: current[index].rank, of: Self.ranks[index], documents)
      }
      byDocuments[index][current[index].rank] += length
    }
    seen += 1
  }

  struct Row {
    var ranks: Int
    var mean: Double
    var segments: Range
    var documents: Range
    var view: Range
    /// Tokens of the view's sequences, per rank.
    var viewMean: Double
  }

  func rows(_ split: StoreManifest.Split) -> [Row] {
    let context = max(1, min(Self.context, split.tokens / 512))
    let sequences = split.tokens / context
    return Self.ranks.enumerated().map { index, ranks in
      var shares = Array(repeating: 0, count: ranks)
      for (number, segment) in split.segments.enumerated() { shares[number % ranks] += segment.tokens }
      var view = Range([])
      view.most = (sequences + ranks - 1) / ranks * context
      view.least = sequences / ranks * context
      return Row(
        ranks: ranks, mean: Double(split.tokens) / Double(ranks), segments: Range(shares),
        documents: Range(byDocuments[index]), view: view,
        viewMean: Double(sequences * context) / Double(ranks))
    }
  }

  static func json(_ rows: [Row]) -> JSONValue {
    func json(_ range: Range) -> JSONValue { ["most": .int(range.most), "least": .int(range.least)] }
    return .array(
      rows.map {
        [
          "ranks": .int($0.ranks), "tokens_mean": .double($0.mean), "whole_segments": json($0.segments),
          "equal_documents": json($0.documents), "view": json($0.view),
        ]
      })
  }

  static func table(_ rows: [Row], _ name: String) -> Inspection.Table {
    func over(_ range: Range, _ mean: Double, _ digits: Int = 1) -> String {
      "+" + StoreInspection.decimal(mean > 0 ? 100 * (Double(range.most) / mean - 1) : 0, digits) + "%"
    }
    return Inspection.Table(
      title: "\(name): tokens of the rank with the most, over the mean",
      columns: ["ranks", "whole segments", "equal numbers of documents", "a view (±1 sequence)"],
      rows: rows.map {
        [
          "\($0.ranks)",
          $0.segments.least == 0 ? "some get none" : over($0.segments, $0.mean),
          over($0.documents, $0.mean), over($0.view, $0.viewMean, 3),
        ]
      })
  }
}
