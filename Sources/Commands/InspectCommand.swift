import ArgumentParser
import Bytes
import Pipeline
import Sharding
import Storage

/// `sluice inspect`: what is there, as tables for people or JSON for programs. Reads only.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract:
      "Show what a token store or a view holds: documents, tokens, lengths, sources, languages, balance over ranks.",
    discussion: """
      Examples:
        sluice inspect store
        sluice inspect view.json --epochs 3
        sluice inspect store --json
      """)

  @Argument(help: "A token store, or the file of a view.")
  var path: String

  @Option(name: .long, help: ArgumentHelp("Epochs that a view's tables count. Default: 1.", valueName: "n"))
  var epochs = 1

  @Flag(name: .long, help: "Machine output.")
  var json = false

  func run() throws {
    let inspection = try inspect()
    if json { return try StandardStreams.write(inspection.json.serialized(indent: 2) + [10]) }
    var text = ""
    for table in inspection.tables {
      text +=
        (text.isEmpty ? "" : "\n") + table.title + "\n" + Format.table(table.rows, header: table.columns)
    }
    try StandardStreams.write(text)
  }

  private func inspect() throws(StorageError) -> Inspection {
    guard FileSystem.exists(path) else { throw .input(path: path, reason: "no such file or folder") }
    if FileSystem.isRegularFile(path) {
      let view = try View(bytes: try FileSystem.readAll(path, limit: 1 << 20), path: path)
      return try ViewInspection.run(
        view, store: try TokenStore.find(for: view, viewPath: path), epochs: epochs)
    }
    return try StoreInspection.run(try TokenStore(path)) { () throws(StorageError) in
      if Interruption.isRequested { throw .interrupted }
    }
  }
}
