import ArgumentParser
import Bytes
import Pipeline
import Sharding
import Storage

/// `sluice inspect`: what is there, as tables for people or JSON for programs. Reads only.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what a dump, folder, run, tokenizer, store or view holds.",
    discussion: """
      Examples:
        sluice inspect crawl/garden.warc.gz
        sluice inspect store
        sluice inspect view.json --epochs 3
        sluice inspect store --json
      """)

  @Argument(help: "A dump; a folder of a stage, run, tokenizer or token store; or the file of a view.")
  var path: String

  @Option(
    name: .long, help: ArgumentHelp("Epochs that a view's tables count. Default: the view's.", valueName: "n")
  )
  var epochs: Int?

  @Flag(name: .long, help: "Machine output.")
  var json = false

  func run() throws {
    let inspection = try Inspector.inspect(path, epochs: epochs)
    if json { return try StandardStreams.write(inspection.json.serialized(indent: 2) + [10]) }
    var text = ""
    for table in inspection.tables {
      if !text.isEmpty { text += "\n" }
      if !table.title.isEmpty { text += table.title + "\n" }
      text += Format.table(table.rows, header: table.columns)
    }
    try StandardStreams.write(text)
  }
}
