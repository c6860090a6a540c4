import Bytes

/// What every rule of a recipe says about one text: for `why` and `sample`.
///
/// Spans are bytes of `text`, the normalised text, which is also here because it may differ from what was given.
public struct FilterExplanation: Sendable {
  public enum Verdict: String, Sendable {
    case keeps, drops
    /// The entry is not for this text: its script, its language or its length.
    case doesNotApply = "does-not-apply"
  }

  public struct Finding: Sendable {
    public var rule: String
    public var measure: Measure
    public var bounds: [RecipeEntry.Bound]
    /// The bound that the value broke.
    public var broken: RecipeEntry.Bound?
    public var verdict: Verdict
  }

  public let recipe: String
  public let text: [UInt8]
  /// One per entry of the recipe, in its order.
  public let findings: [Finding]

  /// The finding that drops the text, if any.
  public var firstDrop: Finding? { findings.first { $0.verdict == .drops } }

  public init(of text: borrowing Span<UInt8>, by recipe: Recipe) {
    let analysis = TextAnalysis()
    analysis.load(text)
    var findings: [Finding] = []
    for entry in recipe.entries {
      let measure = entry.rule.measure(analysis)
      let broken = entry.broken(by: measure)
      let verdict: Verdict = !entry.applies(to: analysis) ? .doesNotApply : broken == nil ? .keeps : .drops
      findings.append(
        Finding(
          rule: entry.rule.name, measure: measure, bounds: entry.bounds, broken: broken, verdict: verdict))
    }
    self.recipe = recipe.name
    self.text = analysis.text
    self.findings = findings
  }

  /// All findings as JSON: what `why --json` prints.
  public var json: JSONValue {
    .object([
      .init("recipe", .string(recipe)),
      .init("rules", .array(findings.map(FilterExplanation.json))),
    ])
  }

  private static func json(_ finding: Finding) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("rule", .string(finding.rule)), .init("value", finding.measure.json),
      .init("verdict", .string(finding.verdict.rawValue)),
      .init(
        "bounds",
        .array(
          finding.bounds.map {
            .object([.init("drops_if", .string($0.comparison.rawValue)), .init("threshold", $0.json)])
          })),
    ]
    if let span = finding.measure.span {
      members.append(.init("span", .array([.int(span.lowerBound), .int(span.upperBound)])))
    }
    return .object(members)
  }
}
