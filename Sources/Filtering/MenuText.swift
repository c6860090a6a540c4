import Bytes
import Text

/// How much of a text stands in lines like those of a menu.
struct MenuText {
  /// Words that a line of a menu has at most; characters in scripts without spaces.
  static let spacedMax = 5
  static let unspacedMax = 12

  var weight = 0
  var menuWeight = 0
  /// The longest run of such lines.
  var span: Range<Int>?

  static func find(_ text: borrowing Span<UInt8>, _ words: [Word], _ lines: [TextLine]) -> MenuText {
    var found = MenuText()
    var run = (start: 0, count: 0, longest: 0)
    for line in lines {
      var weight = 0
      var unspaced = 0
      for word in words[line.words] {
        let isUnspaced = word.traits.contains(.unspaced)
        unspaced += isUnspaced ? 1 : 0
        weight += wordWeight(text, word, isUnspaced)
      }
      found.weight += weight
      let limit = unspaced * 2 >= max(1, line.words.count) ? unspacedMax : spacedMax
      if line.isSentence || line.words.count > limit {
        run.count = 0
        continue
      }
      found.menuWeight += weight
      if run.count == 0 { run.start = line.range.lowerBound }
      run.count += 1
      if run.count > run.longest {
        run.longest = run.count
        found.span = run.start..<line.range.upperBound
      }
    }
    return found
  }

  private static func wordWeight(_ text: borrowing Span<UInt8>, _ word: Word, _ isUnspaced: Bool) -> Int {
    guard isUnspaced || text[Int(word.start)] >= 0xE0 else { return Int(word.scalarCount) }
    let (scalar, _) = UTF8Text.scalar(in: text, at: Int(word.start))
    return ScalarCounts.weight(scalar) * Int(word.scalarCount)
  }
}
