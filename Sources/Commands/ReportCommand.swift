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
    if let last = outcomes.last(where: { !$0.ledger.languages.isEmpty }) {
      let rows = last.ledger.languages.sorted { $0.key < $1.key }.map {
        [
          $0.key, Format.count($0.value.documentsIn), Format.count($0.value.documentsOut),
          Format.percent($0.value.documentsOut, of: $0.value.documentsIn), Format.bytes($0.value.bytesOut),
        ]
      }
      text += "\n" + Format.table(rows, header: ["\(last.name): language", "in", "out", "kept", "text"])
    }
    try StandardStreams.write(text)
  }
}
