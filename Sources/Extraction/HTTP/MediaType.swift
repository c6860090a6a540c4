import Bytes

/// A Content-Type value: essence in lower case, and its charset label.
///
/// - Source: WHATWG MIME Sniffing, section 4.4, read leniently; a label that comes twice counts once, the first.
struct MediaType: Equatable {
  var essence = ""
  var charset: String?

  /// Reads the value; nil if it has no `type/subtype`.
  init?(_ value: borrowing Span<UInt8>) {
    let end = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
    let essence = value.trimmedRange(0..<end)
    var slashes = 0
    for index in essence {
      let byte = value[index]
      if byte == UInt8(ascii: "/") { slashes += 1 }
      if byte <= 32 || byte >= 127 || byte == UInt8(ascii: ",") { return nil }
    }
    guard slashes == 1, essence.count <= 127, value[essence.lowerBound] != UInt8(ascii: "/"),
      value[essence.upperBound - 1] != UInt8(ascii: "/")
    else { return nil }
    self.essence = value.extracting(essence).string().lowercased()
    charset = MediaType.charset(value, from: end)
  }

  private static func charset(_ value: borrowing Span<UInt8>, from start: Int) -> String? {
    var index = start
    while index < value.count {
      let end = value.firstIndex(of: UInt8(ascii: ";"), from: index + 1) ?? value.count
      let part = value.trimmedRange(min(index + 1, end)..<end)
      index = end
      guard value.starts(with: "charset", at: part.lowerBound, ignoringCase: true),
        let equals = value.firstIndex(of: UInt8(ascii: "="), from: part.lowerBound), equals < part.upperBound
      else { continue }
      var label = value.trimmedRange(equals + 1..<part.upperBound)
      while let first = label.first, let last = label.last,
        value[first] == UInt8(ascii: "\"") || value[first] == UInt8(ascii: "'")
          || value[last] == UInt8(ascii: "\"")
          || value[last] == UInt8(ascii: "'")
      {
        let low = value[first] == UInt8(ascii: "\"") || value[first] == UInt8(ascii: "'") ? first + 1 : first
        let isQuote = value[last] == UInt8(ascii: "\"") || value[last] == UInt8(ascii: "'")
        label = value.trimmedRange(low..<max(low, isQuote ? last : last + 1))
      }
      if !label.isEmpty, label.count <= 64 { return value.extracting(label).string().lowercased() }
    }
    return nil
  }
}

/// What is done with a body.
enum Payload: Equatable {
  case html, text
  /// Not text that sluice reads; the name goes into the drop.
  case other(String)

  /// Decides by the media type; where it says nothing, by the first bytes.
  ///
  /// - Source: the list of WHATWG MIME Sniffing, section 7.1, for HTML.
  static func decide(_ type: String?, _ body: borrowing Span<UInt8>) -> Payload {
    switch type {
    case "text/html", "application/xhtml+xml": return looksBinary(body) ? .other("binary") : .html
    case "text/plain": return looksBinary(body) ? .other("binary") : .text
    case nil, "application/octet-stream", "unknown/unknown":
      return !looksBinary(body) && looksLikeHTML(body) ? .html : .other(type ?? "unknown")
    case .some(let type): return .other(type)
    }
  }

  /// A NUL in the first KiB that is not UTF-16, or more than 5 % control bytes there.
  static func looksBinary(_ body: borrowing Span<UInt8>) -> Bool {
    let head = body.extracting(0..<min(body.count, 1024))
    if head.isEmpty || UTF16Text.byteOrder(head) != nil { return false }
    var controls = 0
    for index in head.indices {
      let byte = head[index]
      if byte == 0 { return true }
      if byte < 32, !byte.isASCIISpace, byte != 0x1B { controls += 1 }
    }
    return controls * 20 > head.count
  }

  private static let openings: [StaticString] = [
    "!doctype html", "html", "head", "title", "body", "script", "table", "div", "!--", "?xml", "h1", "p>",
    "a ", "br",
    "style", "iframe", "font", "b>", "meta", "link",
  ]

  static func looksLikeHTML(_ body: borrowing Span<UInt8>) -> Bool {
    var index = body.starts(with: "\u{FEFF}") ? 3 : 0
    while index < body.count, body[index].isASCIISpace { index += 1 }
    guard index < body.count, body[index] == UInt8(ascii: "<") else { return false }
    for opening in openings where body.starts(with: opening, at: index + 1, ignoringCase: true) {
      return true
    }
    return false
  }
}
