/// What a rule finds in one text: a quotient of two counts, and where to look.
///
/// The value is one division of two integers, so that every machine gets the same; with denominator 1 it is the count
/// itself. A quotient of nothing by nothing is 0 and breaks no threshold.
public struct Measure: Equatable, Sendable {
  public var numerator: Int
  public var denominator: Int
  /// Bytes of the measured text that weigh most, for people to look at; nil if no place stands out.
  public var span: Range<Int>?

  public init(_ numerator: Int, per denominator: Int = 1, span: Range<Int>? = nil) {
    self.numerator = numerator
    self.denominator = denominator
    self.span = span
  }

  public var isDefined: Bool { denominator != 0 }
  public var value: Double { denominator == 0 ? 0 : Double(numerator) / Double(denominator) }
}

/// One property of a text that recipes can set a threshold on. A rule only measures: comparison and threshold are data of the
/// recipe, and words and lines are cut once per document, in `TextAnalysis`, for all rules.
public protocol Rule: Sendable {
  /// As recipes and reports name it: lower case, hyphens.
  var name: String { get }
  func measure(_ text: borrowing TextAnalysis) -> Measure
}
