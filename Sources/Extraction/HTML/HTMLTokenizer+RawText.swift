import Bytes

extension HTMLTokenizer {
  /// True if an end tag of the raw element's name stands at `open` (a `<`).
  @inline(__always) func isRawEnd(at open: Int) -> Bool {
    let bytes = self.bytes
    guard bytes[open + 1] == UInt8(ascii: "/") else { return false }
    return wordHash(at: open + 2) == rawHash
  }

  /// Hash of the letters at `index` if a blank, `/` or `>` follows them within the input; otherwise 0.
  func wordHash(at start: Int) -> UInt64 {
    let bytes = self.bytes
    var index = start
    var hash = HTMLNameTable.seed
    // No raw element has a name of more than nine letters (`plaintext`).
    while index < count, index - start < 16, bytes[index].isASCIILetter {
      hash = HTMLNameTable.step(hash, bytes[index].asciiLowercased)
      index += 1
    }
    guard index < count, index > start else { return 0 }
    let after = bytes[index]
    return after.isASCIISpace || after == UInt8(ascii: "/") || after == UInt8(ascii: ">") ? hash : 0
  }

  mutating func rawEnd(at open: Int, _ kind: Content) -> Kind {
    if open > position { return text(position, open, kind) }
    content = .data
    if scanTag(at: open + 2) { return .endTag }
    return nextInData()
  }

  mutating func nextInRawText() -> Kind {
    let kind = content
    var index = position
    while true {
      let open = find(UInt8(ascii: "<"), from: index)
      if open >= count {
        if recovers, hasEndTag(from: position) {
          unclosedNames.append(rawHash)
          hasRecovered = true
          content = .data
          // To the consumer it looks like an end tag right behind the start tag.
          attributes.removeAll()
          nameHash = rawHash
          tag = HTMLTag(rawValue: tagNames.find(rawHash)) ?? .unknown
          return .endTag
        }
        if position >= count { return .end }
        return text(position, count, kind)
      }
      if isRawEnd(at: open) { return rawEnd(at: open, kind) }
      index = open + 1
    }
  }

  /// True if some end tag stands behind `from`: the sign that an element that never ends has swallowed a page.
  func hasEndTag(from: Int) -> Bool {
    var index = find(UInt8(ascii: "<"), from: from)
    while index < count {
      if bytes[index + 1] == UInt8(ascii: "/"), bytes[index + 2].isASCIILetter { return true }
      index = find(UInt8(ascii: "<"), from: index + 1)
    }
    return false
  }

  /// Script data with its escaped and double-escaped states (`<!-- <script> … </script> -->`).
  mutating func nextInScript() -> Kind {
    enum State { case plain, escaped, doubleEscaped }
    let bytes = self.bytes
    let open = UInt8(ascii: "<")
    let dash = UInt8(ascii: "-")
    var state = State.plain
    var index = position
    // Dashes that stand directly before `index`, in the escaped states.
    var dashes = 0
    while index < count {
      if state == .plain {
        index = find(open, from: index)
        if index >= count { break }
        if isRawEnd(at: index) { return rawEnd(at: index, .script) }
        if matches("<!--", at: index) {
          state = .escaped
          dashes = 2
          index += 4
        } else {
          index += 1
        }
        continue
      }
      let byte = bytes[index]
      if byte == dash {
        dashes += 1
      } else if byte == UInt8(ascii: ">"), dashes >= 2 {
        state = .plain
        dashes = 0
      } else {
        dashes = 0
        if byte == open {
          if state == .escaped {
            if isRawEnd(at: index) { return rawEnd(at: index, .script) }
            if wordHash(at: index + 1) == rawHash { state = .doubleEscaped }
          } else if bytes[index + 1] == UInt8(ascii: "/"), wordHash(at: index + 2) == rawHash {
            state = .escaped
          }
        }
      }
      index += 1
    }
    if position >= count { return .end }
    return text(position, count, .script)
  }
}
