import Bytes
import TestSupport
import Testing
import Text

@Suite struct WordsTests {
  private func words(_ text: String) -> [String] {
    let bytes = Array(text.utf8)
    var words: [Word] = []
    WordSplitter().split(bytes.span, into: &words)
    return words.map { String(decoding: bytes[$0.range], as: UTF8.self) }
  }

  @Test(arguments: [
    ("", []),
    (" \t\n— … •", []),
    ("I can't go, e-mail me: a.b@x.org!", ["I", "can't", "go", "e-mail", "me", "a.b@x.org"]),
    ("1,000 and 3.14, 12:30; a,b c:d", ["1,000", "and", "3.14", "12:30", "a", "b", "c", "d"]),
    ("word—word a--b x..y (one)|two", ["word", "word", "a", "b", "x", "y", "one", "two"]),
    ("http://x.org/a?b=1", ["http", "x.org", "a", "b", "1"]),
    ("naïve l’été Ünïcode", ["naïve", "l’été", "Ünïcode"]),
    ("Привет, мир", ["Привет", "мир"]),
    ("한국어 문장입니다.", ["한국어", "문장입니다"]),
    ("हिन्दी में क्‍ष", ["हिन्दी", "में", "क्‍ष"]),
    ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
    ("汉字，和React库。", ["汉", "字", "和", "React", "库"]),
    ("ひらカナー々", ["ひ", "ら", "カ", "ナ", "ー", "々"]),
    ("か\u{3099}き", ["か\u{3099}", "き"]),
    ("ภาษาไทย", ["ภ", "า", "ษ", "า", "ไ", "ท", "ย"]),
    ("ที่นี่", ["ที่", "นี่"]),
    ("ພາສາ", ["ພ", "າ", "ສ", "າ"]),
    ("ខ្មែរ", ["ខ្", "មែ", "រ"]),
    ("မြန်မာ", ["မြ", "န်", "မာ"]),
    ("𠀀𠀁 😀😀", ["𠀀", "𠀁"]),
    ("\u{301}x", ["x"]),
  ])
  func `words are cut by script`(text: String, wanted: [String]) {
    #expect(words(text).map { Array($0.unicodeScalars) } == wanted.map { Array($0.unicodeScalars) })
  }

  @Test func `a word knows its scalars and whether it has letters`() {
    let bytes = Array("e\u{301}té 12 汉".utf8)
    var words: [Word] = []
    WordSplitter().split(bytes.span, into: &words)
    #expect(words.map(\.scalarCount) == [4, 2, 1])
    #expect(words.map { $0.traits.contains(.letter) } == [true, false, true])
    #expect(words.map { $0.traits.contains(.unspaced) } == [false, false, true])
  }

  @Test func `words of random bytes lie in order inside the text`() {
    var random = SeededRandom(seed: 11)
    var words: [Word] = []
    let seed = Array("can't 1,000 汉字 ที่ e\u{301}- ー x".utf8)
    for round in 0..<3000 {
      let bytes = round % 3 == 0 ? random.bytes(80) : random.mutation(of: seed)
      WordSplitter().split(bytes.span, into: &words)
      var end = 0
      for word in words {
        #expect(word.range.lowerBound >= end && word.range.upperBound <= bytes.count && !word.range.isEmpty)
        end = word.range.upperBound
      }
    }
  }
}
