/// How much more often pairs of neighbouring words recur than if the same words stood in any order: real text has phrases.
///
/// - Measure: equal pairs of neighbours / those expected of shuffled words, (equal words)² / all pairs of words. Texts where
///   chance alone lets less than 1 be expected are not judged (0 / 0): they are too short to tell.
/// - Source: our own; it holds for every language, as it asks nothing but order.
struct WordOrder: Rule {
  let name = "word-order"
  /// Equal neighbours that shuffled words must give before the quotient says anything.
  static let expectedMin = 1

  func measure(_ text: borrowing TextAnalysis) -> Measure {
    let words = text.wordCount
    let pairs = UInt64(max(1, words * (words - 1) / 2))
    let equal = UInt64(text.equalWordPairs)
    let (high, low) = equal.multipliedFullWidth(by: equal * WordOrder.scale)
    guard high < pairs else { return Measure(0, per: 0) }
    let expected = Int(clamping: pairs.dividingFullWidth((high, low)).quotient)
    guard expected >= WordOrder.expectedMin * Int(WordOrder.scale) else { return Measure(0, per: 0) }
    return Measure(text.repeatedRuns(of: 2).equalPairs * Int(WordOrder.scale), per: expected)
  }

  /// Keeps the quotient of integers exact enough where few are expected.
  private static let scale: UInt64 = 256
}
