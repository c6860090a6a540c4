import Bytes

@testable import Extraction

/// The tokenizer of the standard, state by state and byte by byte: slow, plain, and written from its text alone.
///
/// - Source: WHATWG HTML, section 13.2.5. Bytes above 0x7F are ordinary characters, which the standard treats alike.
struct HTMLReferenceTokenizer {
  enum State {
    case data, rcdata, rawText, script, plaintext, cdata
    case tagOpen, endTagOpen, tagName
    case rawLessThan, rawEndTagOpen, rawEndTagName
    case scriptEscapeStart, scriptEscapeStartDash, scriptEscaped, scriptEscapedDash, scriptEscapedDashDash
    case scriptEscapedLessThan, scriptDoubleEscapeStart, scriptDoubleEscaped, scriptDoubleEscapedDash
    case scriptDoubleEscapedDashDash, scriptDoubleEscapedLessThan, scriptDoubleEscapeEnd
    case beforeAttributeName, attributeName, afterAttributeName, beforeAttributeValue
    case doubleQuoted, singleQuoted, unquoted, afterQuoted, selfClosing
    case bogusComment, markupDeclaration, commentStart, commentStartDash, comment, commentEndDash, commentEnd
    case commentEndBang, cdataBracket, cdataEnd
  }

  let input: [UInt8]
  var index = 0
  var state: State
  /// The raw state that an end tag's candidate goes back to.
  var rawState: State
  let allowsCDATA: Bool
  var lastStartTag: [UInt8]
  var tokens = TokenList()

  var isEndTag = false
  var isSelfClosing = false
  var name: [UInt8] = []
  var attributes: [(name: [UInt8], value: [UInt8])] = []
  var buffer: [UInt8] = []

  static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

  static func tokenize(_ input: [UInt8], _ start: State, lastStartTag: String, allowsCDATA: Bool) -> TokenList
  {
    var normalised: [UInt8] = []
    for (index, byte) in input.enumerated() {
      if byte == 13 {
        normalised.append(10)
      } else if byte != 10 || index == 0 || input[index - 1] != 13 {
        normalised.append(byte)
      }
    }
    var tokenizer = HTMLReferenceTokenizer(
      input: normalised, state: start, rawState: start, allowsCDATA: allowsCDATA,
      lastStartTag: Array(lastStartTag.utf8))
    while tokenizer.step() {}
    tokenizer.tokens.finish()
    return tokenizer.tokens
  }

  init(input: [UInt8], state: State, rawState: State, allowsCDATA: Bool, lastStartTag: [UInt8]) {
    self.input = input
    self.state = state
    self.rawState = rawState
    self.allowsCDATA = allowsCDATA
    self.lastStartTag = lastStartTag
  }

  static func c(_ scalar: Unicode.Scalar) -> UInt8 { UInt8(ascii: scalar) }

  mutating func emit(_ bytes: [UInt8]) { tokens.add(text: bytes) }
  mutating func emit(_ text: String) { tokens.add(text: Array(text.utf8)) }

  mutating func reconsume(in next: State) {
    index -= 1
    state = next
  }

  mutating func emitTag() {
    if isEndTag {
      tokens.add("end " + name.string)
    } else {
      tokens.add(TokenList.line(tag: name, attributes, isSelfClosing: isSelfClosing))
      lastStartTag = name
    }
    state = .data
  }

  mutating func emitComment() {
    tokens.add("comment " + buffer.string)
    buffer = []
  }

  func follows(_ word: String, ignoringCase: Bool) -> Bool {
    let wanted = Array(word.utf8)
    guard index + wanted.count <= input.count else { return false }
    let found = Array(input[index..<index + wanted.count])
    return ignoringCase ? TokenList.lowered(found) == TokenList.lowered(wanted) : found == wanted
  }

  /// Consumes one character; false at the end of the input.
  mutating func step() -> Bool {
    let byte: UInt8? = index < input.count ? input[index] : nil
    index += 1
    switch state {
    case .data, .rcdata, .rawText, .script, .plaintext, .cdata: return text(byte)
    case .tagOpen, .endTagOpen, .tagName: return tag(byte)
    case .rawLessThan, .rawEndTagOpen, .rawEndTagName: return rawEnd(byte)
    case .beforeAttributeName, .attributeName, .afterAttributeName, .beforeAttributeValue, .doubleQuoted,
      .singleQuoted, .unquoted, .afterQuoted, .selfClosing:
      return attribute(byte)
    case .bogusComment, .markupDeclaration, .commentStart, .commentStartDash, .comment, .commentEndDash,
      .commentEnd,
      .commentEndBang, .cdataBracket, .cdataEnd:
      return comment(byte)
    default: return escapedScript(byte)
    }
  }

  mutating func text(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    switch (state, byte) {
    case (.data, Self.c("&")), (.rcdata, Self.c("&")): emit(reference(isAttribute: false))
    case (.data, Self.c("<")): state = .tagOpen
    case (.rcdata, Self.c("<")), (.rawText, Self.c("<")), (.script, Self.c("<")):
      rawState = state
      state = .rawLessThan
    case (.cdata, Self.c("]")): state = .cdataBracket
    case (.data, 0), (.cdata, 0): emit([0])
    case (_, 0): emit(Self.replacement)
    default: emit([byte])
    }
    return true
  }

  mutating func tag(_ byte: UInt8?) -> Bool {
    switch state {
    case .tagOpen:
      guard let byte else {
        emit("<")
        return false
      }
      if byte == Self.c("!") {
        state = .markupDeclaration
      } else if byte == Self.c("/") {
        state = .endTagOpen
      } else if byte.isASCIILetter {
        beginTag(isEnd: false)
        reconsume(in: .tagName)
      } else if byte == Self.c("?") {
        buffer = []
        reconsume(in: .bogusComment)
      } else {
        emit("<")
        reconsume(in: .data)
      }
    case .endTagOpen:
      guard let byte else {
        emit("</")
        return false
      }
      if byte.isASCIILetter {
        beginTag(isEnd: true)
        reconsume(in: .tagName)
      } else if byte == Self.c(">") {
        state = .data
      } else {
        buffer = []
        reconsume(in: .bogusComment)
      }
    default:
      guard let byte else { return false }
      if byte.isASCIISpace {
        state = .beforeAttributeName
      } else if byte == Self.c("/") {
        state = .selfClosing
      } else if byte == Self.c(">") {
        emitTag()
      } else if byte == 0 {
        name += Self.replacement
      } else {
        name.append(byte.asciiLowercased)
      }
    }
    return true
  }

  mutating func beginTag(isEnd: Bool) {
    isEndTag = isEnd
    isSelfClosing = false
    name = []
    attributes = []
  }

  mutating func rawEnd(_ byte: UInt8?) -> Bool {
    switch state {
    case .rawLessThan:
      if byte == Self.c("/") {
        buffer = []
        state = .rawEndTagOpen
      } else if rawState == .script, byte == Self.c("!") {
        emit("<!")
        state = .scriptEscapeStart
      } else {
        emit("<")
        reconsume(in: rawState)
      }
    case .rawEndTagOpen:
      if let byte, byte.isASCIILetter {
        beginTag(isEnd: true)
        reconsume(in: .rawEndTagName)
      } else {
        emit("</")
        reconsume(in: rawState)
      }
    default:
      let isAppropriate = name == lastStartTag
      if let byte, byte.isASCIISpace, isAppropriate {
        state = .beforeAttributeName
      } else if byte == Self.c("/"), isAppropriate {
        state = .selfClosing
      } else if byte == Self.c(">"), isAppropriate {
        emitTag()
      } else if let byte, byte.isASCIILetter {
        name.append(byte.asciiLowercased)
        buffer.append(byte)
      } else {
        emit("</")
        emit(buffer)
        reconsume(in: rawState)
      }
    }
    return true
  }

  mutating func escapedScript(_ byte: UInt8?) -> Bool {
    let dash = Self.c("-")
    switch state {
    case .scriptEscapeStart, .scriptEscapeStartDash:
      if byte == dash {
        emit("-")
        state = state == .scriptEscapeStart ? .scriptEscapeStartDash : .scriptEscapedDashDash
      } else {
        reconsume(in: .script)
      }
      return true
    case .scriptEscapedLessThan:
      if byte == Self.c("/") {
        buffer = []
        rawState = .scriptEscaped
        state = .rawEndTagOpen
      } else if let byte, byte.isASCIILetter {
        buffer = []
        emit("<")
        reconsume(in: .scriptDoubleEscapeStart)
      } else {
        emit("<")
        reconsume(in: .scriptEscaped)
      }
      return true
    case .scriptDoubleEscapedLessThan:
      if byte == Self.c("/") {
        buffer = []
        emit("/")
        state = .scriptDoubleEscapeEnd
      } else {
        reconsume(in: .scriptDoubleEscaped)
      }
      return true
    case .scriptDoubleEscapeStart, .scriptDoubleEscapeEnd:
      let isStart = state == .scriptDoubleEscapeStart
      if let byte, byte.isASCIISpace || byte == Self.c("/") || byte == Self.c(">") {
        let isScript = buffer.string == "script"
        state = isScript == isStart ? .scriptDoubleEscaped : .scriptEscaped
        emit([byte])
      } else if let byte, byte.isASCIILetter {
        buffer.append(byte.asciiLowercased)
        emit([byte])
      } else {
        reconsume(in: isStart ? .scriptEscaped : .scriptDoubleEscaped)
      }
      return true
    default: return escapedScriptText(byte)
    }
  }

  mutating func escapedScriptText(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    let isDouble =
      state == .scriptDoubleEscaped || state == .scriptDoubleEscapedDash
      || state == .scriptDoubleEscapedDashDash
    if byte == Self.c("-") {
      emit("-")
      switch state {
      case .scriptEscaped: state = .scriptEscapedDash
      case .scriptEscapedDash: state = .scriptEscapedDashDash
      case .scriptDoubleEscaped: state = .scriptDoubleEscapedDash
      case .scriptDoubleEscapedDash: state = .scriptDoubleEscapedDashDash
      default: break
      }
    } else if byte == Self.c("<") {
      if isDouble { emit("<") }
      state = isDouble ? .scriptDoubleEscapedLessThan : .scriptEscapedLessThan
    } else if byte == Self.c(">"), state == .scriptEscapedDashDash || state == .scriptDoubleEscapedDashDash {
      emit(">")
      state = .script
    } else {
      emit(byte == 0 ? Self.replacement : [byte])
      state = isDouble ? .scriptDoubleEscaped : .scriptEscaped
    }
    return true
  }
}
