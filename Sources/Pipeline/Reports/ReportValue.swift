import Bytes

/// A value of the JSON that a command prints, with the place where it stands: pages show nothing else, so that every figure
/// can be traced and compared.
///
/// `place` is the command, `#` and a JSON pointer: `inspect store#/splits/train/tokens`.
///
/// - Source: RFC 6901 (JSON pointer).
struct ReportValue: Sendable {
  let place: String
  let json: JSONValue

  init(command: String, _ json: JSONValue) {
    place = command + "#"
    self.json = json
  }

  private init(place: String, _ json: JSONValue) {
    self.place = place
    self.json = json
  }

  /// The member `key`; `null` where there is none.
  subscript(key: String) -> ReportValue {
    ReportValue(place: "\(place)/\(Self.escaped(key))", json[key] ?? .null)
  }

  var members: [(key: String, value: ReportValue)] {
    (json.members ?? []).map { ($0.key, self[$0.key]) }
  }

  var elements: [ReportValue] {
    (json.array ?? []).enumerated().map { ReportValue(place: "\(place)/\($0.offset)", $0.element) }
  }

  var int: Int { json.int ?? 0 }
  var string: String { json.string ?? "" }
  var exists: Bool { json != .null }

  private static func escaped(_ key: String) -> String {
    guard key.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return key }
    var bytes: [UInt8] = []
    for byte in key.utf8 {
      switch byte {
      case UInt8(ascii: "~"): bytes.append("~0")
      case UInt8(ascii: "/"): bytes.append("~1")
      default: bytes.append(byte)
      }
    }
    return bytes.string
  }

  /// What `data-value` holds: the value as JSON prints it, texts without quotes.
  var plain: String {
    switch json {
    case .string(let text): text
    default: json.serialized().string
    }
  }
}

/// How a figure is written for people.
enum FigureStyle {
  case count
  case bytes
  case fixed(Int)
  /// A number without its fraction.
  case whole
  case text
  /// First characters of a hash, whole in the tooltip.
  case hash

  func text(_ value: ReportValue) -> String {
    switch self {
    case .count: value.json.int.map { Format.count($0) } ?? value.plain
    case .bytes: value.json.int.map { Format.bytes($0) } ?? value.plain
    case .fixed(let digits): value.json.double.map { Format.fixed($0, digits) } ?? value.plain
    case .whole: value.json.double.map { Format.count(Int($0.rounded())) } ?? value.plain
    case .text: value.plain
    case .hash: String(value.plain.prefix(value.plain.hasPrefix("sha256:") ? 19 : 12)) + "…"
    }
  }
}

/// A value with its place: readers see it formatted, tests and the curious see where it comes from.
func figure(_ value: ReportValue, _ style: FigureStyle = .count) -> HTMLNode {
  guard value.exists else { return "–" }
  let text = style.text(value)
  if case .hash = style {
    return tag(
      "code", ["data-path": value.place, "data-value": value.plain, "title": value.plain], .text(text))
  }
  return tag("span", ["data-path": value.place, "data-value": value.plain], .text(text))
}

/// One value as a share of another.
func share(_ part: ReportValue, of whole: ReportValue) -> HTMLNode {
  tag(
    "span", ["data-part": part.place, "data-whole": whole.place],
    .text(Format.percent(part.int, of: whole.int)))
}

/// A bar in a table's cell, beside its number: decoration, so readers that cannot see it miss nothing.
func bar(_ part: Int, of whole: Int, _ kind: StaticString = "kept") -> HTMLNode {
  if part <= 0 { return tag("span", ["class": "bar", "aria-hidden": "true"]) }
  let width = whole <= 0 ? 0 : min(100, max(0, 100 * Double(part) / Double(whole)))
  return tag(
    "span", ["class": "bar", "aria-hidden": "true"],
    tag("i", ["class": "\(kind)", "style": "width:\(Format.fixed(width, 2))%"]))
}

/// A table: the first column names the row, the others are numbers unless their title starts with a blank; one of blanks only
/// holds bars and takes the room that is left.
func table(_ title: String, _ columns: [String], _ rows: [[HTMLNode]]) -> HTMLNode {
  let head = columns.enumerated().map { index, column in
    let isBar = column.allSatisfy { $0 == " " }
    let kind = isBar ? "b" : index == 0 || column.hasPrefix(" ") ? "t" : "n"
    return isBar
      ? tag("td", ["class": kind]) : tag("th", ["scope": "col", "class": kind], .text(column))
  }
  let body = rows.map { row in
    tag(
      "tr",
      all: row.enumerated().map { index, cell in
        if index == 0 { return tag("th", ["scope": "row"], cell) }
        let isText = index < columns.count && columns[index].hasPrefix(" ")
        return tag("td", ["class": isText ? "t" : "n"], cell)
      })
  }
  return tag(
    "div", ["class": "scroll"],
    tag(
      "table", [:], tag("caption", [:], .text(title)), tag("thead", [:], tag("tr", all: head)),
      tag("tbody", all: body)))
}

/// Facts as names and values.
func facts(_ rows: [(name: String, value: HTMLNode)]) -> HTMLNode {
  tag(
    "dl", ["class": "facts"],
    all: rows.map { tag("div", [:], tag("dt", [:], .text($0.name)), tag("dd", [:], $0.value)) })
}

/// A part of the page under its own heading.
func section(_ id: StaticString, _ title: String, _ lead: String, _ content: [HTMLNode]) -> HTMLNode {
  tag(
    "section", ["id": "\(id)", "aria-labelledby": "\(id)-title"],
    tag("h2", ["id": "\(id)-title"], .text(title)), tag("p", ["class": "lead"], .text(lead)), .list(content))
}

/// Something long behind its title.
func details(_ title: String, _ content: [HTMLNode]) -> HTMLNode {
  tag("details", [:], tag("summary", [:], .text(title)), .list(content))
}
