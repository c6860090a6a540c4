import Bytes
import Documents
import Storage

/// `report.json`: what a stage counted. A function of inputs, options and version only.
public enum StageReport {
  public static func json(stage: String, ledger: Ledger, options: JSONValue, more: [JSONValue.Member] = [])
    -> JSONValue
  {
    .object(
      [
        .init("format", "sluice-report/1"), .init("stage", .string(stage)),
        .init("version", .string(Version.number)),
        .init("options", options),
      ] + (ledger.json.members ?? []) + more)
  }

  /// The ledger in the report of a finished stage folder.
  public static func ledger(of folder: String) throws(StorageError) -> Ledger {
    Ledger(json: try read(folder))
  }

  public static func read(_ folder: String) throws(StorageError) -> JSONValue {
    let path = Path.join(folder, "report.json")
    guard let json = try? JSONValue.parse(try FileSystem.readAll(path)) else {
      throw .input(path: path, reason: "is missing or damaged. Run the stage again")
    }
    return json
  }

  /// The table that every command ends with, on standard error.
  public static func summary(_ outcomes: [StageOutcome]) -> String {
    let rows = outcomes.map { outcome in
      [
        outcome.name, Format.count(outcome.ledger.documentsIn), Format.count(outcome.ledger.documentsOut),
        Format.count(outcome.ledger.droppedCount), Format.count(outcome.ledger.defectCount),
        Format.count(outcome.ledger.otherCount), Format.bytes(outcome.ledger.textBytesOut),
        Format.seconds(outcome.seconds),
      ]
    }
    var text = Format.table(
      rows, header: ["stage", "in", "out", "dropped", "defects", "other", "text out", "time"])
    for outcome in outcomes {
      let drops = outcome.ledger.drops.sorted {
        $0.value.documents == $1.value.documents ? $0.key < $1.key : $0.value.documents > $1.value.documents
      }
      if !drops.isEmpty {
        let list = drops.prefix(6).map { "\($0.key) \(Format.count($0.value.documents))" }.joined(
          separator: ", ")
        text += "\(outcome.name) dropped by: \(list)\(drops.count > 6 ? ", …" : "")\n"
      }
      for (title, counts) in [
        ("defects", outcome.ledger.defects), ("kept with a mark", outcome.ledger.marks),
      ]
      where !counts.isEmpty {
        let list = counts.sorted { $0.key < $1.key }.map { "\($0.key) \(Format.count($0.value))" }
        text += "\(outcome.name) \(title): \(list.joined(separator: ", "))\n"
      }
    }
    return text
  }

  /// The first defects with file and offset, one line each.
  public static func defectLines(_ outcomes: [StageOutcome], limit: Int = 10) -> String {
    outcomes.flatMap(\.ledger.defectList).prefix(limit)
      .map { "\($0.file), byte \(Format.count(Int($0.offset))): \($0.kind): \($0.message)\n" }.joined()
  }
}

/// When a run started and what it used: only `run.json` holds it.
struct RunClock {
  private let wall = Process.wallClock
  private let started = Process.monotonicSeconds
  private let cpu = Process.cpuSeconds

  var seconds: Double { Process.monotonicSeconds - started }

  func json(_ options: RunOptions) -> JSONValue {
    [
      "started": .string(wall), "finished": .string(Process.wallClock), "host": .string(Process.hostName),
      "workers": .int(options.workers), "seconds": .double(seconds),
      "cpu_seconds": .double(Process.cpuSeconds - cpu),
      "peak_memory_bytes": .int(Process.peakMemory), "memory_limit_bytes": .int(options.memoryBytes),
    ]
  }
}
