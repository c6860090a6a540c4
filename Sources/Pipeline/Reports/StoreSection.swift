import Bytes

/// Token stores: splits, lengths, balance of segments, what packing does at each context length.
enum StoreSection {
  static let segmentsShown = 32
  static let segmentsDrawn = 256

  static func node(_ values: HTMLReport.Values) -> HTMLNode {
    var nodes: [HTMLNode] = []
    for (name, store) in values.stores {
      if values.stores.count > 1 { nodes.append(tag("h3", [:], .text(name))) }
      nodes.append(
        facts([
          ("fingerprint", figure(store["fingerprint"], .hash)),
          ("tokenizer", figure(store["tokenizer"], .text)),
          ("ids", figure(store["vocabulary"])), ("stored as", figure(store["dtype"], .text)),
          ("documents", figure(store["documents"])), ("tokens", figure(store["tokens"])),
        ]))
      nodes.append(splits(store))
      for (index, split) in store["splits"].members.enumerated() {
        let content = node(split.key, split.value)
        // The held-out splits look like the first, but smaller.
        nodes.append(
          index == 0
            ? .list([tag("h3", [:], .text("Split \(split.key)")), .list(content)])
            : details("Split \(split.key)", content))
      }
    }
    let counters = values.stages.flatMap { name, report in
      report["histograms"].members.map { member in
        ColumnChart(
          title: "\(name): \(member.key.split(separator: "_").joined(separator: " "))",
          columns: ColumnChart.reportBuckets(member.value), areBuckets: true, unit: "documents", noun: "value"
        ).node
      }
    }
    if nodes.isEmpty, counters.isEmpty { return .nothing }
    return section(
      "store", "Token store",
      "The same fingerprint means the same tokens in the same order, wherever the store lies.",
      nodes + [
        counters.isEmpty
          ? .nothing
          : .list([
            tag("h3", [:], "Histograms of the stages"), tag("div", ["class": "columns"], all: counters),
          ])
      ])
  }

  private static func node(_ name: String, _ split: ReportValue) -> [HTMLNode] {
    [
      tag("div", ["class": "columns"], all: charts(name, split) + shares(name, split)),
      segments(name, split), packings(name, split), balance(split), order(split),
    ]
  }

  private static func splits(_ store: ReportValue) -> HTMLNode {
    let all = store["tokens"]
    let rows = store["splits"].members.map { name, split in
      [
        .text(name), figure(split["documents"]), figure(split["tokens"]), share(split["tokens"], of: all),
        figure(split["bytes"], .bytes), figure(split["lengths"]["min"]), figure(split["lengths"]["p50"]),
        figure(split["lengths"]["mean"], .fixed(1)), figure(split["lengths"]["p95"]),
        figure(split["lengths"]["p99"]),
        figure(split["lengths"]["max"]),
      ] as [HTMLNode]
    }
    return table(
      "Splits and tokens per document",
      [
        "split", "documents", "tokens", "share", "bytes", "shortest", "median", "mean", "95 %", "99 %",
        "longest",
      ], rows)
  }

  private static func charts(_ name: String, _ split: ReportValue) -> [HTMLNode] {
    var nodes = [
      ColumnChart(
        title: "Tokens per document", columns: ColumnChart.storeBuckets(split["length_histogram"]),
        areBuckets: true,
        unit: "documents", noun: "tokens"
      ).node
    ]
    let segments = split["segments"].elements
    if segments.count > 1, segments.count <= segmentsDrawn {
      nodes.append(
        ColumnChart(
          title: "Tokens per segment",
          columns: segments.enumerated().map {
            .init(name: $0.element["name"].string, tick: "\($0.offset)", value: $0.element["tokens"])
          },
          unit: "tokens",
          noun: "segment"
        ).node)
    }
    return nodes
  }

  private static func segments(_ name: String, _ split: ReportValue) -> HTMLNode {
    let segments = split["segments"].elements
    var rows = segments.prefix(segmentsShown).map { segment in
      [
        figure(segment["name"], .text), figure(segment["documents"]), figure(segment["tokens"]),
        share(segment["tokens"], of: split["tokens"]), figure(segment["lengths"]["mean"], .fixed(1)),
        figure(segment["lengths"]["max"]), figure(segment["min_id"]), figure(segment["max_id"]),
      ] as [HTMLNode]
    }
    if segments.count > segmentsShown {
      rows.append([.text("… and \(Format.count(segments.count - segmentsShown)) more (sluice inspect)")])
    }
    return details(
      "Segments of \(name)",
      [
        table(
          "Segments",
          ["segment", "documents", "tokens", "share", "mean", "longest", "least id", "largest id"], rows)
      ])
  }

  private static func packings(_ name: String, _ split: ReportValue) -> HTMLNode {
    let packings = split["packings"].elements
    let isSample = packings.contains { $0["packed_documents"].int < split["documents"].int }
    let rows = packings.map { row -> [HTMLNode] in
      [
        figure(row["context"]), figure(row["packing"], .text), figure(row["sequences"]),
        share(row["padding_tokens"], of: row["sequence_tokens"]), figure(row["padding_tokens"]),
        share(row["documents_split"], of: split["documents"]),
        bar(
          row["tokens_severed"].int, of: split["tokens"].int,
          row["packing"].string == "concat" ? "drop" : "kept"),
        share(row["tokens_severed"], of: split["tokens"]),
      ] + (isSample ? [figure(row["packed_documents"])] : [])
    }
    return .list([
      table(
        "What packing does: padding, documents in several sequences, tokens whose document starts in another one",
        [
          "ids per sequence", " packing", "sequences", "padding", "ids of padding", "documents split", "  ",
          "tokens severed",
        ] + (isSample ? ["packed"] : []), rows),
      isSample
        ? tag(
          "p", ["class": "note"],
          "Sequences and padding of best-fit are those of the documents that were packed for this page; the other columns are of all."
        )
        : .nothing,
    ])
  }

  private static func balance(_ split: ReportValue) -> HTMLNode {
    let rows = split["imbalance"].elements.map { row in
      [
        figure(row["ranks"]), figure(row["tokens_mean"], .whole), figure(row["whole_segments"]["most"]),
        figure(row["equal_documents"]["most"]), figure(row["view"]["most"]), figure(row["view"]["least"]),
      ] as [HTMLNode]
    }
    return table(
      "Tokens of the rank with the most, by how readers share a store",
      ["ranks", "mean", "whole segments", "equal documents", "a view, most", "least"], rows)
  }

  private static func order(_ split: ReportValue) -> HTMLNode {
    let shuffle = split["shuffle"]
    let names = [
      ("same_part", "of one input part"), ("same_source", "of one source"),
      ("same_language", "of one language"),
      ("next_in_input", "neighbours in the input"),
    ]
    var rows = names.map { key, name in
      [.text(name), figure(shuffle[key]["pairs"]), figure(shuffle[key]["expected"], .fixed(1))] as [HTMLNode]
    }
    let entropy = shuffle["source_entropy"]
    rows.append([
      .list(["bits of source in 1/", figure(entropy["windows"]), " of the store, in all of it"]),
      figure(entropy["window_bits"], .fixed(3)), figure(entropy["whole_bits"], .fixed(3)),
    ])
    return table(
      "How well it is mixed: neighbouring documents", ["neighbours", "pairs", "in a random order"], rows)
  }

  private static func shares(_ name: String, _ split: ReportValue) -> [HTMLNode] {
    [("Languages", "languages"), ("Sources", "sources")].map { title, key in
      let members = split[key].members.sorted {
        let (left, right) = ($0.value["tokens"].int, $1.value["tokens"].int)
        return left == right ? $0.key < $1.key : left > right
      }
      let most = members.first?.value["tokens"].int ?? 0
      return table(
        title, ["name", " ", "documents", "tokens", "share"],
        members.prefix(40).map { member in
          [
            .text(member.key), bar(member.value["tokens"].int, of: most), figure(member.value["documents"]),
            figure(member.value["tokens"]), share(member.value["tokens"], of: split["tokens"]),
          ]
        })
    }
  }
}
