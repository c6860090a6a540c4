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

  enum Place { case beforeHead, inHead, inBody }

  var tokenizer: HTMLTokenizer
  var arena = HTMLArena()
  let limits: Limits
  var stack = HTMLColumn<Open>(capacity: 512)
  /// How many elements of a tag are open.
  var openCount = HTMLColumn<Int32>(capacity: 256)
  /// Start tags of a tag that the depth limit kept off the stack.
  var suppressed = HTMLColumn<Int32>(capacity: 256)
  var suppressedTotal = 0
  /// Links that are open and not ended.
  var openLinks = 0
  var place = Place.beforeHead
  var hasDoctype = false
  var isQuirky = false
  var overflowNode = -1
  var hitNodeLimit = false
  var hitDepthLimit = false

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

extension HTMLTreeBuilder {
  var top: Open { stack[stack.count - 1] }

  mutating func pushEntry(_ node: Int, _ tag: HTMLTag, _ name: UInt64, isForeign: Bool) {
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

  mutating func pop() {
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

  mutating func popTo(count: Int) {
    while stack.count > count { pop() }
  }

  @inline(__always) func isOpen(_ tag: HTMLTag) -> Bool { openCount[Int(tag.rawValue)] > 0 }

  /// Position on the stack of the nearest open `tag`, not looking beyond a scope barrier; nil if there is none.
  func inScope(_ tag: HTMLTag, stoppedByButton: Bool = false, stoppedByList: Bool = false) -> Int? {
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
  func tableOnStack() -> Int? {
    guard isOpen(.table) else { return nil }
    var index = stack.count - 1
    while index > 0 {
      if stack[index].tag == .table { return index }
      if stack[index].tag == .template { return nil }
      index -= 1
    }
    return nil
  }

  mutating func closeParagraph() {
    if let index = inScope(.p, stoppedByButton: true) { popTo(count: index) }
  }

  /// Appends an element and, unless it is void or too deep, opens it.
  mutating func insert(
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

  mutating func storeAttributes(of node: Int) {
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
