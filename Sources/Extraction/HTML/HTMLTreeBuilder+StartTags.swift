extension HTMLTreeBuilder {
  mutating func addText() {
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

  mutating func openBody() {
    guard place != .inBody else { return }
    place = .inBody
    popTo(count: 1)
    let node = arena.appendElement(.body, [], depth: 1, parent: 0)
    pushEntry(node, .body, 0, isForeign: false)
  }

  mutating func readDoctype() {
    guard place == .beforeHead, !hasDoctype else { return }
    hasDoctype = true
    let range = tokenizer.start..<tokenizer.end
    let doctype = HTMLDoctype(tokenizer.bytes, range, isClosed: tokenizer.end < tokenizer.count)
    isQuirky = doctype.forcesQuirks
  }

  mutating func startTag() {
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
  mutating func enterIntegrationPoint(_ tag: HTMLTag) {
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
  mutating func leavesForeign(_ tag: HTMLTag) -> Bool {
    guard tag.breaksOutOfForeign else { return false }
    while stack.count > 1, top.isForeign { pop() }
    return true
  }

  /// Handles what may stand before the body; false if the tag opens the body.
  mutating func headTag(_ tag: HTMLTag, _ name: UInt64) -> Bool {
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

  mutating func insertHeadElement(_ tag: HTMLTag, _ name: UInt64) {
    switch tag {
    case .title: insertRaw(tag, name, .rcdata)
    case .style, .noframes: insertRaw(tag, name, .rawText)
    case .script: insertRaw(tag, name, .script)
    default: insert(tag, name: name, isForeign: false, staysOpen: !tag.isVoid)
    }
  }

  mutating func insertRaw(_ tag: HTMLTag, _ name: UInt64, _ content: HTMLTokenizer.Content) {
    let opens = tokenizer.setContent(content, until: name)
    insert(tag, name: name, isForeign: false, staysOpen: opens, isRaw: true)
  }

  mutating func bodyTag(_ tag: HTMLTag, _ name: UInt64) {
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
  mutating func closeImplied(by tag: HTMLTag) -> Bool {
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
  mutating func closeItem(_ first: HTMLTag, _ second: HTMLTag) {
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
  mutating func openTablePart(_ tag: HTMLTag) -> Bool {
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

  mutating func markOuterTable() {
    guard stack.count > 1, openCount[Int(HTMLTag.table.rawValue)] > 1 else { return }
    var index = stack.count - 2
    while index > 0 {
      if stack[index].tag == .table { return arena.mark(Int(stack[index].node), .nestsTable) }
      index -= 1
    }
  }
}
