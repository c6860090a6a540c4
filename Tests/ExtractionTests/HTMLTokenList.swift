import Bytes

@testable import Extraction

/// Tokens as lines that two tokenizers, or a test case, can be compared by. Neighbouring text is one token.
struct TokenList {
  enum Start { case data, rcdata, rawText, script, plaintext, cdata }

  private(set) var lines: [String] = []
  private var pending: [UInt8] = []

  mutating func add(text: [UInt8]) { pending += text }

  mutating func add(_ line: String) {
    finish()
    lines.append(line)
  }

  mutating func finish() {
    if !pending.isEmpty { lines.append("text " + pending.string) }
    pending = []
  }

  static func line(tag name: [UInt8], _ attributes: [(name: [UInt8], value: [UInt8])], isSelfClosing: Bool)
    -> String
  {
    var seen: [String: String] = [:]
    for attribute in attributes where seen[attribute.name.string] == nil {
      seen[attribute.name.string] = attribute.value.string
    }
    let listed = seen.keys.sorted().map { "\($0)=«\(seen[$0] ?? "")»" }
    return "start \(name.string) \(listed.joined(separator: " "))\(isSelfClosing ? " /" : "")"
  }

  static func line(doctype name: [UInt8]?, _ publicID: [UInt8]?, _ systemID: [UInt8]?, isCorrect: Bool)
    -> String
  {
    let parts = [name, publicID, systemID].map { $0.map { "«\($0.string)»" } ?? "null" }
    return "doctype \(parts.joined(separator: " ")) \(isCorrect)"
  }

  /// A token of an html5lib case.
  mutating func add(expected token: [JSONValue], _ text: (JSONValue?) -> [UInt8]) {
    func optional(_ value: JSONValue) -> [UInt8]? { value == .null ? nil : text(value) }
    switch token[0].string {
    case "Character": add(text: text(token[1]))
    case "Comment": add("comment " + text(token[1]).string)
    case "EndTag": add("end " + text(token[1]).string)
    case "StartTag":
      var attributes: [(name: [UInt8], value: [UInt8])] = []
      if case .object(let members) = token[2] {
        for member in members { attributes.append((text(.string(member.key)), text(member.value))) }
      }
      add(Self.line(tag: text(token[1]), attributes, isSelfClosing: token.count > 3))
    case "DOCTYPE":
      add(
        Self.line(
          doctype: optional(token[1]), optional(token[2]), optional(token[3]),
          isCorrect: token[4] == .bool(true)))
    default: add("unknown \(token)")
    }
  }

  /// Tokens that the product's tokenizer finds.
  static func tokenize(
    _ input: [UInt8], _ start: Start = .data, lastStartTag: String = "", allowsCDATA: Bool = false
  ) -> TokenList {
    var tokens = TokenList()
    var tokenizer = HTMLTokenizer()
    tokenizer.load(input.span)
    tokenizer.allowsCDATA = allowsCDATA
    var hash = HTMLNameTable.seed
    for byte in lastStartTag.utf8 { hash = HTMLNameTable.step(hash, byte) }
    switch start {
    case .data: break
    case .rcdata: _ = tokenizer.setContent(.rcdata, until: hash)
    case .rawText: _ = tokenizer.setContent(.rawText, until: hash)
    case .script: _ = tokenizer.setContent(.script, until: hash)
    case .plaintext: _ = tokenizer.setContent(.plaintext, until: 0)
    case .cdata: _ = tokenizer.setContent(.cdata, until: 0)
    }
    loop: while true {
      switch tokenizer.next() {
      case .text:
        tokens.add(text: decoded(tokenizer, tokenizer.start, tokenizer.end, tokenizer.textContent))
      case .startTag:
        var attributes: [(name: [UInt8], value: [UInt8])] = []
        for index in 0..<tokenizer.attributes.count {
          let one = tokenizer.attributes[index]
          attributes.append(
            (
              lowered(decoded(tokenizer, Int(one.nameStart), Int(one.nameEnd), .rawText)),
              decoded(tokenizer, Int(one.valueStart), Int(one.valueEnd), .rcdata, isAttribute: true)
            ))
        }
        let name = lowered(decoded(tokenizer, tokenizer.start, tokenizer.end, .rawText))
        tokens.add(line(tag: name, attributes, isSelfClosing: tokenizer.isSelfClosing))
      case .endTag:
        tokens.add("end " + lowered(decoded(tokenizer, tokenizer.start, tokenizer.end, .rawText)).string)
      case .comment:
        tokens.add("comment " + decoded(tokenizer, tokenizer.start, tokenizer.end, .rawText).string)
      case .doctype: tokens.add(doctypeLine(tokenizer))
      case .end: break loop
      }
    }
    tokens.finish()
    return tokens
  }

  private static func doctypeLine(_ tokenizer: borrowing HTMLTokenizer) -> String {
    let doctype = HTMLDoctype(
      tokenizer.bytes, tokenizer.start..<tokenizer.end, isClosed: tokenizer.end < tokenizer.count)
    func text(_ range: Range<Int>?, _ tokenizer: borrowing HTMLTokenizer) -> [UInt8]? {
      guard let range else { return nil }
      return decoded(tokenizer, range.lowerBound, range.upperBound, .rawText)
    }
    return line(
      doctype: text(doctype.name, tokenizer).map(lowered), text(doctype.publicID, tokenizer),
      text(doctype.systemID, tokenizer), isCorrect: !doctype.forcesQuirks)
  }

  static func lowered(_ bytes: [UInt8]) -> [UInt8] { bytes.map(\.asciiLowercased) }

  private static func decoded(
    _ tokenizer: borrowing HTMLTokenizer, _ start: Int, _ end: Int, _ content: HTMLTokenizer.Content,
    isAttribute: Bool = false
  ) -> [UInt8] {
    var output = HTMLColumn<UInt8>(capacity: 64)
    HTMLText.append(tokenizer.bytes, start, end, content: content, isAttribute: isAttribute, to: &output)
    return (0..<output.count).map { output[$0] }
  }
}
