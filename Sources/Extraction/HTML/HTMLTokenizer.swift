import Bytes
import CKernels
import Glibc

/// The tokenizer of HTML over bytes: the states of the standard, as one scan that never goes back.
///
/// Input: UTF-8, any bytes tolerated. Tokens are ranges of the loaded input; names are compared in lower case by hash, and
/// character references are decoded only when a consumer asks (`HTMLText`). Time is linear in the input: a search that
/// fails to the end is remembered and never repeated.
///
/// - Source: WHATWG HTML, section 13.2.5.
struct HTMLTokenizer: ~Copyable {
  enum Kind: UInt8 { case text, startTag, endTag, comment, doctype, end }

  /// What the next characters are: the content model of the standard.
  enum Content: UInt8 { case data, rcdata, rawText, script, plaintext, cdata }

  struct Attribute: BitwiseCopyable {
    var id: UInt8
    var nameStart: UInt32
    var nameEnd: UInt32
    var valueStart: UInt32
    var valueEnd: UInt32
  }

  /// Zero bytes that stand behind the input, so that look-ahead and 64-byte loads need no test for the end.
  static let padding = 128

  // The token that `next` found last.
  private(set) var start = 0
  private(set) var end = 0
  /// How the text of a text token is to be decoded.
  private(set) var textContent = Content.data
  private(set) var tag = HTMLTag.unknown
  /// Hash of the lower-cased tag name.
  private(set) var nameHash: UInt64 = 0
  private(set) var isSelfClosing = false
  private(set) var attributes = HTMLColumn<Attribute>(capacity: 256)

  /// Set by the consumer after a start tag; an end tag of `rawName` returns to `data`.
  private(set) var content = Content.data
  private var rawHash: UInt64 = 0
  /// True while the current node is in svg or math: only there `<![CDATA[` opens a section.
  var allowsCDATA = false
  /// Markup that never ends (a comment, a tag, `title` …) is given up, and what follows it read as ordinary markup: a
  /// departure from the standard that keeps the text of a broken page.
  var recovers = false
  private(set) var hasRecovered = false

  private var input = HTMLColumn<UInt8>(capacity: 1 << 16)
  private(set) var count = 0
  private var position = 0
  private var tagNames = HTMLNameTable(HTMLTag.names, firstID: HTMLTag.html.rawValue)
  private var attributeNames = HTMLNameTable(HTMLAttribute.names, firstID: HTMLAttribute.id.rawValue)
  private let attributeLimit: Int
  private var noCommentEnd = false
  private var tagRecoveries = 0
  /// Raw elements whose end tag was searched for to the end of the input in vain.
  private var unclosedNames = HTMLColumn<UInt64>(capacity: 8)

  init(attributeLimit: Int = Limits.standard.attributesPerTag) {
    self.attributeLimit = attributeLimit
  }

  /// The loaded input, `count` bytes and the padding.
  var bytes: UnsafePointer<UInt8> { UnsafePointer(input.base) }

  /// Takes a copy of `html` with CRLF and CR as LF, and starts anew.
  mutating func load(_ html: borrowing Span<UInt8>) {
    input.removeAll()
    input.reserve(html.count + Self.padding)
    html.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      var index = 0
      while index < source.count {
        guard let found = memchr(base + index, 13, source.count - index) else {
          input.append(base + index, count: source.count - index)
          break
        }
        let cr = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base
        input.append(base + index, count: cr - index)
        input.append(10)
        index = cr + 1
        if index < source.count, base[index] == 10 { index += 1 }
      }
    }
    count = input.count
    for _ in 0..<Self.padding { input.append(0) }
    position = 0
    content = .data
    allowsCDATA = false
    hasRecovered = false
    noCommentEnd = false
    tagRecoveries = 0
    unclosedNames.removeAll()
  }

  /// For elements that the tree builder makes up.
  mutating func dropAttributes() { attributes.removeAll() }

  mutating func shrink(above limit: Int) { input.shrink(above: limit) }

  /// Text up to the end tag of the element whose name hashes to `name` is of this kind. False, and no change, if it is
  /// known that no such end tag follows and the tokenizer recovers.
  mutating func setContent(_ content: Content, until name: UInt64) -> Bool {
    if recovers {
      for index in 0..<unclosedNames.count where unclosedNames[index] == name { return false }
    }
    self.content = content
    rawHash = name
    return true
  }

  mutating func next() -> Kind {
    switch content {
    case .data: nextInData()
    case .rcdata, .rawText: nextInRawText()
    case .script: nextInScript()
    case .plaintext: restAsText()
    case .cdata: nextInCDATA()
    }
  }

  /// Index of the next `byte` at or after `from`, or `count`.
  @inline(__always) func find(_ byte: UInt8, from: Int) -> Int {
    var index = from
    let bytes = self.bytes
    while index < count {
      let mask = sluice_eq64(bytes + index, byte)
      if mask != 0 { return min(index + mask.trailingZeroBitCount, count) }
      index += 64
    }
    return count
  }

  @inline(__always) private mutating func text(_ from: Int, _ to: Int, _ content: Content) -> Kind {
    start = from
    end = to
    textContent = content
    position = to
    return .text
  }

  private mutating func restAsText() -> Kind {
    if position >= count { return .end }
    return text(position, count, content)
  }

  private mutating func nextInData() -> Kind {
    let bytes = self.bytes
    var index = position
    while true {
      let open = find(UInt8(ascii: "<"), from: index)
      if open >= count {
        if position >= count { return .end }
        return text(position, count, .data)
      }
      let next = bytes[open + 1]
      let isMarkup =
        next.isASCIILetter || next == UInt8(ascii: "!") || next == UInt8(ascii: "?")
        || (next == UInt8(ascii: "/") && open + 2 < count)
      if !isMarkup || open + 1 >= count {
        index = open + 1
        continue
      }
      if open > position { return text(position, open, .data) }
      if next.isASCIILetter {
        if scanTag(at: open + 1) { return .startTag }
      } else if next == UInt8(ascii: "/") {
        let letter = bytes[open + 2]
        if letter.isASCIILetter {
          if scanTag(at: open + 2) { return .endTag }
        } else if letter == UInt8(ascii: ">") {
          position = open + 3
        } else {
          return bogusComment(from: open + 2)
        }
      } else if next == UInt8(ascii: "?") {
        return bogusComment(from: open + 1)
      } else if let kind = declaration(at: open) {
        return kind
      }
      index = position
    }
  }

  private mutating func bogusComment(from: Int) -> Kind {
    start = from
    end = find(UInt8(ascii: ">"), from: from)
    position = min(end + 1, count)
    return .comment
  }

  /// `<!…`; nil where nothing comes of it and the scan goes on.
  private mutating func declaration(at open: Int) -> Kind? {
    let bytes = self.bytes
    if bytes[open + 2] == UInt8(ascii: "-"), bytes[open + 3] == UInt8(ascii: "-"), open + 4 <= count {
      return comment(from: open + 4)
    }
    if matches("doctype", at: open + 2) {
      start = open + 9
      end = find(UInt8(ascii: ">"), from: start)
      position = min(end + 1, count)
      return .doctype
    }
    if allowsCDATA, matches("[CDATA[", at: open + 2, ignoringCase: false) {
      content = .cdata
      position = open + 9
      return nextInCDATA()
    }
    return bogusComment(from: open + 2)
  }

  @inline(__always) private func matches(_ word: StaticString, at index: Int, ignoringCase: Bool = true)
    -> Bool
  {
    guard index + word.utf8CodeUnitCount <= count else { return false }
    let wanted = word.utf8Start
    for offset in 0..<word.utf8CodeUnitCount {
      let byte = bytes[index + offset]
      if (ignoringCase ? byte.asciiLowercased : byte) != wanted[offset] { return false }
    }
    return true
  }

  /// The comment whose text begins at `from`; nil if it never ends and is given up.
  private mutating func comment(from: Int) -> Kind? {
    let bytes = self.bytes
    let close = UInt8(ascii: ">")
    let dash = UInt8(ascii: "-")
    start = from
    end = from
    if from < count, bytes[from] == close {
      position = from + 1
      return .comment
    }
    if from + 1 < count, bytes[from] == dash, bytes[from + 1] == close {
      position = from + 2
      return .comment
    }
    if noCommentEnd, recovers {
      position = from
      return nil
    }
    var index = from
    while index < count {
      index = find(close, from: index)
      if index >= count { break }
      if index - from >= 2, bytes[index - 1] == dash, bytes[index - 2] == dash {
        end = index - 2
        position = index + 1
        return .comment
      }
      if index - from >= 3, bytes[index - 1] == UInt8(ascii: "!"), bytes[index - 2] == dash,
        bytes[index - 3] == dash
      {
        end = index - 3
        position = index + 1
        return .comment
      }
      index += 1
    }
    if recovers {
      noCommentEnd = true
      hasRecovered = true
      position = from
      return nil
    }
    end = count
    if matches("--!", at: max(count - 3, from)) {
      end = count - 3
    } else if matches("--", at: max(count - 2, from)) {
      end = count - 2
    } else if matches("-", at: max(count - 1, from)) {
      end = count - 1
    }
    position = count
    return .comment
  }

  private mutating func nextInCDATA() -> Kind {
    let bytes = self.bytes
    var index = position
    while true {
      index = find(UInt8(ascii: "]"), from: index)
      if index >= count {
        content = .data
        if position >= count { return .end }
        return text(position, count, .cdata)
      }
      if bytes[index + 1] == UInt8(ascii: "]"), bytes[index + 2] == UInt8(ascii: ">"), index + 2 < count {
        content = .data
        start = position
        end = index
        textContent = .cdata
        position = index + 3
        return .text
      }
      index += 1
    }
  }
}

extension HTMLTokenizer {
  /// Scans a tag whose name begins at `nameStart`; false if the input ends inside it (then nothing is emitted).
  private mutating func scanTag(at nameStart: Int) -> Bool {
    let bytes = self.bytes
    attributes.removeAll()
    isSelfClosing = false
    start = nameStart
    var index = nameStart
    var hash = HTMLNameTable.seed
    while index < count {
      let byte = bytes[index]
      if byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") || byte.isASCIISpace { break }
      hash = HTMLNameTable.step(hash, byte.asciiLowercased)
      index += 1
    }
    end = index
    nameHash = hash
    tag = HTMLTag(rawValue: tagNames.find(hash)) ?? .unknown
    if index < count, bytes[index] == UInt8(ascii: ">") {
      position = index + 1
      return true
    }
    while index < count {
      let byte = bytes[index]
      if byte.isASCIISpace {
        index += 1
      } else if byte == UInt8(ascii: ">") {
        position = index + 1
        return true
      } else if byte == UInt8(ascii: "/") {
        index += 1
        if index < count, bytes[index] == UInt8(ascii: ">") {
          isSelfClosing = true
          position = index + 1
          return true
        }
      } else {
        index = scanAttribute(at: index)
      }
    }
    return giveUpTag(nameEnd: end)
  }

  /// Scans one attribute, stores it, and returns the index after it (`count` if the input ends in it).
  @inline(__always) private mutating func scanAttribute(at nameStart: Int) -> Int {
    let bytes = self.bytes
    let equals = UInt8(ascii: "=")
    var index = nameStart
    var hash = HTMLNameTable.step(HTMLNameTable.seed, bytes[index].asciiLowercased)
    index += 1
    while index < count {
      let byte = bytes[index]
      if byte == equals || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") || byte.isASCIISpace {
        break
      }
      hash = HTMLNameTable.step(hash, byte.asciiLowercased)
      index += 1
    }
    let nameEnd = index
    while index < count, bytes[index].isASCIISpace { index += 1 }
    var valueStart = index
    var valueEnd = index
    if index < count, bytes[index] == equals {
      index += 1
      while index < count, bytes[index].isASCIISpace { index += 1 }
      let quote = bytes[index]
      if index >= count { return count }
      if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
        valueStart = index + 1
        valueEnd = find(quote, from: valueStart)
        if valueEnd >= count { return count }
        index = valueEnd + 1
      } else {
        valueStart = index
        while index < count, bytes[index] != UInt8(ascii: ">"), !bytes[index].isASCIISpace { index += 1 }
        valueEnd = index
      }
    }
    if attributes.count < attributeLimit {
      attributes.append(
        Attribute(
          id: attributeNames.find(hash), nameStart: UInt32(truncatingIfNeeded: nameStart),
          nameEnd: UInt32(truncatingIfNeeded: nameEnd), valueStart: UInt32(truncatingIfNeeded: valueStart),
          valueEnd: UInt32(truncatingIfNeeded: valueEnd)))
    }
    return index
  }

  /// The input ended inside a tag. By the standard the rest is lost; when recovering, the tag ends at the first `>`
  /// behind its name, with no attributes. At most eight times a page, so that time stays linear.
  private mutating func giveUpTag(nameEnd: Int) -> Bool {
    if recovers, tagRecoveries < 8 {
      let close = find(UInt8(ascii: ">"), from: nameEnd)
      if close < count {
        tagRecoveries += 1
        hasRecovered = true
        attributes.removeAll()
        position = close + 1
        return true
      }
    }
    position = count
    return false
  }
}

extension HTMLTokenizer {
  /// True if an end tag of the raw element's name stands at `open` (a `<`).
  @inline(__always) private func isRawEnd(at open: Int) -> Bool {
    let bytes = self.bytes
    guard bytes[open + 1] == UInt8(ascii: "/") else { return false }
    return wordHash(at: open + 2) == rawHash
  }

  /// Hash of the letters at `index` if a blank, `/` or `>` follows them within the input; otherwise 0.
  private func wordHash(at start: Int) -> UInt64 {
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

  private mutating func rawEnd(at open: Int, _ kind: Content) -> Kind {
    if open > position { return text(position, open, kind) }
    content = .data
    if scanTag(at: open + 2) { return .endTag }
    return nextInData()
  }

  private mutating func nextInRawText() -> Kind {
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
  private func hasEndTag(from: Int) -> Bool {
    var index = find(UInt8(ascii: "<"), from: from)
    while index < count {
      if bytes[index + 1] == UInt8(ascii: "/"), bytes[index + 2].isASCIILetter { return true }
      index = find(UInt8(ascii: "<"), from: index + 1)
    }
    return false
  }

  /// Script data with its escaped and double-escaped states (`<!-- <script> … </script> -->`).
  private mutating func nextInScript() -> Kind {
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
