import Bytes

extension HTMLRenderer {
  /// The region that `node` opens, or -1.
  mutating func openRegion(
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
    // `content-with-sidebar` is a wrapper, not a sidebar.
    if traits.contains(.content) { traits.subtract([.aside, .notice]) }
    if tag == .dialog, arena.attribute(.open, of: node) == nil { traits.insert(.hidden) }
    if traits.isEmpty { return -1 }
    regions.append(
      HTMLRegion(
        node: UInt32(node), firstBlock: UInt32(blocks.count), endBlock: UInt32(blocks.count), traits: traits))
    return Int32(truncatingIfNeeded: regions.count - 1)
  }

  static func traits(of tag: HTMLTag) -> HTMLTraits {
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

  static func traits(ofRole bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> HTMLTraits {
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
  static func hides(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> Bool {
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
