import Bytes

/// The plain scanner: each alternative of each expression as it reads, with its backtracking, on an array of
/// characters. What `PretokenScanner` is compared with; quadratic on hostile text.
enum PretokenReference {
  struct Character {
    var classes: CharacterClass
    var start: Int
    var value: UInt32
  }

  /// Lengths of the pretokens in bytes.
  static func lengths(_ pattern: PretokenPattern, _ bytes: [UInt8]) -> [Int] {
    let text = characters(bytes)
    var lengths: [Int] = []
    var position = 0
    while position < text.count {
      // The last alternative takes any white space, the others everything else: one always matches.
      let taken = alternatives(pattern).lazy.compactMap { $0(text[position...]) }.first ?? 1
      let end = position + taken < text.count ? text[position + taken].start : bytes.count
      lengths.append(end - text[position].start)
      position += taken
    }
    return lengths
  }

  typealias Text = ArraySlice<Character>
  /// Number of characters that an alternative takes at the start of the text, or nil.
  typealias Alternative = (Text) -> Int?

  static func alternatives(_ pattern: PretokenPattern) -> [Alternative] {
    switch pattern {
    case .gpt2:
      [
        { contraction($0, ignoringCase: false) },
        { spaceThen($0) { some($0, .letter) } },
        { spaceThen($0) { some($0, .number) } },
        { spaceThen($0) { some($0, .symbol) } },
        spaceBeforeSpace, allSpace,
      ]
    case .cl100k:
      [
        { contraction($0, ignoringCase: true) },
        { prefixThen($0) { some($0, .letter) } },
        { some($0, .number).map { min($0, 3) } },
        { symbols($0, tail: [10, 13]) },
        throughNewline, spaceBeforeSpace, allSpace,
      ]
    case .o200k:
      [
        { prefixThen($0) { upperThenLower($0, upper: 0, lower: 1) } },
        { prefixThen($0) { upperThenLower($0, upper: 1, lower: 0) } },
        { some($0, .number).map { min($0, 3) } },
        { symbols($0, tail: [10, 13, 0x2F]) },
        throughNewline, spaceBeforeSpace, allSpace,
      ]
    }
  }

  /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)`, or with case.
  private static func contraction(_ text: Text, ignoringCase: Bool) -> Int? {
    let letters = text.prefix(3).map { character -> UInt32 in
      guard ignoringCase else { return character.value }
      if character.value == 0x17F { return 0x73 }
      return character.value >= 65 && character.value <= 90 ? character.value + 32 : character.value
    }
    for word in ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]
    where letters.starts(with: word.unicodeScalars.map(\.value)) {
      return word.unicodeScalars.count
    }
    return nil
  }

  /// ` ?X`: greedy, so with the space first.
  private static func spaceThen(_ text: Text, _ rest: Alternative) -> Int? {
    if text.first?.value == 32, let taken = rest(text.dropFirst()) { return taken + 1 }
    return rest(text)
  }

  /// `[^\r\n\p{L}\p{N}]?X`.
  private static func prefixThen(_ text: Text, _ rest: Alternative) -> Int? {
    let refused: CharacterClass = [.letter, .number, .newline]
    if let first = text.first, first.classes.isDisjoint(with: refused), let taken = rest(text.dropFirst()) {
      return taken + 1
    }
    return rest(text)
  }

  /// `[classes]+`.
  private static func some(_ text: Text, _ classes: CharacterClass) -> Int? {
    let taken = text.prefix { classes.contains($0.classes) }.count
    return taken > 0 ? taken : nil
  }

  /// `[U]{upper,}[W]{lower,}(contraction)?`, U giving back until W matches.
  private static func upperThenLower(_ text: Text, upper: Int, lower: Int) -> Int? {
    var given = some(text, .wordStart) ?? 0
    while given >= upper {
      let rest = text.dropFirst(given)
      let taken = some(rest, .wordEnd) ?? 0
      if taken >= lower {
        return given + taken + (contraction(rest.dropFirst(taken), ignoringCase: true) ?? 0)
      }
      given -= 1
    }
    return nil
  }

  /// ` ?[^\s\p{L}\p{N}]+[tail]*`.
  private static func symbols(_ text: Text, tail: [UInt32]) -> Int? {
    guard let taken = spaceThen(text, { some($0, .symbol) }) else { return nil }
    return taken + text.dropFirst(taken).prefix { tail.contains($0.value) }.count
  }

  /// `\s*[\r\n]+`.
  private static func throughNewline(_ text: Text) -> Int? {
    let run = text.prefix { CharacterClass.whiteSpace.contains($0.classes) }
    guard let last = run.lastIndex(where: { $0.classes == .newline }) else { return nil }
    return last - text.startIndex + 1
  }

  /// `\s+(?!\S)`.
  private static func spaceBeforeSpace(_ text: Text) -> Int? {
    guard let run = some(text, .whiteSpace) else { return nil }
    if run == text.count { return run }
    return run > 1 ? run - 1 : nil
  }

  /// `\s+`.
  private static func allSpace(_ text: Text) -> Int? { some(text, .whiteSpace) }

  /// The characters of a text; a byte that is not UTF-8 is one of class "other".
  private static func characters(_ bytes: [UInt8]) -> [Character] {
    var text: [Character] = []
    let span = bytes.span
    var index = 0
    while index < bytes.count {
      let sequence = UTF8Text.sequence(in: span, at: index)
      if sequence.isValid {
        let value = UTF8Text.scalar(in: span, at: index).value
        text.append(Character(classes: CharacterClass(of: value), start: index, value: value))
        index += sequence.length
      } else {
        text.append(Character(classes: .other, start: index, value: .max))
        index += 1
      }
    }
    return text
  }
}
