import ArgumentParser
import Bytes
import Documents
import Pipeline
import Storage

/// `sluice report`: a corpus from its dump to its tokens, as text, JSON or a page. Reads only.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Show a corpus as a funnel: in, out, dropped by rule, per language.",
    discussion: """
      Examples:
        sluice report corpus
        sluice report corpus --html corpus.html

      The page is one file that loads nothing: funnel, drops, languages, lengths,
      shard balance, and which rank reads what for every view in the folder.
      """)

  @Argument(help: "Folder of a run, of one stage, or of a token store.")
  var corpus: String

  @Option(
    name: .long,
    help: ArgumentHelp("Write one self-contained page here, with all figures.", valueName: "file"))
  var html: String?

  @Option(
    name: .long, help: ArgumentHelp("Title of the page. Default: the folder's name.", valueName: "text"))
  var title: String?

  @Flag(name: .long, help: "Machine output: the reports of all stages as one JSON object.")
  var json = false

  func validate() throws {
    if json, html != nil { throw ValidationError("--json and --html exclude each other.") }
    if title != nil, html == nil { throw ValidationError("--title is for the page: give --html too.") }
  }

  func run() throws {
    if let html {
      try check(html)
      let page = try HTMLReport.page(of: corpus, title: title) { () throws(StorageError) in
        if Interruption.isRequested { throw .interrupted }
      }
      _ = try OutputFile.write(page, path: html)
      return
    }
    let report = try CorpusReport(corpus)
    if json { return try StandardStreams.write(report.json.serialized(indent: 2) + [10]) }
    let outcomes = report.stages.map { StageOutcome(name: $0.name, ledger: $0.ledger, seconds: 0) }
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

  /// A page may be made anew; any other file is not ours to replace.
  private func check(_ path: String) throws(StorageError) {
    guard FileSystem.exists(path) else { return }
    guard FileSystem.isRegularFile(path), HTMLReport.isPage(try FileSystem.readAll(path, limit: 1 << 26))
    else {
      throw .output(path: path, reason: "exists and is no report; nothing was written. Give another file")
    }
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
