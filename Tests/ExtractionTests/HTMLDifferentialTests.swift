import TestSupport
import Testing

@testable import Extraction

/// The scanning tokenizer against the standard's states.
struct HTMLDifferentialTests {
  private static let pieces = [
    "<", ">", "/", "!", "--", "-", "->", "=", "\"", "'", "&", ";", "#", "x", "?", " ", "\n", "\r\n", "\r",
    "\t", "\u{C}", "\0", "a", "B",
    "é", "]]>", "]", "[CDATA[", "<![CDATA[", "<!--", "-->", "--!>", "<!-->", "<!--->", "<script", "</script",
    "<script>", "</script>",
    "</title>", "</TITLE ", "<title>", "</title/", "<p>", "</p>", "<br/>", "<a href=", "<a b c='d", "amp",
    "&amp;", "&notit;", "&not",
    "&notin;", "&#x41;", "&#65", "&#x110000;", "&#150;", "&#0;", "&#xD800;", "&#", "&#x", "&acE;",
    "&CounterClockwiseContourIntegral;", "script",
    "<!", "<?", "</", "</>", "</ ", "<x/ y/>", "=\"", "/>", "ﬀ",
  ].map { Array($0.utf8) }

  @Test(arguments: [
    (TokenList.Start.data, HTMLReferenceTokenizer.State.data), (.rcdata, .rcdata), (.rawText, .rawText),
    (.script, .script), (.plaintext, .plaintext), (.cdata, .cdata),
  ])
  func theScannerAndTheStatesOfTheStandardAgree(
    _ start: TokenList.Start, _ state: HTMLReferenceTokenizer.State
  ) {
    var random = SeededRandom(seed: 0x7A95)
    let lastStartTag = start == .script ? "script" : "title"
    for round in 0..<4_000 {
      var input: [UInt8] = []
      for _ in 0..<(1 + Int(random.next() % 14)) {
        input += Self.pieces[Int(random.next() % UInt64(Self.pieces.count))]
      }
      // The document type has a parser of its own, which html5lib's cases cover.
      if TokenList.lowered(input).string.contains("<!doctype") { continue }
      let isForeign = round % 3 == 0
      let fast = TokenList.tokenize(input, start, lastStartTag: lastStartTag, allowsCDATA: isForeign)
      let plain = HTMLReferenceTokenizer.tokenize(
        input, state, lastStartTag: lastStartTag, allowsCDATA: isForeign)
      #expect(fast.lines == plain.lines, "\(input.string.debugDescription)")
      if fast.lines != plain.lines { return }
    }
  }

  @Test func theyAgreeOnMutatedPages() {
    var random = SeededRandom(seed: 99)
    for page in HTMLSamplePages.all {
      for _ in 0..<40 {
        var input = Array(page.utf8)
        for _ in 0..<(Int(random.next() % 6)) {
          let place = Int(random.next() % UInt64(input.count))
          let piece = Self.pieces[Int(random.next() % UInt64(Self.pieces.count))]
          input.replaceSubrange(place..<place, with: piece)
        }
        input = Array(input.string.replacing("<!DOCTYPE", with: "<x").utf8)
        let fast = TokenList.tokenize(input)
        let plain = HTMLReferenceTokenizer.tokenize(input, .data, lastStartTag: "", allowsCDATA: false)
        #expect(fast.lines == plain.lines)
        if fast.lines != plain.lines { return }
      }
    }
  }
}
