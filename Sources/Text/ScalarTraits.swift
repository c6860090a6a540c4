import Bytes
import CKernels

/// What the text stages need to know of a scalar, as bits: one table look-up instead of six.
///
/// - Source: Unicode Character Database 16.0 (frozen in `CKernels`); `unspaced` and `terminal` are named where they stand.
public struct ScalarTraits: OptionSet, Sendable {
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// General category L*.
  public static let letter = ScalarTraits(rawValue: 1)
  /// General category N*.
  public static let number = ScalarTraits(rawValue: 1 << 1)
  /// General category M*.
  public static let mark = ScalarTraits(rawValue: 1 << 2)
  /// White_Space.
  public static let space = ScalarTraits(rawValue: 1 << 3)
  /// A letter or number of a script that is written without spaces: a word by itself (see `UnspacedScripts`).
  public static let unspaced = ScalarTraits(rawValue: 1 << 4)
  /// Ends a sentence (see `SentenceMarks`).
  public static let terminal = ScalarTraits(rawValue: 1 << 5)
  /// General category S*.
  public static let symbol = ScalarTraits(rawValue: 1 << 6)
  /// General category Nd.
  public static let decimalDigit = ScalarTraits(rawValue: 1 << 7)
  /// Has a lower-case mapping that is not itself.
  public static let lowers = ScalarTraits(rawValue: 1 << 8)
  /// Has a canonical decomposition, Hangul syllables included.
  public static let decomposes = ScalarTraits(rawValue: 1 << 9)
  /// General category Mn.
  public static let nonspacing = ScalarTraits(rawValue: 1 << 10)
  /// Canonical combining class other than 0.
  public static let combines = ScalarTraits(rawValue: 1 << 11)
  /// May change, or change its neighbours, in NFC: not "NFC_Quick_Check = Yes with class 0".
  public static let composes = ScalarTraits(rawValue: 1 << 12)
  /// In the punctuation set of `Simplifier`.
  public static let simplifiedAway = ScalarTraits(rawValue: 1 << 13)
  /// White space as `Simplifier` sees it: White_Space and U+001C...001F.
  public static let simplifiedSpace = ScalarTraits(rawValue: 1 << 14)
  /// Zero-width joiner or non-joiner: stays inside a word.
  public static let joiner = ScalarTraits(rawValue: 1 << 15)

  /// A scalar that words are made of.
  public static let word: ScalarTraits = [.letter, .number, .mark]

  /// The traits of a scalar; none for code points above U+10FFFF.
  @inline(__always) public static func of(_ scalar: UInt32) -> ScalarTraits {
    scalar < 0x10000 ? ScalarTraits(rawValue: table[Int(scalar)]) : ofSupplementary(scalar)
  }

  /// Traits of the Basic Multilingual Plane, made once: 128 KiB.
  // SAFETY: filled before anyone sees it, never written after, never freed.
  nonisolated(unsafe) static let table: UnsafePointer<UInt16> = TraitTable.made()

  @usableFromInline static func ofSupplementary(_ scalar: UInt32) -> ScalarTraits {
    var traits = basic(scalar)
    var length: UInt32 = 0
    if sluice_lower(scalar, &length) != nil { traits.insert(.lowers) }
    if sluice_decompose(scalar, &length) != nil { traits.insert(.decomposes) }
    if TraitTable.composing.contains(scalar) { traits.insert(.composes) }
    return traits
  }

  /// All traits that follow from category, class and lists of ranges.
  static func basic(_ scalar: UInt32) -> ScalarTraits {
    guard scalar < 0x110000 else { return [] }
    let category = UnicodeTables.category(scalar)
    var traits: ScalarTraits = []
    if category.isLetter { traits.insert(.letter) }
    if category.isNumber { traits.insert(.number) }
    if category.isMark { traits.insert(.mark) }
    if category.isSymbol { traits.insert(.symbol) }
    if category == .Nd { traits.insert(.decimalDigit) }
    if category == .Mn { traits.insert(.nonspacing) }
    if UnicodeTables.isWhiteSpace(scalar) { traits.formUnion([.space, .simplifiedSpace]) }
    if scalar >= 0x1C && scalar <= 0x1F { traits.insert(.simplifiedSpace) }
    if !traits.isDisjoint(with: [.letter, .number]), UnspacedScripts.contains(scalar) {
      traits.insert(.unspaced)
    }
    if SentenceMarks.contains(scalar) { traits.insert(.terminal) }
    if SimplifiedPunctuation.contains(scalar) { traits.insert(.simplifiedAway) }
    if sluice_combining_class(scalar) != 0 { traits.formUnion([.combines, .composes]) }
    if scalar == 0x200C || scalar == 0x200D { traits.insert(.joiner) }
    return traits
  }
}

/// `ScalarTraits.of` for loops: asks once where the table is.
@frozen public struct TraitLookup {
  @usableFromInline let table: UnsafePointer<UInt16>

  public init() { table = ScalarTraits.table }

  /// The traits of a scalar; none for code points above U+10FFFF.
  @inlinable public subscript(_ scalar: UInt32) -> ScalarTraits {
    scalar < 0x10000 ? ScalarTraits(rawValue: table[Int(scalar)]) : ScalarTraits.ofSupplementary(scalar)
  }
}

/// The table behind `ScalarTraits`.
enum TraitTable {
  static func made() -> UnsafePointer<UInt16> {
    let made = UnsafeMutablePointer<UInt16>.allocate(capacity: 0x10000)
    for scalar in 0..<UInt32(0x10000) { made[Int(scalar)] = ScalarTraits.basic(scalar).rawValue }
    func set(_ scalar: UInt32, _ trait: ScalarTraits) {
      if scalar < 0x10000 { made[Int(scalar)] |= trait.rawValue }
    }
    for index in 0..<Int(sluice_lower_count) { set(sluice_lower_key(UInt32(index)), .lowers) }
    for index in 0..<Int(sluice_decomposition_count) {
      set(sluice_decomposition_key(UInt32(index)), .decomposes)
    }
    for scalar in UInt32(0xAC00)...0xD7A3 { set(scalar, .decomposes) }
    for scalar in TraitTable.composing { set(scalar, .composes) }
    return UnsafePointer(made)
  }

  /// Scalars of class 0 that NFC may change or join to the one before: second halves of composites, trailing jamo, and
  /// those whose decomposition does not compose back to them.
  static let composing: Set<UInt32> = {
    var found = Set<UInt32>()
    for index in 0..<Int(sluice_composition_count) { found.insert(sluice_composition_second(UInt32(index))) }
    found.formUnion(0x1161...0x1175)
    found.formUnion(0x11A8...0x11C2)
    var scratch: [UInt32] = []
    for index in 0..<Int(sluice_decomposition_count) {
      let key = sluice_decomposition_key(UInt32(index))
      scratch.removeAll(keepingCapacity: true)
      _ = UnicodeTables.appendDecomposition(of: key, to: &scratch)
      Normalization.compose(&scratch)
      if scratch != [key] { found.insert(key) }
    }
    return found
  }()
}
