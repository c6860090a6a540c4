/// Share of the text that its most weighty run of n words is.
///
/// - Measure: scalars of the run × its count / scalars of all words; 0 if no run occurs twice.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1, for n = 2, 3, 4.
struct TopGram: Rule {
  let length: Int
  let name: String

  init(_ length: Int) {
    self.length = length
    name = "top-\(length)-gram"
  }

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    let found = text.repeatedRuns(of: length)
    return Measure(found.most, per: text.wordScalarCount, span: found.mostSpan)
  }
}
