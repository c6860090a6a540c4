/// Share of the text in runs of n words that stood in it before.
///
/// - Measure: scalars of such runs, found by walking from the start and jumping over each / scalars of all words.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1, for n = 5 … 10; in scripts without spaces, where words are characters, n is twice as large.
struct DuplicateGrams: Rule {
  let length: Int
  let name: String

  init(_ length: Int) {
    self.length = length
    name = "duplicate-\(length)-grams"
  }

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    let found = text.repeatedRuns(of: length)
    return Measure(found.again, per: text.wordScalarCount, span: found.againSpan)
  }
}
