import Bytes

/// What the pretoken patterns ask of a character, as bits, so that a set of classes is one mask.
///
/// Every code point has exactly one bit. White space is `\s` (25 code points); the space U+0020 is told from other
/// white space by its byte.
struct CharacterClass: OptionSet, Sendable {
  let rawValue: UInt8

  /// `\p{Lu}`, `\p{Lt}`.
  static let upper = CharacterClass(rawValue: 1)
  /// `\p{Ll}`.
  static let lower = CharacterClass(rawValue: 2)
  /// `\p{Lm}`, `\p{Lo}`.
  static let caseless = CharacterClass(rawValue: 4)
  /// `\p{M}`.
  static let mark = CharacterClass(rawValue: 8)
  /// `\p{N}`.
  static let number = CharacterClass(rawValue: 16)
  /// `\s` without CR and LF.
  static let space = CharacterClass(rawValue: 32)
  /// CR, LF.
  static let newline = CharacterClass(rawValue: 64)
  /// Everything else, a byte that is not UTF-8 included.
  static let other = CharacterClass(rawValue: 128)

  /// `\p{L}`.
  static let letter: CharacterClass = [.upper, .lower, .caseless]
  /// `\s`.
  static let whiteSpace: CharacterClass = [.space, .newline]
  /// `[^\s\p{L}\p{N}]`.
  static let symbol: CharacterClass = [.mark, .other]
  /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`: what an o200k word may start with.
  static let wordStart: CharacterClass = [.upper, .caseless, .mark]
  /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`: what an o200k word ends with.
  static let wordEnd: CharacterClass = [.lower, .caseless, .mark]

  /// The class of a code point.
  ///
  /// - Source: general categories and White_Space of Unicode 16.0, frozen in `UnicodeTables`.
  init(of scalar: UInt32) {
    if UnicodeTables.isWhiteSpace(scalar) {
      self = scalar == 10 || scalar == 13 ? .newline : .space
      return
    }
    switch UnicodeTables.category(scalar) {
    case .Lu, .Lt: self = .upper
    case .Ll: self = .lower
    case .Lm, .Lo: self = .caseless
    case .Mn, .Mc, .Me: self = .mark
    case .Nd, .Nl, .No: self = .number
    default: self = .other
    }
  }

  init(rawValue: UInt8) { self.rawValue = rawValue }
}

/// The classes of all code points as one flat table of 0x110000 bytes, built once at first use (some milliseconds).
final class CharacterClassTable: Sendable {
  static let shared = CharacterClassTable()

  /// Raw values of `CharacterClass`; never freed, as `shared` lives as long as the process.
  private let classes: [UInt8]

  private init() {
    classes = [UInt8](unsafeUninitializedCapacity: 0x110000) { buffer, count in
      for scalar in 0..<UInt32(0x110000) { buffer[Int(scalar)] = CharacterClass(of: scalar).rawValue }
      count = 0x110000
    }
  }

  @inline(__always) func withClasses<R>(_ body: (UnsafePointer<UInt8>) -> R) -> R {
    // The table is never empty.
    classes.withUnsafeBufferPointer { body($0.baseAddress!) }
  }
}
