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
  var start = 0
  var end = 0
  /// How the text of a text token is to be decoded.
  var textContent = Content.data
  var tag = HTMLTag.unknown
  /// Hash of the lower-cased tag name.
  var nameHash: UInt64 = 0
  var isSelfClosing = false
  var attributes = HTMLColumn<Attribute>(capacity: 256)

  /// Set by the consumer after a start tag; an end tag of `rawName` returns to `data`.
  var content = Content.data
  var rawHash: UInt64 = 0
  /// True while the current node is in svg or math: only there `<![CDATA[` opens a section.
  var allowsCDATA = false
  /// Markup that never ends (a comment, a tag, `title` …) is given up, and what follows it read as ordinary markup: a
  /// departure from the standard that keeps the text of a broken page.
  var recovers = false
  var hasRecovered = false

  var input = HTMLColumn<UInt8>(capacity: 1 << 16)
  var count = 0
  var position = 0
  var tagNames = HTMLNameTable(HTMLTag.names, firstID: HTMLTag.html.rawValue)
  var attributeNames = HTMLNameTable(HTMLAttribute.names, firstID: HTMLAttribute.id.rawValue)
  let attributeLimit: Int
  var noCommentEnd = false
  var tagRecoveries = 0
  /// Raw elements whose end tag was searched for to the end of the input in vain.
  var unclosedNames = HTMLColumn<UInt64>(capacity: 8)

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

  @inline(__always) mutating func text(_ from: Int, _ to: Int, _ content: Content) -> Kind {
    start = from
    end = to
    textContent = content
    position = to
    return .text
  }

  mutating func restAsText() -> Kind {
    if position >= count { return .end }
    return text(position, count, content)
  }

  mutating func nextInData() -> Kind {
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

  mutating func bogusComment(from: Int) -> Kind {
    start = from
    end = find(UInt8(ascii: ">"), from: from)
    position = min(end + 1, count)
    return .comment
  }

  /// `<!…`; nil where nothing comes of it and the scan goes on.
  mutating func declaration(at open: Int) -> Kind? {
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

  @inline(__always) func matches(_ word: StaticString, at index: Int, ignoringCase: Bool = true)
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
  mutating func comment(from: Int) -> Kind? {
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

  mutating func nextInCDATA() -> Kind {
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
