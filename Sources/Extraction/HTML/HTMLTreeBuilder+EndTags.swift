extension HTMLTreeBuilder {
  mutating func endTag() {
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

  mutating func endHeading() {
    var index = stack.count - 1
    while index > 0 {
      if stack[index].tag.isHeading { return popTo(count: index) }
      if stack[index].tag.isScopeBarrier { return }
      index -= 1
    }
  }

  mutating func endTablePart(_ tag: HTMLTag) {
    guard isOpen(tag), let table = tableOnStack() else { return }
    var index = stack.count - 1
    while index > table {
      if stack[index].tag == tag { return popTo(count: index) }
      index -= 1
    }
  }

  /// Pops a formatting element if no block stands above it on the stack, else marks it as ended.
  mutating func endFormatting(_ tag: HTMLTag) {
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

  mutating func endOrdinary(_ tag: HTMLTag, _ name: UInt64) {
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
