import Bytes

/// One word of a text: where it lies, and what rules ask of it most.
///
/// Shape: bytes `start ..< end` of the text; 16 bytes in memory.
public struct Word: Equatable, Sendable {
  public var start: UInt32
  public var end: UInt32
  /// Unicode scalars in it.
  public var scalarCount: UInt32
  /// `.letter` if it holds a letter; `.unspaced` if it is one character of a script without spaces.
  public var traits: ScalarTraits

  public init(start: UInt32, end: UInt32, scalarCount: UInt32, traits: ScalarTraits) {
    self.start = start
    self.end = end
    self.scalarCount = scalarCount
    self.traits = traits
  }

  public var range: Range<Int> { Int(start)..<Int(end) }
}

/// Cuts text into words by the script that it is written in. The same text always gives the same words: the tables are
/// frozen, and there is no dictionary.
///
/// The rule:
/// - A letter, number or mark is a *word scalar*. A word has at least one letter or number.
/// - In scripts without spaces (`UnspacedScripts`: Han, Kana, Thai, Lao, Khmer, Myanmar …) each letter or number, with the
///   marks behind it, is a word.
/// - Elsewhere a word is a run of word scalars. One scalar of `' ’ . - _ @ & · ‐ ‑` or a Hebrew geresh between two word
///   scalars belongs to it, and one of `, : ٫ ٬` between two numbers; so `can't`, `e-mail` and `3,14` are words.
/// - Everything else parts words: white space, other punctuation, symbols. Joiners (U+200C, U+200D) behave as marks.
///
/// - Source: our own rule, close to UAX 29's words for spaced scripts; both `Filtering` and `Deduplication` count with it.
public struct WordSplitter: Sendable {
  public init() {}

  /// Replaces `words` by the words of `text`, in order. Text beyond 4 GiB is not looked at. Ill-formed bytes part words.
  public func split(_ text: borrowing Span<UInt8>, into words: inout [Word]) {
    words.removeAll(keepingCapacity: true)
    var open = OpenWord()
    let traitsOf = TraitLookup()
    // SAFETY: the table has 128 entries and is read below 0x80 only; it lives as long as the program.
    let asciiKinds = WordSplitter.asciiKinds
    let count = min(text.count, Int(UInt32.max))
    var index = 0
    while index < count {
      let byte = text[index]
      if byte < 0x80 {
        let kind = asciiKinds[Int(byte)]
        if kind == .letter || kind == .number {
          let start = index
          index += 1
          while index < count, text[index] < 0x80, asciiKinds[Int(text[index])] == kind { index += 1 }
          open.take(kind, at: start, length: index - start, scalars: index - start, &words)
          continue
        } else if kind == .parting {
          open.close(&words)
        } else {
          open.join(kind)
        }
        index += 1
        continue
      }
      let (scalar, length) = UTF8Text.scalar(in: text, at: index)
      let traits = traitsOf[scalar]
      if traits.contains(.unspaced) {
        open.close(&words)
        index = unspaced(text, index, index + length, count, traits, traitsOf, &words)
        continue
      }
      if traits.contains(.letter) {
        open.take(.letter, at: index, length: length, scalars: 1, &words)
      } else if traits.contains(.number) {
        open.take(.number, at: index, length: length, scalars: 1, &words)
      } else if !traits.isDisjoint(with: [.mark, .joiner]) {
        open.extend(at: index, length: length, &words)
      } else {
        let kind = WordSplitter.kind(scalar)
        if kind == .parting { open.close(&words) } else { open.join(kind) }
      }
      index += length
    }
    open.close(&words)
  }

  /// Adds the character that starts at `start`, with its marks; returns the index after it.
  private func unspaced(
    _ text: borrowing Span<UInt8>, _ start: Int, _ next: Int, _ count: Int, _ traits: ScalarTraits,
    _ traitsOf: TraitLookup, _ words: inout [Word]
  ) -> Int {
    var end = next
    var scalars: UInt32 = 1
    while end < count, text[end] >= 0x80 {
      let (scalar, length) = UTF8Text.scalar(in: text, at: end)
      if traitsOf[scalar].isDisjoint(with: [.mark, .joiner]) { break }
      end += length
      scalars += 1
    }
    words.append(
      Word(
        start: UInt32(start), end: UInt32(end), scalarCount: scalars,
        traits: traits.intersection([.letter, .number, .unspaced])))
    return end
  }

  enum Kind: UInt8 { case parting, letter, number, joins, joinsNumbers }

  static func kind(_ scalar: UInt32) -> Kind {
    switch scalar {
    case 0x27, 0x2E, 0x2D, 0x5F, 0x40, 0x26, 0xB7, 0x2019, 0x2010, 0x2011, 0x05F3, 0x05F4: .joins
    case 0x2C, 0x3A, 0x066B, 0x066C: .joinsNumbers
    default: .parting
    }
  }

  // SAFETY: filled before anyone sees it, never written after, never freed.
  nonisolated(unsafe) static let asciiKinds: UnsafePointer<Kind> = {
    let made = UnsafeMutablePointer<Kind>.allocate(capacity: 128)
    for byte in UInt8(0)..<128 {
      let kind: Kind = byte.isASCIILetter ? .letter : byte.isASCIIDigit ? .number : kind(UInt32(byte))
      (made + Int(byte)).initialize(to: kind)
    }
    return UnsafePointer(made)
  }()
}

/// The word that is being read, if any.
private struct OpenWord {
  private var start = -1
  private var end = 0
  private var scalars: UInt32 = 0
  private var traits: ScalarTraits = []
  private var isLastNumber = false
  /// What stands between the last word scalar and here.
  private var joint = Joint.none

  private enum Joint { case none, any, numbers }

  @inline(__always)
  mutating func take(
    _ kind: WordSplitter.Kind, at index: Int, length: Int, scalars count: Int, _ words: inout [Word]
  ) {
    let isNumber = kind == .number
    if start >= 0, joint != .none {
      if joint == .any || (isNumber && isLastNumber) {
        scalars += 1
      } else {
        close(&words)
      }
    }
    if start < 0 {
      start = index
      scalars = 0
      traits = []
    }
    joint = .none
    scalars &+= UInt32(truncatingIfNeeded: count)
    end = index + length
    isLastNumber = isNumber
    traits.insert(isNumber ? .number : .letter)
  }

  /// A mark: belongs to the word scalar right before it, and is nothing after anything else.
  @inline(__always)
  mutating func extend(at index: Int, length: Int, _ words: inout [Word]) {
    guard start >= 0 else { return }
    if joint != .none {
      close(&words)
      return
    }
    scalars += 1
    end = index + length
  }

  /// One scalar that may stand inside a word; two in a row part it.
  @inline(__always)
  mutating func join(_ kind: WordSplitter.Kind) {
    guard start >= 0 else { return }
    if joint != .none {
      joint = .numbers
      isLastNumber = false
    } else {
      joint = kind == .joins ? .any : .numbers
    }
  }

  @inline(__always)
  mutating func close(_ words: inout [Word]) {
    if start >= 0 {
      words.append(Word(start: UInt32(start), end: UInt32(end), scalarCount: scalars, traits: traits))
    }
    start = -1
    joint = .none
  }
}
