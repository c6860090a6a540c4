/// Mean length of the document's words, in Unicode scalars. A text without words has the mean 0.
///
/// - Measure: scalars of all words / words. Recipes drop below a minimum and above a maximum.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1, with 3 and 10 for English. Korean writes syllables and Finnish compounds: see the recipe.
struct MeanWordLength: Rule {
  let name = "mean-word-length"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.wordScalarCount, per: text.wordCount)
  }
}
