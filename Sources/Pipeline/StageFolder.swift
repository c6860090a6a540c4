import Bytes
import Documents
import Storage

/// A stage's output folder while it is being filled: the lock, the journal of finished units, and at last the manifest.
///
/// Shape while it runs: `.tmp/` (unfinished files, the lock) and `journal/` (`plan.json` and `<phase>/unit-00000.json`). At the end:
/// parts, `report.json`, `run.json`, `manifest.json`.
final class StageFolder {
  enum Opening { case new, resumed, complete }

  let path: String
  let plan: JSONValue
  private(set) var opening = Opening.new
  private var lock: FolderLock?

  /// Opens the folder for a run of `plan`, a JSON of everything that can change bytes (options, version, inputs).
  ///
  /// - Throws: usage error if the folder is not empty and neither `--resume` nor `--restart` is given, or if the resumed run
  ///   was started with another plan; the difference is named.
  ///
  /// - Parameters:
  ///   - isStream: the input is standard input, which cannot be read again from where it stopped.
  ///   - finishedPlan: reads the plan of a whole folder, nil if it is not whole; by default from the stage manifest.
  init(
    _ path: String, plan: JSONValue, mode: RunOptions.Mode, isStream: Bool = false,
    finishedPlan: (String) throws(StorageError) -> JSONValue? = StageFolder.planInManifest
  ) throws(StorageError) {
    self.path = path
    self.plan = plan
    if FileSystem.exists(path), !FileSystem.isFolder(path) {
      throw .output(path: path, reason: "is a file; an output folder was expected")
    }
    try FileSystem.makeFolder(path)
    let names = try FileSystem.list(path)
    if !names.isEmpty, mode == .fresh {
      throw .usage(
        "\(path): the output folder is not empty. Nothing was written. Give another folder, --resume to go on, or --restart to start anew."
      )
    }
    let isOurs = names.contains { $0 == ".tmp" || $0 == "journal" || $0 == StageManifest.fileName }
    if !names.isEmpty, !isOurs {
      throw .usage(
        "\(path): the folder holds files that sluice did not write. Nothing was changed. Give another folder."
      )
    }
    lock = try FolderLock(path)
    if mode == .restart { try removeAll() }
    try removeUnfinished()
    if mode == .resume, let old = try finishedPlan(path) {
      try compare(old, "manifest.json")
      opening = .complete
      try? FileSystem.removeTree(journalPath)
      return
    }
    let planPath = Path.join(journalPath, "plan.json")
    if mode == .resume, FileSystem.exists(planPath) {
      if isStream {
        throw .usage(
          "\(path): a run that reads standard input cannot be resumed. Nothing was changed. Use --restart.")
      }
      guard let old = try? JSONValue.parse(try FileSystem.readAll(planPath)) else {
        throw .input(path: planPath, reason: "is damaged. Use --restart")
      }
      try compare(old, planPath)
      opening = .resumed
    } else {
      if mode == .resume, names.contains(where: { $0 != ".tmp" && $0 != "journal" }) {
        throw .usage(
          "\(path): the folder holds files, but no run that could be resumed. Nothing was written. Give another folder, or "
            + "--restart to empty it.")
      }
      _ = try OutputFile.write(plan.serialized(), folder: path, name: "journal/plan.json")
    }
  }

  static func planInManifest(_ path: String) throws(StorageError) -> JSONValue? {
    try StageManifest.read(path)?.options
  }

  var journalPath: String { Path.join(path, "journal") }

  private func compare(_ old: JSONValue, _ source: String) throws(StorageError) {
    // As text: a file does not tell 1 from 1.0.
    guard old.serialized() != plan.serialized() else { return }
    let differences = JSONDifference.describe(old, plan)
    throw .usage(
      "\(path): cannot resume, since the run there was started otherwise: \(differences). Nothing was changed. "
        + "Run it as before, or use --restart.")
  }

  /// Removes all but `.tmp`. The manifest goes first: a folder that has one counts as whole.
  private func removeAll() throws(StorageError) {
    try FileSystem.removeTree(Path.join(path, StageManifest.fileName))
    for name in try FileSystem.list(path) where name != ".tmp" {
      try FileSystem.removeTree(Path.join(path, name))
    }
  }

  /// Removes what a killed run left in `.tmp`, the lock excepted.
  private func removeUnfinished() throws(StorageError) {
    let temporary = Path.join(path, ".tmp")
    for name in try FileSystem.list(temporary) where name != "lock" {
      try FileSystem.removeTree(Path.join(temporary, name))
    }
  }

  /// Folder for spilled data of this run.
  func temporaryFolder(_ options: RunOptions) -> String { options.temporaryFolder ?? Path.join(path, ".tmp") }

  // MARK: Journal

  private func entryName(_ phase: String, _ unit: Int) -> String {
    "journal/\(phase)/unit-\(Path.padded(unit, digits: 5)).json"
  }

  /// The entry of a finished unit if all files that it names are there with their sizes and hashes; otherwise nil, and
  /// the unit is done again.
  func finishedUnit(_ phase: String, _ unit: Int) -> JSONValue? {
    let entryPath = Path.join(path, entryName(phase, unit))
    guard opening == .resumed, let bytes = try? FileSystem.readAll(entryPath),
      let entry = try? JSONValue.parse(bytes)
    else { return nil }
    for output in entry["outputs"]?.array ?? [] {
      guard let name = output["name"]?.string, let size = output["bytes"]?.int,
        let hash = output["sha256"]?.string,
        let found = try? SHA256.hexOfFile(Path.join(path, name)), found.bytes == Int64(size),
        found.hex == hash
      else { return nil }
    }
    return entry
  }

  /// Records a unit as done: its files are durable before this is called.
  func commit(_ phase: String, _ unit: Int, outputs: [FileSummary], details: [JSONValue.Member])
    throws(StorageError)
  {
    let list = outputs.map(\.entry.json)
    let entry = JSONValue.object([.init("outputs", .array(list))] + details)
    _ = try OutputFile.write(entry.serialized(), folder: path, name: entryName(phase, unit))
  }

  // MARK: End

  /// Writes `report.json`, `run.json` and, last, `manifest.json`; then the journal goes.
  ///
  /// - Parameter report: nil if the stage wrote `report.json` itself and names it among its outputs.
  func finish(
    report: JSONValue?, run: JSONValue, inputs: [StageManifest.Entry], outputs: [StageManifest.Entry],
    stage: String,
    isComplete: Bool
  ) throws(StorageError) {
    var outputs = outputs
    if let report {
      outputs.append(
        try OutputFile.write(report.serialized(indent: 2) + [10], folder: path, name: "report.json").entry)
    }
    _ = try OutputFile.write(run.serialized(indent: 2) + [10], folder: path, name: "run.json")
    let manifest = StageManifest(
      stage: stage, options: plan, inputs: inputs, outputs: outputs, isComplete: isComplete)
    _ = try OutputFile.write(
      manifest.json.serialized(indent: 2) + [10], folder: path, name: StageManifest.fileName)
    try close()
  }

  /// Removes journal, lock and temporary folder.
  func close() throws(StorageError) {
    try FileSystem.removeTree(journalPath)
    lock = nil
    try FileSystem.removeTree(Path.join(path, ".tmp"))
  }

  /// Takes back everything that this run published: a cut input must leave nothing behind.
  func discardAll() {
    lock = nil
    for name in (try? FileSystem.list(path)) ?? [] { try? FileSystem.removeTree(Path.join(path, name)) }
  }
}

/// One runner per output folder: an exclusive lock on `.tmp/lock` that names its owner.
final class FolderLock {
  private let file: LockFile

  init(_ folder: String) throws(StorageError) {
    let temporary = Path.join(folder, ".tmp")
    try FileSystem.makeFolder(temporary)
    let owner = "process \(Process.identifier) on \(Process.hostName)"
    file = try LockFile(Path.join(temporary, "lock"), owner: owner) { (other) throws(StorageError) in
      throw .usage(
        "\(folder): another run works in this folder (\(other)). Nothing was written. Wait for it or give another folder."
      )
    }
  }
}

/// Says in words where two JSON values differ.
enum JSONDifference {
  /// At most three differences, `key: old → new`.
  static func describe(_ old: JSONValue, _ new: JSONValue) -> String {
    var found: [String] = []
    collect(old, new, "", &found)
    return found.prefix(3).joined(separator: "; ") + (found.count > 3 ? "; and \(found.count - 3) more" : "")
  }

  private static func collect(_ old: JSONValue, _ new: JSONValue, _ path: String, _ found: inout [String]) {
    if old.serialized() == new.serialized() { return }
    if case .object(let a) = old, case .object(let b) = new {
      for member in a {
        collect(
          member.value, new[member.key] ?? .null, path.isEmpty ? member.key : "\(path).\(member.key)", &found)
      }
      for member in b where old[member.key] == nil {
        found.append("\(path.isEmpty ? "" : path + ".")\(member.key): none → \(brief(member.value))")
      }
      return
    }
    if case .array(let a) = old, case .array(let b) = new, a.count == b.count {
      for index in a.indices { collect(a[index], b[index], "\(path)[\(index)]", &found) }
      return
    }
    found.append("\(path): \(brief(old)) → \(brief(new))")
  }

  private static func brief(_ value: JSONValue) -> String {
    if case .array(let values) = value { return "\(values.count) entries" }
    let text = value.serialized().string
    return text.count > 60 ? text.prefix(57) + "…" : text
  }
}
