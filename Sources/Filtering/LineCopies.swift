import Bytes
import Text

/// How many lines and paragraphs of a text stood in it before. Lines of less than
/// `lineWordsMin` words are not counted: labels, braces of code and rules recur in any page.
///
/// - Source: Rae et al. 2021 (Gopher), appendix A.1; copies are the second and later ones, as in datatrove.
struct LineCopies: Equatable {
  static let lineWordsMin = 4

  var lines = 0
  /// Bytes of all lines, without the blanks at their ends.
  var lineBytes = 0
  var copiedLines = 0
  var copiedLineBytes = 0
  var lineSpan: Range<Int>?
  var paragraphs = 0
  var copiedParagraphs = 0
  var copiedParagraphBytes = 0
  var paragraphBytes = 0
  var paragraphSpan: Range<Int>?

  static func find(
    _ text: borrowing Span<UInt8>, _ lines: [TextLine], _ numbers: inout WordNumbers
  ) -> LineCopies {
    text.withUnsafeBufferPointer { bytes in
      var found = LineCopies()
      numbers.removeAll(expecting: lines.count)
      for line in lines where line.words.count >= lineWordsMin {
        found.lines += 1
        found.lineBytes += line.range.count
        if isCopy(bytes, line.range, &numbers) {
          found.copiedLines += 1
          found.copiedLineBytes += line.range.count
          found.lineSpan = found.lineSpan ?? line.range
        }
      }
      numbers.removeAll(expecting: lines.count)
      var index = 0
      while index < lines.count {
        var end = index + 1
        while end < lines.count, !lines[end].startsParagraph { end += 1 }
        let range = lines[index].range.lowerBound..<lines[end - 1].range.upperBound
        found.paragraphs += 1
        found.paragraphBytes += range.count
        if isCopy(bytes, range, &numbers) {
          found.copiedParagraphs += 1
          found.copiedParagraphBytes += range.count
          found.paragraphSpan = found.paragraphSpan ?? range
        }
        index = end
      }
      return found
    }
  }

  private static func isCopy(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ numbers: inout WordNumbers
  ) -> Bool {
    let known = numbers.distinctCount
    return numbers.number(bytes, UInt32(range.lowerBound), UInt32(range.upperBound)) < known
  }
}
