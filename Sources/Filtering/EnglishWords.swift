import Bytes
import Text

/// Function words of English: to tell whether rules for English apply.
enum EnglishWords {
  struct Found: Equatable {
    /// Occurrences of the function words below, in any case.
    var count = 0
    /// Different ones of Gopher's eight stop words, as a bit set.
    var stopWords: UInt8 = 0
  }

  /// A text looks English if nine of ten letters are ASCII and every 8th word is one of the function words. English prose has one in three to five;
  /// other languages that share some of these spellings stay below one in thirty (measured on the UDHR in 260 languages).
  static let wordsPerFunctionWord = 8

  /// Common words of English that are rare as words of other languages in Latin script.
  static let functionWords: [StaticString] = [
    "about", "and", "are", "been", "but", "can", "could", "from", "has", "have", "how", "if", "into", "is",
    "it", "its",
    "not", "of", "on", "or", "other", "should", "than", "that", "the", "their", "then", "there", "these",
    "they", "this",
    "to", "was", "were", "what", "when", "which", "will", "with", "would", "you", "your",
  ]

  /// - Source: Rae et al. 2021 (Gopher), appendix A.1.
  static let gopherStopWords: [StaticString] = ["the", "be", "to", "of", "and", "that", "have", "with"]

  static func find(_ text: borrowing Span<UInt8>, _ words: [Word]) -> Found {
    var found = Found()
    let table = table
    for word in words where word.end - word.start >= 2 && word.end - word.start <= 8 {
      guard let packed = pack(text, word) else { continue }
      let place = table[slot(packed)]
      guard place.packed == packed else { continue }
      if place.isFunctionWord { found.count += 1 }
      found.stopWords |= place.stopWordBit
    }
    return found
  }

  private struct Place {
    var packed: UInt64 = 0
    var isFunctionWord = false
    var stopWordBit: UInt8 = 0
  }

  /// Words of at most 8 ASCII letters, packed into integers, each in a slot of its own: a test checks that none is lost.
  private static let table: [Place] = {
    var table = [Place](repeating: Place(), count: 1024)
    for word in functionWords {
      let packed = pack(word)
      table[slot(packed)].packed = packed
      table[slot(packed)].isFunctionWord = true
    }
    for (index, word) in gopherStopWords.enumerated() {
      let packed = pack(word)
      table[slot(packed)].packed = packed
      table[slot(packed)].stopWordBit = 1 << UInt8(index)
    }
    return table
  }()

  @inline(__always)
  private static func slot(_ packed: UInt64) -> Int {
    Int(truncatingIfNeeded: (packed &* slotFactor) >> 54)
  }

  /// Chosen so that no two of the words share a slot.
  private static let slotFactor: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func pack(_ word: StaticString) -> UInt64 {
    word.withUTF8Buffer { $0.reduce(0) { $0 << 8 | UInt64($1) } }
  }

  private static func pack(_ text: borrowing Span<UInt8>, _ word: Word) -> UInt64? {
    var packed: UInt64 = 0
    for index in word.range {
      guard text[index].isASCIILetter else { return nil }
      packed = packed << 8 | UInt64(text[index] | 0x20)
    }
    return packed
  }
}
