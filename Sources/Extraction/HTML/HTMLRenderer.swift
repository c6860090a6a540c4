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

  static let smallSubtree = 32

  var text = HTMLColumn<UInt8>(capacity: 1 << 16)
  var blocks = HTMLColumn<HTMLBlock>(capacity: 1024)
  var regions = HTMLColumn<HTMLRegion>(capacity: 256)

  let classWords = HTMLClassWords()
  var levels = HTMLColumn<Level>(capacity: 512)
  var scratch = HTMLColumn<UInt8>(capacity: 256)
  var byteClass = HTMLColumn<UInt8>(capacity: 256)

  // The block that is being written.
  var blockStart = 0
  var blockNode = 0
  var weight = 0
  var linkWeight = 0
  var breaks = 1
  var pendingSpace = false
  var lineBreaks = 0
  /// Text bytes of the block, without a prefix.
  var hasText = false
  var needsSeparator = false
  var prefixItem = -1
  var listDepth = 0
  var headingDepth = 0
  /// Open `h1` … `h6`.
  var titleDepth = 0
  var isInLink = false
  var isInPre = false
  var isInDataTable = false
  /// In svg, outside `foreignObject`: labels of pictures, no text.
  var isInSVG = false

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
        node = open(arena, node, tag, bytes)
      }
    }
    while levels.count > 0 { close() }
    finishBlock()
  }
}

extension HTMLRenderer {
  func isSkipped(_ arena: borrowing HTMLArena, _ node: Int, _ tag: HTMLTag) -> Bool {
    // Accordions put their headings into buttons; a button without end tag is a mistake.
    if tag == .button { return headingDepth == 0 && arena.flags[node].contains(.ended) }
    return tag.isNeverRendered
  }

  /// Opens an element; the node where the walk goes on.
  mutating func open(
    _ arena: borrowing HTMLArena, _ node: Int, _ tag: HTMLTag, _ bytes: UnsafePointer<UInt8>
  ) -> Int {
    if tag == .br {
      lineBreak()
      return node + 1
    }
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
    guard end > node + 1 else { return node + 1 }
    let region = openRegion(arena, node, tag, bytes)
    if region >= 0, !tag.isBlock, end - node <= Self.smallSubtree,
      regions[Int(region)].traits.contains(.hidden)
    {
      // A hidden part of a line cannot be told apart later.
      regions.removeLast()
      return end
    }
    levels.append(
      Level(
        node: UInt32(node), end: UInt32(end), tag: tag, blockNode: UInt32(blockNode),
        region: region, isInPre: isInPre, isInDataTable: isInDataTable,
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
    return node + 1
  }

  mutating func close() {
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

  mutating func lineBreak() {
    if isInPre {
      text.append(UInt8(ascii: "\n"))
    } else if hasText {
      lineBreaks += 1
      pendingSpace = false
    }
  }

  func number(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> Int? {
    var value = 0
    guard !range.isEmpty, range.count < 8 else { return nil }
    for index in range {
      guard let digit = bytes[index].decimalDigit else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// A table whose rows are lines: a heading or at least two rows of two short cells, and nothing but text in the cells.
  func isDataTable(_ arena: borrowing HTMLArena, _ table: Int) -> Bool {
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
