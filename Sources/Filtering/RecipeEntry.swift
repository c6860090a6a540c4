import Bytes
import Storage

/// One rule of a recipe: what to measure, what is too little or too much, and which texts it judges.
public struct RecipeEntry: Sendable {
  public enum Scripts: String, Sendable { case all, spaced, unspaced }

  /// Drops if the value stands to `threshold` as `comparison` says.
  public struct Bound: Equatable, Sendable {
    public enum Comparison: String, Sendable {
      case less = "<"
      case lessOrEqual = "<="
      case greater = ">"
      case greaterOrEqual = ">="
    }
    public var comparison: Comparison
    public var threshold: Double

    public func drops(_ value: Double) -> Bool {
      switch comparison {
      case .less: value < threshold
      case .lessOrEqual: value <= threshold
      case .greater: value > threshold
      case .greaterOrEqual: value >= threshold
      }
    }
  }

  public let rule: any Rule
  /// One or two, the lower one first.
  public let bounds: [Bound]
  public let scripts: Scripts
  public let isEnglishOnly: Bool
  public let fromWords: Int
  let isOff: Bool

  static let keys = [
    "compare", "english-only", "from-words", "max", "min", "off", "rule", "scripts", "threshold",
  ]

  init(_ node: YAMLNode) throws(StorageError) {
    guard let members = node.mapping else {
      throw node.failure("a rule is a mapping that starts with the key rule.")
    }
    for member in members where !RecipeEntry.keys.contains(member.key) {
      throw node.unknownKey(member, allowed: RecipeEntry.keys)
    }
    guard let named = node["rule"], let name = named.string else {
      throw node.failure("the key rule is missing.")
    }
    guard let rule = RuleRegistry.rule(named: name) else {
      throw named.failure(YAMLNode.unknownKey(name, allowed: RuleRegistry.names, kind: "rule"))
    }
    self.rule = rule
    bounds = try RecipeEntry.bounds(node, name)
    scripts = try RecipeEntry.scripts(node["scripts"])
    isEnglishOnly = try RecipeEntry.flag(node["english-only"], "english-only")
    isOff = try RecipeEntry.flag(node["off"], "off")
    if let from = node["from-words"] {
      guard let count = from.int, count >= 0 else {
        throw from.failure("from-words must be a whole number, 0 or more.")
      }
      fromWords = count
    } else {
      fromWords = 0
    }
  }

  private static func bounds(_ node: YAMLNode, _ rule: String) throws(StorageError) -> [Bound] {
    var bounds: [Bound] = []
    if let number = try number(node["min"], "min") {
      bounds.append(Bound(comparison: .less, threshold: number))
    }
    if let number = try number(node["max"], "max") {
      bounds.append(Bound(comparison: .greater, threshold: number))
    }
    if bounds.count == 2, bounds[0].threshold > bounds[1].threshold {
      throw node.failure("min is over max for \"\(rule)\": nothing could stay.")
    }
    let threshold = try number(node["threshold"], "threshold")
    if threshold != nil || node["compare"] != nil {
      guard bounds.isEmpty else { throw node.failure("use min and max, or threshold and compare, not both.") }
      guard let threshold else { throw node.failure("compare needs a threshold.") }
      guard let compare = node["compare"] else { throw node.failure("threshold needs the key compare.") }
      guard let text = compare.string, let comparison = Bound.Comparison(rawValue: text) else {
        throw compare.failure("compare must be one of \"<\", \"<=\", \">\", \">=\".")
      }
      bounds.append(Bound(comparison: comparison, threshold: threshold))
    }
    guard !bounds.isEmpty else {
      throw node.failure("\"\(rule)\" has no threshold: give min, max, or threshold and compare.")
    }
    return bounds
  }

  private static func number(_ node: YAMLNode?, _ key: String) throws(StorageError) -> Double? {
    guard let node else { return nil }
    guard let number = node.double else { throw node.failure("\(key) must be a number.") }
    return number
  }

  private static func flag(_ node: YAMLNode?, _ key: String) throws(StorageError) -> Bool {
    guard let node else { return false }
    guard let flag = node.bool else { throw node.failure("\(key) must be true or false.") }
    return flag
  }

  private static func scripts(_ node: YAMLNode?) throws(StorageError) -> Scripts {
    guard let node else { return .all }
    guard let text = node.string, let scripts = Scripts(rawValue: text) else {
      throw node.failure("scripts must be spaced, unspaced or all.")
    }
    return scripts
  }

  /// True if this entry judges the text at all.
  public func applies(to text: borrowing TextAnalysis) -> Bool {
    switch scripts {
    case .all: break
    case .spaced: if text.isUnspaced { return false }
    case .unspaced: if !text.isUnspaced { return false }
    }
    if fromWords > 0, text.wordCount < fromWords { return false }
    return !isEnglishOnly || text.looksEnglish
  }

  /// The bound that a value breaks, or nil. A quotient of nothing by nothing breaks none.
  public func broken(by measure: Measure) -> Bound? {
    guard measure.isDefined else { return nil }
    let value = measure.value
    return bounds.first { $0.drops(value) }
  }
}

extension Measure {
  /// The value as reports write it: a whole number if nothing was divided.
  public var json: JSONValue { denominator == 1 ? .int(numerator) : .double(value) }
}

extension RecipeEntry.Bound {
  /// The threshold as reports write it: a whole number where it is one.
  public var json: JSONValue {
    threshold == threshold.rounded() && abs(threshold) < 1e15 ? .int(Int(threshold)) : .double(threshold)
  }
}
