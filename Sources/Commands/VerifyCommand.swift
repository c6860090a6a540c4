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
        3  (views) every sequence exactly once per epoch, ranks within one sequence
      Each finding names the input parts to tokenize again. Exit code 3 if
      something is wrong.

      Examples:
        sluice verify store
        sluice verify view.json
        sluice verify store --level 0
      """)

  @Argument(help: "A store, export, stage or run folder, or the file of a view.")
  var path: String

  @Option(
    name: .long, help: ArgumentHelp("0, 1 or 2; for views 3. Default: 2, for views 3.", valueName: "level"))
  var level: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The view's store. Default: found by its fingerprint beside the view.", valueName: "folder"))
  var store: String?

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
    let results = try verify(path)
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

  private func verify(_ path: String) throws(StorageError) -> [(path: String, verification: Verification)] {
    guard FileSystem.exists(path) else { throw .input(path: path, reason: "no such file or folder") }
    let tick = { () throws(StorageError) in if Interruption.isRequested { throw .interrupted } }
    guard FileSystem.isFolder(path) else {
      let view = try View(bytes: try FileSystem.readAll(path, limit: 1 << 20), path: path)
      return [(path, try verify(view, tick))]
    }
    let depth = min(level ?? 2, 2)
    if TokenStore.isStore(path) {
      return [(path, try StoreVerification.run(try TokenStore(path), level: depth, tick: tick))]
    }
    if ExportVerification.isExport(path) {
      return [(path, try ExportVerification.run(path, level: depth, tick: tick))]
    }
    if let manifest = try? StageManifest.read(path) {
      return [(path, try StageVerification.run(manifest, path, level: depth, tick: tick))]
    }
    // A run: its stages, its store and its views lie beside one another.
    var results: [(path: String, verification: Verification)] = []
    for name in try FileSystem.list(path) where !name.hasPrefix(".") {
      let inner = Path.join(path, name)
      if FileSystem.exists(Path.join(inner, StageManifest.fileName)) {
        results += try verify(inner)
      } else if FileSystem.isRegularFile(inner), try FileSystem.size(of: inner) < 1 << 16,
        View.isView(try FileSystem.readAll(inner))
      {
        results += try verify(inner)
      }
    }
    return results
  }

  private func verify(
    _ view: View, _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) -> Verification {
    let found = try StoreSplit.find(for: view, viewPath: path, stores: store.map { [$0] } ?? [])
    if found == nil, !quiet {
      StandardStreams.message(
        "sluice: \(path): its store was not found beside it (give --store); only the view itself is checked.\n"
      )
    }
    return try ViewVerification.run(view, path: path, split: found, tick: tick)
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

/// Verifies a stage folder: the files that its manifest names, their sizes and SHA-256.
enum StageVerification {
  static func run(
    _ manifest: StageManifest, _ folder: String, level: Int, tick: () throws(StorageError) -> Void
  ) throws(StorageError) -> Verification {
    var result = Verification(kind: "stage \(manifest.stage)", level: level)
    for output in manifest.outputs {
      try tick()
      let path = Path.join(folder, output.name)
      result.count("files", 1)
      guard let size = try? FileSystem.size(of: path) else {
        result.note(Finding(level: 0, place: output.name, message: "is missing; run the stage again"))
        continue
      }
      if size != output.bytes {
        result.note(
          Finding(
            level: 0, place: output.name,
            message: "\(size) bytes, and the manifest says \(output.bytes); run the stage again"))
      } else if level >= 1 {
        result.count("bytes", Int(size))
        if try SHA256.hexOfFile(path).hex != output.sha256 {
          result.note(
            Finding(
              level: 2, place: output.name, message: "its SHA-256 is not the manifest's; run the stage again")
          )
        }
      }
    }
    return result
  }
}
