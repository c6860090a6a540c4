import Bytes
import Storage

/// Phase 3: candidate pairs become clusters, and clusters become decisions.
///
/// Each pair is verified by the true Jaccard similarity of its shingle sets; those at or above the threshold are the edges of
/// a graph, whose connected components are the clusters. One document of each survives. Exact copies go where their
/// representative goes.
///
/// Memory: 4 bytes for each candidate, 4 more for the size of its cluster, 4 more unless the first document is kept;
/// everything else streams. Outputs: `index.bin`, one `unit-NNNNN.dec` for each unit, `counters.json`.
public struct ClusterPhase {
  /// What the phase made.
  public struct Result: Sendable {
    public var counters: PhaseCounters
    public var files: [FileSummary]
  }

  private let options: DeduplicationOptions
  private let bucketFolder: String
  private let folder: String
  private let ordinals: DocumentOrdinals
  private let store: CandidateStore
  private var counters = PhaseCounters()
  private var files: [FileSummary]
  private let components: Components
  /// At the position of a component's root: its number of documents, and its survivor.
  private let sizes: WordTable
  private let survivors: WordTable?

  /// - Parameters:
  ///   - bucketFolder: where the bucket phase wrote.
  ///   - candidateFiles: one for each unit, in order.
  ///   - folder: of the phase's outputs; they are written over.
  /// - Throws: input errors for damaged files, `.usage` if the tables do not fit the memory, output errors, `.interrupted`.
  public static func run(
    bucketFolder: String, candidateFiles: [String], options: DeduplicationOptions, folder: String
  ) throws(StorageError) -> Result {
    var phase = try ClusterPhase(bucketFolder, candidateFiles, options, folder)
    return try phase.run()
  }

  private init(
    _ bucketFolder: String, _ candidateFiles: [String], _ options: DeduplicationOptions, _ folder: String
  ) throws(StorageError) {
    self.options = options
    self.bucketFolder = bucketFolder
    self.folder = folder
    ordinals = try DocumentOrdinals(bucketFolder: bucketFolder)
    guard candidateFiles.count == ordinals.unitCount else {
      throw .bug("\(candidateFiles.count) candidate files for \(ordinals.unitCount) units")
    }
    let listed = try FileSystem.size(of: Path.join(bucketFolder, BucketPhase.candidatesFile)) / 8
    let tableBytes = Int(listed) * (options.keep == .first ? 8 : 12)
    guard tableBytes <= options.memoryBytes - DeduplicationOptions.fixedBytes || tableBytes < 1 << 20 else {
      let needed = (tableBytes + DeduplicationOptions.fixedBytes) >> 20 + 1
      throw .usage(
        "\(listed) documents have a likely copy: their clusters need \(needed) MiB of memory. Raise --memory."
      )
    }
    let (store, summary) = try CandidateStore.index(
      candidateFiles, bucketFolder: bucketFolder, folder: folder)
    self.store = store
    files = [summary]
    components = Components(count: store.count)
    sizes = WordTable(count: store.count)
    survivors = options.keep == .first ? nil : WordTable(count: store.count)
    decisionBytes = max(64 << 10, options.memoryBytes - DeduplicationOptions.fixedBytes - tableBytes)
  }

  private let decisionBytes: Int

  private mutating func run() throws(StorageError) -> Result {
    try joinPairs()
    try countMembers()
    try chooseSurvivors()
    let decisions = ExternalSorter(memoryBytes: decisionBytes, temporaryFolder: options.temporaryFolder)
    try decide(decisions)
    try write(decisions)
    files.append(try OutputFile.write(counters.serialized, folder: folder, name: PhaseCounters.fileName))
    return Result(counters: counters, files: files)
  }

  /// Verifies the pairs, in the order of their lower documents, and joins what is similar.
  private mutating func joinPairs() throws(StorageError) {
    let pairs = try RecordFile(Path.join(bucketFolder, BucketPhase.pairsFile))
    let low = CandidateSlot(store)
    let high = CandidateSlot(store)
    var verified = 0
    var seen = 0
    while let pair = try pairs.next(16) {
      let (a, b) = (pair.word(0), pair.word(8))
      guard a < UInt64(store.count), b < UInt64(store.count) else { throw pairs.damaged() }
      seen += 1
      if seen & 0xFFF == 0 { try Interruption.check() }
      try low.load(Int(a))
      try high.load(Int(b))
      if try similarity(low, high, atLeast: options.threshold) >= options.threshold {
        components.join(Int(a), Int(b))
        verified += 1
      }
    }
    counters["verified_pairs"] = verified
  }

  /// Jaccard similarity of two loaded candidates; 0 where the sizes alone show that it is less than `least`.
  private func similarity(_ a: CandidateSlot, _ b: CandidateSlot, atLeast least: Double) throws(StorageError)
    -> Double
  {
    let (first, second) = (a.head.shingleCount, b.head.shingleCount)
    // The overlap is at most the smaller set, the union at least the larger one.
    guard Double(min(first, second)) / Double(max(first, second)) >= least else { return 0 }
    return ShingleOverlap.jaccard(common: try a.overlap(with: b), first, second)
  }

  /// Counts the documents of each component, exact copies included.
  private func countMembers() throws(StorageError) {
    for position in 0..<store.count { sizes.increment(components.root(position)) }
    let copies = try RecordFile(Path.join(bucketFolder, BucketPhase.copiesFile))
    var positions = try CandidatePositions(folder: bucketFolder)
    while let copy = try copies.next(16) {
      let position = try positions.position(of: copy.word(0))
      guard position < UInt64(store.count) else { throw copies.damaged() }
      sizes.increment(components.root(Int(position)))
    }
  }

  /// Finds the survivor of each component where it is not the first document.
  private func chooseSurvivors() throws(StorageError) {
    guard let survivors else { return }
    for position in 0..<store.count { survivors[position] = UInt32(truncatingIfNeeded: position) }
    let rows = try store.rows()
    var position = 0
    while let bytes = try rows.next(CandidateStore.rowBytes) {
      let row = CandidateStore.Row(bytes)
      let root = components.root(position)
      // Rows come in the order of the input: a later one must be strictly better.
      if root != position {
        let best = try store.row(Int(survivors[root]))
        let isBetter =
          options.keep == .longest ? row.textLength > best.textLength : row.created > best.created
        if isBetter { survivors[root] = UInt32(truncatingIfNeeded: position) }
      }
      position += 1
    }
  }

  /// Decides on each candidate of a cluster and on its exact copies.
  private mutating func decide(_ decisions: ExternalSorter) throws(StorageError) {
    let copies = try RecordFile(Path.join(bucketFolder, BucketPhase.copiesFile))
    var copy = try copies.next(16).map { ($0.word(0), $0.word(8)) }
    let rows = try store.rows()
    let member = CandidateSlot(store)
    let survivor = CandidateSlot(store)
    var emit = DecisionSink(decisions)
    var clusters = 0
    var position = -1
    while let bytes = try rows.next(CandidateStore.rowBytes) {
      position += 1
      if position & 0xFFF == 0 { try Interruption.check() }
      let ordinal = CandidateStore.Row(bytes).ordinal
      let root = components.root(position)
      let size = sizes[root]
      guard size > 1 else { continue }
      let chosen = survivors.map { Int($0[root]) } ?? root
      try survivor.load(chosen)
      var value = 1.0
      if chosen == position {
        clusters += 1
        try emit.add(ordinal, .survive(size: UInt64(size)), id: nil)
      } else {
        try member.load(position)
        value = try similarity(member, survivor, atLeast: 0)
        // Long sets were read through; the id stands in the first block.
        try survivor.load(chosen)
        try emit.add(ordinal, .drop(isExact: false, similarity: value), id: survivor.id)
      }
      while let (representative, other) = copy, representative == ordinal {
        let decision = Decision.drop(isExact: chosen == position, similarity: value)
        try emit.add(other, decision, id: survivor.id)
        copy = try copies.next(16).map { ($0.word(0), $0.word(8)) }
      }
    }
    counters["clusters"] = clusters
    counters["dropped_exact"] = emit.exactCount
    counters["dropped_minhash"] = emit.nearCount
  }

  /// Writes the sorted decisions into one file for each unit.
  private mutating func write(_ decisions: ExternalSorter) throws(StorageError) {
    let sorted = try decisions.sorted()
    var record = try sorted.next()
    for unit in 0..<ordinals.unitCount {
      let end = ordinals.ordinals(unit: unit).upperBound
      var writer = try DecisionWriter(folder: folder, unit: unit)
      while let current = record {
        let ordinal = UInt64(bigEndian: current.key.loadUnaligned(as: UInt64.self))
        if ordinal >= end { break }
        try writer.write(
          ordinal: ordinal, kind: current.payload.word(0), value: current.payload.word(8),
          id: UnsafeRawBufferPointer(rebasing: current.payload[16...]))
        record = try sorted.next()
      }
      files.append(try writer.commit())
      try Interruption.check()
    }
    if record != nil {
      throw .input(
        path: Path.join(bucketFolder, BucketPhase.copiesFile), reason: "is damaged. Run with --restart.")
    }
  }
}

/// Sends decisions to the sort by ordinal.
private struct DecisionSink {
  private let sorter: ExternalSorter
  private var payload: [UInt8] = []
  private(set) var exactCount = 0
  private(set) var nearCount = 0

  init(_ sorter: ExternalSorter) { self.sorter = sorter }

  mutating func add(_ ordinal: UInt64, _ decision: Decision, id: UnsafeRawBufferPointer?) throws(StorageError)
  {
    if case .drop(let isExact, _) = decision { if isExact { exactCount += 1 } else { nearCount += 1 } }
    let (kind, value) = DecisionFile.code(decision, idLength: id?.count ?? 0)
    payload.removeAll(keepingCapacity: true)
    payload.append(word: ordinal.byteSwapped)
    payload.append(word: kind)
    payload.append(word: value)
    if let id { payload.append(contentsOf: id) }
    var failure: StorageError?
    payload.withUnsafeBytes { bytes in
      do throws(StorageError) {
        try sorter.add(
          key: UnsafeRawBufferPointer(rebasing: bytes[..<8]),
          payload: UnsafeRawBufferPointer(rebasing: bytes[8...]))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}

/// A fixed table of 32-bit numbers, zeros at first.
final class WordTable {
  private let words: UnsafeMutablePointer<UInt32>
  private let count: Int

  init(count: Int) {
    self.count = count
    words = .allocate(capacity: max(1, count))
    words.initialize(repeating: 0, count: max(1, count))
  }

  deinit { words.deallocate() }

  /// Adds one; the largest number stays as it is.
  func increment(_ index: Int) {
    if self[index] < .max { self[index] += 1 }
  }

  subscript(index: Int) -> UInt32 {
    get {
      precondition(index >= 0 && index < count)
      return words[index]
    }
    set {
      precondition(index >= 0 && index < count)
      words[index] = newValue
    }
  }
}
