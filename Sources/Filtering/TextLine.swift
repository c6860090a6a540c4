import Bytes
import Text

/// One line of a text that is not blank.
public struct TextLine: Equatable, Sendable {
  /// Without the blanks at its ends.
  public var range: Range<Int>
  /// Its words, as indices of `TextAnalysis.words`.
  public var words: Range<Int>
  /// Letters of its words, weighed as in `ScalarCounts`.
  public var weight: Int
  /// Ends with a sentence mark, closing quotes and brackets behind it allowed.
  public var isSentence: Bool
  /// Starts a paragraph: the first line, or one after an empty line.
  public var startsParagraph: Bool
}

/// Cuts a text and its words into lines.
struct LineSplitter {
  static func split(_ text: borrowing Span<UInt8>, _ words: [Word], into lines: inout [TextLine]) {
    lines.removeAll(keepingCapacity: true)
    var start = 0
    var word = 0
    var isAfterGap = true
    while start < text.count {
      let end = text.firstIndex(of: 0x0A, from: start) ?? text.count
      let range = text.trimmedRange(start..<end)
      if range.isEmpty {
        isAfterGap = true
      } else {
        let first = word
        while word < words.count, Int(words[word].start) < end { word += 1 }
        lines.append(
          TextLine(
            range: range, words: first..<word, weight: 0, isSentence: endsSentence(text, range),
            startsParagraph: isAfterGap))
        isAfterGap = false
      }
      start = end + 1
    }
  }

  /// True if the last scalar that is no closing mark ends a sentence. A colon counts: it announces what the next line says.
  private static func endsSentence(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
    var end = range.upperBound
    for _ in 0..<4 {
      guard end > range.lowerBound else { return false }
      var lead = end - 1
      while lead > range.lowerBound, text[lead] & 0xC0 == 0x80, end - lead < 4 { lead -= 1 }
      let (scalar, _) = UTF8Text.scalar(in: text, at: lead)
      if scalar == 0x3A || scalar == 0xFF1A || scalar == 0x2026 { return true }
      if ScalarTraits.of(scalar).contains(.terminal) { return true }
      switch UnicodeTables.category(scalar) {
      case .Pe, .Pf, .Pi: break
      default: if scalar != 0x22, scalar != 0x27 { return false }
      }
      end = lead
    }
    return false
  }
}
