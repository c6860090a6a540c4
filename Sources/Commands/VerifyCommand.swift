import ArgumentParser
import Bytes
import Pipeline
import Sharding
import Storage

/// `sluice verify`: is what lies there what was written? Reads only.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check a store, view, export, stage or run against its manifest.",
    discussion: """
      Levels, each with those before it:
        0  names, sizes, ends of documents, sums
        1  XXH64 of every file
        2  SHA-256, fingerprint, every document's hash and end of text, every id
           below the vocabulary
        3  views and pack indexes: every sequence exactly once per epoch, ranks
           within one sequence, every token in one piece
      Each finding names the file, the bytes that changed, the documents in them
      and the input parts to tokenize again. Exit code 3 if something is wrong.

      Examples:
        sluice verify store
        sluice verify view.json
        sluice verify store --level 0
      """)

  @Argument(help: "A store, export, stage or run folder, or the file of a view.")
  var path: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "0 to 3. Default: 2, for views 3; 3 also checks the meaning of a store's pack indexes.",
      valueName: "level"))
  var level: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The view's store, once for each. Default: found by its fingerprint beside the view.",
      valueName: "folder"))
  var store: [String] = []

  @Flag(name: .long, help: "Machine output.")
  var json = false

  @Flag(name: [.long, .customShort("q")], help: "Say nothing; the exit code tells.")
  var quiet = false

  func validate() throws {
    if let level, !(0...3).contains(level) {
      throw ValidationError("--level must lie between 0 and 3, not \(level).")
    }
  }

  func run() throws {
    let results = try VerifyRun.run(
      path, level: level, stores: store,
      tick: { () throws(StorageError) in if Interruption.isRequested { throw .interrupted } },
      note: { if !quiet { StandardStreams.message("sluice: \($0)\n") } })
    if results.isEmpty {
      throw StorageError.input(
        path: path,
        reason: "is no token store, view, export, stage or run that is finished: nothing to verify")
    }
    if json {
      let list = results.map { result -> JSONValue in
        .object([.init("path", .string(result.path))] + (result.verification.json.members ?? []))
      }
      try StandardStreams.write(JSONValue.array(list).serialized(indent: 2) + [10])
    } else if !quiet {
      for result in results { try StandardStreams.write(text(result.path, result.verification)) }
    }
    let findings = results.reduce(0) { $0 + $1.verification.findings.count }
    if findings > 0 {
      throw StageExit(code: 3, message: "\(path): \(findings) finding\(findings == 1 ? "" : "s").")
    }
  }

  private func text(_ path: String, _ result: Verification) -> String {
    let counts = result.checked.map { "\(Format.count($0.count)) \($0.name)" }.joined(separator: ", ")
    var text = "\(path): \(result.kind), level \(result.level): "
    text += result.isGood ? "good (\(counts))\n" : "\(result.findings.count) findings (\(counts))\n"
    for finding in result.findings.prefix(20) { text += "  \(finding.text)\n" }
    if result.findings.count > 20 {
      text += "  … and \(result.findings.count - 20) more (--json lists them)\n"
    }
    return text
  }
}
