import ArgumentParser
import Bytes
import Documents
import Filtering
import Pipeline
import Storage

/// `sluice why`: what happened to one document. Reads only.
struct WhyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why",
    abstract: "Tell why a document was kept or dropped: rule, value, peer.",
    discussion: """
      Example:
        sluice why corpus https://example.org/page.html
      """)

  @Argument(help: "Folder of a run, or of one stage.")
  var corpus: String

  @Argument(help: "The document's id or URL.")
  var document: String

  @Flag(name: .long, help: "Machine output: one JSON object a line and document.")
  var json = false

  func run() throws {
    let folders = try CorpusFolders(corpus)
    let found = try Explanation.all(document, in: folders)
    if found.isEmpty {
      throw StorageError.input(
        path: corpus, reason: "no stage there knows a document with the id or URL \"\(document)\"")
    }
    for (index, one) in found.enumerated() {
      let rules = judged(one, folders)
      if json {
        try StandardStreams.write(value(one, rules).serialized() + [10])
      } else {
        try StandardStreams.write((index > 0 ? "\n" : "") + text(one, rules))
      }
    }
  }

  private func value(_ found: Explanation, _ rules: FilterExplanation?) -> JSONValue {
    let steps = found.steps.map { step -> JSONValue in
      var members: [JSONValue.Member] = [
        .init("stage", .string(step.stage)), .init("verdict", .string(step.verdict)),
      ]
      if let drop = step.drop { members.append(.init("drop", drop)) }
      return .object(members)
    }
    var members: [JSONValue.Member] = [
      .init("id", .string(found.id)), .init("url", .string(found.url)), .init("stages", .array(steps)),
    ]
    if let rules { members.append(.init("filter", rules.json)) }
    return .object(members)
  }

  private func text(_ found: Explanation, _ rules: FilterExplanation?) -> String {
    var text = "id   \(found.id)\n"
    if !found.url.isEmpty { text += "url  \(found.url)\n" }
    for step in found.steps {
      text += "\(step.stage): \(step.verdict)"
      if let drop = step.drop { text += " \(Explanation.sentence(drop))" }
      if step.verdict == "kept", let document = step.document,
        let size = JSONMembers.value(of: "cluster_size", in: document.metadata, 0..<document.metadata.count)
      {
        text += ", survivor of a cluster of \(Array(document.metadata[size]).string)"
      }
      text += "\n"
    }
    if let rules { text += "\n" + table(rules) }
    return text
  }

  /// What every rule of the filter's recipe says of the text, as the filter saw it or as it went on.
  private func judged(_ found: Explanation, _ folders: CorpusFolders) -> FilterExplanation? {
    guard let stage = folders.stages.first(where: { FilterSettings.recipe(of: $0.manifest) != nil }),
      let name = FilterSettings.recipe(of: stage.manifest), let recipe = try? Recipe.load(nameOrPath: name),
      let document = (found.steps.first { $0.stage == stage.name } ?? found.steps.last)?.document
        ?? found.steps.last(where: { $0.document != nil })?.document, !document.text.isEmpty
    else { return nil }
    return FilterExplanation(of: document.text.span, by: recipe)
  }

  private func table(_ rules: FilterExplanation) -> String {
    let rows = rules.findings.map { finding -> [String] in
      let bounds = finding.bounds.map { "\($0.comparison.rawValue) \(JSONValue.number($0.threshold))" }
      let value =
        finding.measure.denominator == 1
        ? "\(finding.measure.numerator)" : Format.fixed(finding.measure.value, 4)
      return [finding.rule, value, bounds.joined(separator: " or "), finding.verdict.rawValue]
    }
    return Format.table(rows, header: ["\(rules.recipe): rule", "value", "drops if", "verdict"])
  }
}
