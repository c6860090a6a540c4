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
    for word in words where word.end - word.start >= 2 && word.end - word.start <= 8 {
      guard let packed = pack(text, word), let place = table[packed] else { continue }
      if place.isFunctionWord { found.count += 1 }
      found.stopWords |= place.stopWordBit
    }
    return found
  }

  private struct Place {
    var isFunctionWord: Bool
    var stopWordBit: UInt8
  }

  /// Words of at most 8 ASCII letters, packed into integers.
  private static let table: [UInt64: Place] = {
    var table: [UInt64: Place] = [:]
    for word in functionWords { table[pack(word)] = Place(isFunctionWord: true, stopWordBit: 0) }
    for (index, word) in gopherStopWords.enumerated() {
      table[pack(word), default: Place(isFunctionWord: false, stopWordBit: 0)].stopWordBit = 1 << UInt8(index)
    }
    return table
  }()

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
