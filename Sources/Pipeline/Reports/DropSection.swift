import Bytes

/// Drops by rule, stage by stage, the largest first.
enum DropSection {
  static func node(_ values: HTMLReport.Values) -> HTMLNode {
    var tables: [HTMLNode] = []
    for (name, report) in values.stages where !report["drops"].members.isEmpty {
      let drops = report["drops"].members.sorted {
        let (left, right) = ($0.value["documents"].int, $1.value["documents"].int)
        return left == right ? $0.key < $1.key : left > right
      }
      let most = drops.first?.value["documents"].int ?? 0
      let rows = drops.map { rule, value in
        [
          .text(rule), bar(value["documents"].int, of: most, "drop"), figure(value["documents"]),
          share(value["documents"], of: report["documents_in"]),
          share(value["documents"], of: report["documents_dropped"]), figure(value["bytes"], .bytes),
        ] as [HTMLNode]
      }
      tables.append(
        table(
          "\(name): rules", ["rule", "  ", "documents", "of all in", "of the dropped", "text"], rows))
    }
    if tables.isEmpty { return .nothing }
    return section(
      "drops", "What was dropped",
      "One rule is charged for each document. Ask about any of them with sluice why; read some with sluice sample --rule.",
      tables)
  }
}

/// Languages and sources before and after.
enum LanguageSection {
  static func node(_ values: HTMLReport.Values) -> HTMLNode {
    let stages = values.path.filter { !$0.report["languages"].members.isEmpty }
    guard let first = stages.first?.report, let last = stages.last?.report else { return .nothing }
    return section(
      "languages", "Languages and sources",
      "Documents of each language behind each stage. The hatched bar is what came in, the full one what is left.",
      [languages(stages, first, last), sources(stages)])
  }

  private static func languages(
    _ stages: [(name: String, report: ReportValue)], _ first: ReportValue, _ last: ReportValue
  ) -> HTMLNode {
    let members = first["languages"].members
    // A stage that labels languages changes the names: those of the end that nobody had at the start follow.
    let names =
      members.map(\.key)
      + last["languages"].members.map(\.key).filter { name in !members.contains { $0.key == name } }
    let most = names.map { first["languages"][$0]["documents_in"].int }.max() ?? 0
    let rows = names.sorted {
      first["languages"][$0]["documents_in"].int > first["languages"][$1]["documents_in"].int
    }
    .map { name -> [HTMLNode] in
      let before = first["languages"][name]["documents_in"]
      let after = last["languages"][name]["documents_out"]
      return [
        .text(name), pair(before.int, after.int, most), figure(before),
      ] + stages.map { figure($0.report["languages"][name]["documents_out"]) } + [
        before.exists && after.exists ? share(after, of: before) : "–",
        figure(last["languages"][name]["bytes_out"], .bytes),
      ]
    }
    return table(
      "Languages", ["language", " ", "in"] + stages.map(\.name) + ["left", "text"], rows)
  }

  private static func pair(_ before: Int, _ after: Int, _ most: Int) -> HTMLNode {
    func width(_ value: Int) -> String {
      "width:\(Format.fixed(most == 0 ? 0 : min(100, 100 * Double(value) / Double(most)), 2))%"
    }
    return tag(
      "span", ["class": "bar pair", "aria-hidden": "true"],
      tag("i", ["class": "drop", "style": width(before)]),
      tag("i", ["class": "kept", "style": width(after)]))
  }

  private static func sources(_ stages: [(name: String, report: ReportValue)]) -> HTMLNode {
    var names: [String] = []
    for stage in stages {
      for member in stage.report["sources"].members where !names.contains(member.key) {
        names.append(member.key)
      }
    }
    let shown = 40
    var rows = names.prefix(shown).map { name in
      [.text(name)]
        + stages.flatMap { stage -> [HTMLNode] in
          let tally = stage.report["sources"][name]
          return [figure(tally["documents"]), figure(tally["bytes"], .bytes)]
        }
    }
    if names.count > shown {
      rows.append([.text("… and \(names.count - shown) more (sluice report --json)")])
    }
    return table(
      "Sources, documents and text behind each stage", ["source"] + stages.flatMap { [$0.name, "text"] }, rows
    )
  }
}

/// What the tokenizer is and how well it fits the corpus.
enum TokenizerSection {
  static func node(_ values: HTMLReport.Values) -> HTMLNode {
    let trained = values.stages.filter { $0.report["stage"].string == "train" }
    if trained.isEmpty { return .nothing }
    return section(
      "tokenizer", "Tokenizer", "Byte-level BPE trained on these documents.",
      trained.map { name, report in
        facts([
          ("stage", .text(name)), ("ids", figure(report["vocab_size"])), ("merges", figure(report["merges"])),
          ("pattern", figure(report["pattern"], .text)),
          ("bytes per token", figure(report["bytes_per_token"], .fixed(3))),
          ("tokens", figure(report["tokens"])), ("pretokens", figure(report["pretokens"])),
          ("different pretokens", figure(report["unique_pretokens"])),
          ("ids never used", figure(report["unused_ids"])),
          ("trained on", figure(report["bytes"], .bytes)),
          ("SHA-256", figure(report["tokenizer_sha256"], .hash)),
        ])
      })
  }
}
