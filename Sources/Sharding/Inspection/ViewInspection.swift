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
    let mix = split.flatMap { BatchMix(view, width: $0.width) }
    var tables = [order(view, split), shape(view)]
    if let mixture = view.order.mixture { tables.append(self.mixture(mixture, table)) }
    tables.append(balance(view, table))
    if let mix { tables.append(shuffle(view, mix)) }
    tables.append(ranks(table))
    return Inspection(json: json(view, table, split, mix), tables: tables)
  }

  private static func order(_ view: View, _ split: StoreSplit?) -> Inspection.Table {
    let order = view.order
    return Inspection.Table(
      title: "order \(view.orderHash)", columns: ["what", "value"],
      rows: [
        ["stores", order.stores.joined(separator: ", ") + folders(split)], ["split", order.split],
        ["seed", "\(order.seed)"],
        ["ids per sequence", "\(order.tokens), \(order.overlap) shared with the next"],
        ["packing", order.packing.policy.rawValue + (order.packing.index.map { ", index \($0)" } ?? "")],
        ["shuffle", shuffleText(order.shuffle)], ["sequences", "\(order.sequences)"],
        ["tokens in sequences", "\(order.sequences * (order.tokens - order.overlap) + order.overlap)"],
        [
          "padding tokens",
          "\(order.paddingTokens) ("
            + StoreInspection.percent(order.paddingTokens, of: order.sequences * order.tokens, digits: 3)
            + ")",
        ],
        ["tail tokens, never read", "\(order.tailTokens)"],
        ["epochs", "\(view.epochs)"],
        [
          "step 0 begins at position",
          "\(view.start)" + (view.start > 0 ? ", where another run stopped" : ""),
        ],
      ])
  }

  /// The index counts the padding of whole units, so that of some of their classes is not known.
  private static func padding(_ order: View.Order) -> String {
    if order.mixture != nil, order.paddingTokens == 0 { return "not counted for a part of the classes" }
    let share = StoreInspection.percent(order.paddingTokens, of: order.sequences * order.tokens, digits: 3)
    return "\(order.paddingTokens) (\(share))"
  }

  private static func shuffleText(_ shuffle: View.Shuffle) -> String {
    switch shuffle {
    case .permutation: "all sequences, by one permutation"
    case .blocks(let block, let window): "blocks of \(block) sequences, in windows of \(window) blocks"
    }
  }

  /// What of a mixture was asked, and what it achieves in the epochs of the table.
  private static func mixture(_ mixture: View.Mixture, _ table: RankTable) -> Inspection.Table {
    Inspection.Table(
      title: "mixture by \(mixture.by.rawValue), in blocks of \(mixture.block) positions",
      columns: ["name", "asked", "achieved", "sequences", "times read", "at most"],
      rows: mixture.classes.indices.map { number in
        let kind = mixture.classes[number]
        return [
          kind.name, StoreInspection.percent(kind.weightPPM, of: 1_000_000, digits: 2),
          StoreInspection.percent(kind.share, of: mixture.block, digits: 2), "\(kind.sequences)",
          StoreInspection.decimal(times(mixture, number, table), 2),
          kind.repetitionsMax.map { "\($0)" } ?? "any",
        ]
      })
  }

  private static func times(_ mixture: View.Mixture, _ number: Int, _ table: RankTable) -> Double {
    mixture.repetitions(of: number, positions: table.epochs * table.view.order.sequences)
  }

  private static func shuffle(_ view: View, _ mix: BatchMix) -> Inspection.Table {
    Inspection.Table(
      title: "shuffle, over shards of 64 MiB (\(mix.batches) batches of \(mix.sequences) sequences)",
      columns: ["what", "value"],
      rows: [
        ["shards", "\(mix.shards)"],
        [
          "shards that a batch touches",
          StoreInspection.decimal(Double(mix.touchedShards) / Double(mix.batches)),
        ],
        ["pairs of a batch from one shard, over a draw", StoreInspection.decimal(mix.ratio, 2) + "×"],
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

  private static func json(_ view: View, _ table: RankTable, _ split: StoreSplit?, _ mix: BatchMix?)
    -> JSONValue
  {
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
      "sequence_tokens": .int(view.order.sequences * view.order.tokens),
      "mixture": view.order.mixture.map { json($0, table) } ?? .null,
      "shuffle": mix?.json ?? .null,
      "ranks": .array((0..<min(rowsShown, table.count)).map { RankTable.json(table.row($0)) }),
      "rank_replicas": .array(listed.map { .int($0.place.data) }),
      "rank_reads": .array(listed.map { .bool($0.reads) }),
    ]
  }

  private static func json(_ mixture: View.Mixture, _ table: RankTable) -> JSONValue {
    .array(
      mixture.classes.indices.map { number in
        let kind = mixture.classes[number]
        return [
          "name": .string(kind.name), "asked_ppm": .int(kind.weightPPM), "share": .int(kind.share),
          "block": .int(mixture.block), "sequences": .int(kind.sequences),
          "repetitions": .double((times(mixture, number, table) * 1e6).rounded() / 1e6),
          "repetitions_max": .optional(kind.repetitionsMax),
        ]
      })
  }
}
