import Bytes

extension HTMLRenderer {
  mutating func renderText(_ arena: borrowing HTMLArena, _ node: Int, _ bytes: UnsafePointer<UInt8>) {
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

  mutating func write(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, decodes: Bool) {
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
  mutating func writeSpecial(
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

  mutating func writePlain(
    _ bytes: UnsafePointer<UInt8>, _ index: Int, _ count: Int, weight added: Int
  ) -> Int {
    startText()
    text.append(bytes + index, count: count)
    weight += added
    if isInLink { linkWeight += added }
    return index + count
  }

  mutating func writePre(_ byte: UInt8) {
    if !hasText { startText() }
    text.append(byte)
  }

  /// Writes what stands before the next characters: a line break, a blank, a list mark, a cell separator.
  @inline(__always) mutating func startText() {
    if hasText, !pendingSpace, lineBreaks == 0, !needsSeparator { return }
    startTextSlowly()
  }

  mutating func startTextSlowly() {
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

  mutating func writePrefix() {
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

  var kind: HTMLBlock.Kind {
    if isInPre { return .preformatted }
    if titleDepth > 0 { return .heading }
    if isInDataTable { return .row }
    return .other
  }

  /// Ends the block that is being written; nothing if it has no text.
  mutating func finishBlock() {
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
