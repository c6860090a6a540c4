import Bytes
import Filtering
import TestSupport
import Testing

@Suite struct RulesTests {
  private func measure(_ rule: String, _ text: String) throws -> Measure {
    let rule = try #require(RuleRegistry.rule(named: rule))
    let analysis = TextAnalysis()
    analysis.load(Array(text.utf8).span)
    return rule.measure(analysis)
  }

  private static let prose = "The cat and the dog went to the park. They had fun, and then it rained!"

  @Test(arguments: [
    ("alphabetic-words", "one 2 three 4", 2, 4), ("alphabetic-words", "去 3 次", 2, 3),
    ("bullet-lines", "• a\n- b\nc\n* d", 3, 4), ("bullet-lines", "● 一\n二", 1, 2),
    ("digit-share", "ab 12", 2, 4), ("digit-share", "аб ٣٤", 2, 4),
    ("duplicate-lines", "a b c d\nx\na b c d\nx\na b c d", 2, 3),
    ("duplicate-lines", "一二三四\n五六七八\n一二三四", 1, 3),
    ("duplicate-line-characters", "a b c d\nlonger e f g\na b c d", 7, 26),
    ("duplicate-paragraphs", "a\nb\n\na\nb\n\nc", 1, 3),
    ("duplicate-paragraph-characters", "a\nb\n\na\nb\n\nc", 3, 7),
    ("ellipsis-lines", "a...\nb…\nc", 2, 3), ("ellipsis-lines", "一…\n二", 1, 2),
    ("ellipsis-ratio", "a ...... b …", 3, 2), ("ellipsis-ratio", "..", 0, 0),
    ("hash-ratio", "# a ## b", 3, 2), ("hash-ratio", "#一", 1, 1),
    ("letter-share", "ab 1!", 2, 4), ("letter-share", "हिं 1", 3, 4),
    ("lorem-ipsum", "Lorem ipsum dolor SIT amet", 2, 5), ("lorem-ipsum", "逗号 lorem", 1, 3),
    ("mean-word-length", "one three", 8, 2), ("mean-word-length", "да нет", 5, 2),
    ("mean-word-length", "一二", 2, 2),
    ("menu-lines", "Home\nAbout us\nThis line is a sentence of the page.", 11, 39),
    ("menu-lines", "首页\n这是一个很长很长很长的句子吗", 6, 48),
    ("replacement-characters", "a\u{FFFD} b", 1, 3),
    ("stop-words", "The THE of a", 2, 1), ("stop-words", "и то", 0, 1),
    ("text-weight", "ab é", 3, 1), ("text-weight", "汉字かな한글 x", 15, 1),
    ("top-2-gram", "a b a b c", 4, 5), ("top-2-gram", "a b c", 0, 3), ("top-2-gram", "一二三一二", 4, 5),
    ("top-3-gram", "aa b c aa b c", 8, 8), ("top-4-gram", "a b c d", 0, 4),
    ("duplicate-5-grams", "a b c d e x a b c d e", 5, 11),
    ("duplicate-5-grams", "a a a a a a a a a a a a", 10, 12),
    ("duplicate-10-grams", "一二三四五六七八九十一二三四五六七八九十", 10, 20),
    ("word-count", "one, two & 三四", 4, 1),
    ("word-recurrence", "a b a a", 3, 6), ("word-recurrence", "一 一", 1, 1),
  ])
  func `rules measure what they say`(rule: String, text: String, numerator: Int, denominator: Int) throws {
    let found = try measure(rule, text)
    #expect(found.numerator == numerator, "\(rule): \(text)")
    #expect(found.denominator == denominator, "\(rule): \(text)")
  }

  @Test func `words without a pause are counted in every script`() throws {
    let salad = (0..<100).map { "word\($0)" }.joined(separator: " ")
    #expect(try measure("unbroken-words", salad).value == 1)
    #expect(try measure("unbroken-words", salad.replacing("word50 ", with: "word50, ")).value == 0)
    #expect(try measure("unbroken-words", RulesTests.prose).value == 0)
    let characters = String(repeating: "天地玄黄宇宙洪荒", count: 12)
    #expect(try measure("unbroken-words", characters).value == 1)
    #expect(try measure("unbroken-words", characters + "。" + RulesTests.prose).value > 0.8)
    let thai = String(repeating: "กขคงจฉชซฌ", count: 12)
    #expect(try measure("unbroken-words", thai).value == 0)
    #expect(try measure("unbroken-words", thai + thai).value == 1)
  }

  @Test func `shuffled words have no phrases`() throws {
    var random = SeededRandom(seed: 4)
    let phrases = [
      "in the end of", "a cat and a dog", "to be or not", "of the old house", "with a small key", "and so on",
    ]
    let ordered = (0..<120).map { _ in phrases.randomElement(using: &random)! }.joined(separator: " ")
    let shuffled = ordered.split(separator: " ").shuffled(using: &random).joined(separator: " ")
    #expect(try measure("word-order", ordered).value > 2)
    #expect(try measure("word-order", shuffled).value < 1.3)
    #expect(try !measure("word-order", "too short to tell").isDefined)
  }

  @Test func `every rule stands empty, blank, short and strange text`() throws {
    let texts = [
      "", " \n\t\n", ".", "a", "一", "\u{301}", "\u{FFFD}", "...", "#", "\u{200D}", "🙂", "a\n\n\nb", "ก",
      "\u{F0000}",
    ]
    for rule in RuleRegistry.rules {
      for text in texts {
        let found = try measure(rule.name, text)
        #expect(found.value.isFinite && found.value >= 0, "\(rule.name)")
        if text.isEmpty { #expect(found.numerator == 0 && found.span == nil, "\(rule.name)") }
      }
    }
  }

  @Test func `spans lie inside the measured text`() throws {
    var random = SeededRandom(seed: 12)
    let seed = Array((RulesTests.prose + "\n- Home\n… 汉字 Lorem ipsum...\n" + RulesTests.prose).utf8)
    let analysis = TextAnalysis()
    for round in 0..<400 {
      let bytes = round % 4 == 0 ? random.bytes(200) : random.mutation(of: seed)
      analysis.load(bytes.span)
      for rule in RuleRegistry.rules {
        let found = rule.measure(analysis)
        #expect(found.value.isFinite)
        if let span = found.span {
          #expect(span.lowerBound >= 0 && span.upperBound <= analysis.text.count && !span.isEmpty)
        }
      }
    }
  }

  @Test func `the registry is sorted and names each rule once`() {
    let names = RuleRegistry.names
    #expect(names == names.sorted())
    #expect(Set(names).count == names.count)
  }

  @Test func `one analysis measures text after text as a new one does`() throws {
    let used = TextAnalysis()
    for text in [RulesTests.prose, "", "一二三一二三", RulesTests.prose + RulesTests.prose, "a b a b"] {
      used.load(Array(text.utf8).span)
      for rule in RuleRegistry.rules { #expect(rule.measure(used) == (try measure(rule.name, text))) }
    }
  }
}
