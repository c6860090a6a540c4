/// How much is written: letters, weighed so that the same content has about the same weight in every script.
///
/// - Measure: letters and marks; Han counts 3, Kana and Hangul 2, others 1 (`ScalarCounts`).
/// - Source: our own; Gopher's lower bound of 50 words would ask more of Korean and German than of English.
struct TextWeight: Rule {
  let name = "text-weight"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.counts.letterWeight)
  }
}
