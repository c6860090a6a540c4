import Bytes
import Text

/// Stretches of words without anything between them that a writer uses to order words: no punctuation, no symbol, no line
/// break, and in scripts without spaces no space.
///
/// Prose pauses every ten or twenty words in every language; a word list or a salad of words does not.
struct Stretches: Equatable {
  /// Words that a stretch may have before it counts as unbroken; characters in scripts without spaces. Han and Kana say more
  /// in a character than Thai and its kin, and have marks for pauses.
  static let spacedMax = 60
  static let denseMax = 80
  static let unspacedMax = 150

  var count = 0
  /// Words in unbroken stretches.
  var unbrokenWords = 0
  var longest = 0
  var longestSpan: Range<Int>?

  static func find(_ text: borrowing Span<UInt8>, _ words: [Word]) -> Stretches {
    var found = Stretches()
    var start = 0
    for index in 0..<words.count {
      if index + 1 == words.count || isBreak(text, words[index], words[index + 1]) {
        found.add(text, words, start...index)
        start = index + 1
      }
    }
    return found
  }

  private mutating func add(_ text: borrowing Span<UInt8>, _ words: [Word], _ range: ClosedRange<Int>) {
    count += 1
    if range.count > Stretches.spacedMax, range.count > Stretches.limit(text, words, range) {
      unbrokenWords += range.count
    }
    if range.count > longest {
      longest = range.count
      longestSpan = Int(words[range.lowerBound].start)..<Int(words[range.upperBound].end)
    }
  }

  /// The limit for the script that most of the stretch is written in.
  private static func limit(_ text: borrowing Span<UInt8>, _ words: [Word], _ range: ClosedRange<Int>) -> Int
  {
    var unspaced = 0
    var dense = 0
    for word in words[range] where word.traits.contains(.unspaced) {
      unspaced += 1
      let (scalar, _) = UTF8Text.scalar(in: text, at: Int(word.start))
      if ScalarCounts.weight(scalar) > 1 { dense += 1 }
    }
    if unspaced * 2 < range.count { return spacedMax }
    return dense * 2 >= unspaced ? denseMax : unspacedMax
  }

  @inline(__always)
  private static func isBreak(_ text: borrowing Span<UInt8>, _ before: Word, _ after: Word) -> Bool {
    let start = Int(before.end)
    let end = Int(after.start)
    let isUnspaced = before.traits.contains(.unspaced) && after.traits.contains(.unspaced)
    if end == start { return false }
    if end == start + 1, text[start] == 0x20 { return isUnspaced }
    return isBreakingGap(text, start..<end, isUnspaced)
  }

  private static func isBreakingGap(_ text: borrowing Span<UInt8>, _ gap: Range<Int>, _ isUnspaced: Bool)
    -> Bool
  {
    var index = gap.lowerBound
    while index < gap.upperBound {
      let (scalar, length) = UTF8Text.scalar(in: text, at: index)
      if scalar == 0x0A || isUnspaced { return true }
      if !ScalarTraits.of(scalar).contains(.space) { return true }
      index += length
    }
    return false
  }
}
