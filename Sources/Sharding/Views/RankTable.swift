import Bytes
import Storage

/// What each rank of a view is and reads, one row at a time: memory does not grow with the ranks.
public struct RankTable: Sendable {
  public struct Row: Equatable, Sendable {
    public var rank: Int
    public var node: Int
    public var localRank: Int
    public var place: Topology.Coordinates
    /// Does it read tokens itself? The others of its group get theirs from it, or need none.
    public var reads: Bool
    /// Which ids of a sequence it computes.
    public var contextSlices: [Range<Int>]
    /// Sequences of its replica in the run.
    public var sequences: Int
    public var tokens: Int
  }

  public static let columns = [
    "rank", "node", "local_rank", "tp", "cp", "dp", "pp", "reads", "sequences", "tokens",
  ]

  public let view: View
  public let epochs: Int
  private let plan: SequencePlan

  /// - Parameter epochs: nil: the view's.
  /// - Throws: `.usage` for fewer than one or more than `ViewOptions.epochsMax` epochs.
  public init(_ view: View, epochs asked: Int? = nil) throws(StorageError) {
    let epochs = asked ?? view.epochs
    guard epochs >= 1, epochs <= ViewOptions.epochsMax else {
      throw .usage("--epochs must lie between 1 and \(ViewOptions.epochsMax).")
    }
    self.view = view
    self.epochs = epochs
    plan = SequencePlan(view)
  }

  public var count: Int { view.topology.gpus }
  /// Sequences that all replicas together read, from the view's `start` on.
  public var positions: Int { max(0, epochs * view.order.sequences - view.start) }

  public func row(_ rank: Int) -> Row {
    let place = view.topology.coordinates(ofRank: rank)
    let sequences = plan.sequenceCount(ofReplica: place.data, epochs: epochs)
    let trained = view.order.tokens - view.order.overlap
    return Row(
      rank: rank, node: rank / view.gpusPerNode, localRank: rank % view.gpusPerNode, place: place,
      reads: view.framework.reads(place, view.topology),
      contextSlices: view.topology.contextSlices(ofRank: place.context, tokens: trained),
      sequences: sequences,
      tokens: sequences * view.order.tokens)
  }

  /// Cells in the order of `columns`.
  public static func cells(_ row: Row) -> [String] {
    [
      "\(row.rank)", "\(row.node)", "\(row.localRank)", "\(row.place.tensor)", "\(row.place.context)",
      "\(row.place.data)", "\(row.place.pipeline)", row.reads ? "yes" : "no", "\(row.sequences)",
      "\(row.tokens)",
    ]
  }

  public static func json(_ row: Row) -> JSONValue {
    [
      "rank": .int(row.rank), "node": .int(row.node), "local_rank": .int(row.localRank),
      "tp": .int(row.place.tensor), "cp": .int(row.place.context), "dp": .int(row.place.data),
      "pp": .int(row.place.pipeline), "reads": .bool(row.reads),
      "cp_slices": .array(row.contextSlices.map { [.int($0.lowerBound), .int($0.upperBound)] }),
      "sequences": .int(row.sequences), "tokens": .int(row.tokens),
    ]
  }

  /// Sequences of a run by replica: the fewest, the most, and how many replicas have the most.
  public var balance: (least: Int, most: Int, replicasWithMost: Int) {
    let replicas = view.topology.data
    let most = plan.sequenceCount(ofReplica: 0, epochs: epochs)
    let least = plan.sequenceCount(ofReplica: replicas - 1, epochs: epochs)
    // What is left after the full steps is dealt out from replica 0 on.
    let rest = positions % view.globalBatch % replicas
    return (least, most, rest == 0 ? replicas : rest)
  }

  /// Writes the rank manifest as JSON, a line per rank: `{"format","order","rule","epochs","groups","ranks":[…]}`.
  /// A group is given by its rule, not by a list: ranks of one group differ in that axis only.
  public func writeJSON(_ write: ([UInt8]) throws(StorageError) -> Void) throws(StorageError) {
    let topology = view.topology
    let head: JSONValue = [
      "format": "sluice-ranks/1", "order": .string(view.orderHash), "rule": .string(plan.rule.rawValue),
      "epochs": .int(epochs),
      "groups": .object(
        topology.rankOrder.filter { $0 != .expert }.map { axis in
          .init(
            axis.rawValue, ["size": .int(topology.size(of: axis)), "stride": .int(topology.stride(of: axis))])
        }),
    ]
    var bytes = head.serialized()
    bytes.removeLast()
    bytes.append(",\"ranks\":[\n")
    for rank in 0..<count {
      bytes.append(contentsOf: Self.json(row(rank)).serialized())
      bytes.append(rank + 1 < count ? ",\n" : "\n")
      if bytes.count >= 1 << 16 {
        try write(bytes)
        bytes.removeAll(keepingCapacity: true)
      }
    }
    bytes.append("]}\n")
    try write(bytes)
  }
}
