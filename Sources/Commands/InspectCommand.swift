import ArgumentParser
import Bytes
import Pipeline
import Sharding
import Storage

/// `sluice inspect`: what is there, as tables for people or JSON for programs. Reads only. Without a subcommand it shows
/// what lies at a path.
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
        sluice inspect show view.json --step 1 --rank 1
        sluice inspect where store 12345
        sluice inspect diff view.json corpus/view/view.json || true
      """,
    subcommands: [
      InspectOverviewCommand.self, InspectShowCommand.self, InspectWhereCommand.self, InspectDiffCommand.self,
    ],
    defaultSubcommand: InspectOverviewCommand.self)
}

/// The tables of what lies at a path.
struct InspectOverviewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "overview", abstract: "Show what lies at a path; the default of inspect.",
    discussion: """
      Examples:
        sluice inspect store
        sluice inspect overview view.json --epochs 3
      """)

  @Argument(help: "A dump; a folder of a stage, run, tokenizer or token store; or the file of a view.")
  var path: String

  @Option(
    name: .long,
    help: ArgumentHelp("Epochs that a view's tables count. Default: the view's.", valueName: "n"))
  var epochs: Int?

  @Flag(name: .long, help: "Machine output.")
  var json = false

  func run() throws {
    let inspection = try Inspector.inspect(path, epochs: epochs)
    if json { return try StandardStreams.write(inspection.json.serialized(indent: 2) + [10]) }
    try StandardStreams.write(InspectText.tables(inspection.tables))
  }
}

/// How the inspecting commands write for people.
enum InspectText {
  static func tables(_ tables: [Inspection.Table]) -> String {
    var text = ""
    for table in tables {
      if !text.isEmpty { text += "\n" }
      if !table.title.isEmpty { text += table.title + "\n" }
      text += Format.table(table.rows, header: table.columns)
    }
    return text
  }

  /// Text of a document that a terminal may show: control characters (escape sequences among them) become U+FFFD, tabs one
  /// blank; line feeds stay if `keepsLines`, else they become ⏎.
  static func printable(_ text: String, keepsLines: Bool = false) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 10: out.append(keepsLines ? scalar : "⏎")
      case 9: out.append(" ")
      case 0..<32, 127..<160, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: out.append("\u{FFFD}")
      default: out.append(scalar)
      }
    }
    return String(out)
  }

  /// Where a document came from, a line per fact.
  static func origin(_ facts: DocumentFacts) -> [(name: String, value: String)] {
    let origin = facts.origin
    var rows = [("id", printable(origin.id)), ("url", printable(origin.url))]
    if let dump = origin.dump {
      rows.append(("dump", printable(dump) + (origin.offset.map { ", byte \(Format.count($0))" } ?? "")))
    }
    rows.append(("from", "source \(printable(facts.source)), language \(printable(facts.language))"))
    return rows
  }

  static func sequences(_ count: Int) -> String { "\(Format.count(count)) sequence\(count == 1 ? "" : "s")" }
}

/// The stores of a view: those that the user names, else found near it.
enum InspectStores {
  static func split(of view: View, at path: String, _ stores: [String]) throws(StorageError) -> StoreSplit {
    if let split = try StoreSplit.find(for: view, viewPath: path, stores: stores) { return split }
    throw .input(
      path: path,
      reason:
        "the token store of this view (\(view.order.stores.joined(separator: ", "))) lies neither beside it "
        + "nor beside its folder. Name it with --store")
  }

  static func view(_ path: String) throws(StorageError) -> View {
    guard FileSystem.exists(path) else { throw .input(path: path, reason: "no such file") }
    guard !FileSystem.isFolder(path) else {
      throw .input(path: path, reason: "is a folder; the file of a view was expected")
    }
    return try View(bytes: try FileSystem.readAll(path, limit: 1 << 20), path: path)
  }

  static func tick() throws(StorageError) {
    if Interruption.isRequested { throw .interrupted }
  }
}
