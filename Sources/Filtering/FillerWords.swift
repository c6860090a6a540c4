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
    for word in words where word.end - word.start >= 4 && word.end - word.start <= 13 {
      guard FillerWords.initials & (1 << UInt32(text[Int(word.start)] & 0x1F)) != 0 else { continue }
      guard isFiller(text, word) else { continue }
      count += 1
      span = span ?? word.range
    }
    return (count, span)
  }

  /// One bit per letter that a filler word starts with: most words of real text stop there.
  private static let initials: UInt32 = words.reduce(0) { bits, word in
    bits | 1 << (word.withUTF8Buffer { UInt32($0[0]) } & 0x1F)
  }

  private static func isFiller(_ text: borrowing Span<UInt8>, _ word: Word) -> Bool {
    for filler in words where filler.utf8CodeUnitCount == Int(word.end - word.start) {
      if text.starts(with: filler, at: Int(word.start), ignoringCase: true) { return true }
    }
    return false
  }
}
