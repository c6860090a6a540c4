import Bytes

/// Renders an arena to text in one walk, cut into blocks, with the regions that have traits.
///
/// Rules: white space collapses to one blank, none at block edges; U+00A0 becomes a blank; U+200B, U+FEFF and U+00AD are
/// removed; `pre` stands verbatim; lists get `- ` or `N. `; rows of data tables are joined by ` | `.
struct HTMLRenderer: ~Copyable {
  struct Level: BitwiseCopyable {
    var node: UInt32
    var end: UInt32
    var tag: HTMLTag
    var blockNode: UInt32
    var region: Int32
    var isInPre: Bool
    var isInDataTable: Bool
    var isInSVG: Bool
    var isOrdered: Bool
    /// Number of the next item of an ordered list.
    var nextItem: Int32
  }

  private(set) var text = HTMLColumn<UInt8>(capacity: 1 << 16)
  var blocks = HTMLColumn<HTMLBlock>(capacity: 1024)
  var regions = HTMLColumn<HTMLRegion>(capacity: 256)

  private let classWords = HTMLClassWords()
  private var levels = HTMLColumn<Level>(capacity: 512)
  private var scratch = HTMLColumn<UInt8>(capacity: 256)
  private var byteClass = HTMLColumn<UInt8>(capacity: 256)

  // The block that is being written.
  private var blockStart = 0
  private var blockNode = 0
  private var weight = 0
  private var linkWeight = 0
  private var breaks = 1
  private var pendingSpace = false
  private var lineBreaks = 0
  /// Text bytes of the block, without a prefix.
  private var hasText = false
  private var needsSeparator = false
  private var prefixItem = -1
  private var listDepth = 0
  private var headingDepth = 0
  /// Open `h1` … `h6`.
  private var titleDepth = 0
  private var isInLink = false
  private var isInPre = false
  private var isInDataTable = false
  /// In svg, outside `foreignObject`: labels of pictures, no text.
  private var isInSVG = false

  init() {
    // Weight in the low bits; 0x80: needs a look.
    byteClass.fill(0, count: 256)
    for byte in 33..<128 { byteClass[byte] = 1 }
    for byte in 0...32 { byteClass[byte] = 0x80 }
    byteClass[127] = 0x80
    byteClass[Int(UInt8(ascii: "&"))] = 0x80
    for byte in 0xC2..<0xE3 { byteClass[byte] = 1 }
    for byte in 0xE3..<0xEE { byteClass[byte] = 3 }
    for byte in 0xEE..<0xF5 { byteClass[byte] = 1 }
    byteClass[0xC2] = 0x80
    byteClass[0xE2] = 0x80
    byteClass[0xEF] = 0x80
  }

  mutating func shrink() {
    text.shrink(above: 1 << 22)
    blocks.shrink(above: 1 << 16)
    regions.shrink(above: 1 << 16)
  }

  mutating func render(_ arena: borrowing HTMLArena, _ bytes: UnsafePointer<UInt8>) {
    text.removeAll()
    blocks.removeAll()
    regions.removeAll()
    levels.removeAll()
    blockStart = 0
    blockNode = 0
    weight = 0
    linkWeight = 0
    breaks = 1
    pendingSpace = false
    lineBreaks = 0
    hasText = false
    needsSeparator = false
    prefixItem = -1
    listDepth = 0
    headingDepth = 0
    titleDepth = 0
    isInPre = false
    isInDataTable = false
    isInSVG = false
    var node = 0
    while node < arena.count {
      while levels.count > 0, Int(levels[levels.count - 1].end) <= node { close() }
      let tag = arena.tag[node]
      if tag == .text {
        renderText(arena, node, bytes)
        node += 1
      } else if isSkipped(arena, node, tag) {
        node = Int(arena.end[node])
      } else {
        open(arena, node, tag, bytes)
        node += 1
      }
    }
    while levels.count > 0 { close() }
    finishBlock()
  }
}

// MARK: Elements

extension HTMLRenderer {
  private func isSkipped(_ arena: borrowing HTMLArena, _ node: Int, _ tag: HTMLTag) -> Bool {
    // Accordions put their headings into buttons; a button without end tag is a mistake.
    if tag == .button { return headingDepth == 0 && arena.flags[node].contains(.ended) }
    return tag.isNeverRendered
  }

  private mutating func open(
    _ arena: borrowing HTMLArena, _ node: Int, _ tag: HTMLTag, _ bytes: UnsafePointer<UInt8>
  ) {
    if tag == .br { return lineBreak() }
    let end = Int(arena.end[node])
    let isCell = tag == .td || tag == .th
    let isBoundary = tag.isBlock && !(isInDataTable && tag != .tr && tag != .table && tag != .caption)
    if isBoundary {
      finishBlock()
      if tag.isParagraphBreak, !(listDepth > 0 && (tag == .ul || tag == .ol)) { breaks = 2 }
    } else if isCell, isInDataTable {
      if hasText || needsSeparator { needsSeparator = true }
      pendingSpace = false
    } else if tag.isBlock {
      pendingSpace = hasText
    }
    guard end > node + 1 else { return }
    levels.append(
      Level(
        node: UInt32(node), end: UInt32(end), tag: tag, blockNode: UInt32(blockNode),
        region: openRegion(arena, node, tag, bytes), isInPre: isInPre, isInDataTable: isInDataTable,
        isInSVG: isInSVG,
        isOrdered: tag == .ol, nextItem: 1))
    if isBoundary { blockNode = node }
    switch tag {
    case .pre, .listing, .xmp, .plaintext: isInPre = true
    case .ul, .menu, .dir: listDepth += 1
    case .ol:
      listDepth += 1
      if let range = arena.attribute(.start, of: node), let start = number(bytes, range) {
        levels[levels.count - 1].nextItem = Int32(start)
      }
    case .li: prefixItem = node
    case .summary, .dt: headingDepth += 1
    case .h1, .h2, .h3, .h4, .h5, .h6:
      headingDepth += 1
      titleDepth += 1
    case .svg: isInSVG = true
    case .foreignobject: isInSVG = false
    case .table: isInDataTable = isDataTable(arena, node)
    default: break
    }
  }

  private mutating func close() {
    let level = levels[levels.count - 1]
    let isBoundary =
      level.tag.isBlock
      && (level.tag == .tr || level.tag == .table || level.tag == .caption || !isInDataTable)
    if isBoundary {
      finishBlock()
      if level.tag.isParagraphBreak, !(listDepth > 1 && (level.tag == .ul || level.tag == .ol)) { breaks = 2 }
    } else if level.tag.isBlock {
      pendingSpace = hasText
    }
    levels.removeLast()
    blockNode = Int(level.blockNode)
    isInPre = level.isInPre
    isInDataTable = level.isInDataTable
    isInSVG = level.isInSVG
    switch level.tag {
    case .ul, .menu, .dir, .ol: listDepth -= 1
    case .li: prefixItem = -1
    case .summary, .dt: headingDepth -= 1
    case .h1, .h2, .h3, .h4, .h5, .h6:
      headingDepth -= 1
      titleDepth -= 1
    default: break
    }
    if level.region >= 0 {
      if !isBoundary, hasText, regions[Int(level.region)].firstBlock == UInt32(blocks.count) {
        // An inline region does not cut its block.
        regions[Int(level.region)].traits = []
      }
      regions[Int(level.region)].endBlock = UInt32(blocks.count)
    }
  }

  private mutating func lineBreak() {
    if isInPre {
      text.append(UInt8(ascii: "\n"))
    } else if hasText {
      lineBreaks += 1
      pendingSpace = false
    }
  }

  private func number(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> Int? {
    var value = 0
    guard !range.isEmpty, range.count < 8 else { return nil }
    for index in range {
      guard let digit = bytes[index].decimalDigit else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// A table whose rows are lines: a heading or at least two rows of two short cells, and nothing but text in the cells.
  private func isDataTable(_ arena: borrowing HTMLArena, _ table: Int) -> Bool {
    if arena.flags[table].contains(.nestsTable) { return false }
    var rows = 0
    var cells = 0
    var blocks = 0
    var bytes = 0
    for node in table + 1..<Int(arena.end[table]) {
      switch arena.tag[node] {
      case .text: bytes += Int(arena.length[node])
      case .tr: rows += 1
      case .td, .th: cells += 1
      case .p, .div, .section: blocks += 1
      case .ul, .ol, .dl, .pre, .h1, .h2, .h3, .h4, .h5, .h6, .form, .blockquote, .article, .center:
        return false
      default: break
      }
    }
    guard cells > 0, blocks <= cells else { return false }
    if arena.flags[table].contains(.hasTableHead) { return cells >= 2 }
    return rows >= 2 && cells >= rows * 2 && bytes < cells * 120
  }
}

// MARK: Regions

extension HTMLRenderer {
  /// The region that `node` opens, or -1.
  private mutating func openRegion(
    _ arena: borrowing HTMLArena, _ node: Int, _ tag: HTMLTag, _ bytes: UnsafePointer<UInt8>
  ) -> Int32 {
    var traits = Self.traits(of: tag)
    if tag == .html || tag == .body { return -1 }
    let first = Int(arena.start[node])
    for index in first..<first + Int(arena.length[node]) {
      let attribute = arena.attributes[index]
      let range = Int(attribute.start)..<Int(attribute.end)
      switch attribute.name {
      case .class, .id: traits.formUnion(classWords.find(bytes, range))
      case .role: traits.formUnion(Self.traits(ofRole: bytes, range))
      case .hidden: if !Self.equals(bytes, range, "until-found") { traits.insert(.hidden) }
      case .ariahidden: if Self.equals(bytes, range, "true") { traits.insert(.hidden) }
      case .style: if Self.hides(bytes, range) { traits.insert(.hidden) }
      case .open: break
      default: break
      }
    }
    if tag == .dialog, arena.attribute(.open, of: node) == nil { traits.insert(.hidden) }
    if traits.isEmpty { return -1 }
    regions.append(
      HTMLRegion(
        node: UInt32(node), firstBlock: UInt32(blocks.count), endBlock: UInt32(blocks.count), traits: traits))
    return Int32(truncatingIfNeeded: regions.count - 1)
  }

  private static func traits(of tag: HTMLTag) -> HTMLTraits {
    switch tag {
    case .nav: .navigation
    case .footer: .footer
    case .header: .header
    case .aside: .aside
    case .form: .form
    case .noscript: .noscript
    case .main: .main
    case .article: .article
    case .menu: .navigation
    case .search: .tools
    default: []
    }
  }

  private static func traits(ofRole bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> HTMLTraits {
    if equals(bytes, range, "main") { return .main }
    if equals(bytes, range, "article") { return .article }
    if equals(bytes, range, "navigation") || equals(bytes, range, "menu") || equals(bytes, range, "menubar") {
      return .navigation
    }
    if equals(bytes, range, "contentinfo") { return .footer }
    if equals(bytes, range, "banner") { return .header }
    if equals(bytes, range, "complementary") { return .aside }
    if equals(bytes, range, "search") || equals(bytes, range, "toolbar") { return .tools }
    if equals(bytes, range, "dialog") || equals(bytes, range, "alertdialog")
      || equals(bytes, range, "tooltip")
    {
      return .notice
    }
    return []
  }

  static func equals(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
    guard range.count == word.utf8CodeUnitCount else { return false }
    for offset in 0..<range.count
    where bytes[range.lowerBound + offset].asciiLowercased != word.utf8Start[offset] {
      return false
    }
    return true
  }

  /// `display: none` or `visibility: hidden` in a style attribute.
  private static func hides(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> Bool {
    var index = range.lowerBound
    while index < range.upperBound {
      let nameStart = index
      while index < range.upperBound, bytes[index] != UInt8(ascii: ":"), bytes[index] != UInt8(ascii: ";") {
        index += 1
      }
      guard index < range.upperBound, bytes[index] == UInt8(ascii: ":") else {
        index += 1
        continue
      }
      let name = trimmed(bytes, nameStart..<index)
      let valueStart = index + 1
      while index < range.upperBound, bytes[index] != UInt8(ascii: ";"), bytes[index] != UInt8(ascii: "!") {
        index += 1
      }
      let value = trimmed(bytes, valueStart..<index)
      if equals(bytes, name, "display"), equals(bytes, value, "none") { return true }
      if equals(bytes, name, "visibility"), equals(bytes, value, "hidden") { return true }
      index += 1
    }
    return false
  }

  static func trimmed(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high, bytes[low].isASCIISpace { low += 1 }
    while high > low, bytes[high - 1].isASCIISpace { high -= 1 }
    return low..<high
  }
}

// MARK: Text

extension HTMLRenderer {
  private mutating func renderText(_ arena: borrowing HTMLArena, _ node: Int, _ bytes: UnsafePointer<UInt8>) {
    if isInSVG { return }
    let flags = arena.flags[node]
    let start = Int(arena.start[node])
    isInLink = flags.contains(.link)
    if flags.contains(.side) {
      write(UnsafePointer(arena.side.base), start, start + Int(arena.length[node]), decodes: false)
    } else {
      var from = start
      let end = start + Int(arena.length[node])
      // The first newline of a pre is not part of it.
      if isInPre, from < end, bytes[from] == 10, Int(arena.parent[node]) == node - 1 { from += 1 }
      write(bytes, from, end, decodes: !flags.contains(.verbatim))
    }
  }

  private mutating func write(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, decodes: Bool) {
    var index = start
    let classes = byteClass.base
    while index < end {
      let runStart = index
      var sum = 0
      while index < end {
        let value = classes[Int(bytes[index])]
        if value & 0x80 != 0 { break }
        sum += Int(value)
        index += 1
      }
      if index > runStart {
        startText()
        text.append(bytes + runStart, count: index - runStart)
        weight += sum
        if isInLink { linkWeight += sum }
      }
      guard index < end else { return }
      index = writeSpecial(bytes, index, end, decodes: decodes)
    }
  }

  /// Handles a byte that is not plain text; the index after it.
  private mutating func writeSpecial(
    _ bytes: UnsafePointer<UInt8>, _ index: Int, _ end: Int, decodes: Bool
  ) -> Int {
    let byte = bytes[index]
    if byte.isASCIISpace {
      if isInPre {
        if byte == 10, !hasText {
          // Leading blank lines.
        } else {
          if byte == 10 { pendingSpace = false }
          writePre(byte)
        }
      } else if hasText {
        pendingSpace = true
      }
      return index + 1
    }
    if byte < 0x20 || byte == 0x7F { return index + 1 }
    if byte == UInt8(ascii: "&") {
      guard decodes else { return writePlain(bytes, index, 1, weight: 1) }
      scratch.removeAll()
      let after = HTMLText.appendReference(bytes, at: index, end: end, isAttribute: false, to: &scratch)
      write(UnsafePointer(scratch.base), 0, scratch.count, decodes: false)
      return after
    }
    let second = index + 1 < end ? bytes[index + 1] : 0
    let third = index + 2 < end ? bytes[index + 2] : 0
    if byte == 0xC2 {
      if second == 0xA0 {
        if isInPre { writePre(32) } else { pendingSpace = hasText }
        return index + 2
      }
      if second == 0xAD || (second >= 0x80 && second < 0xA0) { return index + 2 }
    } else if byte == 0xE2, second == 0x80 {
      if third == 0x8B { return index + 3 }
      if third == 0xA8 || third == 0xA9 {
        pendingSpace = hasText
        return index + 3
      }
    } else if byte == 0xEF, second == 0xBB, third == 0xBF {
      return index + 3
    }
    // The continuation bytes follow as plain text.
    return writePlain(bytes, index, 1, weight: byte == 0xEF ? 2 : 1)
  }

  private mutating func writePlain(
    _ bytes: UnsafePointer<UInt8>, _ index: Int, _ count: Int, weight added: Int
  ) -> Int {
    startText()
    text.append(bytes + index, count: count)
    weight += added
    if isInLink { linkWeight += added }
    return index + count
  }

  private mutating func writePre(_ byte: UInt8) {
    if !hasText { startText() }
    text.append(byte)
  }

  /// Writes what stands before the next characters: a line break, a blank, a list mark, a cell separator.
  @inline(__always) private mutating func startText() {
    if hasText, !pendingSpace, lineBreaks == 0, !needsSeparator { return }
    startTextSlowly()
  }

  private mutating func startTextSlowly() {
    if lineBreaks > 0, hasText {
      if lineBreaks > 1, !isInDataTable {
        finishBlock()
        breaks = 2
      } else {
        text.append(isInDataTable ? 32 : 10)
      }
      lineBreaks = 0
      pendingSpace = false
    }
    if needsSeparator {
      text.append(" | ")
      needsSeparator = false
      pendingSpace = false
    }
    if !hasText {
      hasText = true
      pendingSpace = false
      writePrefix()
    } else if pendingSpace {
      text.append(32)
      pendingSpace = false
    }
  }

  private mutating func writePrefix() {
    guard prefixItem >= 0 else { return }
    prefixItem = -1
    for _ in 0..<max(0, min(listDepth, 16) - 1) { text.append("  ") }
    var index = levels.count - 1
    while index >= 0, levels[index].tag != .ol, levels[index].tag != .ul { index -= 1 }
    if index >= 0, levels[index].isOrdered {
      var digits: [UInt8] = []
      digits.append(decimal: Int(levels[index].nextItem))
      for digit in digits { text.append(digit) }
      text.append(". ")
      if levels[index].nextItem < .max { levels[index].nextItem += 1 }
    } else {
      text.append("- ")
    }
  }

  private var kind: HTMLBlock.Kind {
    if isInPre { return .preformatted }
    if titleDepth > 0 { return .heading }
    if isInDataTable { return .row }
    return .other
  }

  /// Ends the block that is being written; nothing if it has no text.
  private mutating func finishBlock() {
    pendingSpace = false
    lineBreaks = 0
    needsSeparator = false
    guard hasText else { return }
    var end = text.count
    while end > blockStart, text[end - 1].isASCIISpace { end -= 1 }
    if end > blockStart {
      blocks.append(
        HTMLBlock(
          start: UInt32(blockStart), end: UInt32(end), node: UInt32(blockNode), weight: UInt32(weight),
          linkWeight: UInt32(min(linkWeight, weight)), kind: kind, breaks: UInt8(breaks), traits: [],
          isKept: false))
    }
    text.truncate(to: end)
    blockStart = end
    weight = 0
    linkWeight = 0
    breaks = 1
    hasText = false
  }
}

extension HTMLColumn where Element == UInt8 {
  mutating func append(_ word: StaticString) { append(word.utf8Start, count: word.utf8CodeUnitCount) }
}
