import Sharding
import Storage
import Synchronization

/// Makes the pack index of a store's split where it is missing: each worker thread takes the next unit of the plan.
///
/// Shape of the index's folder while it is made: `.tmp/` (unfinished files, the lock), `journal/seg-00000.json` (a manifest
/// of one unit, written after its file), the files of finished units. At the end `manifest.json` is written and the journal
/// goes. A run that was killed goes on with the units that its journal lacks. Nothing depends on the number of workers.
public enum PackRun {
  /// The pack index of a key: the one that is there if it is whole and of this store, else a new one.
  ///
  /// Another process that makes the same index is waited for. Memory: that of as many units as there are workers
  /// (`PackIndex.memoryBytes`), and fewer workers where `options.memory` is too small for them; one unit always runs.
  ///
  /// - Throws: `.usage` for a split or context that cannot be; `.output` if the store's folder cannot be written to;
  ///   `.input` for damaged document records; `.interrupted`: finished units are kept.
  public static func ensure(
    store: TokenStore, split name: String, key: PackKey, options: RunOptions
  ) throws(StorageError) -> PackManifest {
    try key.validate()
    let run = PackFolder(store: store, split: try store.manifest.split(name), key: key, options: options)
    if let manifest = run.finished() { return manifest }
    guard let lock = try run.lock() else {
      // Finished by another process in the meantime.
      return try ensure(store: store, split: name, key: key, options: options)
    }
    return try withExtendedLifetime(lock) { () throws(StorageError) in
      try run.clean()
      return try run.finish(try run.pack())
    }
  }
}

/// The folder of an index that is being made.
private struct PackFolder: Sendable {
  let store: TokenStore
  let split: StoreManifest.Split
  let key: PackKey
  let options: RunOptions
  let path: String
  let plan: [Range<Int>]

  init(store: TokenStore, split: StoreManifest.Split, key: PackKey, options: RunOptions) {
    self.store = store
    self.split = split
    self.key = key
    self.options = options
    path = PackIndex.folder(store, split: split.name, key)
    plan = PackIndex.plan(split)
  }

  private var temporaryPath: String { Path.join(path, ".tmp") }
  private var lockPath: String { Path.join(temporaryPath, "lock") }
  private func name(_ segments: Range<Int>) -> String { split.segments[segments.lowerBound].name }

  /// The index that is there, if it is whole: of this store and key, each file of the recorded size.
  func finished() -> PackManifest? {
    guard let manifest = try? PackIndex.read(store, split: split.name, key) else { return nil }
    for unit in manifest.units {
      guard let size = try? FileSystem.size(of: Path.join(path, unit.fileName)), size == unit.bytes else {
        return nil
      }
    }
    return manifest
  }

  // MARK: One at a time

  /// The lock of this folder, waited for; nil if the index was finished by whoever held it.
  func lock() throws(StorageError) -> LockFile? {
    let owner = "process \(Process.identifier) on \(Process.hostName)"
    let pause = Monitor()
    var failures = 0
    var isAnnounced = false
    while finished() == nil {
      var other: String?
      do throws(StorageError) {
        try FileSystem.makeFolder(temporaryPath)
        let lock = try LockFile(lockPath, owner: owner) { (name) throws(StorageError) in
          other = name
          throw .interrupted
        }
        if finished() == nil { return lock }
        try removeLock()
        return nil
      } catch {
        if other == nil { failures += 1 }
        // The folder of the lock may vanish in between, when its owner ends; a folder that cannot be written to stays so.
        if failures > 3 { throw refusal(error) }
      }
      if Interruption.isRequested { throw .interrupted }
      if let other, !isAnnounced, !options.isQuiet {
        StandardStreams.message("sluice: waiting for \(other), which makes this pack index\n")
        isAnnounced = true
      }
      pause.lock()
      pause.wait(milliseconds: 20)
      pause.unlock()
    }
    return nil
  }

  private func refusal(_ error: StorageError) -> StorageError {
    guard case .output(_, let reason) = error else { return error }
    return .output(
      path: path,
      reason:
        "\(reason). The pack index is kept in the folder of the store, once for all views of this context. "
        + "Make that folder writable for this command, or use --packing concat without a mixture, which needs no index"
    )
  }

  /// Removes what does not belong to the index: an old manifest, unfinished files, files of other units.
  func clean() throws(StorageError) {
    try FileSystem.removeTree(Path.join(path, PackManifest.fileName))
    for name in try FileSystem.list(temporaryPath) where name != Path.name(lockPath) {
      try FileSystem.removeTree(Path.join(temporaryPath, name))
    }
    let known = Set(plan.map { name($0) + ".pack" })
    for name in try FileSystem.list(path) where name.hasSuffix(".pack") && !known.contains(name) {
      try FileSystem.removeTree(Path.join(path, name))
    }
  }

  /// Writes the manifest; then the journal and the lock go.
  func finish(_ units: [PackManifest.Unit]) throws(StorageError) -> PackManifest {
    let manifest = try PackIndex.finish(store, split: split, key, units: units)
    try FileSystem.removeTree(Path.join(path, "journal"))
    try removeLock()
    return manifest
  }

  /// Takes away the name of the lock while it is held: who opened its file before finds the manifest once it is free.
  private func removeLock() throws(StorageError) {
    try FileSystem.removeTree(lockPath)
    FileSystem.removeFolderIfEmpty(temporaryPath)
  }

  // MARK: Units

  /// All units in the order of the plan.
  func pack() throws(StorageError) -> [PackManifest.Unit] {
    let queue = PackQueue(plan.map { recorded($0) })
    let workers = workerCount(queue.waiting)
    if workers > 0 {
      try Threads.run(workers) { _ in
        while let number = queue.take() {
          do throws(StorageError) {
            let unit = try build(plan[number])
            let (left, isDue) = queue.finish(number, unit)
            if isDue { say("\(plan.count - left) of \(plan.count) units") }
          } catch { queue.fail(error) }
        }
      }
    }
    return try queue.units()
  }

  /// As many workers as there are units to do and as memory allows; says so if it does not allow one.
  private func workerCount(_ waiting: [Int]) -> Int {
    let most = waiting.map { PackIndex.memoryBytes(split, key, segments: plan[$0]) }.max() ?? 1
    if !waiting.isEmpty {
      let documents = waiting.reduce(0) { sum, number in
        sum + split.segments[plan[number]].reduce(0) { $0 + $1.documents }
      }
      if documents >= 1_000_000 {
        say("\(Format.count(documents)) documents in \(waiting.count) units, \(key.context) ids per sequence")
      }
      if most > options.memoryBytes {
        say("the largest unit needs \(Format.bytes(most)) of memory, more than --memory")
      }
    }
    return min(waiting.count, max(1, min(options.workers, options.memoryBytes / most)))
  }

  private func say(_ text: String) {
    guard !options.isQuiet, options.progress != .none else { return }
    StandardStreams.message("pack: \(text)\n")
  }

  private func build(_ segments: Range<Int>) throws(StorageError) -> PackManifest.Unit {
    let unit = try PackIndex.buildUnit(store, split: split, key, segments: segments) {
      () throws(StorageError) in
      if Interruption.isRequested { throw .interrupted }
    }
    _ = try OutputFile.write(journal([unit]).bytes, folder: path, name: "journal/\(unit.name).json")
    return unit
  }

  private func journal(_ units: [PackManifest.Unit]) -> PackManifest {
    PackManifest(
      store: store.fingerprint, split: split.name, key: key,
      classes: key.grouping.classes(of: store.manifest), units: units)
  }

  /// A unit that an earlier run finished: its journal is of this store and key, and its file has the recorded hash.
  private func recorded(_ segments: Range<Int>) -> PackManifest.Unit? {
    let entry = Path.join(path, "journal/\(name(segments)).json")
    guard FileSystem.exists(entry), let bytes = try? FileSystem.readAll(entry),
      let found = try? PackManifest(bytes: bytes, path: entry, firstSegment: segments.lowerBound),
      let unit = found.units.first, unit.segmentRange == segments, found == journal([unit]),
      let file = try? SHA256.hexOfFile(Path.join(path, unit.fileName)), file.hex == unit.sha256,
      file.bytes == unit.bytes
    else { return nil }
    return unit
  }
}

/// The units of a run: which are done, which is next, what failed.
private final class PackQueue: Sendable {
  private struct State {
    var done: [PackManifest.Unit?]
    var next = 0
    var finished = 0
    var failure: StorageError?
    var said = Process.monotonicSeconds
  }

  private let state: Mutex<State>
  /// Numbers of the units that were not done at the start.
  let waiting: [Int]

  init(_ done: [PackManifest.Unit?]) {
    waiting = done.indices.filter { done[$0] == nil }
    state = Mutex(State(done: done))
  }

  /// The next unit, nil when there is none or one has failed.
  func take() -> Int? {
    state.withLock { state in
      guard state.failure == nil, state.next < waiting.count else { return nil }
      state.next += 1
      return waiting[state.next - 1]
    }
  }

  /// Units that are left, and whether it is time to say so: every ten seconds.
  func finish(_ number: Int, _ unit: PackManifest.Unit) -> (left: Int, isDue: Bool) {
    state.withLock { state in
      state.done[number] = unit
      state.finished += 1
      let now = Process.monotonicSeconds
      let isDue = now - state.said >= 10
      if isDue { state.said = now }
      return (waiting.count - state.finished, isDue)
    }
  }

  /// The first failure is kept.
  func fail(_ error: StorageError) {
    state.withLock { if $0.failure == nil { $0.failure = error } }
  }

  /// All units.
  ///
  /// - Throws: what a worker threw; `.interrupted` if units are missing.
  func units() throws(StorageError) -> [PackManifest.Unit] {
    let (failure, done) = state.withLock { ($0.failure, $0.done.compactMap { $0 }) }
    if let failure { throw failure }
    return done
  }
}
