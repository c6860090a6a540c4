import ArgumentParser
import Pipeline
import Sharding
import Storage

/// `sluice export`: a store in the form that another trainer reads, as hard links where the bytes are the same.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Give a store the files that other trainers read; tokens are linked.",
    discussion: """
      Formats:
      \(Exporters.all.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))

      Examples:
        sluice export store --format megatron -o megatron
        sluice export store --format datatrove --split train -o datatrove
        sluice export store --format jsonl -o lines
      """)

  @Argument(help: "Folder of a token store.")
  var store: String

  @Option(
    name: .long,
    help: ArgumentHelp("\(Exporters.all.map(\.name).joined(separator: ", ")).", valueName: "name"))
  var format: String

  @Option(name: [.short, .long], help: ArgumentHelp("Folder of the export.", valueName: "folder"))
  var output: String

  @Option(name: .long, help: ArgumentHelp("Split of the store.", valueName: "name"))
  var split = Holdout.train

  @Flag(name: .long, help: "Empty the output folder first.")
  var restart = false

  @Flag(name: .long, help: "Print what was written as JSON on standard output.")
  var json = false

  @Flag(name: [.long, .customShort("q")], help: "Say nothing but errors.")
  var quiet = false

  func run() throws {
    let exporter = try Exporters.named(format)
    let tokens = try TokenStore(store)
    _ = try tokens.manifest.split(split)
    try prepare()
    let report: ExportReport
    do throws(StorageError) {
      report = try StoreExport.run(tokens, split: split, as: exporter, into: output) {
        () throws(StorageError) in
        if Interruption.isRequested { throw .interrupted }
      }
    } catch {
      FileSystem.removeFolderIfEmpty(Path.join(output, ".tmp"))
      throw error
    }
    FileSystem.removeFolderIfEmpty(Path.join(output, ".tmp"))
    if json { try StandardStreams.write(report.json.serialized(indent: 2) + [10]) }
    guard !quiet else { return }
    let rows = [ExportMethod.hardLink, .copy, .written].map { method in
      let files = report.files(method)
      return [
        method.rawValue, Format.count(files.count), Format.bytes(Int(files.reduce(0) { $0 + $1.bytes })),
      ]
    }
    StandardStreams.message(Format.table(rows.filter { $0[1] != "0" }, header: ["files", "count", "bytes"]))
    StandardStreams.message(
      "\(Format.count(report.documents)) documents, \(Format.count(report.tokens)) tokens of \(split); read back and equal.\n"
    )
  }

  private func prepare() throws(StorageError) {
    guard FileSystem.exists(output) else { return }
    guard FileSystem.isFolder(output) else {
      throw .output(path: output, reason: "is a file; an output folder was expected")
    }
    let names = try FileSystem.list(output)
    guard !names.isEmpty else { return }
    guard restart else {
      throw .usage(
        "\(output): the output folder is not empty. Nothing was written. Give another folder, or --restart to start anew."
      )
    }
    for name in names { try FileSystem.removeTree(Path.join(output, name)) }
  }
}
