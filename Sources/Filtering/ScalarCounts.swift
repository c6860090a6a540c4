import Bytes
import Text

/// How many scalars of which kind a text has.
public struct ScalarCounts: Equatable, Sendable {
  /// All scalars, white space included.
  public var scalars = 0
  public var spaces = 0
  public var asciiLetters = 0
  /// Letters of scripts that put spaces between words, and the marks on them.
  public var spacedLetters = 0
  /// Letters of scripts without spaces (`UnspacedScripts`), and the marks on them.
  public var unspacedLetters = 0
  /// Letters weighed by how much a script packs into one: see `weight`.
  public var letterWeight = 0
  /// The part of `letterWeight` that lies in scripts without spaces.
  public var unspacedWeight = 0
  public var decimalDigits = 0
  /// U+FFFD, or ill-formed bytes.
  public var replacements = 0
  private var isAfterUnspaced = false

  public init() {}

  public var letters: Int { spacedLetters + unspacedLetters }
  public var visible: Int { scalars - spaces }

  /// Letters of Latin text that say as much as one letter of this kind: Han 3, Kana and Hangul syllables 2, others 1; a
  /// mark 1, as vowels of many scripts are marks.
  ///
  /// - Source: our own count: the same 300 pages in eight languages have these ratios of letters, rounded (Chinese 0.33,
  ///   Japanese 0.45 and Korean 0.47 of English).
  static func weight(_ scalar: UInt32) -> Int {
    switch scalar {
    case 0x3041...0x30FF, 0x31F0...0x31FF, 0xAC00...0xD7A3, 0xFF66...0xFF9F: 2
    case 0x3005...0x3007, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFF: 3
    default: 1
    }
  }

  init(of text: borrowing Span<UInt8>) {
    var byASCII = (letters: 0, digits: 0, spaces: 0)
    var index = 0
    let count = text.count
    while index < count {
      let byte = text[index]
      if byte < 0x80 {
        scalars += 1
        byASCII.letters += byte.isASCIILetter ? 1 : 0
        byASCII.digits += byte.isASCIIDigit ? 1 : 0
        byASCII.spaces += byte == 0x20 || (byte >= 9 && byte <= 13) ? 1 : 0
        index += 1
        continue
      }
      let (scalar, length) = UTF8Text.scalar(in: text, at: index)
      add(scalar)
      index += length
    }
    asciiLetters = byASCII.letters
    spacedLetters += byASCII.letters
    letterWeight += byASCII.letters
    decimalDigits += byASCII.digits
    spaces += byASCII.spaces
  }

  private mutating func add(_ scalar: UInt32) {
    scalars += 1
    let traits = ScalarTraits.of(scalar)
    if traits.contains(.letter) {
      let weight = ScalarCounts.weight(scalar)
      letterWeight += weight
      isAfterUnspaced = traits.contains(.unspaced)
      if traits.contains(.unspaced) {
        unspacedLetters += 1
        unspacedWeight += weight
      } else {
        spacedLetters += 1
      }
    } else if traits.contains(.mark) {
      // Vowel signs and the like count with the letter that they stand on.
      letterWeight += 1
      if isAfterUnspaced {
        unspacedLetters += 1
        unspacedWeight += 1
      } else {
        spacedLetters += 1
      }
    } else if traits.contains(.space) {
      spaces += 1
    } else if traits.contains(.decimalDigit) {
      decimalDigits += 1
    } else if scalar == 0xFFFD {
      replacements += 1
    }
  }
}
