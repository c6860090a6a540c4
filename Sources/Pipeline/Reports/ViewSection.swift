import Bytes

/// Views: what is read in which order, by whom, and how even it is.
enum ViewSection {
  static func node(_ values: HTMLReport.Values) -> HTMLNode {
    if values.views.isEmpty { return .nothing }
    return section(
      "views", "Who reads what",
      "A view decides what every GPU rank reads at every step. Another GPU count is another view; no token is rewritten.",
      values.views.map { name, inspection in
        .list([
          tag("h3", [:], .text(name)), order(inspection), shape(inspection), mixture(inspection),
          shuffle(inspection),
          RankGrid.node(inspection), ranks(inspection),
        ])
      })
  }

  private static func order(_ inspection: ReportValue) -> HTMLNode {
    let view = inspection["view"]
    let order = view["order"]
    let padding = figure(order["padding_tokens"])
    // Of a part of a store's classes a view does not know it.
    let isCounted = !order["mixture"].exists || order["padding_tokens"].int > 0
    return facts([
      ("order", figure(inspection["order_hash"], .hash)), ("store", stores(order)),
      ("split", figure(order["split"], .text)), ("seed", figure(order["seed"])),
      ("epochs", figure(view["epochs"])), ("starts at position", figure(view["start"])),
      ("ids per sequence", figure(order["sequence"]["tokens"])),
      ("shared with the next", figure(order["sequence"]["overlap"])),
      ("packing", figure(order["packing"]["policy"], .text)),
      ("shuffle", figure(order["shuffle"]["kind"], .text)),
      ("sequences", figure(order["sequences"])), ("padding, tokens", isCounted ? padding : "not counted"),
      (
        "padding, share",
        isCounted ? share(order["padding_tokens"], of: inspection["sequence_tokens"]) : "not counted"
      ),
      ("tail, never read", figure(order["tail_tokens"])),
    ])
  }

  private static func stores(_ order: ReportValue) -> HTMLNode {
    if order["store"].exists { return figure(order["store"], .hash) }
    return .list(order["stores"].elements.flatMap { [figure($0, .hash), " "] })
  }

  private static func shape(_ inspection: ReportValue) -> HTMLNode {
    let view = inspection["view"]
    let topology = view["topology"]
    let balance = inspection["balance"]
    return facts([
      ("GPUs", figure(view["gpus"])), ("per node", figure(view["gpus_per_node"])),
      ("framework", figure(topology["framework"], .text)),
      ("rank order", figure(topology["rank_order"], .text)),
      ("tensor parallel", figure(topology["tensor"])), ("context parallel", figure(topology["context"])),
      ("pipeline parallel", figure(topology["pipeline"])), ("expert parallel", figure(topology["expert"])),
      ("data parallel", figure(inspection["data_parallel"])),
      ("global batch", figure(view["batch"]["global"])),
      ("micro batch", figure(view["batch"]["micro"])), ("steps of an epoch", figure(balance["full_steps"])),
      ("left for the next epoch", figure(balance["incomplete_step"])),
      ("least of a rank", figure(balance["least"])), ("most of a rank", figure(balance["most"])),
      ("replicas with the most", figure(balance["replicas_with_most"])),
    ])
  }

  private static func mixture(_ inspection: ReportValue) -> HTMLNode {
    let classes = inspection["mixture"].elements
    if classes.isEmpty { return .nothing }
    return table(
      "Mixture",
      ["class", "asked, per million", "of a block", "of", "achieved", "sequences", "times read", "at most"],
      classes.map {
        [
          figure($0["name"], .text), figure($0["asked_ppm"]), figure($0["share"]), figure($0["block"]),
          share($0["share"], of: $0["block"]), figure($0["sequences"]), figure($0["repetitions"], .fixed(2)),
          $0["repetitions_max"].exists ? figure($0["repetitions_max"]) : "any",
        ]
      })
  }

  private static func shuffle(_ inspection: ReportValue) -> HTMLNode {
    let shuffle = inspection["shuffle"]
    guard shuffle.exists else { return .nothing }
    return facts([
      ("shards of 64 MiB", figure(shuffle["shards"])),
      ("touched by a batch", figure(shuffle["shards_per_batch"], .fixed(1))),
      ("pairs from one shard, over a draw", .list([figure(shuffle["ratio"], .fixed(2)), "×"])),
    ])
  }

  private static func ranks(_ inspection: ReportValue) -> HTMLNode {
    let rows = inspection["ranks"].elements.map { rank in
      [
        figure(rank["rank"]), figure(rank["node"]), figure(rank["local_rank"]), figure(rank["tp"]),
        figure(rank["cp"]),
        figure(rank["dp"]), figure(rank["pp"]), .text(rank["reads"].json.bool == true ? "yes" : "no"),
        figure(rank["sequences"]), figure(rank["tokens"]),
      ] as [HTMLNode]
    }
    return details(
      "The first ranks",
      [
        table(
          "The first ranks (all: sluice shard --ranks)",
          ["rank", "node", "on node", "tp", "cp", "dp", "pp", " reads", "sequences", "tokens"], rows)
      ])
  }
}

/// Every rank as a cell with the number of its replica; nodes are blocks.
enum RankGrid {
  private static func perRow(_ gpus: Int) -> Int { gpus <= 16 ? 16 : gpus <= 256 ? 32 : 64 }

  static func node(_ inspection: ReportValue) -> HTMLNode {
    let replicas = inspection["rank_replicas"].elements
    let reading = inspection["rank_reads"].elements
    let gpus = inspection["view"]["gpus"].int
    guard !replicas.isEmpty else {
      return tag(
        "p", ["class": "note"],
        "\(Format.count(gpus)) ranks are too many to draw; sluice shard --ranks lists all.")
    }
    let perNode = max(1, inspection["view"]["gpus_per_node"].int)
    let columns = min(gpus, max(perNode, perRow(gpus) / perNode * perNode))
    let side = columns <= 16 ? 40.0 : columns <= 32 ? 28.0 : 15.0
    var nodes: [HTMLNode] = [tag("title", [:], "Replica of every rank")]
    let gap = 4.0
    for (rank, replica) in replicas.enumerated() {
      let column = rank % columns
      let x = Double(column) * side + Double(column / perNode) * gap
      let y = Double(rank / columns) * (side + 2)
      let reads = rank < reading.count && reading[rank].json.bool == true
      // Neighbouring replicas get hues that are far apart: the golden angle.
      let hue = Int((Double(replica.int) * 137.508).truncatingRemainder(dividingBy: 360))
      nodes.append(
        tag(
          "g", ["class": reads ? "rank" : "rank quiet"],
          tag(
            "title", [:],
            "rank \(rank): node \(rank / perNode), replica \(replica.plain), \(reads ? "reads tokens" : "reads none")"
          ),
          tag(
            "rect",
            [
              "x": RiverShape.number(x), "y": RiverShape.number(y), "width": RiverShape.number(side - 1),
              "height": RiverShape.number(side - 1), "rx": "2", "style": "--hue:\(hue)",
            ]),
          tag(
            "text",
            [
              "x": RiverShape.number(x + (side - 1) / 2), "y": RiverShape.number(y + side / 2 + side * 0.12),
              "text-anchor": "middle", "style": "font-size:\(RiverShape.number(side * 0.38))px",
              "data-path": replica.place, "data-value": replica.plain,
            ], .text(replica.plain))))
    }
    let width = Double(columns) * side + Double((columns - 1) / perNode) * gap
    let height = Double((gpus + columns - 1) / columns) * (side + 2)
    return tag(
      "figure", ["class": "wide"],
      tag(
        "svg",
        [
          "class": "chart ranks", "viewBox": "0 0 \(RiverShape.number(width)) \(RiverShape.number(height))",
          "role": "img",
          "style": "max-width:\(RiverShape.number(width))px", "aria-label": "Replica of every rank",
        ], all: nodes),
      tag(
        "figcaption", [:],
        "One cell per rank with the number of its replica (data-parallel rank); a block is a node, ranks run from left to right. Outlined cells read tokens themselves, plain ones get theirs from a rank of their group or need none."
      ))
  }
}

/// Where it all came from: versions, options, inputs.
enum OriginSection {
  static func node(_ values: HTMLReport.Values) -> HTMLNode {
    if values.stages.isEmpty { return .nothing }
    var nodes: [HTMLNode] = []
    for (name, report) in values.stages {
      var rows: [[HTMLNode]] = [["version", figure(report["version"], .text)]]
      append(report["options"], "", &rows)
      nodes.append(table(name, ["option", " value"], rows))
    }
    var inputs: [[HTMLNode]] = []
    if let (name, _) = values.stages.first, let folder = values.folders?[name] {
      for input in folder["manifest"]["inputs"].elements.prefix(100) {
        inputs.append([
          figure(input["name"], .text), figure(input["bytes"], .bytes), figure(input["sha256"], .hash),
        ])
      }
      nodes.append(
        table(
          "What the first stage read (at most 100 files are shown)", ["file", "bytes", " SHA-256"], inputs))
    }
    return section(
      "origin", "What it was made of",
      "Outputs are a function of inputs, options and version: the same three give the same bytes.",
      [details("Options and inputs of every stage", [tag("div", ["class": "columns"], all: nodes)])])
  }

  /// Options in depth, with the names of their objects; lists of inputs are left to their own table.
  private static func append(_ options: ReportValue, _ prefix: String, _ rows: inout [[HTMLNode]]) {
    for (key, value) in options.members where key != "inputs" && key != "version" && key != "stage" {
      if value.json.members != nil {
        append(value, "\(prefix)\(key).", &rows)
      } else {
        rows.append([.text(prefix + key), figure(value, .text)])
      }
    }
  }
}
