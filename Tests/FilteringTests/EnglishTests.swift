import Bytes
import Filtering
import Testing

@Suite struct EnglishTests {
  private func looksEnglish(_ text: String) -> Bool {
    let analysis = TextAnalysis()
    analysis.load(Array(text.utf8).span)
    return analysis.looksEnglish
  }

  @Test func `each function word counts in any case`() {
    for word in [
      "about", "and", "are", "been", "but", "can", "could", "from", "has", "have", "how", "if", "into", "is",
      "it", "its",
      "not", "of", "on", "or", "other", "should", "than", "that", "the", "their", "then", "there", "these",
      "they", "this",
      "to", "was", "were", "what", "when", "which", "will", "with", "would", "you", "your",
    ] {
      #expect(looksEnglish(word))
      #expect(looksEnglish(word.uppercased() + " xx xx xx xx xx xx xx"))
      #expect(!looksEnglish(word + " xx xx xx xx xx xx xx xx"))
    }
  }

  @Test func `only English prose looks English`() {
    #expect(looksEnglish(FilterTransformTests.pages["en"]!))
    for (language, page) in FilterTransformTests.pages where language != "en" { #expect(!looksEnglish(page)) }
    #expect(
      !looksEnglish(
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft begabt."))
    #expect(!looksEnglish("Todos los seres humanos nacen libres e iguales en dignidad y derechos."))
    #expect(!looksEnglish("这是一个 the and of 网站，上面有很多内容。"))
    #expect(!looksEnglish(""))
  }
}
