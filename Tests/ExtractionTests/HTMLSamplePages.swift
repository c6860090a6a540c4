/// Small pages of our own in the shapes of real ones, for several tests.
enum HTMLSamplePages {
  static let all = [article, japanese, documentation, oldLayout, broken]

  static let article = """
    <!DOCTYPE html>
    <html lang="en-GB"><head><meta charset="utf-8"><title>Rain over the old harbour &mdash; The Daily Gull</title>
    <link rel="canonical" href="https://gull.example/rain?a=1&amp;b=2">
    <meta property="article:published_time" content="2024-03-05T08:00:00Z">
    <style>p { color: red }</style><script>var a = "<p>not text</p>";</script></head>
    <body class="single">
    <header class="masthead"><a href="/">The Daily Gull</a>
    <nav><ul><li><a href="/n">News</a></li><li><a href="/s">Sport</a></li><li><a href="/w">Weather</a></li></ul></nav></header>
    <div class="cookie-consent">We use cookies to make this site better. Please accept them all.</div>
    <div id="wrap"><article>
    <h1>Rain over the old harbour</h1>
    <p>The rain began on <b>Tuesday</b> night and did not stop until the fishermen had given up waiting for the tide.</p>
    <p>&ldquo;I have never seen the basin so full,&rdquo; said the harbour master, who has kept the lock since 1987.</p>
    <h2>What happens next</h2>
    <p>Pumps arrive on Friday. Until then the lower quay stays closed, and the <a href="/market">market</a> moves uphill.</p>
    <ul><li>Bring your own crates.</li><li>Parking is free.</li></ul>
    <blockquote><p>It is only water, said the oldest of them, and went on mending his net.</p></blockquote>
    <h2>Related</h2>
    <ul class="related-posts"><li><a href="/1">Ten storms that shook the coast</a></li><li><a href="/2">How to dry a net</a></li></ul>
    </article>
    <aside class="sidebar"><h3>Most read</h3><p>Subscribe to our letter and never miss a tide again in your life.</p></aside></div>
    <footer><p>Copyright 2024 The Daily Gull. All rights reserved. Printed on recycled electrons.</p></footer>
    </body></html>
    """

  static let japanese = """
    <!DOCTYPE html><html lang="ja"><head><title>港の雨</title></head><body>
    <div class="menu"><a href="/a">ニュース</a> | <a href="/b">スポーツ</a> | <a href="/c">天気</a></div>
    <div id="main"><h1>古い港に雨が降る</h1>
    <p>火曜日の夜に降り始めた雨は、漁師たちが潮を待つのをあきらめるまで止まなかった。</p>
    <p>「こんなに水があふれた港は見たことがない」と、長年水門を守ってきた港長は語った。</p>
    <h2>今後の予定</h2><p>金曜日にポンプが届く。それまで下の岸壁は閉鎖され、市場は丘の上に移る。</p></div>
    <div class="footer">著作権所有 カモメ新聞社 無断転載を禁じます</div></body></html>
    """

  static let documentation = """
    <!DOCTYPE html><html lang="de-AT"><head><title>Spuren aktualisieren</title></head><body>
    <header id="Top"><a href="/"><p>Hilfe</p></a><div class="dropdowns"><button>Module</button><nav id="modules"></nav></div></header>
    <aside class="leftside"><div class="index-label">Index</div></aside>
    <div id="DisplayArea"><h1>Spuren aktualisieren</h1>
    <p>Aktualisiert alle Spuren in der Tabelle.</p>
    <p>Wählen Sie <span class="emph">Extras – Detektiv</span>.</p>
    <pre class="programlisting">
    $ ls -l
      total&nbsp;0
    \tdone
    </pre>
    <table><tr><th>Taste</th><th>Wirkung</th></tr><tr><td>Strg+C</td><td>kopiert</td></tr><tr><td>Strg+V</td><td>fügt ein</td></tr></table>
    <ol start="3"><li>Öffnen</li><li>Drucken<ul><li>beidseitig</li></ul></li></ol></div>
    <footer><p>This page is: <a href="/x">/text/x.xhp</a></p></footer></body></html>
    """

  static let oldLayout = """
    <html><head><title>Recipes</title></head><body bgcolor=white><table width=600><tr><td colspan=2><font size=5>Grandmother's page</font>
    <tr><td width=120><a href=1.html>Soups</a><br><a href=2.html>Cakes</a><br><a href=3.html>Bread</a><br>
    <td><font face=arial>Take two pounds of flour and a pinch of salt, and knead it for as long as the news lasts on the radio.<p>
    Let it rise under a cloth until it has doubled, then bake it in a hot oven for three quarters of an hour.<br>Eat it warm.
    </table></body></html>
    """

  static let broken = """
    <p>An unclosed <b>bold <i>and</b> italic</i> paragraph with <a href=x">a broken link</a> and more text that goes on and on.
    <div><p>Second paragraph &amp copy &copy; 2020 &#8217; &#x2019 &unknown; <svg><title>icon</title><path d="M0"/></svg> end of it.
    <select><option>one<option>two</select><textarea>typed</textarea><noscript><p>No script here</p></noscript>
    <table>stray<tr><td>cell one<td>cell two<table><tr><td>inner</table></table><math><mi>x</mi></math><plaintext>rest <b>of it
    """
}
