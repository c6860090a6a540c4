/// Merges sorted runs with a tree of losers: one path of log2(runs) comparisons for each record.
///
/// Equal keys come from the run of the lower index first, which is the one whose records arrived first.
final class RunMerge {
  /// What a run costs beside its buffer.
  static let bookkeepingBytes = 256

  private let buffers: UnsafeMutableRawPointer
  private let readers: UnsafeMutablePointer<RunReader>
  private let runCount: Int
  /// `losers[0]` is the run whose record is next, `losers[1…]` the losers of the inner nodes.
  private let losers: UnsafeMutablePointer<Int>
  private let isDone: UnsafeMutablePointer<Bool>
  private var isStarted = false

  /// - Parameters:
  ///   - memoryBytes: for all read buffers.
  ///   - perRun: what a run's buffer needs at least.
  init(file: RunFile?, runs: [Range<Int64>], memoryBytes: Int, perRun: Int) {
    runCount = file == nil ? 0 : runs.count
    // More than 1 MiB for a run brings nothing.
    let share = min(
      max(perRun, memoryBytes / max(1, runs.count) - Self.bookkeepingBytes), max(perRun, 1 << 20))
    buffers = .allocate(byteCount: max(1, share * runs.count), alignment: 4096)
    readers = .allocate(capacity: max(1, runs.count))
    losers = .allocate(capacity: max(1, runs.count))
    isDone = .allocate(capacity: max(1, runs.count))
    losers.initialize(repeating: 0, count: max(1, runs.count))
    isDone.initialize(repeating: false, count: max(1, runs.count))
    guard let file else { return }
    for (index, range) in runs.enumerated() {
      let buffer = UnsafeMutableRawBufferPointer(start: buffers + share * index, count: share)
      (readers + index).initialize(to: RunReader(file: file, range: range, buffer: buffer))
    }
  }

  deinit {
    readers.deinitialize(count: runCount)
    readers.deallocate()
    losers.deallocate()
    isDone.deallocate()
    buffers.deallocate()
  }

  /// The next record, or nil at the end. Its bytes are valid until the next call.
  func next() throws(StorageError) -> SortedRecord? {
    guard runCount > 0 else { return nil }
    if isStarted {
      let winner = losers[0]
      isDone[winner] = try !readers[winner].advance()
      replay(winner)
    } else {
      isStarted = true
      for index in 0..<runCount { isDone[index] = try !readers[index].advance() }
      losers[0] = runCount > 1 ? build(1) : 0
    }
    return isDone[losers[0]] ? nil : readers[losers[0]].current
  }

  /// Plays the subtree of `node`, stores its losers and returns its winner. Leaves are the nodes from `runCount` on.
  private func build(_ node: Int) -> Int {
    if node >= runCount { return node - runCount }
    let left = build(2 * node)
    let right = build(2 * node + 1)
    let leftWins = wins(left, right)
    losers[node] = leftWins ? right : left
    return leftWins ? left : right
  }

  @inline(__always) private func replay(_ changed: Int) {
    var winner = changed
    var node = (changed + runCount) / 2
    while node > 0 {
      let rival = losers[node]
      if wins(rival, winner) {
        losers[node] = winner
        winner = rival
      }
      node /= 2
    }
    losers[0] = winner
  }

  @inline(__always) private func wins(_ a: Int, _ b: Int) -> Bool {
    if isDone[a] || isDone[b] { return isDone[b] && (!isDone[a] || a < b) }
    let first = readers[a].prefix
    let second = readers[b].prefix
    if first != second { return first < second }
    let order = compareBeyondPrefix(readers[a].current.key, readers[b].current.key)
    return order != 0 ? order < 0 : a < b
  }
}
