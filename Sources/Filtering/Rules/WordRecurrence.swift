/// How much more often words recur than in a list of different words: real text has function words and a topic.
///
/// - Measure: pairs of equal words / all pairs of words.
/// - Source: Yule's characteristic K (1944), a ten-thousandth of which this is for long texts: it hardly depends on length.
struct WordRecurrence: Rule {
  let name = "word-recurrence"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    let words = text.wordCount
    return Measure(text.equalWordPairs, per: words * (words - 1) / 2)
  }
}
