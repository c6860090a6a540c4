/// One external sort for everything: records of any length, ordered by the bytes of their key (memcmp, a shorter key
/// before its continuations), equal keys in the order of their arrival.
///
/// While records arrive they stand in one region of memory; when it is full, it is sorted and written as a run to an
/// unlinked file in the temporary folder. At the end all runs are merged, in rounds of neighbours when there are more
/// than memory or `runsMax` allow, so that the order of arrival survives. Without a spill nothing touches the disk.
///
/// - Limits: region, entries and merge buffers together never exceed `memoryBytes` (at least 16 KiB). A record, with its
///   24 bytes of bookkeeping, may take a quarter of that.
public final class ExternalSorter {
  /// Runs that one merge reads at most: beyond that, seeks and buffers too small cost more than another round.
  static let runsMax = 512
  static let memoryBytesMin = 16 << 10
  private static let writeBufferBytes = 1 << 20
  private static let readBufferBytes = 64 << 10

  private let memoryBytes: Int
  private let temporaryFolder: String
  private let recordBytesMax: Int
  private let bufferBytes: Int
  private let arena: RecordArena
  private var file: RunFile?
  private var runs: [Range<Int64>] = []
  private var longestRecord = 0
  /// Records added so far.
  public private(set) var count: Int64 = 0
  /// Rounds of merging that `sorted` needed before the last one; for tests and reports.
  private(set) var roundCount = 0

  /// - Parameters:
  ///   - memoryBytes: all memory that the sort may use, in bytes.
  ///   - temporaryFolder: an existing folder for spilled runs; used only when the records exceed the memory.
  public init(memoryBytes: Int, temporaryFolder: String) {
    self.memoryBytes = max(memoryBytes, Self.memoryBytesMin)
    self.temporaryFolder = temporaryFolder
    recordBytesMax = self.memoryBytes / 4
    bufferBytes = min(Self.writeBufferBytes, self.memoryBytes / 8)
    arena = RecordArena(capacity: (self.memoryBytes - bufferBytes - 4096) & ~4095)
  }

  /// Adds a record; when memory is full, what stands there is written as a sorted run.
  ///
  /// - Throws: `.usage` if the record is longer than a quarter of the memory; output errors of the temporary folder.
  public func add(key: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) throws(StorageError) {
    if try arena.add(key, payload) {
      count += 1
      return
    }
    let footprint = RecordArena.footprint(keyCount: key.count, payloadCount: payload.count)
    guard key.count <= recordBytesMax, payload.count <= recordBytesMax, footprint <= recordBytesMax else {
      throw .usage(
        "A record of \(key.count + payload.count) bytes is too long to be sorted in \(memoryBytes) bytes of memory: "
          + "at most a quarter of it. Raise --memory.")
    }
    try spill()
    guard try arena.add(key, payload) else { throw .bug("a record does not fit an empty sort region") }
    count += 1
  }

  /// Everything added, in order. The sorter is empty afterwards.
  public func sorted() throws(StorageError) -> SortedRecords {
    count = 0
    guard file != nil else {
      arena.sort()
      return SortedRecords(arena: arena.takeOver())
    }
    try spill()
    // The merge has the memory now.
    arena.release()
    return try mergeAll()
  }

  private func mergeAll() throws(StorageError) -> SortedRecords {
    while runs.count > fanIn { try mergeRound() }
    guard let source = file else { throw .bug("a sort lost its runs") }
    file = nil
    defer { runs = [] }
    return SortedRecords(
      merge: RunMerge(file: source, runs: runs, memoryBytes: mergeBytes, perRun: readBytes))
  }

  private func spill() throws(StorageError) {
    guard arena.count > 0 else { return }
    let target: RunFile
    if let file { target = file } else { target = try RunFile(folder: temporaryFolder) }
    file = target
    arena.sort()
    let start = target.size
    var writer = RunWriter(file: target, bufferBytes: bufferBytes)
    for index in 0..<arena.count {
      let record = arena.record(at: index)
      longestRecord = max(longestRecord, record.key.count + record.payload.count + RunWriter.headerBytesMax)
      try writer.write(record)
    }
    try writer.flush()
    runs.append(start..<target.size)
    arena.removeAll()
  }

  /// Bytes of read buffer that a run gets at least.
  private var readBytes: Int { max(longestRecord, min(Self.readBufferBytes, memoryBytes / 32)) }
  private var mergeBytes: Int { memoryBytes - bufferBytes }
  private var fanIn: Int { min(Self.runsMax, max(2, mergeBytes / (readBytes + RunMerge.bookkeepingBytes))) }

  /// Merges neighbouring runs into a new file.
  private func mergeRound() throws(StorageError) {
    guard let source = file else { return }
    let target = try RunFile(folder: temporaryFolder)
    var merged: [Range<Int64>] = []
    var first = 0
    while first < runs.count {
      let group = Array(runs[first..<min(first + fanIn, runs.count)])
      let merge = RunMerge(file: source, runs: group, memoryBytes: mergeBytes, perRun: readBytes)
      var writer = RunWriter(file: target, bufferBytes: bufferBytes)
      let start = target.size
      while let record = try merge.next() { try writer.write(record) }
      try writer.flush()
      merged.append(start..<target.size)
      first += group.count
    }
    file = target
    runs = merged
    roundCount += 1
  }
}

/// One record of a sort; valid until the next one is asked for.
public struct SortedRecord {
  public let key: UnsafeRawBufferPointer
  public let payload: UnsafeRawBufferPointer

  static var empty: SortedRecord {
    SortedRecord(
      key: UnsafeRawBufferPointer(start: nil, count: 0), payload: UnsafeRawBufferPointer(start: nil, count: 0)
    )
  }
}

/// The records of a sort, in order; owns the memory and the temporary file until it goes away.
public final class SortedRecords {
  // Neither is optional: an optional object costs a retain and a release for each record.
  private let arena: RecordArena
  private let merge: RunMerge
  private let isMerged: Bool
  private var index = 0

  init(arena: RecordArena) {
    self.arena = arena
    merge = RunMerge(file: nil, runs: [], memoryBytes: 0, perRun: 0)
    isMerged = false
  }

  init(merge: RunMerge) {
    self.merge = merge
    arena = RecordArena(capacity: 0)
    isMerged = true
  }

  /// The next record, or nil at the end. Its bytes are valid until the next call.
  public func next() throws(StorageError) -> SortedRecord? {
    if isMerged { return try merge.next() }
    guard index < arena.count else { return nil }
    index += 1
    return arena.record(at: index - 1)
  }

  /// Calls `body` with the next record; false at the end.
  public func next(
    _ body: (_ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer) -> Void
  ) throws(StorageError) -> Bool {
    guard let record = try next() else { return false }
    body(record.key, record.payload)
    return true
  }
}
