import Bytes

/// Builds the arena from tokens: implied end tags, scopes, void elements, svg and math, limits of depth and nodes.
///
/// A simplification of the standard's tree construction that never changes the order of text: no foster parenting, no
/// adoption agency, no reconstruction of formatting. No recursion; every loop over the stack is bounded by the depth limit.
///
/// - Source: WHATWG HTML, section 13.2.6.
struct HTMLTreeBuilder: ~Copyable {
  struct Open: BitwiseCopyable {
    var node: UInt32
    var tag: HTMLTag
    /// Ended by its end tag, but open because a block inside it is.
    var isEnded: Bool
    var isForeign: Bool
    /// An `a` with `href`.
    var isLink: Bool
    var name: UInt64
  }

  private enum Place { case beforeHead, inHead, inBody }

  var tokenizer: HTMLTokenizer
  private(set) var arena = HTMLArena()
  private let limits: Limits
  private var stack = HTMLColumn<Open>(capacity: 512)
  /// How many elements of a tag are open.
  private var openCount = HTMLColumn<Int32>(capacity: 256)
  /// Start tags of a tag that the depth limit kept off the stack.
  private var suppressed = HTMLColumn<Int32>(capacity: 256)
  private var suppressedTotal = 0
  /// Links that are open and not ended.
  private var openLinks = 0
  private var place = Place.beforeHead
  private var hasDoctype = false
  private var isQuirky = false
  private var overflowNode = -1
  private(set) var hitNodeLimit = false
  private(set) var hitDepthLimit = false

  init(limits: Limits) {
    self.limits = limits
    tokenizer = HTMLTokenizer(attributeLimit: limits.attributesPerTag)
    tokenizer.recovers = true
  }

  /// Parses a page into `arena`.
  mutating func parse(_ html: borrowing Span<UInt8>) {
    tokenizer.load(html)
    arena.removeAll()
    stack.removeAll()
    openCount.fill(0, count: 256)
    suppressed.fill(0, count: 256)
    suppressedTotal = 0
    openLinks = 0
    place = .beforeHead
    hasDoctype = false
    isQuirky = false
    overflowNode = -1
    hitNodeLimit = false
    hitDepthLimit = false
    let root = arena.appendElement(.html, [], depth: 0, parent: 0)
    pushEntry(root, .html, 0, isForeign: false)
    while true {
      switch tokenizer.next() {
      case .text: addText()
      case .startTag: startTag()
      case .endTag: endTag()
      case .comment: break
      case .doctype: readDoctype()
      case .end:
        while stack.count > 0 { pop() }
        return
      }
    }
  }

  mutating func shrink() {
    tokenizer.shrink(above: 1 << 22)
    arena.shrink(above: 1 << 18)
  }
}

// MARK: Stack

extension HTMLTreeBuilder {
  private var top: Open { stack[stack.count - 1] }

  private mutating func pushEntry(_ node: Int, _ tag: HTMLTag, _ name: UInt64, isForeign: Bool) {
    let isLink = tag == .a && arena.attribute(.href, of: node) != nil
    stack.append(
      Open(
        node: UInt32(truncatingIfNeeded: node), tag: tag, isEnded: false, isForeign: isForeign,
        isLink: isLink,
        name: name))
    openCount[Int(tag.rawValue)] += 1
    if isLink { openLinks += 1 }
    tokenizer.allowsCDATA = isForeign
  }

  private mutating func pop() {
    let entry = top
    stack.removeLast()
    openCount[Int(entry.tag.rawValue)] -= 1
    if entry.isLink, !entry.isEnded { openLinks -= 1 }
    arena.close(Int(entry.node))
    if suppressedTotal > 0 {
      suppressed.fill(0, count: 256)
      suppressedTotal = 0
    }
    tokenizer.allowsCDATA = stack.count > 0 && top.isForeign
  }

  private mutating func popTo(count: Int) {
    while stack.count > count { pop() }
  }

  @inline(__always) private func isOpen(_ tag: HTMLTag) -> Bool { openCount[Int(tag.rawValue)] > 0 }

  /// Position on the stack of the nearest open `tag`, not looking beyond a scope barrier; nil if there is none.
  private func inScope(_ tag: HTMLTag, stoppedByButton: Bool = false, stoppedByList: Bool = false) -> Int? {
    guard isOpen(tag) else { return nil }
    var index = stack.count - 1
    while index > 0 {
      let entry = stack[index]
      if entry.tag == tag, !entry.isForeign { return index }
      if entry.tag.isScopeBarrier { return nil }
      if stoppedByButton, entry.tag == .button { return nil }
      if stoppedByList, entry.tag == .ul || entry.tag == .ol { return nil }
      index -= 1
    }
    return nil
  }

  /// Position of the innermost table on the stack, or nil: table scope reaches up to the next template.
  private func tableOnStack() -> Int? {
    guard isOpen(.table) else { return nil }
    var index = stack.count - 1
    while index > 0 {
      if stack[index].tag == .table { return index }
      if stack[index].tag == .template { return nil }
      index -= 1
    }
    return nil
  }

  private mutating func closeParagraph() {
    if let index = inScope(.p, stoppedByButton: true) { popTo(count: index) }
  }

  /// Appends an element and, unless it is void or too deep, opens it.
  private mutating func insert(
    _ tag: HTMLTag, name: UInt64, isForeign: Bool, staysOpen: Bool, isRaw: Bool = false
  ) {
    guard arena.count < limits.treeNodes else {
      hitNodeLimit = true
      return
    }
    let parent = Int(top.node)
    let node = arena.appendElement(tag, isForeign ? .foreign : [], depth: stack.count, parent: parent)
    storeAttributes(of: node)
    guard staysOpen else { return }
    if stack.count >= limits.treeDepth, !isRaw {
      hitDepthLimit = true
      suppressed[Int(tag.rawValue)] += 1
      suppressedTotal += 1
    } else {
      pushEntry(node, tag, name, isForeign: isForeign)
    }
  }

  private mutating func storeAttributes(of node: Int) {
    let count = tokenizer.attributes.count
    guard count > 0 else { return }
    arena.beginAttributes(of: node)
    var seen: UInt32 = 0
    for index in 0..<count {
      let attribute = tokenizer.attributes[index]
      guard attribute.id != 0, let name = HTMLAttribute(rawValue: attribute.id) else { continue }
      let bit = UInt32(1) << UInt32(attribute.id)
      if seen & bit != 0 { continue }
      seen |= bit
      arena.appendAttribute(.init(name: name, start: attribute.valueStart, end: attribute.valueEnd), to: node)
    }
  }
}

// MARK: Tokens

extension HTMLTreeBuilder {
  private mutating func addText() {
    let start = tokenizer.start
    let end = tokenizer.end
    guard end > start else { return }
    if place != .inBody, !isOpen(.title), top.tag == .html || top.tag == .head || top.tag == .noscript {
      let bytes = tokenizer.bytes
      var index = start
      while index < end, bytes[index].isASCIISpace || bytes[index] == 0 { index += 1 }
      if index == end { return }
      openBody()
    }
    var flags: HTMLArena.Flags = openLinks > 0 ? .link : []
    let content = tokenizer.textContent
    if content != .data, content != .rcdata { flags.insert(.verbatim) }
    if arena.count < limits.treeNodes {
      arena.appendText(flags, depth: stack.count, parent: Int(top.node), start: start, count: end - start)
      return
    }
    // Behind the node limit all text goes into one node, so that none is lost.
    hitNodeLimit = true
    if stack.count > 1, top.tag == .script || top.tag == .style { return }
    if overflowNode < 0 {
      overflowNode = arena.count
      arena.appendText(.side.union(.verbatim), depth: 2, parent: 0, start: 0, count: 0)
    }
    HTMLText.append(tokenizer.bytes, start, end, content: content, to: &arena.side)
    arena.side.append(UInt8(ascii: "\n"))
    arena.lengthen(overflowNode, to: arena.side.count)
  }

  private mutating func openBody() {
    guard place != .inBody else { return }
    place = .inBody
    popTo(count: 1)
    let node = arena.appendElement(.body, [], depth: 1, parent: 0)
    pushEntry(node, .body, 0, isForeign: false)
  }

  private mutating func readDoctype() {
    guard place == .beforeHead, !hasDoctype else { return }
    hasDoctype = true
    let range = tokenizer.start..<tokenizer.end
    let doctype = HTMLDoctype(tokenizer.bytes, range, isClosed: tokenizer.end < tokenizer.count)
    isQuirky = doctype.forcesQuirks
  }

  private mutating func startTag() {
    let tag = tokenizer.tag
    let name = tokenizer.nameHash
    if top.isForeign, !leavesForeign(tag) {
      let isForeign = true
      insert(
        tag, name: name, isForeign: isForeign, staysOpen: !tokenizer.isSelfClosing)
      enterIntegrationPoint(tag)
      return
    }
    if place != .inBody, headTag(tag, name) { return }
    bodyTag(tag, name)
  }

  /// Children of these svg and math elements are HTML again.
  private mutating func enterIntegrationPoint(_ tag: HTMLTag) {
    guard stack.count > 1, top.isForeign, top.tag == tag, !tokenizer.isSelfClosing else { return }
    switch tag {
    case .foreignobject, .desc, .mi, .mo, .mn, .ms, .mtext, .title:
      if tag == .title, !isOpen(.svg) { return }
      var entry = top
      entry.isForeign = false
      stack[stack.count - 1] = entry
      tokenizer.allowsCDATA = false
    default: break
    }
  }

  /// True if `tag` is read as HTML although the current node is foreign; pops the foreign elements where it breaks out.
  private mutating func leavesForeign(_ tag: HTMLTag) -> Bool {
    guard tag.breaksOutOfForeign else { return false }
    while stack.count > 1, top.isForeign { pop() }
    return true
  }

  /// Handles what may stand before the body; false if the tag opens the body.
  private mutating func headTag(_ tag: HTMLTag, _ name: UInt64) -> Bool {
    switch tag {
    case .html:
      if arena.length[0] == 0 { storeAttributes(of: 0) }
      return true
    case .head:
      if place == .beforeHead {
        place = .inHead
        insert(.head, name: name, isForeign: false, staysOpen: true)
      }
      return true
    case .body:
      place = .inBody
      popTo(count: 1)
      insert(.body, name: name, isForeign: false, staysOpen: true)
      return true
    default:
      guard tag.belongsToHead else {
        openBody()
        return false
      }
      insertHeadElement(tag, name)
      return true
    }
  }

  private mutating func insertHeadElement(_ tag: HTMLTag, _ name: UInt64) {
    switch tag {
    case .title: insertRaw(tag, name, .rcdata)
    case .style, .noframes: insertRaw(tag, name, .rawText)
    case .script: insertRaw(tag, name, .script)
    default: insert(tag, name: name, isForeign: false, staysOpen: !tag.isVoid)
    }
  }

  private mutating func insertRaw(_ tag: HTMLTag, _ name: UInt64, _ content: HTMLTokenizer.Content) {
    let opens = tokenizer.setContent(content, until: name)
    insert(tag, name: name, isForeign: false, staysOpen: opens, isRaw: true)
  }

  private mutating func bodyTag(_ tag: HTMLTag, _ name: UInt64) {
    switch tag {
    case .html:
      if arena.length[0] == 0 { storeAttributes(of: 0) }
      return
    case .head, .body, .frameset: return
    case .title, .style, .noframes, .script: return insertHeadElement(tag, name)
    case .textarea: return insertRaw(tag, name, .rcdata)
    case .xmp:
      closeParagraph()
      return insertRaw(tag, name, .rawText)
    case .iframe, .noembed: return insertRaw(tag, name, .rawText)
    case .plaintext:
      closeParagraph()
      return insertRaw(tag, name, .plaintext)
    case .svg, .math:
      return insert(tag, name: name, isForeign: true, staysOpen: !tokenizer.isSelfClosing)
    default: break
    }
    // Blocks are no content of a select: one that was never ended must not swallow them.
    if tag.closesParagraph, tag != .hr, let index = inScope(.select) { popTo(count: index) }
    if tag.closesParagraph, tag != .table || (hasDoctype && !isQuirky) { closeParagraph() }
    guard closeImplied(by: tag) else { return }
    insert(tag, name: name, isForeign: false, staysOpen: !tag.isVoid)
    if tag == .table { markOuterTable() }
  }

  /// Ends what a start tag implies to have ended; false if the tag is to be ignored.
  private mutating func closeImplied(by tag: HTMLTag) -> Bool {
    switch tag {
    case .h1, .h2, .h3, .h4, .h5, .h6:
      if top.tag.isHeading { pop() }
    case .li: closeItem(.li, .li)
    case .dd, .dt: closeItem(.dd, .dt)
    case .option:
      if top.tag == .option { pop() }
    case .optgroup:
      if top.tag == .option { pop() }
      if top.tag == .optgroup { pop() }
    case .button:
      if let index = inScope(.button) { popTo(count: index) }
    case .a:
      if isOpen(.a) { endFormatting(.a) }
    case .rb, .rt, .rtc, .rp:
      if top.tag == .rb || top.tag == .rt || top.tag == .rp || (top.tag == .rtc && tag != .rt) { pop() }
    case .caption, .colgroup, .col, .tbody, .thead, .tfoot, .tr, .td, .th: return openTablePart(tag)
    default: break
    }
    return true
  }

  /// `li` ends the `li` (and `dd`, `dt` each other) that is open in the same list.
  private mutating func closeItem(_ first: HTMLTag, _ second: HTMLTag) {
    guard isOpen(first) || isOpen(second) else { return }
    var index = stack.count - 1
    while index > 0 {
      let tag = stack[index].tag
      if tag == first || tag == second { return popTo(count: index) }
      if tag.isSpecial, tag != .address, tag != .div, tag != .p { return }
      index -= 1
    }
  }

  /// Clears the stack down to where a part of a table belongs; false if no table is open.
  private mutating func openTablePart(_ tag: HTMLTag) -> Bool {
    guard let table = tableOnStack() else { return false }
    let isCell = tag == .td || tag == .th
    var keep = table + 1
    if isCell || tag == .tr, keep < stack.count {
      let section = stack[keep].tag
      if section == .tbody || section == .thead || section == .tfoot { keep += 1 }
      if isCell, keep < stack.count, stack[keep].tag == .tr { keep += 1 }
    }
    popTo(count: keep)
    if isCell, top.tag != .tr, arena.count < limits.treeNodes {
      let node = arena.appendElement(.tr, [], depth: stack.count, parent: Int(top.node))
      pushEntry(node, .tr, 0, isForeign: false)
    }
    if tag == .th || tag == .caption || tag == .thead { arena.mark(Int(stack[table].node), .hasTableHead) }
    return true
  }

  private mutating func markOuterTable() {
    guard stack.count > 1, openCount[Int(HTMLTag.table.rawValue)] > 1 else { return }
    var index = stack.count - 2
    while index > 0 {
      if stack[index].tag == .table { return arena.mark(Int(stack[index].node), .nestsTable) }
      index -= 1
    }
  }
}

// MARK: End tags

extension HTMLTreeBuilder {
  private mutating func endTag() {
    let tag = tokenizer.tag
    if tag != .unknown, suppressed[Int(tag.rawValue)] > 0 {
      suppressed[Int(tag.rawValue)] -= 1
      suppressedTotal -= 1
      return
    }
    if tag == .br || tag == .p, !isOpen(tag) {
      if top.isForeign { _ = leavesForeign(tag) }
      tokenizer.dropAttributes()
      openBody()
      return insert(tag, name: 0, isForeign: false, staysOpen: false)
    }
    switch tag {
    case .html, .body: return
    case .head:
      if place == .inHead, isOpen(.head) { popTo(count: 1) }
      return
    case .p: return closeParagraph()
    case .li:
      if let index = inScope(.li, stoppedByList: true) { popTo(count: index) }
      return
    case .h1, .h2, .h3, .h4, .h5, .h6: return endHeading()
    case .table:
      if let index = tableOnStack() { popTo(count: index) }
      return
    case .caption, .colgroup, .tbody, .thead, .tfoot, .tr, .td, .th: return endTablePart(tag)
    default: break
    }
    if tag != .unknown, !isOpen(tag) { return }
    if tag.isFormatting {
      endFormatting(tag)
    } else if tag.isBlockWithScopedEnd, !top.isForeign {
      if let index = inScope(tag) {
        arena.mark(Int(stack[index].node), .ended)
        popTo(count: index)
      }
    } else {
      endOrdinary(tag, tokenizer.nameHash)
    }
  }

  private mutating func endHeading() {
    var index = stack.count - 1
    while index > 0 {
      if stack[index].tag.isHeading { return popTo(count: index) }
      if stack[index].tag.isScopeBarrier { return }
      index -= 1
    }
  }

  private mutating func endTablePart(_ tag: HTMLTag) {
    guard isOpen(tag), let table = tableOnStack() else { return }
    var index = stack.count - 1
    while index > table {
      if stack[index].tag == tag { return popTo(count: index) }
      index -= 1
    }
  }

  /// Pops a formatting element if no block stands above it on the stack, else marks it as ended.
  private mutating func endFormatting(_ tag: HTMLTag) {
    var index = stack.count - 1
    var blockAbove = false
    while index > 0 {
      let entry = stack[index]
      if entry.tag == tag, !entry.isEnded {
        if !blockAbove { return popTo(count: index) }
        var ended = entry
        ended.isEnded = true
        stack[index] = ended
        if entry.isLink { openLinks -= 1 }
        return
      }
      if entry.tag.isScopeBarrier { return }
      if entry.tag.isSpecial { blockAbove = true }
      index -= 1
    }
  }

  private mutating func endOrdinary(_ tag: HTMLTag, _ name: UInt64) {
    var index = stack.count - 1
    while index > 0 {
      let entry = stack[index]
      if entry.tag == tag, tag != .unknown || entry.name == name { return popTo(count: index) }
      // An element of our own knowledge below ends the search; unknown (custom) elements may enclose blocks.
      if entry.tag.isSpecial, tag != .unknown, !entry.isForeign { return }
      if tag == .unknown, entry.tag.isScopeBarrier { return }
      index -= 1
    }
  }
}
