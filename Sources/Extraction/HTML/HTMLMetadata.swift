import Bytes

/// Reads title, language, canonical address and date out of a page's tree.
struct HTMLMetadata: ~Copyable {
  private var scratch = HTMLColumn<UInt8>(capacity: 1024)

  mutating func read(
    _ arena: borrowing HTMLArena, _ bytes: UnsafePointer<UInt8>, into result: inout HTMLExtractor.Result
  ) {
    if let lang = arena.attribute(.lang, of: 0) ?? arena.attribute(.xmllang, of: 0) {
      readLanguage(bytes, lang, into: &result.language)
    }
    var openGraphTitle = 0..<0
    for node in 0..<arena.count {
      switch arena.tag[node] {
      case .title:
        if result.title.isEmpty, !arena.flags[node].contains(.foreign) {
          readTitle(arena, bytes, node, &result.title)
        }
      case .meta: readMeta(arena, bytes, node, &openGraphTitle, into: &result)
      case .link:
        if result.canonicalURL.isEmpty, let rel = arena.attribute(.rel, of: node),
          HTMLRenderer.equals(bytes, HTMLRenderer.trimmed(bytes, rel), "canonical"),
          let href = arena.attribute(.href, of: node)
        {
          decode(bytes, href, into: &result.canonicalURL)
        }
      case .time:
        if result.created.isEmpty, let date = arena.attribute(.datetime, of: node), isDate(bytes, date) {
          firstTime = firstTime.isEmpty ? date : firstTime
        }
      default: break
      }
    }
    if result.title.isEmpty { decode(bytes, openGraphTitle, into: &result.title) }
    if result.created.isEmpty { decode(bytes, firstTime, into: &result.created) }
    firstTime = 0..<0
  }

  /// Value of the first `time datetime`: the weakest source of a date.
  private var firstTime = 0..<0

  private mutating func readMeta(
    _ arena: borrowing HTMLArena, _ bytes: UnsafePointer<UInt8>, _ node: Int,
    _ openGraphTitle: inout Range<Int>,
    into result: inout HTMLExtractor.Result
  ) {
    guard let content = arena.attribute(.content, of: node) else { return }
    for attribute in [HTMLAttribute.property, .name, .itemprop] {
      guard let raw = arena.attribute(attribute, of: node) else { continue }
      let key = HTMLRenderer.trimmed(bytes, raw)
      if HTMLRenderer.equals(bytes, key, "og:title"), openGraphTitle.isEmpty { openGraphTitle = content }
      if result.created.isEmpty, Self.isDateKey(bytes, key), isDate(bytes, content) {
        decode(bytes, content, into: &result.created)
      }
    }
    if result.language.isEmpty, let header = arena.attribute(.httpequiv, of: node),
      HTMLRenderer.equals(bytes, HTMLRenderer.trimmed(bytes, header), "content-language")
    {
      readLanguage(bytes, content, into: &result.language)
    }
  }

  private static func isDateKey(_ bytes: UnsafePointer<UInt8>, _ key: Range<Int>) -> Bool {
    let keys: [StaticString] = [
      "article:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.date",
      "dcterms.issued", "pubdate", "publishdate", "publish_date", "published_time", "og:published_time",
      "parsely-pub-date", "sailthru.date", "citation_publication_date", "article.published", "datecreated",
    ]
    for wanted in keys where HTMLRenderer.equals(bytes, key, wanted) { return true }
    return false
  }

  /// True if the value begins with a year between 1990 and 2099, which ISO dates do.
  private func isDate(_ bytes: UnsafePointer<UInt8>, _ raw: Range<Int>) -> Bool {
    let range = HTMLRenderer.trimmed(bytes, raw)
    guard range.count >= 8, range.count <= 40 else { return false }
    var year = 0
    for index in range.lowerBound..<range.lowerBound + 4 {
      guard let digit = bytes[index].decimalDigit else { return false }
      year = year * 10 + digit
    }
    return year >= 1990 && year < 2100
  }

  private mutating func readTitle(
    _ arena: borrowing HTMLArena, _ bytes: UnsafePointer<UInt8>, _ node: Int, _ title: inout [UInt8]
  ) {
    for child in node + 1..<Int(arena.end[node]) where arena.tag[child] == .text {
      let start = Int(arena.start[child])
      decode(bytes, start..<start + Int(arena.length[child]), into: &title)
    }
  }

  /// `de-AT` → `de`; anything that is no language tag gives nothing.
  private func readLanguage(_ bytes: UnsafePointer<UInt8>, _ raw: Range<Int>, into language: inout [UInt8]) {
    let range = HTMLRenderer.trimmed(bytes, raw)
    var index = range.lowerBound
    while index < range.upperBound, bytes[index].isASCIILetter { index += 1 }
    let length = index - range.lowerBound
    guard length == 2 || length == 3 else { return }
    if index < range.upperBound, bytes[index] != UInt8(ascii: "-"), bytes[index] != UInt8(ascii: "_"),
      bytes[index] != UInt8(ascii: ","), !bytes[index].isASCIISpace
    {
      return
    }
    for position in range.lowerBound..<index { language.append(bytes[position].asciiLowercased) }
  }

  /// Appends a value with its references decoded, control characters removed and white space collapsed.
  private mutating func decode(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>, into output: inout [UInt8])
  {
    scratch.removeAll()
    HTMLText.append(
      bytes, range.lowerBound, range.upperBound, content: .rcdata, isAttribute: true, to: &scratch)
    var pending = false
    for index in 0..<scratch.count {
      let byte = scratch[index]
      if byte.isASCIISpace {
        pending = !output.isEmpty
      } else if byte >= 0x20, byte != 0x7F {
        if pending { output.append(32) }
        pending = false
        output.append(byte)
      }
    }
  }
}
