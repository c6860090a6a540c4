import Bytes
import Sharding
import Storage
import Synchronization

/// Runs an export: units in worker threads, a journal of the shards that are done, the manifest last.
public struct ExportRun: Sendable {
  let job: ExportJob
  let folder: String
  let options: RunOptions
  /// The phase of the journal.
  private static let phase = "shards"

  public init(_ job: ExportJob, folder: String, options: RunOptions) {
    self.job = job
    self.folder = folder
    self.options = options
  }

  /// - Returns: what the folder's manifest says; for a resumed run that was whole already, what it says.
  public func run() throws(StorageError) -> ExportReport {
    let target = try StageFolder(folder, plan: job.identity, mode: options.mode, finishedPlan: finished)
    if target.opening == .complete, let report = try Self.report(folder) {
      try target.close()
      return report
    }
    let outcomes = try units(in: target)
    let report = try job.finish(outcomes, folder: folder)
    try target.close()
    return report
  }

  private static func report(_ path: String) throws(StorageError) -> ExportReport? {
    let manifest = Path.join(path, StoreManifest.fileName)
    guard FileSystem.exists(manifest) else { return nil }
    return try ExportReport(bytes: try FileSystem.readAll(manifest), path: manifest)
  }

  /// The plan of a folder that is whole: the manifest is the same export's.
  private func finished(_ path: String) throws(StorageError) -> JSONValue? {
    guard let report = try Self.report(path) else { return nil }
    guard report.matches(job) else {
      throw .usage(
        "\(path): the folder holds another export (\(report.format) of \(report.split)). Nothing was changed. "
          + "Give another folder, or --restart.")
    }
    return job.identity
  }

  // SAFETY: @unchecked, since every member is used under the monitor only.
  private final class State: @unchecked Sendable {
    let monitor = Monitor()
    let target: StageFolder
    var next = 0
    var outcomes: [ExportJob.Outcome?]
    var failure: StorageError?

    init(_ target: StageFolder, _ outcomes: [ExportJob.Outcome?]) {
      self.target = target
      self.outcomes = outcomes
    }

    /// The next unit that is not done; nil at the end, and after a failure.
    func take() -> Int? {
      monitor.lock()
      defer { monitor.unlock() }
      guard failure == nil else { return nil }
      while next < outcomes.count, outcomes[next] != nil { next += 1 }
      guard next < outcomes.count else { return nil }
      next += 1
      return next - 1
    }

    func fail(_ error: StorageError) {
      monitor.lock()
      defer { monitor.unlock() }
      if failure == nil { failure = error }
    }

    /// Notes a unit as done, in the journal too unless it was linked: linking again costs nothing.
    func commit(_ unit: Int, _ outcome: ExportJob.Outcome, inJournal: Bool) throws(StorageError) {
      monitor.lock()
      defer { monitor.unlock() }
      outcomes[unit] = outcome
      guard inJournal else { return }
      try target.commit(
        ExportRun.phase, unit,
        outputs: outcome.files.map {
          FileSummary(name: $0.name, bytes: $0.bytes, sha256: $0.sha256, xxh64: "")
        },
        details: [.init("files", .array(outcome.files.map(\.json))), .init("note", outcome.note)])
    }
  }

  private func units(in target: StageFolder) throws(StorageError) -> [ExportJob.Outcome] {
    let count = job.unitCount
    let progress = ByteProgress("export", total: job.plan.tokens * job.plan.width.bytes, options: options)
    var known: [ExportJob.Outcome?] = Array(repeating: nil, count: count)
    if !job.isLinked {
      for unit in 0..<count { known[unit] = target.finishedUnit(Self.phase, unit).flatMap(Self.outcome) }
    }
    let state = State(target, known)
    let (job, folder) = (job, folder)
    try Threads.run(max(1, min(options.workers, count))) { _ in
      while let unit = state.take() {
        do throws(StorageError) {
          let outcome = try job.run(unit: unit, folder: folder) { (bytes) throws(StorageError) in
            if Interruption.isRequested { throw .interrupted }
            progress.add(bytes)
          }
          try state.commit(unit, outcome, inJournal: !job.isLinked)
        } catch { state.fail(error) }
      }
    }
    progress.end()
    if let failure = state.failure { throw failure }
    return state.outcomes.compactMap { $0 }
  }

  private static func outcome(_ entry: JSONValue) -> ExportJob.Outcome? {
    guard let files = entry["files"]?.array, let note = entry["note"] else { return nil }
    var read: [ExportReport.File] = []
    for file in files {
      guard let file = ExportReport.File(json: file) else { return nil }
      read.append(file)
    }
    return ExportJob.Outcome(files: read, note: note)
  }
}

/// Says on standard error how many of a known number of bytes are done.
final class ByteProgress: Sendable {
  private let label: String
  private let total: Int
  private let isTerminal: Bool
  private let isSilent: Bool
  private let started = Process.monotonicSeconds
  private let state = Mutex((done: 0, shown: 0.0, isShown: false))

  init(_ label: String, total: Int, options: RunOptions) {
    self.label = label
    self.total = total
    isTerminal = options.progress == .auto && StandardStreams.errorIsTerminal
    isSilent = options.isQuiet || options.progress == .none
  }

  func add(_ bytes: Int) {
    guard !isSilent else { return }
    state.withLock { state in
      state.done += bytes
      let now = Process.monotonicSeconds - started
      guard now - state.shown >= (isTerminal ? 0.5 : 10) else { return }
      state.shown = now
      state.isShown = true
      let rate = Double(state.done) / max(now, 0.001)
      let line =
        "\(label): \(Format.bytes(state.done)) of \(Format.bytes(total)) (\(Format.percent(state.done, of: total))), "
        + "\(Format.bytes(Int(rate)))/s, \(Format.seconds(Double(max(0, total - state.done)) / max(rate, 1))) left, "
        + "\(Format.bytes(Process.peakMemory)) peak"
      StandardStreams.message(isTerminal ? "\r\u{1B}[K\(line)" : line + "\n")
    }
  }

  /// Clears the line of a terminal.
  func end() {
    if isTerminal, state.withLock({ $0.isShown }) { StandardStreams.message("\r\u{1B}[K") }
  }
}
