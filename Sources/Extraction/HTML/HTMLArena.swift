/// The tree of a page: flat columns in document order, so that a subtree is a range of nodes.
///
/// One per worker, reused by all its pages. Node 0 is the root (`html`). Text nodes hold ranges of the input; nothing is decoded
/// before it is rendered.
struct HTMLArena: ~Copyable {
  struct Flags: OptionSet, BitwiseCopyable {
    var rawValue: UInt8
    /// In svg or math.
    static let foreign = Flags(rawValue: 1)
    /// Text inside an open link.
    static let link = Flags(rawValue: 2)
    /// A table that holds another table.
    static let nestsTable = Flags(rawValue: 4)
    /// A table with `th`, `caption` or `thead`.
    static let hasTableHead = Flags(rawValue: 8)
    /// Text whose bytes stand in `side`, decoded.
    static let side = Flags(rawValue: 16)
    /// Text that holds no character references (raw text, CDATA).
    static let verbatim = Flags(rawValue: 32)
    /// A block that has an end tag of its own.
    static let ended = Flags(rawValue: 64)
  }

  struct Attribute: BitwiseCopyable {
    var name: HTMLAttribute
    var start: UInt32
    var end: UInt32
  }

  private(set) var tag = HTMLColumn<HTMLTag>(capacity: 4096)
  private(set) var flags = HTMLColumn<Flags>(capacity: 4096)
  private(set) var depth = HTMLColumn<UInt16>(capacity: 4096)
  private(set) var parent = HTMLColumn<UInt32>(capacity: 4096)
  /// Last descendant + 1.
  private(set) var end = HTMLColumn<UInt32>(capacity: 4096)
  /// Text: start in the input (or in `side`). Elements: first attribute.
  private(set) var start = HTMLColumn<UInt32>(capacity: 4096)
  /// Text: bytes. Elements: number of attributes.
  private(set) var length = HTMLColumn<UInt32>(capacity: 4096)
  private(set) var attributes = HTMLColumn<Attribute>(capacity: 1024)
  /// Text that is not one range of the input: what stands behind the node limit.
  var side = HTMLColumn<UInt8>(capacity: 64)

  var count: Int { tag.count }

  mutating func removeAll() {
    tag.removeAll()
    flags.removeAll()
    depth.removeAll()
    parent.removeAll()
    end.removeAll()
    start.removeAll()
    length.removeAll()
    attributes.removeAll()
    side.removeAll()
  }

  /// Gives memory back after a page of more than `nodes` nodes.
  mutating func shrink(above nodes: Int) {
    tag.shrink(above: nodes)
    flags.shrink(above: nodes)
    depth.shrink(above: nodes)
    parent.shrink(above: nodes)
    end.shrink(above: nodes)
    start.shrink(above: nodes)
    length.shrink(above: nodes)
    attributes.shrink(above: nodes)
    side.shrink(above: nodes)
  }

  /// Appends an element whose attributes will be those added until the next node.
  mutating func appendElement(
    _ newTag: HTMLTag, _ newFlags: Flags, depth newDepth: Int, parent newParent: Int
  ) -> Int {
    let node = tag.count
    tag.append(newTag)
    flags.append(newFlags)
    depth.append(UInt16(truncatingIfNeeded: newDepth))
    parent.append(UInt32(truncatingIfNeeded: newParent))
    end.append(UInt32(truncatingIfNeeded: node + 1))
    start.append(UInt32(truncatingIfNeeded: attributes.count))
    length.append(0)
    return node
  }

  mutating func appendText(
    _ newFlags: Flags, depth newDepth: Int, parent newParent: Int, start newStart: Int, count: Int
  ) {
    let node = appendElement(.text, newFlags, depth: newDepth, parent: newParent)
    start[node] = UInt32(truncatingIfNeeded: newStart)
    length[node] = UInt32(truncatingIfNeeded: count)
  }

  /// Adds an attribute to `node`, which must be the last element that got one.
  mutating func appendAttribute(_ attribute: Attribute, to node: Int) {
    attributes.append(attribute)
    length[node] += 1
  }

  /// Makes attributes appended from now on belong to `node`, which has none.
  mutating func beginAttributes(of node: Int) {
    start[node] = UInt32(truncatingIfNeeded: attributes.count)
    length[node] = 0
  }

  mutating func close(_ node: Int) { end[node] = UInt32(truncatingIfNeeded: tag.count) }

  mutating func lengthen(_ node: Int, to bytes: Int) { length[node] = UInt32(truncatingIfNeeded: bytes) }

  mutating func mark(_ node: Int, _ flag: Flags) { flags[node] = flags[node].union(flag) }

  /// Range of the raw value of an attribute in the input, or nil.
  func attribute(_ name: HTMLAttribute, of node: Int) -> Range<Int>? {
    guard tag[node] != .text else { return nil }
    let first = Int(start[node])
    for index in first..<first + Int(length[node]) where attributes[index].name == name {
      return Int(attributes[index].start)..<Int(attributes[index].end)
    }
    return nil
  }
}
