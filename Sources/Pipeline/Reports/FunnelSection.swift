import Bytes

/// The funnel: documents and bytes in and out of every stage, as a river that narrows and as a table.
enum FunnelSection {
  static func node(_ values: HTMLReport.Values) -> HTMLNode {
    let stages = values.path
    guard let first = stages.first else { return .nothing }
    var rows: [[HTMLNode]] = []
    for (name, report) in values.stages {
      let folder = values.folders?[name]
      rows.append([
        .text(name), figure(report["documents_in"]), figure(report["documents_out"]),
        share(report["documents_out"], of: report["documents_in"]), figure(report["documents_dropped"]),
        figure(report["records_defective"]), figure(report["records_other"]),
        figure(report["text_bytes_in"], .bytes), figure(report["text_bytes_out"], .bytes),
        share(report["text_bytes_out"], of: report["text_bytes_in"]),
        folder.map { figure($0["input_bytes"], .bytes) } ?? "–",
        folder.map { figure($0["output_bytes"], .bytes) } ?? "–",
      ])
    }
    let columns = [
      "stage", "in", "out", "kept", "dropped", "defects", "other", "text in", "text out", "text kept",
      "files in", "files out",
    ]
    return section(
      "funnel", "From dump to tokens",
      "Every stage accounts for every document: in = out + dropped + defects + other records.",
      [
        river(stages, first.report["documents_in"].int), legend,
        table("Documents, text and files by stage", columns, rows), balance(values), defects(values),
      ])
  }

  private static let legend = tag(
    "p", ["class": "legend"], tag("span", ["class": "key kept"]), "kept  ",
    tag("span", ["class": "key drop"]),
    "dropped  ", tag("span", ["class": "key rest"]), "defects and records of other types")

  // MARK: The river

  private static let barWidth = 10.0
  private static let top = 62.0

  private static func river(_ stages: [(name: String, report: ReportValue)], _ all: Int) -> HTMLNode {
    guard all > 0 else { return .nothing }
    let spacing = 1000.0 / Double(stages.count)
    let depth = min(150, spacing - 50)
    let scale = depth / Double(all)
    var nodes: [HTMLNode] = [
      tag("title", [:], "Documents by stage"),
      tag(
        "desc", [:],
        .text(
          stages.map {
            "\($0.name): \(Format.count($0.report["documents_in"].int)) in, "
              + "\(Format.count($0.report["documents_out"].int)) out"
          }.joined(separator: "; "))), RiverShape.patterns,
    ]
    let base = top + depth + 44
    for (index, stage) in stages.enumerated() {
      let x = Double(index) * spacing + 6
      let report = stage.report
      let kept = Double(report["documents_out"].int) * scale
      let dropped = Double(report["documents_dropped"].int) * scale
      let height = Double(report["documents_in"].int) * scale
      let end = index + 1 < stages.count ? x + spacing : x + spacing - 12
      nodes.append(
        RiverShape.rectangle(x, top, barWidth, max(kept, 1), "kept-deep"))
      nodes.append(RiverShape.rectangle(x + barWidth, top, end - x - barWidth, max(kept, 1), "kept"))
      if dropped > 0 {
        nodes.append(
          RiverShape.fall(x, top + kept, barWidth, max(dropped, 1.5), base, "drop"))
      }
      let rest = height - kept - dropped
      if rest > 0.01 {
        nodes.append(RiverShape.rectangle(x, top + kept + max(dropped, 0), barWidth, max(rest, 1.5), "rest"))
      }
      nodes.append(label(x, 16, "label", .text(stage.name)))
      nodes.append(label(x, 36, "count", figure(report["documents_in"]).tspan))
      nodes.append(label(x, 52, "small", "in"))
      if report["documents_dropped"].int > 0 {
        let at = x + barWidth + 8
        nodes.append(label(at, base + 15, "count", figure(report["documents_dropped"]).tspan))
        nodes.append(
          label(
            at, base + 30, "small",
            .list([
              "dropped, ",
              share(report["documents_dropped"], of: report["documents_in"]).tspan,
            ])))
      }
      if index + 1 == stages.count {
        nodes.append(
          tag(
            "text",
            [
              "x": RiverShape.number(end - 8), "y": RiverShape.number(top + max(kept / 2, 8) + 5),
              "class": "on", "text-anchor": "end",
            ],
            figure(report["documents_out"]).tspan, " out"))
      }
    }
    return tag(
      "svg",
      [
        "class": "chart river", "viewBox": "0 0 1000 \(Int(base) + 38)", "role": "img",
        "aria-label": "Documents by stage",
      ], all: nodes)
  }

  private static func label(_ x: Double, _ y: Double, _ kind: String, _ text: HTMLNode) -> HTMLNode {
    tag("text", ["x": RiverShape.number(x), "y": RiverShape.number(y), "class": kind], text)
  }

  // MARK: What else the reports count

  /// Says so if a stage's counts did not add up, or a stream might have been cut.
  private static func balance(_ values: HTMLReport.Values) -> HTMLNode {
    let wrong = values.stages.filter { _, report in
      report["documents_in"].int
        != report["documents_out"].int + report["documents_dropped"].int + report["records_defective"].int
        + report["records_other"].int
    }
    let isUnknown = values.stages.contains { name, _ in
      values.folders?[name]["manifest"]["complete"].string == "unknown"
    }
    var notes: [HTMLNode] = []
    if !wrong.isEmpty {
      notes.append(
        tag(
          "p", ["class": "warning"],
          "Counts do not add up in: \(wrong.map(\.name).joined(separator: ", ")). This is a bug of sluice."))
    }
    if isUnknown {
      notes.append(
        tag(
          "p", ["class": "warning"],
          "A stage read an unmarked stream, which cannot tell whether it was whole (manifest: complete = unknown)."
        ))
    }
    return .list(notes)
  }

  private static func defects(_ values: HTMLReport.Values) -> HTMLNode {
    var counts: [[HTMLNode]] = []
    var first: [[HTMLNode]] = []
    for (name, report) in values.stages {
      for (kind, text) in [
        ("defects", "record lost"), ("marks", "kept with a mark"), ("other", "no document"),
      ] {
        for member in report[kind].members {
          counts.append([.text(name), .text(member.key), .text(text), figure(member.value)])
        }
      }
      for defect in report["defect_list"].elements.prefix(20) {
        first.append([
          .text(name), figure(defect["kind"], .text), figure(defect["file"], .text), figure(defect["offset"]),
          figure(defect["message"], .text),
        ])
      }
    }
    var nodes: [HTMLNode] = []
    if !counts.isEmpty {
      nodes.append(
        details(
          "Defects, marks and records of other types",
          [
            table("Records by type", ["stage", " type", " what became of it", "records"], counts),
            first.isEmpty
              ? .nothing
              : table(
                "The first defects and marks, with their places",
                ["stage", " kind", " file", "byte", " message"], first),
          ]))
    }
    return .list(nodes)
  }
}

extension HTMLNode {
  /// The same figure inside an SVG text.
  var tspan: HTMLNode {
    if case .element(_, let attributes, let content) = self { return .element("tspan", attributes, content) }
    return self
  }
}

/// Shapes of the river.
enum RiverShape {
  /// One decimal is a tenth of a pixel.
  static func number(_ value: Double) -> String { Format.fixed(value, 1) }

  /// Hatched fills: what was dropped differs from what was kept without its colour.
  static let patterns = tag(
    "defs", [:],
    tag(
      "pattern",
      [
        "id": "hatch", "width": "6", "height": "6", "patternUnits": "userSpaceOnUse",
        "patternTransform": "rotate(45)",
      ], tag("rect", ["width": "6", "height": "6", "class": "hatch-ground"]),
      tag("rect", ["width": "2", "height": "6", "class": "hatch-line"])))

  static func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ kind: String)
    -> HTMLNode
  {
    tag(
      "rect",
      ["x": number(x), "y": number(y), "width": number(width), "height": number(height), "class": kind])
  }

  /// What leaves the river: from the gate's right edge it bends down to `base`.
  static func fall(
    _ x: Double, _ y: Double, _ gate: Double, _ thickness: Double, _ base: Double, _ kind: String
  ) -> HTMLNode {
    let inner = 6.0
    let outer = inner + thickness
    let edge = x + gate
    let path =
      "M\(number(x)) \(number(y))H\(number(edge))"
      + "A\(number(outer)) \(number(outer)) 0 0 1 \(number(edge + outer)) \(number(y + outer))V\(number(base))"
      + "H\(number(edge + inner))V\(number(y + outer))"
      + "A\(number(inner)) \(number(inner)) 0 0 0 \(number(edge)) \(number(y + thickness))H\(number(x))Z"
    return tag("path", ["d": path, "class": kind])
  }
}
