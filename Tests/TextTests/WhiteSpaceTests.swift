import Bytes
import TestSupport
import Testing
import Text

@Suite struct WhiteSpaceTests {
  private func tidied(_ text: String) -> (String, Bool) {
    var output: [UInt8] = []
    let hasChanged = WhiteSpace.tidy(Array(text.utf8).span, into: &output)
    return (output.string, hasChanged)
  }

  @Test(arguments: [
    ("", ""), ("a", "a"), (" \n\t\n", ""), ("a \nb\t\r\nc\u{3000}\u{A0}", "a\nb\nc"),
    ("a\n\n\n\n\nb", "a\n\nb"),
    ("\n\n  a\n    b\n\n", "  a\n    b"), ("a\n \n \n \nb", "a\n\nb"), ("é \nー\u{2003}", "é\nー"),
    ("a\n\nb\n", "a\n\nb"),
  ])
  func `blanks at edges go`(text: String, wanted: String) {
    let (tidy, hasChanged) = tidied(text)
    #expect(Array(tidy.utf8) == Array(wanted.utf8))
    #expect(hasChanged == (Array(text.utf8) != Array(wanted.utf8)))
    #expect(tidied(wanted).0 == wanted)
  }

  @Test func `random bytes are tidied once and for all`() {
    var random = SeededRandom(seed: 22)
    for _ in 0..<3000 {
      let bytes = random.mutation(of: Array("\n a \n\n\n b\u{3000}\n\u{2003}\n é\t\n".utf8))
      var once: [UInt8] = []
      let hasChanged = WhiteSpace.tidy(bytes.span, into: &once)
      #expect(hasChanged == (once != bytes))
      var twice: [UInt8] = []
      #expect(!WhiteSpace.tidy(once.span, into: &twice))
      #expect(once == twice)
    }
  }
}
