import Bytes

/// Columns over names: a histogram, or one column per segment. Its table stands beside it.
struct ColumnChart {
  struct Column {
    var name: String
    /// Below the axis: at the left edge of a bucket its least value, else in the middle.
    var tick: String
    var value: ReportValue
  }

  var title: String
  var columns: [Column]
  var areBuckets = false
  var unit: String
  /// What a column is, for the table's head.
  var noun: String

  /// Lengths in powers of two: bucket b of a report counts 2^(b-1) ≤ v < 2^b, bucket 0 the value 0.
  static func reportBuckets(_ counts: ReportValue) -> [Column] {
    trimmed(
      counts.elements.enumerated().map { index, count in
        index == 0 ? Column(name: "0", tick: "0", value: count) : bucket(from: index - 1, count)
      })
  }

  /// Bucket b of a store counts 2^b ≤ v < 2^(b+1).
  static func storeBuckets(_ counts: ReportValue) -> [Column] {
    trimmed(counts.elements.enumerated().map { bucket(from: $0.offset, $0.element) })
  }

  private static func bucket(from exponent: Int, _ count: ReportValue) -> Column {
    let least = short(1 << exponent)
    return Column(
      name: exponent == 0 ? "1" : "\(least) to below \(short(1 << (exponent + 1)))", tick: least, value: count
    )
  }

  private static func short(_ value: Int) -> String {
    value >= 1 << 20 ? "\(value >> 20)M" : value >= 1 << 10 ? "\(value >> 10)k" : "\(value)"
  }

  /// Without the empty columns at both ends.
  private static func trimmed(_ columns: [Column]) -> [Column] {
    guard let first = columns.firstIndex(where: { $0.value.int > 0 }),
      let last = columns.lastIndex(where: { $0.value.int > 0 })
    else { return [] }
    return Array(columns[first...last])
  }

  var node: HTMLNode {
    guard !columns.isEmpty else { return .nothing }
    let rows = columns.map { [.text($0.name), figure($0.value)] as [HTMLNode] }
    return tag(
      "figure", [:], tag("figcaption", [:], .text(title)), drawing,
      details("as a table", [table(title, [noun, unit], rows)]))
  }

  private static let width = 520.0
  private static let height = 130.0
  private static let floor = 150.0

  private var drawing: HTMLNode {
    let most = Double(max(1, columns.map(\.value.int).max() ?? 1))
    let step = min(90, Self.width / Double(columns.count))
    let gap = areBuckets ? 1 : min(4, step / 5)
    // A character needs some 7 units.
    let every = max(1, Int((Double(columns.map(\.tick.count).max() ?? 1) * 7 / step).rounded(.up)))
    let isLabelled = columns.allSatisfy { Double(Format.count($0.value.int).count) * 6.2 < step }
    var nodes: [HTMLNode] = [
      tag("title", [:], .text(title)),
      tag("line", ["x1": "0", "x2": "520", "y1": "150", "y2": "150", "class": "axis"]),
    ]
    for (index, column) in columns.enumerated() {
      let x = Double(index) * step
      let tall = Self.height * Double(column.value.int) / most
      nodes.append(
        tag(
          "rect",
          [
            "x": RiverShape.number(x + gap / 2), "y": RiverShape.number(Self.floor - tall),
            "width": RiverShape.number(max(0.5, step - gap)), "height": RiverShape.number(tall),
            "class": "kept-deep",
          ], tag("title", [:], "\(column.name): \(Format.count(column.value.int)) \(unit)")))
      if isLabelled {
        nodes.append(
          label(x + step / 2, Self.floor - tall - 4, "tick", "middle", figure(column.value).tspan))
      }
      if index % every == 0 {
        let isEdge = areBuckets || columns.count > 40
        nodes.append(
          label(isEdge ? x : x + step / 2, 165, "tick", isEdge ? "start" : "middle", .text(column.tick)))
      }
    }
    if !isLabelled, let top = columns.max(by: { $0.value.int < $1.value.int }) {
      nodes.append(label(Self.width, 12, "tick", "end", .list(["most: ", figure(top.value).tspan])))
    }
    return tag(
      "svg", ["class": "chart", "viewBox": "0 0 520 172", "role": "img", "aria-label": title], all: nodes)
  }

  private func label(_ x: Double, _ y: Double, _ kind: String, _ anchor: String, _ text: HTMLNode) -> HTMLNode
  {
    tag(
      "text",
      ["x": RiverShape.number(x), "y": RiverShape.number(y), "class": kind, "text-anchor": anchor], text)
  }
}
