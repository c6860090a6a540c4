import Text

/// Share of words with a letter.
///
/// - Measure: words with a letter / words. Punctuation is no word here, so that languages with many commas do not suffer.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1: at least 0.8.
struct AlphabeticWords: Rule {
  let name = "alphabetic-words"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    var alphabetic = 0
    let words = text.words
    for word in words where word.traits.contains(.letter) { alphabetic += 1 }
    return Measure(alphabetic, per: words.count)
  }
}
