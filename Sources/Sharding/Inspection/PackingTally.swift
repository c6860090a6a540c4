import Bytes
import Storage

/// What a packing does to documents at one context length: how many it cuts, how many tokens it severs from the beginning of
/// their document, how much is padding.
///
/// - *split*: documents in more than one sequence; *severed*: tokens whose document starts in another sequence.
/// - `concat` cuts the stream of documents every C tokens: both are counted for all documents, and there is no padding.
/// - `best-fit` cuts only documents longer than C: L - C of their tokens are severed. Its padding needs the packing itself:
///   taken from the pack index if there is one, else the first units are packed here, as `sluice shard` would.
struct PackingTally {
  /// Powers of two.
  static let contexts = [1024, 2048, 4096, 8192, 16_384, 32_768]
  /// Units are packed until so many documents are; a larger unit is cut at the maximum, which leaves memory bounded.
  static let sampleDocuments = 100_000
  static let sampleMax = 1 << 20

  /// Of one context length, over all documents.
  struct Cut {
    var context: Int
    var streamSplit = 0
    var streamSevered = 0
    var longDocuments = 0
    var longSevered = 0

    init(context: Int) { self.context = context }

    /// - Parameters: of the document in the stream of its split.
    @inline(__always) mutating func add(_ start: Int, _ end: Int) {
      // The end of the sequence that the document starts in: lengths are powers of two, and a division costs ten times more.
      let firstEnd = (start | (context - 1)) + 1
      if end > firstEnd {
        streamSplit += 1
        streamSevered += end - firstEnd
      }
      if end - start > context {
        longDocuments += 1
        longSevered += end - start - context
      }
    }
  }

  /// Sequences and padding of what was packed.
  struct Packed: Equatable {
    var documents: Int
    var bins: Int
    var padding: Int
  }

  private(set) var cuts = contexts.map { Cut(context: $0) }
  /// Numbers of the documents at which the units of the sample end.
  private let unitEnds: [Int]
  private var lengths: [UInt32] = []
  private var seen = 0
  let documents: Int

  init(_ split: StoreManifest.Split) {
    documents = split.documents
    var ends: [Int] = []
    var sum = 0
    for unit in PackIndex.plan(split) where sum < Self.sampleDocuments {
      sum += split.segments[unit].reduce(0) { $0 + $1.documents }
      ends.append(min(sum, Self.sampleMax))
    }
    unitEnds = ends
    lengths.reserveCapacity(ends.last ?? 0)
  }

  mutating func add(_ start: Int, _ end: Int) {
    for index in cuts.indices { cuts[index].add(start, end) }
    if seen < unitEnds[unitEnds.count - 1] { lengths.append(UInt32(truncatingIfNeeded: end - start)) }
    seen += 1
  }

  /// Packs the sample; nil if its documents were not all given.
  func packed(_ context: Int) -> Packed {
    var result = Packed(documents: 0, bins: 0, padding: 0)
    for end in unitEnds where end <= lengths.count {
      let unit = Array(lengths[result.documents..<end])
      let packed = PackedUnit(PackKey(context: context), lengths: unit)
      let bins = packed.sizes.classBins.reduce(0, +)
      result.documents = end
      result.bins += bins
      result.padding += bins * context - unit.reduce(0) { $0 + Int($1) }
    }
    return result
  }

  /// Of the index that views use, or of the sample.
  private func packed(_ context: Int, _ store: TokenStore, _ split: StoreManifest.Split) -> Packed {
    let index = try? PackIndex.read(store, split: split.name, PackKey(context: context))
    guard let index else { return packed(context) }
    return Packed(documents: split.documents, bins: index.bins, padding: index.padding)
  }

  struct Row {
    var context: Int
    var policy: PackingPolicy
    var split: Int
    var severed: Int
    var packed: Packed
  }

  /// Both packings at every context length.
  func rows(_ store: TokenStore, _ split: StoreManifest.Split) -> [Row] {
    cuts.flatMap { cut in
      [
        Row(
          context: cut.context, policy: .concat, split: cut.streamSplit, severed: cut.streamSevered,
          packed: Packed(documents: documents, bins: split.tokens / cut.context, padding: 0)),
        Row(
          context: cut.context, policy: .bestFit, split: cut.longDocuments, severed: cut.longSevered,
          packed: packed(cut.context, store, split)),
      ]
    }
  }

  static func json(_ rows: [Row]) -> JSONValue {
    .array(
      rows.map {
        [
          "context": .int($0.context), "packing": .string($0.policy.rawValue),
          "documents_split": .int($0.split), "tokens_severed": .int($0.severed),
          "packed_documents": .int($0.packed.documents), "sequences": .int($0.packed.bins),
          "sequence_tokens": .int($0.packed.bins * $0.context), "padding_tokens": .int($0.packed.padding),
        ]
      })
  }

  static func table(_ rows: [Row], _ split: StoreManifest.Split) -> Inspection.Table {
    let sample = rows.map(\.packed.documents).min() ?? split.documents
    var table = Inspection.Table(
      title: "\(split.name): packing by ids per sequence"
        + (sample < split.documents ? " (best-fit padding of the first \(sample) documents)" : ""),
      columns: ["context", "packing", "sequences", "padding", "documents split", "tokens severed"])
    for row in rows {
      let isSample = row.packed.documents < split.documents
      table.rows.append([
        "\(row.context)", row.policy.rawValue, isSample ? "-" : "\(row.packed.bins)",
        StoreInspection.percent(row.packed.padding, of: row.packed.bins * row.context, digits: 3),
        StoreInspection.percent(row.split, of: split.documents),
        StoreInspection.percent(row.severed, of: split.tokens),
      ])
    }
    return table
  }
}
