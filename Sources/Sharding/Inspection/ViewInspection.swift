import Bytes
import Storage

/// What a view gives to whom: order, shape, balance over ranks, and the first ranks.
public enum ViewInspection {
  static let rowsShown = 16
  /// Up to so many ranks the JSON holds the replica of each: a picture of 16 KB.
  static let ranksListed = 4096

  /// - Parameters:
  ///   - split: nil if its stores were not found: the view says enough for everything but the segments.
  ///   - epochs: nil: the view's.
  /// - Throws: `.usage` for a wrong number of epochs.
  public static func run(_ view: View, split: StoreSplit?, epochs: Int? = nil) throws(StorageError)
    -> Inspection
  {
    let table = try RankTable(view, epochs: epochs)
    return Inspection(
      json: json(view, table, split),
      tables: [order(view, split), shape(view), balance(view, table), ranks(table)])
  }

  private static func order(_ view: View, _ split: StoreSplit?) -> Inspection.Table {
    let order = view.order
    return Inspection.Table(
      title: "order \(view.orderHash)", columns: ["what", "value"],
      rows: [
        ["stores", order.stores.joined(separator: ", ") + folders(split)], ["split", order.split],
        ["seed", "\(order.seed)"],
        ["ids per sequence", "\(order.tokens), \(order.overlap) shared with the next"],
        ["packing", order.packing.policy.rawValue], ["sequences", "\(order.sequences)"],
        ["tokens in sequences", "\(order.sequences * (order.tokens - order.overlap) + order.overlap)"],
        ["padding tokens", "\(order.paddingTokens)"], ["tail tokens, never read", "\(order.tailTokens)"],
      ])
  }

  private static func folders(_ split: StoreSplit?) -> String {
    split.map { " (" + $0.stores.map(\.folder).joined(separator: ", ") + ")" } ?? ""
  }

  private static func shape(_ view: View) -> Inspection.Table {
    let topology = view.topology
    return Inspection.Table(
      title: "who reads", columns: ["what", "value"],
      rows: [
        ["GPUs", "\(topology.gpus), \(view.gpusPerNode) per node"],
        ["framework", "\(view.framework.rawValue), rank order \(topology.rankOrderText)"],
        [
          "TP · CP · PP · DP",
          "\(topology.tensor) · \(topology.context) · \(topology.pipeline) · \(topology.data)",
        ],
        [
          "global batch",
          "\(view.globalBatch) sequences, \(view.microBatches) micro-batches of \(view.microBatch) per replica",
        ],
        ["position in a step", view.framework.positionRule.rawValue],
      ])
  }

  private static func balance(_ view: View, _ table: RankTable) -> Inspection.Table {
    let balance = table.balance
    let total = table.positions
    let sequence = view.order.tokens
    return Inspection.Table(
      title:
        "balance over \(view.topology.data) replicas, \(table.epochs) epoch\(table.epochs == 1 ? "" : "s")",
      columns: ["what", "sequences", "tokens"],
      rows: [
        ["least of a rank", "\(balance.least)", "\(balance.least * sequence)"],
        ["most of a rank", "\(balance.most)", "\(balance.most * sequence)"],
        ["replicas with the most", "\(balance.replicasWithMost)", ""],
        [
          "full steps", "\(total / view.globalBatch)",
          "\(total / view.globalBatch * view.globalBatch * sequence)",
        ],
        [
          "in the last, incomplete step", "\(total % view.globalBatch)",
          "\(total % view.globalBatch * sequence)",
        ],
      ])
  }

  private static func ranks(_ table: RankTable) -> Inspection.Table {
    let shown = min(rowsShown, table.count)
    let more = table.count > shown ? " (first \(shown) of \(table.count); all: sluice shard --ranks)" : ""
    return Inspection.Table(
      title: "ranks" + more, columns: RankTable.columns,
      rows: (0..<shown).map { RankTable.cells(table.row($0)) })
  }

  private static func json(_ view: View, _ table: RankTable, _ split: StoreSplit?) -> JSONValue {
    let balance = table.balance
    let total = table.positions
    let listed = table.count <= ranksListed ? (0..<table.count).map { table.row($0) } : []
    return [
      "kind": "view", "order_hash": .string(view.orderHash), "view": view.json,
      "store_found": .bool(split != nil),
      "data_parallel": .int(view.dataParallel), "epochs": .int(table.epochs),
      "balance": [
        "least": .int(balance.least), "most": .int(balance.most),
        "replicas_with_most": .int(balance.replicasWithMost),
        "full_steps": .int(total / view.globalBatch), "incomplete_step": .int(total % view.globalBatch),
      ],
      "ranks": .array((0..<min(rowsShown, table.count)).map { RankTable.json(table.row($0)) }),
      "rank_replicas": .array(listed.map { .int($0.place.data) }),
      "rank_reads": .array(listed.map { .bool($0.reads) }),
    ]
  }
}
