import Bytes

/// Third pass: lines. A heading stands alone, and only if text follows; list items begin with "- "; leftovers of tables go.
struct WikitextLines {
  /// Headings that wait for text below them.
  private var waiting: [(level: Int, range: Range<Int>)] = []
  private var isInTable = false

  mutating func render(_ source: [UInt8], into output: inout [UInt8]) {
    waiting.removeAll(keepingCapacity: true)
    isInTable = false
    let text = source.span
    var start = 0
    while start < text.count {
      let end = text.firstIndex(of: 10, from: start) ?? text.count
      line(text, start..<end, &output)
      start = end + 1
    }
  }

  private mutating func line(_ text: borrowing Span<UInt8>, _ whole: Range<Int>, _ output: inout [UInt8]) {
    if whole.isEmpty {
      output.append(10)
      return
    }
    if text[whole.lowerBound] == Wikitext.verbatimMark {
      appendHeadings(text, &output)
      output.append(text.extracting(whole.lowerBound + 1..<whole.upperBound))
      output.append(10)
      return
    }
    var range = text.trimmedRange(whole)
    guard let first = range.first.map({ text[$0] }) else {
      output.append(10)
      return
    }
    switch first {
    case UInt8(ascii: "="):
      if heading(text, range) { return }
    case UInt8(ascii: "*"), UInt8(ascii: "#"), UInt8(ascii: ":"), UInt8(ascii: ";"):
      var isItem = false
      while let index = range.first {
        let byte = text[index]
        if byte == UInt8(ascii: "*") || byte == UInt8(ascii: "#") {
          isItem = true
        } else if byte != UInt8(ascii: ":"), byte != UInt8(ascii: ";") {
          break
        }
        range = index + 1..<range.upperBound
      }
      range = text.trimmedRange(range)
      if range.isEmpty { return }
      appendHeadings(text, &output)
      if isItem { output.append("- ") }
    case UInt8(ascii: "-"):
      if text.starts(with: "----", at: range.lowerBound, ignoringCase: false) {
        while let index = range.first, text[index] == UInt8(ascii: "-") {
          range = index + 1..<range.upperBound
        }
        if range.isEmpty { return }
      }
    case UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "!"):
      if isTableLine(text, range, first) { return }
    default: break
    }
    appendHeadings(text, &output)
    WikitextLines.append(text.extracting(range), to: &output)
    output.append(10)
  }

  /// `== x ==`: waits for text. A heading of the same or a higher level takes the place of those that waited below it.
  private mutating func heading(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
    var level = 0
    while level < 6, level < range.count, text[range.lowerBound + level] == UInt8(ascii: "=") { level += 1 }
    var closing = 0
    while closing < 6, closing < range.count, text[range.upperBound - 1 - closing] == UInt8(ascii: "=") {
      closing += 1
    }
    level = min(level, closing)
    guard level > 0, range.count > 2 * level else { return false }
    isInTable = false
    while let last = waiting.last, last.level >= level { waiting.removeLast() }
    waiting.append((level, text.trimmedRange(range.lowerBound + level..<range.upperBound - level)))
    return true
  }

  private mutating func appendHeadings(_ text: borrowing Span<UInt8>, _ output: inout [UInt8]) {
    for heading in waiting {
      output.append(10)
      output.append(text.extracting(heading.range))
      output.append("\n\n")
    }
    waiting.removeAll(keepingCapacity: true)
  }

  /// Rows of a table that was never closed.
  private mutating func isTableLine(_ text: borrowing Span<UInt8>, _ range: Range<Int>, _ first: UInt8)
    -> Bool
  {
    func begins(_ prefix: StaticString) -> Bool {
      text.starts(with: prefix, at: range.lowerBound, ignoringCase: false)
    }
    if begins("{|") {
      isInTable = true
      return true
    }
    if begins("|}") {
      isInTable = false
      return true
    }
    return begins("|-") || (isInTable && first != UInt8(ascii: "{"))
  }

  /// The line without the parentheses that a removed template left empty: `()`, `( ; )`, `（）`.
  private static func append(_ line: borrowing Span<UInt8>, to output: inout [UInt8]) {
    var copied = 0
    var index = 0
    while index < line.count {
      let width = openingWidth(line, index)
      guard width > 0 else {
        index += 1
        continue
      }
      var end = index + width
      while true {
        let filler = fillerWidth(line, end)
        if filler == 0 { break }
        end += filler
      }
      let closing = closingWidth(line, end, width)
      guard closing > 0 else {
        index += width
        continue
      }
      var keep = index
      if keep > copied, line[keep - 1] == 32 { keep -= 1 }
      output.append(line.extracting(copied..<keep))
      index = end + closing
      copied = index
    }
    output.append(line.extracting(copied..<line.count))
  }

  /// Bytes of the blank or separator at `index`, 0 if there is none.
  private static func fillerWidth(_ line: borrowing Span<UInt8>, _ index: Int) -> Int {
    guard index < line.count else { return 0 }
    let byte = line[index]
    if byte == 32 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: ":") {
      return 1
    }
    for filler in ["；", "，", "：", "、"] as [StaticString]
    where line.starts(with: filler, at: index, ignoringCase: false) {
      return 3
    }
    return 0
  }

  private static func openingWidth(_ line: borrowing Span<UInt8>, _ index: Int) -> Int {
    if line[index] == UInt8(ascii: "(") { return 1 }
    return line[index] == 0xEF && line.starts(with: "（", at: index, ignoringCase: false) ? 3 : 0
  }

  private static func closingWidth(_ line: borrowing Span<UInt8>, _ index: Int, _ width: Int) -> Int {
    guard index < line.count else { return 0 }
    if width == 1 { return line[index] == UInt8(ascii: ")") ? 1 : 0 }
    return line.starts(with: "）", at: index, ignoringCase: false) ? 3 : 0
  }
}
