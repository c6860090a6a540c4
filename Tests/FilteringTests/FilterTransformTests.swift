import Bytes
import Documents
import Filtering
import TestSupport
import Testing

@Suite struct FilterTransformTests {
  private struct Outcome {
    var kept = DocumentBatch()
    var dropped = DocumentBatch()
    var ledger = Ledger()
  }

  private func filter(_ texts: [String], recipe: String = "web", language: String? = nil) throws -> Outcome {
    var batch = DocumentBatch()
    for (index, text) in texts.enumerated() {
      var document = Document(id: "d\(index)", text: text, source: "test", url: "https://x.org/\(index)")
      if let language { document.addMetadata("language", string: language) }
      batch.append(document)
    }
    var outcome = Outcome()
    let transform = FilterTransform(recipe: try Recipe.load(nameOrPath: recipe))
    transform.apply(batch, kept: &outcome.kept, dropped: &outcome.dropped, ledger: &outcome.ledger)
    return outcome
  }

  static let pages = [
    "en": """
    The harbour of the old town
    The harbour was built in the twelfth century, when merchants from the north began to trade salt and wool. It has been
    rebuilt twice since then: once after the great fire, and once when the railway arrived. Today the quays are quiet, but
    the fish market still opens at five in the morning, and visitors are welcome to watch the auction.
    """,
    "de": """
    Der Hafen der alten Stadt
    Der Hafen wurde im zwölften Jahrhundert gebaut, als Kaufleute aus dem Norden mit Salz und Wolle zu handeln begannen. Er
    wurde seither zweimal erneuert: nach dem großen Brand und als die Eisenbahn kam. Heute ist es an den Kais still, aber
    der Fischmarkt öffnet noch immer um fünf Uhr morgens, und Besucher dürfen bei der Versteigerung zusehen.
    """,
    "ru": """
    Гавань старого города
    Гавань была построена в двенадцатом веке, когда купцы с севера начали торговать солью и шерстью. С тех пор её дважды
    перестраивали: после большого пожара и когда пришла железная дорога. Сегодня на причалах тихо, но рыбный рынок, как и
    прежде, открывается в пять утра, и гости могут посмотреть на торги.
    """,
    "zh": """
    老城的港口
    这座港口建于十二世纪，当时北方的商人开始在这里买卖盐和羊毛。此后它重建过两次：一次是在大火之后，一次是在铁路通车的时候。
    如今码头上很安静，但是鱼市仍然在清晨五点开张，欢迎游客前来观看拍卖。港口旁边有一座小博物馆，里面收藏着旧船的模型和航海图。
    """,
    "ja": """
    古い町の港
    この港は十二世紀に造られ、北から来た商人たちが塩と羊毛の取引を始めた場所です。その後、大火のあとと鉄道が通ったときの二度、
    造り直されました。今では岸壁は静かですが、魚市場は今も朝五時に開き、見学者は競りの様子を見ることができます。
    """,
    "ko": """
    옛 도시의 항구
    이 항구는 북쪽에서 온 상인들이 소금과 양털을 거래하기 시작한 십이 세기에 지어졌습니다. 그 뒤 큰불이 난 다음과 철도가 들어온 때에
    두 번 다시 지어졌습니다. 오늘날 부두는 조용하지만 어시장은 여전히 새벽 다섯 시에 문을 열고, 손님들은 경매를 구경할 수 있습니다.
    """,
    "th": """
    ท่าเรือของเมืองเก่า
    ท่าเรือนี้สร้างขึ้นในศตวรรษที่สิบสอง เมื่อพ่อค้าจากทางเหนือเริ่มค้าขายเกลือและขนแกะ ตั้งแต่นั้นมาได้สร้างใหม่สองครั้ง
    ครั้งแรกหลังไฟไหม้ใหญ่ และอีกครั้งเมื่อรถไฟมาถึง ทุกวันนี้ท่าเรือเงียบสงบ แต่ตลาดปลายังเปิดตอนตีห้า
    และผู้มาเยือนสามารถชมการประมูลได้ ข้างท่าเรือมีพิพิธภัณฑ์เล็ก ๆ ที่เก็บแบบจำลองเรือเก่าและแผนที่เดินเรือ
    """,
    "hi": """
    पुराने शहर का बंदरगाह
    यह बंदरगाह बारहवीं सदी में बना था, जब उत्तर के व्यापारी नमक और ऊन का व्यापार करने लगे। तब से इसे दो बार फिर बनाया गया है: एक बार
    बड़ी आग के बाद और एक बार जब रेल आई। आज घाट शांत हैं, पर मछली बाज़ार अब भी सुबह पाँच बजे खुलता है, और आने वाले लोग नीलामी देख सकते हैं।
    """,
  ]

  @Test func `prose stays in every language`() throws {
    for (language, page) in FilterTransformTests.pages {
      let outcome = try filter([page])
      #expect(outcome.kept.count == 1, "\(language): \(outcome.ledger.drops)")
    }
  }

  @Test func `junk goes, each kind by its rule`() throws {
    let labels = ["Home", "About us", "News", "Contact", "Shop", "Help and support", "Jobs", "Press"]
    let menu = (0..<40).map { labels[$0 % 8] + " " + labels[$0 / 8] }.joined(separator: "\n")
    let line = "This very line is said again and again on this page."
    let repeated = (0..<30).map { _ in line }.joined(separator: "\n")
    let lorem =
      "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore. "
    let symbols = String(repeating: "### *** → ■ 100 $$$ ", count: 30)
    let words = FilterTransformTests.pages["en"]!.split { !$0.isLetter }.map(String.init)
    let salad = (words + words.reversed() + words).joined(separator: " ")
    let broken = FilterTransformTests.pages["en"]!.replacing("o", with: "\u{FFFD}")
    let outcome = try filter([
      menu, repeated, lorem + lorem + lorem, symbols, salad, broken, "Not found.", "",
    ])
    #expect(outcome.kept.isEmpty)
    let rules = (0..<outcome.dropped.count).map { index in
      outcome.dropped.document(at: index).extras.string.split(separator: "\"")[8]
    }
    #expect(
      rules == [
        "menu-lines", "duplicate-lines", "lorem-ipsum", "letter-share", "unbroken-words",
        "replacement-characters",
        "text-weight", "text-weight",
      ])
    #expect(outcome.ledger.isBalanced)
  }

  @Test func `a drop names rule, value and threshold, and the document stays as it came`() throws {
    let outcome = try filter([" e\u{301}  \n\n\n\nx"])
    let document = outcome.dropped.document(at: 0)
    #expect(Array(document.text.string.utf8) == Array(" e\u{301}  \n\n\n\nx".utf8))
    #expect(
      document.extras.string
        == #""drop":{"stage":"filter","rule":"text-weight","value":2,"threshold":200}"#)
    #expect(document.url.string == "https://x.org/0")
  }

  @Test func `kept text is normalised and all else passes byte for byte`() throws {
    let page = FilterTransformTests.pages["en"]!.replacing("harbour", with: "harbour cafe\u{301}")
    let outcome = try filter([page + "  \n\n\n\n", FilterTransformTests.pages["de"]!], language: "en")
    #expect(
      outcome.kept.document(at: 0).text.string.utf8.elementsEqual(
        page.replacing("e\u{301}", with: "\u{E9}").utf8))
    #expect(outcome.kept.document(at: 0).metadata.string == #"{"language":"en"}"#)
    #expect(outcome.kept.document(at: 1).text.string == FilterTransformTests.pages["de"]!)
    #expect(outcome.ledger.counters["texts_normalised"] == 1)
    #expect(outcome.ledger.languages["en"]?.documentsOut == 2)
    #expect(outcome.ledger.textBytesOut == outcome.kept.textBytes)
    #expect(outcome.ledger.sources["test"]?.documents == 2)
  }

  @Test func `an explanation says what each rule found, and where`() throws {
    let recipe = try Recipe.load(nameOrPath: "web")
    let text = Array((FilterTransformTests.pages["en"]! + "\nLorem ipsum, lorem ipsum, lorem ipsum!").utf8)
    let explanation = FilterExplanation(of: text.span, by: recipe)
    #expect(explanation.recipe == "web-1")
    #expect(explanation.findings.count == recipe.entries.count)
    let drop = try #require(explanation.firstDrop)
    #expect(drop.rule == "lorem-ipsum")
    #expect(drop.broken?.threshold == 0.05)
    let span = try #require(drop.measure.span)
    #expect(Array(explanation.text[span]).string == "Lorem")
    #expect(explanation.findings.contains { $0.verdict == .doesNotApply })
    #expect(explanation.json["rules"]?.array?.count == recipe.entries.count)
  }

  @Test func `random bytes are judged without a crash and counted`() throws {
    var random = SeededRandom(seed: 17)
    let transform = FilterTransform(recipe: try Recipe.load(nameOrPath: "web"))
    let seeds = FilterTransformTests.pages.values.map { Array($0.utf8) }.sorted {
      $0.lexicographicallyPrecedes($1)
    }
    var batch = DocumentBatch()
    for round in 0..<300 {
      var document = Document(id: "d\(round)", text: "")
      document.text = round % 5 == 0 ? random.bytes(300) : random.mutation(of: seeds[round % seeds.count])
      batch.append(document)
    }
    var outcome = Outcome()
    transform.apply(batch, kept: &outcome.kept, dropped: &outcome.dropped, ledger: &outcome.ledger)
    #expect(outcome.kept.count + outcome.dropped.count == 300)
    #expect(outcome.ledger.isBalanced)
  }
}
