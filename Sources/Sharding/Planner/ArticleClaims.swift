import Bytes
import CEmbedded
import Storage

/// What three articles say about the compute behind ChatGPT, beside what our formulas give for the same.
///
/// The table is data: claim, formula and inputs; nothing computed stands in it. A claim about something that is no formula's
/// output (a number of cores, the size of a corpus) stands beside a `published` figure.
public struct ArticleClaim: Equatable, Sendable {
  public var id: String
  /// Numbers of the articles.
  public var article: String
  public var claim: String
  /// Nil where the article names no number.
  public var claimed: Double?
  public var unit: String
  /// Nil for a published figure.
  public var formula: String?
  public var computed: Double
  public var verdict: String

  /// The claim over our value: 1 is right, 2 twice too much, 0.001 a thousand times too little.
  public var factor: Double? { claimed.map { $0 / computed } }

  /// The embedded table, evaluated.
  public static func all() throws(StorageError) -> [ArticleClaim] {
    // SAFETY: the embedded bytes are a constant of the program.
    let bytes = UnsafeBufferPointer(
      start: sluice_planner_articles_bytes(), count: sluice_planner_articles_size)
    return try parse(Array(bytes), path: "planner-articles.json")
  }

  /// - Throws: `.input` for a table that is none; `.usage` for an unknown formula or a missing input.
  static func parse(_ bytes: [UInt8], path: String) throws(StorageError) -> [ArticleClaim] {
    let table = try JSONFields(parsing: bytes, path: path)
    guard try table.string("format") == "sluice-claims/1" else {
      throw .input(path: path, reason: "format: expected sluice-claims/1")
    }
    var claims: [ArticleClaim] = []
    for entry in try table.objects("claims") {
      let computed: Double
      var formula: String?
      if let published = entry.value["published"]?.double {
        computed = published
      } else {
        let name = try entry.string("formula")
        let output = try entry.string("output")
        var inputs: [String: Double] = [:]
        for input in entry.value["inputs"]?.members ?? [] { inputs[input.key] = input.value.double }
        guard
          let value = try PlannerFormulas.evaluate(name, inputs).first(where: { $0.name == output })?.value
        else { throw .input(path: path, reason: "\(name) gives no “\(output)”") }
        formula = name
        computed = value / (entry.value["per_unit"]?.double ?? 1)
      }
      claims.append(
        ArticleClaim(
          id: try entry.string("id"), article: try entry.string("article"),
          claim: try entry.string("claim"), claimed: entry.value["claimed"]?.double,
          unit: try entry.string("unit"), formula: formula, computed: computed,
          verdict: try entry.string("verdict")))
    }
    return claims
  }

  public static let columns = ["article", "claim", "says", "ours", "the claim is"]

  /// Two rows for each claim: the numbers, and the verdict below.
  public static func inspection(_ claims: [ArticleClaim]) -> Inspection {
    var rows: [[String]] = []
    for claim in claims {
      rows.append([
        claim.article, claim.claim,
        claim.claimed.map { "\(shown($0, claim.unit))" } ?? "no number", shown(claim.computed, claim.unit),
        claim.factor.map(judgement) ?? "-",
      ])
      rows.append(["", "  \(claim.verdict) [\(claim.formula ?? "published")]", "", "", ""])
    }
    return Inspection(
      json: [
        "format": "sluice-claims/1",
        "claims": .array(
          claims.map { claim in
            [
              "id": .string(claim.id), "article": .string(claim.article), "claim": .string(claim.claim),
              "unit": .string(claim.unit), "claimed": claim.claimed.map { .double($0) } ?? .null,
              "formula": claim.formula.map { .string($0) } ?? .null, "computed": .double(claim.computed),
              "claimed_over_computed": claim.factor.map { .double($0) } ?? .null,
              "verdict": .string(claim.verdict),
            ]
          }),
      ],
      tables: [
        Inspection.Table(
          title: "what three articles say, and what the formulas give", columns: columns, rows: rows)
      ])
  }

  /// The factor in words. Half a per cent is rounding.
  private static func judgement(_ factor: Double) -> String {
    if abs(factor - 1) < 0.005 { return "right" }
    return factor > 1 ? "\(Quantity.number(factor)) × too high" : "\(Quantity.number(1 / factor)) × too low"
  }

  private static func shown(_ value: Double, _ unit: String) -> String {
    unit == "bytes" ? Quantity.bytes(value) : Quantity.number(value) + " " + unit
  }
}
