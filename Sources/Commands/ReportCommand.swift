import ArgumentParser
import Bytes
import Documents
import Pipeline
import Storage

/// `sluice report`: the funnel of a corpus. Reads reports only.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Show a corpus as a funnel: in, out, dropped by rule, per language.",
    discussion: """
      Example:
        sluice report corpus
      """)

  @Argument(help: "Folder of a run, or of one stage.")
  var corpus: String

  @Flag(name: .long, help: "Machine output: the reports of all stages as one JSON object.")
  var json = false

  func run() throws {
    let folders = try CorpusFolders(corpus)
    if json {
      var members: [JSONValue.Member] = []
      for stage in folders.stages { members.append(.init(stage.name, try StageReport.read(stage.path))) }
      try StandardStreams.write(JSONValue.object(members).serialized(indent: 2) + [10])
      return
    }
    var outcomes: [StageOutcome] = []
    for stage in folders.stages {
      outcomes.append(
        StageOutcome(name: stage.name, ledger: try StageReport.ledger(of: stage.path), seconds: 0))
    }
    var text = StageReport.summary(outcomes)
    for outcome in outcomes where !outcome.ledger.drops.isEmpty {
      let rows = outcome.ledger.drops
        .sorted {
          $0.value.documents == $1.value.documents ? $0.key < $1.key : $0.value.documents > $1.value.documents
        }
        .map {
          [
            $0.key, Format.count($0.value.documents),
            Format.percent($0.value.documents, of: outcome.ledger.documentsIn),
          ]
        }
      text += "\n" + Format.table(rows, header: ["\(outcome.name): rule", "dropped", "of all in"])
    }
    text += languages(outcomes)
    try StandardStreams.write(text)
  }

  /// Documents of each language after each stage, and the share that is left at the end.
  private func languages(_ outcomes: [StageOutcome]) -> String {
    let stages = outcomes.filter { !$0.ledger.languages.isEmpty }
    guard let first = stages.first, let last = stages.last else { return "" }
    let rows = first.ledger.languages.keys.sorted().map { language in
      let counts = stages.map { $0.ledger.languages[language]?.documentsOut ?? 0 }
      return [language] + counts.map { Format.count($0) } + [
        Format.percent(counts[counts.count - 1], of: counts[0]),
        Format.bytes(last.ledger.languages[language]?.bytesOut ?? 0),
      ]
    }
    return "\n" + Format.table(rows, header: ["language"] + stages.map { "\($0.name)" } + ["left", "text"])
  }
}
