/// Cuts text into pretokens: the fast scanner. `PretokenReference` says the same slowly.
///
/// The text is any bytes: a byte that is not part of well-formed UTF-8 is one character of class "other". Nothing
/// outside the text is read. Linear: each byte is looked at a small constant number of times.
///
/// - Source: the three expressions of `PretokenPattern`, as decision rules: alternatives are tried in order at the
///   position reached, and the first that matches wins.
struct PretokenScanner {
  let text: UnsafePointer<UInt8>
  let count: Int
  /// `CharacterClass` of every code point.
  let classes: UnsafePointer<UInt8>

  /// Calls `body` with the start and the end of each pretoken, in order; they cover the text.
  @inline(__always)
  static func scan(
    _ pattern: PretokenPattern, _ text: UnsafeBufferPointer<UInt8>, _ body: (_ start: Int, _ end: Int) -> Void
  ) {
    guard let base = text.baseAddress, text.count > 0 else { return }
    CharacterClassTable.shared.withClasses { classes in
      let scanner = PretokenScanner(text: base, count: text.count, classes: classes)
      var start = 0
      switch pattern {
      case .gpt2:
        while start < scanner.count {
          let end = scanner.gpt2End(start)
          body(start, end)
          start = end
        }
      case .cl100k:
        while start < scanner.count {
          let end = scanner.cl100kEnd(start)
          body(start, end)
          start = end
        }
      case .o200k:
        while start < scanner.count {
          let end = scanner.o200kEnd(start)
          body(start, end)
          start = end
        }
      }
    }
  }

  // MARK: Patterns

  private func gpt2End(_ start: Int) -> Int {
    var (mask, length) = character(start)
    let first = text[start]
    var position = start
    if first == UInt8(ascii: "'"), let end = contractionEnd(start, ignoringCase: false) { return end }
    if first == 32, start + 1 < count {
      let next = character(start + 1)
      if next.mask & Mask.whiteSpace == 0 {
        position = start + 1
        (mask, length) = next
      }
    }
    if mask & Mask.letter != 0 { return runEnd(position + length, Mask.letter) }
    if mask & Mask.number != 0 { return runEnd(position + length, Mask.number) }
    if mask & Mask.symbol != 0 { return runEnd(position + length, Mask.symbol) }
    return whiteSpaceEnd(start, stopsAtNewline: false)
  }

  private func cl100kEnd(_ start: Int) -> Int {
    let (mask, length) = character(start)
    let first = text[start]
    if mask & Mask.letter != 0 { return runEnd(start + length, Mask.letter) }
    if first == UInt8(ascii: "'"), let end = contractionEnd(start, ignoringCase: true) { return end }
    if mask & Mask.number != 0 { return numberEnd(start + length) }
    var second: UInt8 = 0
    var secondEnd = start + length
    if secondEnd < count {
      let next = character(secondEnd)
      second = next.mask
      secondEnd += next.length
    }
    if mask & Mask.newline == 0, second & Mask.letter != 0 { return runEnd(secondEnd, Mask.letter) }
    if mask & Mask.symbol != 0 { return newlinesEnd(runEnd(start + length, Mask.symbol), slashes: false) }
    if first == 32, second & Mask.symbol != 0 {
      return newlinesEnd(runEnd(secondEnd, Mask.symbol), slashes: false)
    }
    return whiteSpaceEnd(start, stopsAtNewline: true)
  }

  private func o200kEnd(_ start: Int) -> Int {
    let (mask, length) = character(start)
    let first = text[start]
    let takesPrefix = mask & (Mask.letter | Mask.number | Mask.newline) == 0
    let afterFirst = start + length
    var prefixed = (end: -1, runEnd: afterFirst)
    if takesPrefix {
      prefixed = wordEnd(afterFirst)
      if prefixed.end >= 0 { return suffixEnd(prefixed.end) }
    }
    if mask & (Mask.letter | Mask.mark) != 0 {
      let word = wordEnd(start)
      return suffixEnd(word.end >= 0 ? word.end : word.runEnd)
    }
    if takesPrefix, prefixed.runEnd > afterFirst { return suffixEnd(prefixed.runEnd) }
    if mask & Mask.number != 0 { return numberEnd(afterFirst) }
    if mask & Mask.symbol != 0 { return newlinesEnd(runEnd(afterFirst, Mask.symbol), slashes: true) }
    if first == 32, afterFirst < count {
      let next = character(afterFirst)
      if next.mask & Mask.symbol != 0 {
        return newlinesEnd(runEnd(afterFirst + next.length, Mask.symbol), slashes: true)
      }
    }
    return whiteSpaceEnd(start, stopsAtNewline: true)
  }

  // MARK: Parts of patterns

  /// `U*W+` of o200k from `start`: `end` is where it ends, or -1 if it does not match; then `runEnd` is the end of the
  /// run of U, which is what `U+W*` takes. Greedy U* gives back characters until W+ can match, so the word ends after
  /// the last W of the run unless a lower-case letter follows the run.
  @inline(__always) private func wordEnd(_ start: Int) -> (end: Int, runEnd: Int) {
    var index = start
    var lastEnd = -1
    while index < count {
      let (mask, length) = character(index)
      if mask & Mask.lower != 0 { return (runEnd(index + length, Mask.wordEnd), index) }
      if mask & Mask.wordStart == 0 { break }
      index += length
      if mask & Mask.wordEnd != 0 { lastEnd = index }
    }
    return (lastEnd, index)
  }

  /// The end after a contraction that stands at `end`, or `end`.
  @inline(__always) private func suffixEnd(_ end: Int) -> Int {
    guard end < count, text[end] == UInt8(ascii: "'") else { return end }
    return contractionEnd(end, ignoringCase: true) ?? end
  }

  /// End of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll`, `'d` at an apostrophe, or nil. Without regard to case, `'ſ` (U+017F)
  /// is one too; no other character outside ASCII folds to these letters.
  private func contractionEnd(_ start: Int, ignoringCase: Bool) -> Int? {
    guard start + 1 < count else { return nil }
    let fold: UInt8 = ignoringCase ? 0x20 : 0
    let first = text[start + 1] | fold
    switch first {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"), UInt8(ascii: "l"):
      guard start + 2 < count else { return nil }
      let wanted = first == UInt8(ascii: "l") ? UInt8(ascii: "l") : UInt8(ascii: "e")
      return text[start + 2] | fold == wanted ? start + 3 : nil
    default:
      let isLongS = ignoringCase && start + 2 < count && text[start + 1] == 0xC5 && text[start + 2] == 0xBF
      return isLongS ? start + 3 : nil
    }
  }

  /// End of `\p{N}{1,3}` whose first character ends at `end`.
  private func numberEnd(_ end: Int) -> Int {
    var index = end
    for _ in 0..<2 {
      guard index < count else { break }
      let (mask, length) = character(index)
      if mask & Mask.number == 0 { break }
      index += length
    }
    return index
  }

  /// End of `[\r\n]*`, or of `[\r\n/]*`, at `start`.
  @inline(__always) private func newlinesEnd(_ start: Int, slashes: Bool) -> Int {
    var index = start
    while index < count,
      text[index] == 10 || text[index] == 13 || (slashes && text[index] == UInt8(ascii: "/"))
    {
      index += 1
    }
    return index
  }

  /// End of the piece of a run of white space: up to its last CR or LF where the pattern stops there, else all of it at
  /// the end of the text, else all but its last character, which starts the next piece; a single one stands alone.
  private func whiteSpaceEnd(_ start: Int, stopsAtNewline: Bool) -> Int {
    var index = start
    var lastStart = start
    var afterNewline = -1
    while index < count {
      let (mask, length) = character(index)
      if mask & Mask.whiteSpace == 0 { break }
      lastStart = index
      index += length
      if mask & Mask.newline != 0 { afterNewline = index }
    }
    if stopsAtNewline, afterNewline >= 0 { return afterNewline }
    return index == count || lastStart == start ? index : lastStart
  }

  /// End of the run of characters of the classes in `wanted` that starts at `start`.
  @inline(__always) private func runEnd(_ start: Int, _ wanted: UInt8) -> Int {
    var index = start
    while index < count {
      let byte = text[index]
      if byte < 0x80 {
        if classes[Int(byte)] & wanted == 0 { break }
        index += 1
      } else {
        let (mask, length) = decoded(index)
        if mask & wanted == 0 { break }
        index += length
      }
    }
    return index
  }

  // MARK: Characters

  @inline(__always) private func character(_ index: Int) -> (mask: UInt8, length: Int) {
    let byte = text[index]
    return byte < 0x80 ? (classes[Int(byte)], 1) : decoded(index)
  }

  /// Class and length of the character at a byte above 0x7F.
  private func decoded(_ index: Int) -> (mask: UInt8, length: Int) {
    let invalid = (mask: CharacterClass.other.rawValue, length: 1)
    let lead = UInt32(text[index])
    let left = count - index
    guard lead >= 0xC2, left >= 2 else { return invalid }
    let second = UInt32(text[index + 1])
    guard second & 0xC0 == 0x80 else { return invalid }
    if lead < 0xE0 { return (classes[Int((lead & 0x1F) << 6 | second & 0x3F)], 2) }
    guard left >= 3 else { return invalid }
    let third = UInt32(text[index + 2])
    guard third & 0xC0 == 0x80 else { return invalid }
    if lead < 0xF0 {
      let scalar = (lead & 0x0F) << 12 | (second & 0x3F) << 6 | third & 0x3F
      // Overlong forms and surrogates are not UTF-8.
      guard scalar >= 0x800, scalar & 0xF800 != 0xD800 else { return invalid }
      return (classes[Int(scalar)], 3)
    }
    guard left >= 4, lead <= 0xF4 else { return invalid }
    let fourth = UInt32(text[index + 3])
    guard fourth & 0xC0 == 0x80 else { return invalid }
    let high = (lead & 0x07) << 18 | (second & 0x3F) << 12
    let scalar = high | (third & 0x3F) << 6 | fourth & 0x3F
    guard scalar >= 0x10000, scalar < 0x110000 else { return invalid }
    return (classes[Int(scalar)], 4)
  }

  /// Raw values of the class sets, as constants of the loops.
  private enum Mask {
    static let lower: UInt8 = 2
    static let mark: UInt8 = 8
    static let number: UInt8 = 16
    static let newline: UInt8 = 64
    static let letter: UInt8 = 1 | 2 | 4
    static let whiteSpace: UInt8 = 32 | 64
    static let symbol: UInt8 = 8 | 128
    static let wordStart: UInt8 = 1 | 4 | 8
    static let wordEnd: UInt8 = 2 | 4 | 8
  }
}
