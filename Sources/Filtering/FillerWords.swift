import Bytes
import Text

/// Words of the filler text "Lorem ipsum".
///
/// - Source: the filler itself, a mutilated piece of Cicero (De finibus, 1.10.32). Its real Latin words (`dolor`, `magna`,
///   `esse` …) are left out, so that Latin prose is not mistaken for it.
enum FillerWords {
  static let words: [StaticString] = [
    "adipiscing", "adipisicing", "aliquip", "cillum", "consectetur", "consectetuer", "cupidatat", "eiusmod",
    "elit", "excepteur",
    "exercitation", "fugiat", "incididunt", "ipsum", "laborum", "lorem", "mollit", "nostrud", "occaecat",
    "pariatur", "proident",
    "reprehenderit", "sint", "ullamco", "veniam", "voluptate",
  ]

  static func find(_ text: borrowing Span<UInt8>, _ words: [Word]) -> (count: Int, span: Range<Int>?) {
    var count = 0
    var span: Range<Int>?
    let starts = starts
    for word in words where word.end - word.start >= 4 && word.end - word.start <= 13 {
      let start = Int(word.start)
      guard starts[Int(text[start] & 0x1F)] & 1 << UInt32(text[start + 1] & 0x1F) != 0 else { continue }
      guard isFiller(text, word) else { continue }
      count += 1
      span = span ?? word.range
    }
    return (count, span)
  }

  /// By first letter, one bit per second letter: most words of real text stop there.
  private static let starts: [UInt32] = {
    var starts = [UInt32](repeating: 0, count: 32)
    for word in words {
      word.withUTF8Buffer { starts[Int($0[0] & 0x1F)] |= 1 << UInt32($0[1] & 0x1F) }
    }
    return starts
  }()

  private static func isFiller(_ text: borrowing Span<UInt8>, _ word: Word) -> Bool {
    for filler in words where filler.utf8CodeUnitCount == Int(word.end - word.start) {
      if text.starts(with: filler, at: Int(word.start), ignoringCase: true) { return true }
    }
    return false
  }
}
