import Bytes

/// First pass: comments, references and the like, templates and tables go.
///
/// Openings and closings are matched by a stack in one walk; an opening that is never closed stays text (its braces go later).
struct WikitextStripper {
  private enum Kind { case template, table }
  private struct Opening {
    var kind: Kind
    var start: Int
    /// Braces of the opening: 2, or 3 for a parameter.
    var width: Int
  }

  private var stack: [Opening] = []
  private var openTemplates = 0
  private var openTables = 0
  private var cuts: [Range<Int>] = []
  private var closings = WikitextClosings()

  mutating func strip(_ text: [UInt8], into output: inout [UInt8]) {
    stack.removeAll(keepingCapacity: true)
    openTemplates = 0
    openTables = 0
    cuts.removeAll(keepingCapacity: true)
    closings.removeAll()
    findCuts(text.span)
    cuts.sort { $0.lowerBound < $1.lowerBound }
    var copied = 0
    for cut in cuts where cut.lowerBound >= copied {
      output.append(contentsOf: text[copied..<cut.lowerBound])
      if text[cut.lowerBound] == UInt8(ascii: "{") {
        WikitextTemplates.append(text.span.extracting(cut), to: &output)
      }
      copied = cut.upperBound
    }
    output.append(contentsOf: text[copied...])
  }

  private mutating func findCuts(_ text: borrowing Span<UInt8>) {
    var index = 0
    while index < text.count {
      switch text[index] {
      case UInt8(ascii: "{"): index = opening(text, index)
      case UInt8(ascii: "}"): index = closing(text, index)
      case UInt8(ascii: "|"):
        if openTables > 0, index + 1 < text.count, text[index + 1] == UInt8(ascii: "}"),
          !(index + 2 < text.count && text[index + 2] == UInt8(ascii: "}") && openTemplates > 0
            && stack.last?.kind == .template),
          isLineStart(text, index)
        {
          close(.table, index + 2)
          index += 2
        } else {
          index += 1
        }
      case UInt8(ascii: "<"): index = tag(text, index)
      default: index += 1
      }
    }
  }

  private mutating func opening(_ text: borrowing Span<UInt8>, _ index: Int) -> Int {
    var end = index
    while end < text.count, text[end] == UInt8(ascii: "{") { end += 1 }
    var run = end - index
    if run == 1 {
      if end < text.count, text[end] == UInt8(ascii: "|"), isLineStart(text, index) {
        stack.append(Opening(kind: .table, start: index, width: 2))
        openTables += 1
        return end + 1
      }
      return end
    }
    var start = index
    while run >= 2 {
      let width = run == 3 ? 3 : 2
      stack.append(Opening(kind: .template, start: start, width: width))
      openTemplates += 1
      start += width
      run -= width
    }
    return end
  }

  private mutating func closing(_ text: borrowing Span<UInt8>, _ index: Int) -> Int {
    var end = index
    while end < text.count, text[end] == UInt8(ascii: "}") { end += 1 }
    var start = index
    while end - start >= 2, openTemplates > 0 {
      while stack.last?.kind == .table { popLast() }
      let width = min(stack.last?.width ?? 2, end - start)
      close(.template, start + width)
      start += width
    }
    return end
  }

  private mutating func popLast() {
    let last = stack.removeLast()
    if last.kind == .table { openTables -= 1 } else { openTemplates -= 1 }
  }

  /// Closes the nearest opening of this kind; those above it were never closed.
  private mutating func close(_ kind: Kind, _ end: Int) {
    while let last = stack.last {
      popLast()
      if last.kind == kind {
        cuts.append(last.start..<end)
        return
      }
    }
  }

  private func isLineStart(_ text: borrowing Span<UInt8>, _ index: Int) -> Bool {
    var position = index
    while position > 0, index - position < 32 {
      let byte = text[position - 1]
      if byte == 10 { return true }
      if byte != 32, byte != 9, byte != UInt8(ascii: ":") { return false }
      position -= 1
    }
    return position == 0
  }

  private mutating func tag(_ text: borrowing Span<UInt8>, _ index: Int) -> Int {
    if text.starts(with: "<!--", at: index, ignoringCase: false) {
      let end = text.firstIndex(of: WikitextStripper.commentEnd, from: index + 4).map { $0 + 3 } ?? text.count
      cuts.append(index..<end)
      return end
    }
    guard let tag = WikitextTag(text, at: index) else { return index + 1 }
    let isRemoved = WikitextTag.removed.contains(tag.name)
    guard isRemoved || WikitextTag.verbatim.contains(tag.name) else { return tag.end }
    if tag.isClosing || tag.isSelfClosing {
      if isRemoved { cuts.append(index..<tag.end) }
      return tag.end
    }
    guard let close = closings.find(tag.name, text, from: tag.end),
      !(isRemoved && opens(tag.name, text, tag.end..<close.lowerBound))
    else {
      if isRemoved { cuts.append(index..<tag.end) }
      return tag.end
    }
    if isRemoved { cuts.append(index..<close.upperBound) }
    return close.upperBound
  }

  private static let commentEnd = Array("-->".utf8)

  /// True if the tag opens again in `range`: then the first one was never closed.
  private func opens(_ name: String, _ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
    let part = text.extracting(0..<range.upperBound)
    var index = range.lowerBound
    while let open = part.firstIndex(of: UInt8(ascii: "<"), from: index) {
      if let tag = WikitextTag(part, at: open), tag.name == name, !tag.isClosing, !tag.isSelfClosing {
        return true
      }
      index = open + 1
    }
    return false
  }
}

/// The templates whose arguments are text of the article.
///
/// - Source: English Wikipedia's templates of these names; the list of the project's extraction notes, 5.1.
enum WikitextTemplates {
  private static let lastArgument: Set<String> = ["lang", "transl", "transliteration", "langue", "lien"]
  private static let firstArgument: Set<String> = [
    "nowrap", "nobr", "abbr", "mvar", "math", "var", "quote", "blockquote", "small", "big", "em", "strong",
    "nihongo", "sic",
  ]

  /// Appends the text of the template that is the whole of `template`, if it is one of those and holds no markup.
  static func append(_ template: borrowing Span<UInt8>, to output: inout [UInt8]) {
    guard template.count > 4, template.count <= 500, template[1] == UInt8(ascii: "{"),
      template[2] != UInt8(ascii: "{")
    else {
      return
    }
    let body = 2..<template.count - 2
    var parts: [Range<Int>] = []
    var start = body.lowerBound
    for index in body {
      let byte = template[index]
      if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "<") { return }
      if byte == UInt8(ascii: "|") {
        parts.append(start..<index)
        start = index + 1
      }
    }
    parts.append(start..<body.upperBound)
    let name = template.extracting(template.trimmedRange(parts[0])).string().lowercased()
    if name.hasPrefix("formatnum:") {
      output.append(contentsOf: name.dropFirst(10).utf8)
    } else if parts.count >= 2, firstArgument.contains(name) {
      append(template, parts[1], to: &output)
    } else if parts.count >= 3, lastArgument.contains(name) {
      append(template, parts[2], to: &output)
    } else if parts.count >= 3, name == "convert" || name == "cvt" {
      append(template, parts[1], to: &output)
      output.append(32)
      append(template, parts[2], to: &output)
    } else if parts.count >= 2, name == "circa" || name == "c." {
      output.append("c. ")
      append(template, parts[1], to: &output)
    } else if name == "ndash" || name == "snd" || name == "–" || name == "spaced ndash" {
      output.append(" – ")
    } else if name == "!" {
      output.append(UInt8(ascii: "|"))
    }
  }

  private static func append(_ template: borrowing Span<UInt8>, _ part: Range<Int>, to output: inout [UInt8])
  {
    var range = template.trimmedRange(part)
    // `1=text` names the argument by its number.
    if range.count > 2, template[range.lowerBound].isASCIIDigit,
      template[range.lowerBound + 1] == UInt8(ascii: "=")
    {
      range = template.trimmedRange(range.lowerBound + 2..<range.upperBound)
    }
    output.append(template.extracting(range))
  }
}
