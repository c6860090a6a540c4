/// Hash signs per word.
///
/// - Measure: `#` / words.
/// - Source: Rae et al. 2021 (Gopher), appendix A.1: at most 0.1. Headings of Markdown stay far below.
struct HashRatio: Rule {
  let name = "hash-ratio"

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    Measure(text.counts.hashes, per: text.wordCount)
  }
}
