import Bytes

/// Second pass: links become their labels, emphasis and tags go, math and code stay, entities become characters.
///
/// An open link is a frame on a stack that remembers where its text begins in the output; what turns out not to be text is cut off
/// there. A blank line ends all frames, so an opening without end costs nothing but its brackets.
struct WikitextInliner {
  private enum Kind { case link, hidden, interwiki, external }
  private struct Frame {
    var kind: Kind
    /// Place in the output where the link's text begins.
    var start: Int
    /// Place in the source where the target begins.
    var target: Int
    /// End of the target in the source, once `|` was seen.
    var pipe: Int?
  }

  private var frames: [Frame] = []
  private var closings = WikitextClosings()

  private static let isSpecial: [Bool] = (0..<256).map { byte in
    "[]'<&{}|\n_-".utf8.contains(UInt8(byte))
  }

  mutating func render(_ source: [UInt8], _ site: WikiSite, into output: inout [UInt8]) {
    frames.removeAll(keepingCapacity: true)
    closings.removeAll()
    let text = source.span
    let table = WikitextInliner.isSpecial.span
    var index = 0
    var copied = 0
    while index < text.count {
      let byte = text[index]
      if !table[Int(byte)] {
        index += 1
        continue
      }
      let length = special(text, index, copied, site, &output)
      if length == 0 {
        index += 1
      } else {
        index += length
        copied = index
      }
    }
    output.append(text.extracting(copied..<text.count))
  }

  /// Handles the special byte at `index`: 0 if it is plain text, else the bytes that it takes. Before it changes the output, it
  /// appends the run from `copied` on.
  private mutating func special(
    _ text: borrowing Span<UInt8>, _ index: Int, _ copied: Int, _ site: WikiSite, _ output: inout [UInt8]
  ) -> Int {
    func next(_ offset: Int) -> UInt8 { index + offset < text.count ? text[index + offset] : 0 }
    func flush() { output.append(text.extracting(copied..<index)) }
    switch text[index] {
    case UInt8(ascii: "\n"):
      if frames.isEmpty { return 0 }
      if next(1) == 10 {
        frames.removeAll(keepingCapacity: true)
      } else {
        while frames.last?.kind == .external { frames.removeLast() }
      }
      return 0
    case UInt8(ascii: "["):
      if next(1) == UInt8(ascii: "[") {
        flush()
        return openLink(text, index, site, output.count)
      }
      guard let end = addressEnd(text, index + 1) else { return 0 }
      flush()
      frames.append(Frame(kind: .external, start: output.count, target: index))
      return end - index
    case UInt8(ascii: "]"):
      if frames.last?.kind == .external {
        flush()
        frames.removeLast()
        return 1
      }
      guard next(1) == UInt8(ascii: "]") else { return 0 }
      flush()
      closeLink(text, index, &output)
      return 2
    case UInt8(ascii: "|"):
      guard let last = frames.last, last.kind != .external, last.pipe == nil else { return 0 }
      output.removeSubrange(last.start...)
      frames[frames.count - 1].pipe = index
      return 1
    case UInt8(ascii: "'"):
      var run = 1
      while next(run) == UInt8(ascii: "'") { run += 1 }
      if run == 1 { return 0 }
      flush()
      // Four quotes are one and bold; more than five are the rest and both.
      for _ in 0..<(run == 4 ? 1 : max(0, run - 5)) { output.append(UInt8(ascii: "'")) }
      return run
    case UInt8(ascii: "{"), UInt8(ascii: "}"):
      if next(1) != text[index] { return 0 }
      flush()
      return 2
    case UInt8(ascii: "&"):
      guard let reference = WikitextReference(text, at: index) else { return 0 }
      flush()
      reference.append(to: &output)
      return reference.length
    case UInt8(ascii: "_"): return switchWord(text, index, copied, &output)
    case UInt8(ascii: "-"):
      guard next(1) == UInt8(ascii: "{"), next(2) != UInt8(ascii: "{") else { return 0 }
      return variant(text, index, copied, &output)
    case UInt8(ascii: "<"): return tag(text, index, copied, &output)
    default: return 0
    }
  }

  private mutating func openLink(_ text: borrowing Span<UInt8>, _ index: Int, _ site: WikiSite, _ start: Int)
    -> Int
  {
    var target = index + 2
    let isEscaped = target < text.count && text[target] == UInt8(ascii: ":")
    if isEscaped { target += 1 }
    var kind = Kind.link
    var colon = target
    while colon < text.count, colon - target <= 100 {
      let byte = text[colon]
      if byte == UInt8(ascii: ":") || byte == UInt8(ascii: "|") || byte == UInt8(ascii: "]")
        || byte == UInt8(ascii: "[")
        || byte == 10
      {
        break
      }
      colon += 1
    }
    if !isEscaped, colon < text.count, text[colon] == UInt8(ascii: ":") {
      let prefix = WikiSite.folded(text.extracting(target..<colon))
      if site.hides(prefix) {
        kind = .hidden
      } else if isLanguage(text.extracting(target..<colon)) {
        kind = .interwiki
      }
    }
    frames.append(Frame(kind: kind, start: start, target: target))
    return target - index
  }

  /// Lower-case prefixes like `fr` or `zh-yue` are links to other languages, which stand beside the text.
  private func isLanguage(_ prefix: borrowing Span<UInt8>) -> Bool {
    var letters = 0
    while letters < prefix.count, prefix[letters] &- 97 < 26 { letters += 1 }
    guard letters == 2 || letters == 3 || (letters == 6 && prefix.starts(with: "simple")) else {
      return false
    }
    if letters == prefix.count { return true }
    guard prefix[letters] == UInt8(ascii: "-"), prefix.count <= 12 else { return false }
    for index in letters..<prefix.count where prefix[index] != UInt8(ascii: "-") && prefix[index] &- 97 >= 26
    { return false }
    return true
  }

  private mutating func closeLink(_ text: borrowing Span<UInt8>, _ index: Int, _ output: inout [UInt8]) {
    guard let frame = frames.popLast() else { return }
    let isHidden = frame.kind == .hidden || (frame.kind == .interwiki && frame.pipe == nil)
    if isHidden {
      output.removeSubrange(frame.start...)
    } else if let pipe = frame.pipe, output.count == frame.start {
      // The pipe trick: the label is the target without namespace and parenthesis.
      var start = frame.target
      if let colon = text.extracting(0..<pipe).firstIndex(of: UInt8(ascii: ":"), from: start) {
        start = colon + 1
      }
      let end = text.extracting(0..<pipe).firstIndex(of: UInt8(ascii: "("), from: start) ?? pipe
      output.append(text.extracting(text.trimmedRange(start..<end)))
    }
  }

  /// If an address begins at `index`: the index behind it and the blanks that follow.
  private func addressEnd(_ text: borrowing Span<UInt8>, _ index: Int) -> Int? {
    let isAddress =
      text.starts(with: "http://", at: index, ignoringCase: true)
      || text.starts(with: "https://", at: index, ignoringCase: true)
      || text.starts(with: "//", at: index, ignoringCase: true)
      || text.starts(with: "ftp://", at: index, ignoringCase: true)
      || text.starts(with: "mailto:", at: index, ignoringCase: true)
    guard isAddress else { return nil }
    var end = index
    while end < text.count, text[end] > 32, text[end] != UInt8(ascii: "]"), text[end] != UInt8(ascii: "[") {
      end += 1
    }
    while end < text.count, text[end] == 32 { end += 1 }
    return end
  }

  /// `__TOC__` and its kind: capital letters between double underscores.
  private func switchWord(_ text: borrowing Span<UInt8>, _ index: Int, _ copied: Int, _ output: inout [UInt8])
    -> Int
  {
    guard text.starts(with: "__", at: index, ignoringCase: false) else { return 0 }
    var end = index + 2
    while end < text.count, end - index < 40, text[end].isASCIIUpper || text[end] >= 0x80 { end += 1 }
    guard end > index + 2, text.starts(with: "__", at: end, ignoringCase: false) else { return 0 }
    output.append(text.extracting(copied..<index))
    return end + 2 - index
  }

  /// `-{…}-`: language conversion of Chinese and some others. The text, or the variant for mainland Chinese, or the first one.
  private func variant(_ text: borrowing Span<UInt8>, _ index: Int, _ copied: Int, _ output: inout [UInt8])
    -> Int
  {
    var end = index + 2
    let limit = min(text.count, index + 500)
    while end < limit, text[end] != UInt8(ascii: "}"), text[end] != UInt8(ascii: "{"), text[end] != 10 {
      end += 1
    }
    guard end + 1 < limit, text[end] == UInt8(ascii: "}"), text[end + 1] == UInt8(ascii: "-") else {
      return 0
    }
    output.append(text.extracting(copied..<index))
    var start = index + 2
    var isShown = true
    if let bar = text.extracting(0..<end).firstIndex(of: UInt8(ascii: "|"), from: start), bar - start <= 8 {
      isShown = !text.extracting(start..<bar).array().contains {
        $0 == UInt8(ascii: "H") || $0 == UInt8(ascii: "T")
      }
      start = bar + 1
    }
    if isShown { output.append(text.extracting(WikitextInliner.chosenVariant(text, start..<end))) }
    return end + 2 - index
  }

  private static func chosenVariant(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var best: (rank: Int, range: Range<Int>)?
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(text.firstIndex(of: UInt8(ascii: ";"), from: start) ?? range.upperBound, range.upperBound)
      if let colon = text.firstIndex(of: UInt8(ascii: ":"), from: start), colon < end {
        let code = text.extracting(text.trimmedRange(start..<colon)).string()
        let rank =
          ["zh-hans", "zh-cn", "zh-sg", "zh-my", "zh-hant", "zh-tw", "zh-hk"].firstIndex(of: code) ?? 9
        if rank < best?.rank ?? 10 { best = (rank, text.trimmedRange(colon + 1..<end)) }
      }
      start = end + 1
    }
    return best?.range ?? text.trimmedRange(range)
  }

  private static let breaking: Set<String> = [
    "br", "p", "div", "li", "ul", "ol", "dl", "dd", "dt", "tr", "table", "center", "blockquote", "hr", "h1",
    "h2", "h3", "h4",
    "h5", "h6", "caption", "poem",
  ]

  private mutating func tag(
    _ text: borrowing Span<UInt8>, _ index: Int, _ copied: Int, _ output: inout [UInt8]
  ) -> Int {
    guard let tag = WikitextTag(text, at: index) else { return 0 }
    output.append(text.extracting(copied..<index))
    if WikitextInliner.breaking.contains(tag.name) { output.append(10) }
    guard WikitextTag.verbatim.contains(tag.name), !tag.isClosing, !tag.isSelfClosing,
      let close = closings.find(tag.name, text, from: tag.end)
    else { return tag.end - index }
    let content = tag.end..<close.lowerBound
    switch tag.name {
    case "math", "chem", "ce":
      let isBlock = text.extracting(index..<tag.end).string().contains("block")
      output.append(isBlock ? "$$" : "$")
      output.append(text.extracting(text.trimmedRange(content)))
      output.append(isBlock ? "$$" : "$")
    case "nowiki": WikitextReference.appendAll(text.extracting(content), to: &output)
    default: appendCode(text, content, &output)
    }
    return close.upperBound - index
  }

  private func appendCode(_ text: borrowing Span<UInt8>, _ content: Range<Int>, _ output: inout [UInt8]) {
    output.append(10)
    var start = content.lowerBound
    if start < content.upperBound, text[start] == 10 { start += 1 }
    while start < content.upperBound {
      let end = min(text.firstIndex(of: 10, from: start) ?? content.upperBound, content.upperBound)
      output.append(Wikitext.verbatimMark)
      WikitextReference.appendAll(text.extracting(start..<end), to: &output)
      output.append(10)
      start = end + 1
    }
  }
}
