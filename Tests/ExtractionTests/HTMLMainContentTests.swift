import Bytes
import TestSupport
import Testing

@testable import Extraction

/// What readers came for comes out, and what surrounds it does not.
struct HTMLMainContentTests {
  private func extract(_ html: String) -> HTMLExtractor.Result {
    let extractor = HTMLExtractor()
    var result = HTMLExtractor.Result()
    extractor.extract(Array(html.utf8).span, into: &result)
    return result
  }

  @Test func anArticleComesOutWithoutMenuSidebarNoticeAndFooter() {
    let result = extract(HTMLSamplePages.article)
    #expect(
      result.text.string == """
        Rain over the old harbour

        The rain began on Tuesday night and did not stop until the fishermen had given up waiting for the tide.

        “I have never seen the basin so full,” said the harbour master, who has kept the lock since 1987.

        What happens next

        Pumps arrive on Friday. Until then the lower quay stays closed, and the market moves uphill.

        - Bring your own crates.
        - Parking is free.

        It is only water, said the oldest of them, and went on mending his net.
        """)
    #expect(result.title.string == "Rain over the old harbour — The Daily Gull")
    #expect(result.language.string == "en")
    #expect(result.canonicalURL.string == "https://gull.example/rain?a=1&b=2")
    #expect(result.created.string == "2024-03-05T08:00:00Z")
    #expect(result.marks.isEmpty)
  }

  @Test func aJapanesePageIsJudgedLikeAnEnglishOne() {
    let result = extract(HTMLSamplePages.japanese)
    #expect(
      result.text.string == """
        古い港に雨が降る

        火曜日の夜に降り始めた雨は、漁師たちが潮を待つのをあきらめるまで止まなかった。

        「こんなに水があふれた港は見たことがない」と、長年水門を守ってきた港長は語った。

        今後の予定

        金曜日にポンプが届く。それまで下の岸壁は閉鎖され、市場は丘の上に移る。
        """)
    #expect(result.language.string == "ja")
  }

  @Test func aShortDocumentationPageComesOutWhole() {
    let result = extract(HTMLSamplePages.documentation)
    #expect(
      result.text.string == """
        Spuren aktualisieren

        Aktualisiert alle Spuren in der Tabelle.

        Wählen Sie Extras – Detektiv.

        $ ls -l
          total 0
        \tdone

        Taste | Wirkung
        Strg+C | kopiert
        Strg+V | fügt ein

        3. Öffnen
        4. Drucken
          - beidseitig
        """)
    #expect(result.language.string == "de")
  }

  @Test func shortStepsAreKeptBesideOneLongNote() {
    let html = """
      <body><nav><a href=/a>Contents</a></nav><div id=area><h1>Deleting a Pivot Chart</h1>
      <ol><li><p>Select the chart.</p></li><li><p>Press <b>Del</b>.</p></li><li><p>Click OK.</p></li></ol>
      <div class=note><p>If you delete a pivot table that is linked to a pivot chart, then the chart is deleted too, and a dialog box opens.</p></div>
      <p>Undo brings both back, if you hurry.</p></div></body>
      """
    #expect(
      extract(html).text.string == """
        Deleting a Pivot Chart

        1. Select the chart.

        2. Press Del.

        3. Click OK.

        If you delete a pivot table that is linked to a pivot chart, then the chart is deleted too, and a dialog box opens.

        Undo brings both back, if you hurry.
        """)
  }

  @Test func aLayoutTableIsReadCellByCellWithoutItsMenu() {
    let text = extract(HTMLSamplePages.oldLayout).text.string
    #expect(text.contains("Take two pounds of flour and a pinch of salt, and knead it"))
    #expect(text.contains("three quarters of an hour.\nEat it warm."))
    #expect(!text.contains("Cakes"))
  }

  @Test func brokenMarkupKeepsItsSentences() {
    let text = extract(HTMLSamplePages.broken).text.string
    #expect(text.contains("An unclosed bold and italic paragraph"))
    #expect(text.contains("Second paragraph & copy © 2020 ’ ’ &unknown; end of it."))
    #expect(text.contains("stray"))
    #expect(text.contains("inner"))
    #expect(!text.contains("icon"))
    #expect(!text.contains("typed"))
  }

  @Test func hiddenSubtreesAreSkippedButAHiddenWrapperIsNot() {
    let sentence =
      "This sentence is long enough to count as running text of the page, and it is visible to all readers."
    let hidden = """
      <body><p>\(sentence)</p><p hidden>HIDDENONE</p><div style="color:red; DISPLAY : none">HIDDENTWO</div>
      <div aria-hidden=true>HIDDENTHREE</div><span class="sr-only">HIDDENFOUR</span><p hidden="until-found">Shown</p></body>
      """
    let text = extract(hidden).text.string
    #expect(text.contains(sentence))
    #expect(text.contains("Shown"))
    #expect(!text.contains("HIDDEN"))
    let wrapped = "<body><div aria-hidden='true' class=page><p>\(sentence)</p><p>\(sentence)</p></div></body>"
    #expect(extract(wrapped).text.string.contains(sentence))
  }

  @Test func spacesOfAllKindsCollapseAndInvisibleCharactersGo() {
    let html =
      "<p>  one\n\t two&nbsp;three&#xA0;&#32;four</p><p>zero&#x200B;width so&shy;ft \u{FEFF}mark \u{200C}joiner</p>"
    #expect(extract(html).text.string == "one two three four\n\nzerowidth soft mark \u{200C}joiner")
  }

  @Test func lineBreaksAreLinesAndTwoOfThemAParagraph() {
    #expect(extract("<div>one<br>two<br><br>three <br/> four</div>").text.string == "one\ntwo\n\nthree\nfour")
  }

  @Test func scriptsAndStylesNeverBecomeText() {
    let html =
      "<p>before</p><script><!-- <p>x</p> </script --><script>y</script></script><style>p{}</style><p>after</p>"
    #expect(extract(html).text.string == "before\n\nafter")
  }

  @Test func aPageWithoutTextGivesNoText() {
    for html in [
      "", " ", "<!DOCTYPE html>", "<html><head><title>x</title></head></html>", "<script>a</script>",
      "&nbsp;",
    ] {
      #expect(extract(html).text.isEmpty, "\(html)")
    }
  }

  @Test func textIsNeverIndentedByMarkup() {
    let html = "<ul>\n <li>\n  <p> a </p>\n  <ul><li>b\n</ul>\n <li> c\n</ul>"
    #expect(
      extract(html).text.string.split(separator: "\n", omittingEmptySubsequences: true) == [
        "- a", "  - b", "- c",
      ])
  }

  @Test func theLanguageIsThePrimarySubtag() {
    #expect(extract("<html lang='zh-Hans-CN'><p>x").language.string == "zh")
    #expect(extract("<html xml:lang=PT_br><p>x").language.string == "pt")
    #expect(extract("<html lang='english'><p>x").language.isEmpty)
    #expect(extract("<meta http-equiv=content-language content='ko'><p>x").language.string == "ko")
  }
}

struct HTMLMetaCharsetTests {
  private func scan(_ html: String) -> String? { HTMLMetaCharset.scan(Array(html.utf8).span) }

  @Test func theDeclaredEncodingIsFoundAsBrowsersFindIt() {
    #expect(scan("<meta charset=\"UTF-8\">") == "utf-8")
    #expect(scan("<meta http-equiv='Content-Type' content='text/html; charset=Shift_JIS'>") == "shift_jis")
    #expect(scan("<META content='text/html;charset = \"gb2312\" ' HTTP-EQUIV=content-type >") == "gb2312")
    #expect(scan("<!-- <meta charset=wrong> --><html><meta/charset= euc-kr >") == "euc-kr")
    #expect(scan("<a title='<meta charset=wrong>'><meta charset='koi8-r'>") == "koi8-r")
    #expect(scan("<?xml version='1.0' encoding='ISO-8859-1'?><html>") == "iso-8859-1")
    #expect(scan("<meta content='text/html; charset=big5'>") == nil)
    #expect(scan("<meta charset") == nil)
    #expect(scan("<meta charset=\"") == nil)
    #expect(scan("plain text") == nil)
  }

  @Test func theScanGoesOnBehindTheFirstKilobyteUntilTheHeadEnds() {
    let filler = String(repeating: "<link rel=stylesheet href=x.css>", count: 100)
    #expect(scan("<head>" + filler + "<meta charset=big5></head>") == "big5")
    #expect(scan("<head>" + filler + "</head><meta charset=big5>") == nil)
    #expect(scan("<head>" + filler + filler + filler + "<meta charset=big5></head>") == nil)
  }
}
