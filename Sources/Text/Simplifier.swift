import Bytes

/// The form of a text that fuzzy hashes are made of: lower case, numbers as `0`, punctuation and white space as one space,
/// no nonspacing marks.
///
/// Order of the steps, which the result depends on: lower case (full mapping, final sigma) → each number
/// `\p{Nd}+([.,،٫⎖⎗⎘]\p{Nd}+)?` becomes `0` → each scalar of `SimplifiedPunctuation` becomes a space → runs of white space
/// become one space, none at the ends → NFD without category Mn → spaces at the ends go once more.
///
/// - Source: `simplify_text` of datatrove 0.10.1 (utils/text.py), which FineWeb's MinHash is computed on; reproduced from its
///   description and held to it by a golden test. On Unicode 16 tables, where upstream follows Python's.
public struct Simplifier: ~Copyable {
  private var sink = ByteSink()
  private var parts: [UInt32] = []
  private var lowered: [UInt32] = []
  /// Marks that are not Mn but have a combining class, waiting for their canonical order.
  private var waiting: [UInt32] = []

  public init() {}

  /// Appends the simplified form of `text`. Ill-formed bytes become U+FFFD.
  public mutating func simplify(_ text: borrowing Span<UInt8>, into output: inout [UInt8]) {
    sink.removeAll()
    waiting.removeAll(keepingCapacity: true)
    var hasSpace = false
    var hasText = false
    let traitsOf = TraitLookup()
    let asciiForms = Simplifier.asciiForms
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte < 0x80 {
        let mapped = asciiForms[Int(byte)]
        if mapped == Simplifier.gap {
          hasSpace = true
          index += 1
          continue
        }
        open(&hasSpace, hasText)
        hasText = true
        put(UInt32(mapped))
        index = mapped == Simplifier.zero ? numberEnd(text, index + 1, traitsOf) : index + 1
        // The rest of a word in ASCII needs no look at marks that wait.
        while index < text.count, text[index] < 0x80 {
          let next = asciiForms[Int(text[index])]
          if next == Simplifier.gap || next == Simplifier.zero { break }
          sink.reserve(1)
          sink.put(next)
          index += 1
        }
        continue
      }
      let (scalar, length) = UTF8Text.scalar(in: text, at: index)
      let traits = traitsOf[scalar]
      if !traits.isDisjoint(with: [.simplifiedAway, .simplifiedSpace]), !traits.contains(.decimalDigit) {
        hasSpace = true
        index += length
        continue
      }
      open(&hasSpace, hasText)
      hasText = true
      if traits.contains(.decimalDigit) {
        put(0x30)
        index = numberEnd(text, index + length, traitsOf)
      } else {
        add(scalar, traits, text, index, index + length)
        index += length
      }
    }
    flush()
    sink.trimEnd(0x20)
    sink.append(to: &output)
  }

  /// Writes the space between two words. Nonspacing marks that were dropped count as text, so a space may stand alone.
  @inline(__always) private mutating func open(_ hasSpace: inout Bool, _ hasText: Bool) {
    if hasSpace, hasText { put(0x20) }
    hasSpace = false
  }

  /// Writes a starter.
  @inline(__always) private mutating func put(_ scalar: UInt32) {
    if !waiting.isEmpty { flush() }
    if scalar == 0x20, sink.count == 0 { return }
    sink.reserve(4)
    sink.put(scalar: scalar)
  }

  /// Lower-cases and decomposes one scalar that is neither number, punctuation nor space.
  private mutating func add(
    _ scalar: UInt32, _ traits: ScalarTraits, _ text: borrowing Span<UInt8>, _ start: Int, _ end: Int
  ) {
    if traits.isDisjoint(with: [.lowers, .decomposes, .nonspacing, .combines]) {
      put(scalar)
      return
    }
    if !traits.contains(.lowers) {
      decompose(scalar, traits)
      return
    }
    if scalar == 0x03A3, FinalSigma.isFinal(text, start, end) {
      put(0x03C2)
      return
    }
    lowered.removeAll(keepingCapacity: true)
    _ = UnicodeTables.appendLowercase(of: scalar, to: &lowered)
    for index in lowered.indices { decompose(lowered[index], ScalarTraits.of(lowered[index])) }
  }

  private mutating func decompose(_ scalar: UInt32, _ traits: ScalarTraits) {
    if !traits.contains(.decomposes) {
      emit(scalar, traits)
      return
    }
    parts.removeAll(keepingCapacity: true)
    Normalization.appendDecomposed(scalar, to: &parts)
    for index in parts.indices { emit(parts[index], ScalarTraits.of(parts[index])) }
  }

  /// Drops Mn; holds other marks with a class back until the next starter.
  private mutating func emit(_ scalar: UInt32, _ traits: ScalarTraits) {
    if traits.contains(.combines) {
      if !traits.contains(.nonspacing) { waiting.append(scalar) }
    } else if traits.contains(.nonspacing) {
      flush()
    } else {
      put(scalar)
    }
  }

  private mutating func flush() {
    if waiting.isEmpty { return }
    Normalization.order(&waiting)
    for index in waiting.indices {
      sink.reserve(4)
      sink.put(scalar: waiting[index])
    }
    waiting.removeAll(keepingCapacity: true)
  }

  /// The end of the number whose first digit ends at `start`: digits, and once a separator with digits behind it.
  private func numberEnd(_ text: borrowing Span<UInt8>, _ start: Int, _ traitsOf: TraitLookup) -> Int {
    let whole = digitsEnd(text, start, traitsOf)
    guard whole < text.count else { return whole }
    let (scalar, length) = UTF8Text.scalar(in: text, at: whole)
    switch scalar {
    case 0x2E, 0x2C, 0x060C, 0x066B, 0x2396, 0x2397, 0x2398:
      let fraction = digitsEnd(text, whole + length, traitsOf)
      return fraction > whole + length ? fraction : whole
    default: return whole
    }
  }

  private func digitsEnd(_ text: borrowing Span<UInt8>, _ start: Int, _ traitsOf: TraitLookup) -> Int {
    var index = start
    while index < text.count {
      let (scalar, length) = UTF8Text.scalar(in: text, at: index)
      if !traitsOf[scalar].contains(.decimalDigit) { break }
      index += length
    }
    return index
  }

  private static let gap: UInt8 = 0x20
  private static let zero: UInt8 = 0x30
  /// What an ASCII byte becomes: `gap` for punctuation and white space, `zero` for digits, else its lower case.
  // SAFETY: filled before anyone sees it, never written after, never freed; read below 0x80 only.
  nonisolated(unsafe) private static let asciiForms: UnsafePointer<UInt8> = {
    let made = UnsafeMutablePointer<UInt8>.allocate(capacity: 128)
    for byte in UInt8(0)..<128 {
      let traits = ScalarTraits.of(UInt32(byte))
      let isGap = !traits.isDisjoint(with: [.simplifiedAway, .simplifiedSpace])
      made[Int(byte)] = isGap ? gap : traits.contains(.decimalDigit) ? zero : byte.asciiLowercased
    }
    return UnsafePointer(made)
  }()
}

/// Where Σ becomes ς: after a cased letter and not before one, whatever case-ignorable scalars stand between.
///
/// - Source: Unicode 16.0, section 3.13, Final_Sigma.
enum FinalSigma {
  /// True if the Σ at `start ..< end` ends its word.
  static func isFinal(_ text: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    isCasedBefore(text, start) && !isCasedAfter(text, end)
  }

  private static func isCasedBefore(_ text: borrowing Span<UInt8>, _ start: Int) -> Bool {
    var index = start
    while index > 0 {
      index -= 1
      var steps = 0
      while index > 0, steps < 3, text[index] & 0xC0 == 0x80 {
        index -= 1
        steps += 1
      }
      let (scalar, _) = UTF8Text.scalar(in: text, at: index)
      if !isIgnorable(scalar) { return isCased(scalar) }
    }
    return false
  }

  private static func isCasedAfter(_ text: borrowing Span<UInt8>, _ end: Int) -> Bool {
    var index = end
    while index < text.count {
      let (scalar, length) = UTF8Text.scalar(in: text, at: index)
      if !isIgnorable(scalar) { return isCased(scalar) }
      index += length
    }
    return false
  }

  /// Cased, of those that are not case-ignorable: Lu, Ll, Lt, and Other_Lowercase and Other_Uppercase among the rest.
  private static func isCased(_ scalar: UInt32) -> Bool {
    switch UnicodeTables.category(scalar) {
    case .Lu, .Ll, .Lt: true
    default:
      switch scalar {
      case 0xAA, 0xBA, 0x2160...0x217F, 0x24B6...0x24E9, 0x1F130...0x1F149, 0x1F150...0x1F169,
        0x1F170...0x1F189:
        true
      default: false
      }
    }
  }

  /// Case_Ignorable: Mn, Me, Cf, Lm, Sk, and the word-break classes MidLetter, MidNumLet and Single_Quote.
  private static func isIgnorable(_ scalar: UInt32) -> Bool {
    switch UnicodeTables.category(scalar) {
    case .Mn, .Me, .Cf, .Lm, .Sk: true
    default:
      switch scalar {
      case 0x27, 0x2E, 0x3A, 0xB7, 0x0387, 0x055F, 0x05F4, 0x2018, 0x2019, 0x2024, 0x2027, 0xFE13, 0xFE52,
        0xFE55,
        0xFF07, 0xFF0E, 0xFF1A:
        true
      default: false
      }
    }
  }
}
