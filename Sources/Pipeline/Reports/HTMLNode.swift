import Bytes

/// A piece of a page: an element with attributes and content, or text.
///
/// Names of elements and attributes are literals of the program; all else (attribute values, text) may come from documents
/// and is escaped when the page is written, so no text of a corpus can become markup.
///
/// - Source: HTML Living Standard, 13.1.2 (elements), 13.3 (escaping).
indirect enum HTMLNode: Sendable, ExpressibleByStringInterpolation {
  case element(StaticString, [HTMLAttribute], [HTMLNode])
  case text(String)
  case list([HTMLNode])
  /// A style sheet: the program's own, written as it is.
  case styleSheet(StaticString)

  init(stringLiteral value: String) { self = .text(value) }

  static let nothing = HTMLNode.list([])

  /// The page as bytes of UTF-8.
  var page: [UInt8] {
    var out = Array("<!DOCTYPE html>\n".utf8)
    write(to: &out)
    out.append("\n")
    return out
  }

  private func write(to out: inout [UInt8]) {
    switch self {
    case .text(let text): Self.append(escaped: text, to: &out)
    case .list(let nodes): for node in nodes { node.write(to: &out) }
    case .styleSheet(let sheet):
      out.append("<style>\n")
      out.append(sheet)
      out.append("\n</style>\n")
    case .element(let name, let attributes, let content):
      out.append("<")
      out.append(name)
      for attribute in attributes {
        out.append(" ")
        out.append(attribute.name)
        out.append("=\"")
        Self.append(escaped: attribute.value, to: &out)
        out.append("\"")
      }
      out.append(">")
      if Self.isVoid(name) { return }
      for node in content { node.write(to: &out) }
      out.append("</")
      out.append(name)
      out.append(">")
      if Self.isBlock(name) { out.append("\n") }
    }
  }

  /// Elements that have no content and no end tag (of those that pages here use).
  private static func isVoid(_ name: StaticString) -> Bool {
    ["meta", "link", "br", "hr", "col"].contains("\(name)")
  }

  /// A line feed after these keeps the source of a page readable.
  private static func isBlock(_ name: StaticString) -> Bool {
    [
      "section", "header", "footer", "tr", "table", "svg", "details", "h1", "h2", "h3", "p", "dl", "div",
      "li",
      "title", "head", "meta",
    ].contains("\(name)")
  }

  /// Escapes what has a meaning in text or in a quoted value. Control characters, which HTML forbids, become U+FFFD.
  static func append(escaped text: String, to out: inout [UInt8]) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "&"): out.append("&amp;")
      case UInt8(ascii: "<"): out.append("&lt;")
      case UInt8(ascii: ">"): out.append("&gt;")
      case UInt8(ascii: "\""): out.append("&quot;")
      case UInt8(ascii: "'"): out.append("&#39;")
      case 9, 10: out.append(byte)
      case 0..<32, 127: out.append("\u{FFFD}")
      default: out.append(byte)
      }
    }
  }
}

struct HTMLAttribute: Sendable {
  var name: StaticString
  var value: String
}

/// `tag("p", ["class": "note"], "text")`.
func tag(
  _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ content: HTMLNode...
) -> HTMLNode {
  .element(name, attributes.map { HTMLAttribute(name: $0.key, value: $0.value) }, content)
}

/// The same with content that was made before.
func tag(
  _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], all content: [HTMLNode]
) -> HTMLNode {
  .element(name, attributes.map { HTMLAttribute(name: $0.key, value: $0.value) }, content)
}
