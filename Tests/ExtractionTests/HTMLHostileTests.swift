import Bytes
import TestSupport
import Testing

@testable import Extraction

/// Inputs made to hang, explode or silence a parser: the text behind them always comes out, in linear time.
struct HTMLHostileTests {
  private static let after =
    "<p>AFTER the storm there is still a whole sentence of text to be read, and it is kept.</p>"

  /// Text of every block, whether it is kept or not: what the tree has not lost.
  private func allText(_ html: [UInt8], limits: Limits = .standard) -> String {
    var builder = HTMLTreeBuilder(limits: limits)
    var renderer = HTMLRenderer()
    builder.parse(html.span)
    renderer.render(builder.arena, builder.tokenizer.bytes)
    for index in 0..<renderer.blocks.count { renderer.blocks[index].isKept = true }
    var text: [UInt8] = []
    renderer.appendKept(to: &text)
    return text.string
  }

  private func repeated(_ unit: String, _ count: Int, then tail: String = after) -> [UInt8] {
    var bytes: [UInt8] = []
    let one = Array(unit.utf8)
    bytes.reserveCapacity(one.count * count + tail.utf8.count)
    for _ in 0..<count { bytes += one }
    return bytes + Array(tail.utf8)
  }

  @Test(arguments: [
    "<div>", "<b>", "<a href=x>", "<p>", "</p>", "<font size=1>", "<table><tr><td>", "<table>", "<ul><li>",
    "<h1>", "<em><p>",
    "<x-y>", "<math><mi>", "<svg><foreignObject>", "<button>", "<form>", "<table>x", "</div>", "<br>",
    "<option>", "<section><a href=y>",
    "&", "&amp", "<", "<!", "</", "<a href='", "<!-- x -->", "<!---->", "<!doctype x>", "<i></p>",
    "<dl><dd><dt>", "\0", "<p\0>",
  ])
  func aHundredThousandTimesTheSameMarkupLosesNoText(_ unit: String) {
    let text = allText(repeated(unit, 100_000))
    #expect(text.contains("AFTER the storm"))
  }

  @Test(arguments: [
    "<title>", "<textarea>", "<style>", "<xmp>", "<iframe>", "<!-- ", "<!--", "<div title=\"unclosed>",
    "<noembed>", "<![CDATA[",
    "<noscript>", "<select><option>", "<button>",
  ])
  func markupThatNeverEndsDoesNotSwallowThePage(_ opening: String) {
    let before = "<p>BEFORE it all there was a sentence.</p>"
    let text = allText(Array((before + opening + "<p>x</p>" + Self.after).utf8))
    #expect(text.contains("BEFORE it all"))
    #expect(text.contains("AFTER the storm"))
  }

  @Test func manyUnclosedCommentsAndTitlesLoseNothing() {
    #expect(allText(repeated("<!-- <title>", 50_000)).contains("AFTER the storm"))
    #expect(allText(repeated("<title><textarea><style>", 20_000)).contains("AFTER the storm"))
  }

  @Test func elementsBehindTheNodeLimitKeepTheirText() {
    var limits = Limits()
    limits.treeNodes = 1_000
    let html = repeated("<b>x</b> ", 5_000)
    let text = allText(html, limits: limits)
    #expect(text.contains("AFTER the storm"))
    #expect(text.filter { $0 == "x" }.count == 5_001)
    let extractor = HTMLExtractor(limits: limits)
    var result = HTMLExtractor.Result()
    extractor.extract(html.span, into: &result)
    #expect(result.marks == ["nodes-capped"])
  }

  @Test func depthBeyondTheLimitIsFlattenedAndMarked() {
    let extractor = HTMLExtractor()
    var result = HTMLExtractor.Result()
    extractor.extract(repeated("<div>", 100_000).span, into: &result)
    #expect(result.text.string.contains("AFTER the storm"))
    #expect(result.marks == ["depth-capped"])
    // The end tags of elements that never made it onto the stack close nothing else.
    let closed = repeated("<div>", 3_000, then: String(repeating: "</div>", count: 3_000) + Self.after)
    extractor.extract(closed.span, into: &result)
    #expect(result.text.string.contains("AFTER the storm"))
  }

  @Test func nulBytesAreNoEndOfThePage() {
    #expect(
      allText(Array("<p>one\0two</p>\0\0<p>th\0ree</p>\0<div\0><p a\0=b>four</p>".utf8))
        == "onetwo\n\nthree\n\nfour")
  }

  @Test func aTagOfManyAttributesCostsLittle() {
    var html = Array("<div ".utf8)
    for number in 0..<40_000 { html += Array("a\(number)=\"\(number)\" ".utf8) }
    html += Array(">".utf8)
    #expect(allText(html + Array(Self.after.utf8)).contains("AFTER the storm"))
  }

  @Test func hugeNumbersInAttributesMeanNothing() {
    let html = """
      <table><tr><td colspan=9007199254740991 rowspan=999999999999>cell</td></tr></table>
      <ol start=99999999999999999999><li>one</li></ol><ol start=-5><li>two</li></ol><ol start=2147483647><li>a<li>b</ol>
      """
    #expect(allText(Array((html + Self.after).utf8)).contains("AFTER the storm"))
  }

  @Test func aTextNodeOfMegabytesIsWhole() {
    let word = "lorem "
    let html = repeated(word, 1_000_000, then: "</p>" + Self.after)
    let text = allText(html)
    #expect(text.utf8.count > 5_900_000)
    #expect(text.contains("AFTER the storm"))
  }

  @Test func scriptEscapesAreScannedOnce() {
    let escapes = repeated("<!--<script>", 100_000, then: "</script></script>" + Self.after)
    let html = Array("<p>BEFORE</p><script>".utf8) + escapes
    let text = allText(html)
    #expect(text.contains("BEFORE"))
  }

  @Test(arguments: [
    "<", "&", "<!--<script>", "<div>", "<a href=x>", "<b><p>", "<table><tr><td>", "</p>", "<a b='", "<!-",
    "-->", "&notit;",
    "<p><b><i><a href=x>", "<![CDATA[", "<x class='nav Footer sideBar'>t",
  ])
  func theTimeIsLinearInTheInput(_ unit: String) {
    let script = unit == "<!--<script>" ? Array("<script>".utf8) : []
    let extractor = HTMLExtractor()
    var result = HTMLExtractor.Result()
    let ratio = Growth.ratio(120_000 / unit.utf8.count) { count in
      extractor.extract((script + repeated(unit, count)).span, into: &result)
    }
    #expect(ratio < Growth.ratioMax)
  }

  /// H1 of the notes: a parser that stops at depth 256 lost nine words of ten.
  @Test func wordsAtEveryDepthAreKept() {
    var html = ""
    for level in 0..<2_000 { html += "<div><p>word\(level)</p>" }
    let text = allText(Array(html.utf8))
    for level in [0, 255, 256, 257, 511, 512, 513, 1_999] {
      #expect(text.contains("word\(level)\n") || text.hasSuffix("word\(level)"))
    }
  }

  /// H6: memory that a huge page needed is given back, so a long run stays flat.
  @Test func theArenaShrinksAfterAHugePage() {
    var builder = HTMLTreeBuilder(limits: .standard)
    builder.parse(repeated("<b>x</b>", 400_000).span)
    #expect(builder.arena.count > 500_000)
    builder.shrink()
    #expect(builder.arena.tag.capacity <= 1 << 18)
    #expect(builder.arena.attributes.capacity <= 1 << 18)
    let page = Array(HTMLSamplePages.article.utf8)
    builder.parse(page.span)
    let nodes = builder.arena.count
    let capacity = builder.arena.tag.capacity
    for _ in 0..<1_000 { builder.parse(page.span) }
    #expect(builder.arena.count == nodes)
    #expect(builder.arena.tag.capacity == capacity)
  }

  @Test func theSamePageGivesTheSameTextWhateverCameBefore() {
    let extractor = HTMLExtractor()
    var first = HTMLExtractor.Result()
    var second = HTMLExtractor.Result()
    let page = Array(HTMLSamplePages.article.utf8)
    extractor.extract(page.span, into: &first)
    for unit in ["<div>", "<table>", "<!--", "<title>", "&lt;"] {
      extractor.extract(repeated(unit, 20_000).span, into: &second)
      extractor.extract(page.span, into: &second)
      #expect(second.text == first.text)
      #expect(second.marks == first.marks)
    }
  }

  @Test func randomMutationsNeverTrapAndTextStaysUTF8() {
    let extractor = HTMLExtractor()
    var result = HTMLExtractor.Result()
    var random = SeededRandom(seed: 20_261_125)
    let splices = [
      "<", ">", "\"", "'", "&", "&#x", "&#1114112;", "</", "<!--", "-->", "<table>", "</table>", "<td>",
      "<svg>", "</svg>", "<math>",
      "<p>", "</p>", "<a href=", "</a>", "<script>", "</script>", "<title>", "<pre>\n", "\0", "\r", "<li>",
      "<br>", "]]>", "<![CDATA[",
      "<select>", "<template>", "<frameset>", "<plaintext>", "=", "<body", "</body>", "</html>",
    ].map { Array($0.utf8) }
    for page in HTMLSamplePages.all {
      for _ in 0..<150 {
        var bytes = Array(page.utf8)
        for _ in 0..<(1 + Int(random.next() % 12)) {
          let place = Int(random.next() % UInt64(bytes.count))
          switch random.next() % 4 {
          case 0:
            bytes.replaceSubrange(place..<place, with: splices[Int(random.next() % UInt64(splices.count))])
          case 1: bytes.removeSubrange(place..<min(bytes.count, place + 1 + Int(random.next() % 40)))
          case 2: bytes[place] = UInt8(random.next() % 128)
          default:
            let from = Int(random.next() % UInt64(bytes.count))
            bytes += bytes[from..<min(bytes.count, from + 60)]
          }
          if bytes.isEmpty { bytes = [60] }
        }
        var repaired: [UInt8] = []
        _ = UTF8Text.repair(bytes.span, into: &repaired)
        extractor.extract(repaired.span, into: &result)
        for field in [result.text, result.title, result.canonicalURL] {
          let isValid = UTF8Text.isValid(field.span)
          #expect(isValid)
        }
      }
    }
  }

  @Test func arbitraryBytesNeverTrap() {
    let extractor = HTMLExtractor()
    var result = HTMLExtractor.Result()
    var random = SeededRandom(seed: 7)
    for _ in 0..<300 {
      let count = Int(random.next() % 600)
      let bytes = (0..<count).map { _ -> UInt8 in
        let value = UInt8(truncatingIfNeeded: random.next())
        return value & 3 == 0 ? [60, 62, 38, 33, 45, 47, 34, 61][Int(value >> 5)] : value
      }
      extractor.extract(bytes.span, into: &result)
      _ = HTMLMetaCharset.scan(bytes.span)
    }
  }
}
