import Bytes
import CKernels
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
  /// `#`
  public var hashes = 0
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
    let traitsOf = TraitLookup()
    var ascii = ASCIICounts()
    var index = 0
    // Where blocks are worth a try again: behind the one that was not ASCII throughout.
    var nextBlock = 0
    while index < text.count {
      if index >= nextBlock {
        index += ascii.addBlocks(text, index)
        nextBlock = index + ASCIICounts.blockBytes
        continue
      }
      let byte = text[index]
      if byte < 0x80 {
        ascii.add(byte)
        index += 1
        continue
      }
      let (scalar, length) = UTF8Text.scalar(in: text, at: index)
      add(scalar, traitsOf[scalar])
      index += length
    }
    scalars += ascii.bytes
    asciiLetters = ascii.letters
    spacedLetters += ascii.letters
    letterWeight += ascii.letters
    decimalDigits += ascii.digits
    spaces += ascii.spaces
    hashes = ascii.hashes
  }

  private mutating func add(_ scalar: UInt32, _ traits: ScalarTraits) {
    scalars += 1
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

/// Counts of ASCII bytes: whole blocks by a kernel, the rest one by one.
private struct ASCIICounts {
  static let blockBytes = 64
  var bytes = 0
  var letters = 0
  var digits = 0
  var spaces = 0
  var hashes = 0

  /// Counts the blocks from `start` on that are ASCII throughout; returns how many bytes that were.
  mutating func addBlocks(_ text: borrowing Span<UInt8>, _ start: Int) -> Int {
    var counts: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    let counted = text.withUnsafeBufferPointer { buffer in
      withUnsafeMutableBytes(of: &counts) { counts in
        // SAFETY: `start` is an index of the text; the kernel writes 4 counts.
        sluice_ascii_counts(
          buffer.baseAddress! + start, buffer.count - start,
          counts.assumingMemoryBound(to: UInt64.self).baseAddress!)
      }
    }
    letters += Int(counts.0)
    digits += Int(counts.1)
    spaces += Int(counts.2)
    hashes += Int(counts.3)
    bytes += counted
    return counted
  }

  mutating func add(_ byte: UInt8) {
    bytes += 1
    letters += byte.isASCIILetter ? 1 : 0
    digits += byte.isASCIIDigit ? 1 : 0
    spaces += byte == 0x20 || byte &- 9 < 5 ? 1 : 0
    hashes += byte == 0x23 ? 1 : 0
  }
}
