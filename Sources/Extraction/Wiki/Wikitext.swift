import Bytes

/// Wikitext to text. Every step is linear in the input and keeps no state on the call stack.
///
/// Three passes: what is no text goes (comments, references, templates, tables); links, emphasis, tags and entities become text;
/// then lines (headings, lists). Templates are not expanded, but for a few whose argument is text.
///
/// - Source: MediaWiki's documentation of wikitext, and the order of the project's extraction notes, 5.1.
struct Wikitext {
  private var stripper = WikitextStripper()
  private var inliner = WikitextInliner()
  private var lines = WikitextLines()
  private var stripped: [UInt8] = []
  private var inlined: [UInt8] = []

  /// Appends the text of a page.
  mutating func render(_ source: [UInt8], _ site: WikiSite, into output: inout [UInt8]) {
    stripped.removeAll(keepingCapacity: true)
    inlined.removeAll(keepingCapacity: true)
    stripper.strip(source, into: &stripped)
    inliner.render(stripped, site, into: &inlined)
    lines.render(inlined, into: &output)
    if stripped.capacity > 8 << 20 { stripped = [] }
    if inlined.capacity > 8 << 20 { inlined = [] }
  }

  /// Begins a line whose bytes are code: the last pass copies it as it is. XML forbids this byte, so no page holds it.
  static let verbatimMark: UInt8 = 1
}

/// A tag at some place: `<name attributes>`, `</name>` or `<name/>`.
struct WikitextTag {
  /// Name in lower case, at most 20 letters; empty if no tag stands there.
  var name: String
  var isClosing: Bool
  var isSelfClosing: Bool
  /// Index behind `>`.
  var end: Int

  /// Longest tag that is looked for, in bytes.
  static let longest = 1000

  /// Reads the tag at `index`, where `<` stands; nil if it is none.
  init?(_ text: borrowing Span<UInt8>, at index: Int) {
    var position = index + 1
    isClosing = position < text.count && text[position] == UInt8(ascii: "/")
    if isClosing { position += 1 }
    let start = position
    while position < text.count,
      text[position].isASCIILetter || (position > start && text[position].isASCIIDigit),
      position - start < 20
    {
      position += 1
    }
    guard position > start else { return nil }
    let nameEnd = position
    let limit = min(text.count, index + WikitextTag.longest)
    while position < limit, text[position] != UInt8(ascii: ">"), text[position] != UInt8(ascii: "<") {
      position += 1
    }
    guard position < limit, text[position] == UInt8(ascii: ">") else { return nil }
    name = text.extracting(start..<nameEnd).string().lowercased()
    isSelfClosing = text[position - 1] == UInt8(ascii: "/")
    end = position + 1
  }

  /// Tags whose content is not wikitext.
  static let verbatim: Set<String> = ["nowiki", "pre", "source", "syntaxhighlight", "math", "chem", "ce"]
  /// Tags that go with their content.
  static let removed: Set<String> = [
    "ref", "references", "gallery", "timeline", "imagemap", "score", "templatestyles", "mapframe", "maplink",
    "graph",
    "includeonly", "inputbox", "hiero", "categorytree", "templatedata", "dynamicpagelist", "section", "style",
    "script",
  ]
}

/// Finds closing tags in linear time: a name that was once not found is not searched again.
struct WikitextClosings {
  private var missing: Set<String> = []
  private var next: [String: Int] = [:]

  /// Range of the first `</name>` at or behind `index`. Ask with growing indices.
  mutating func find(_ name: String, _ text: borrowing Span<UInt8>, from index: Int) -> Range<Int>? {
    if missing.contains(name) { return nil }
    var start = index
    if let known = next[name], known >= index { start = known }
    while let open = text.firstIndex(of: UInt8(ascii: "<"), from: start) {
      start = open + 1
      guard start < text.count, text[start] == UInt8(ascii: "/"),
        WikitextClosings.matches(name, text, start + 1)
      else {
        continue
      }
      next[name] = open
      let end = text.firstIndex(of: UInt8(ascii: ">"), from: open) ?? text.count - 1
      return open..<end + 1
    }
    missing.insert(name)
    return nil
  }

  private static func matches(_ name: String, _ text: borrowing Span<UInt8>, _ index: Int) -> Bool {
    var position = index
    for byte in name.utf8 {
      guard position < text.count, text[position].asciiLowercased == byte else { return false }
      position += 1
    }
    return position >= text.count || !(text[position].isASCIILetter || text[position].isASCIIDigit)
  }

  mutating func removeAll() {
    missing.removeAll(keepingCapacity: true)
    next.removeAll(keepingCapacity: true)
  }
}
