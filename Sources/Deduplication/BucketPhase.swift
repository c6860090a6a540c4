import Bytes
import Storage

/// Phase 2: signatures of all units become groups of equal texts, pairs of likely near copies, and the list of documents
/// that the next pass has to look at.
///
/// Everything is a sort on disk; nothing is held for each document. What is written into the folder:
///
/// | file | content (u64, little-endian) |
/// |---|---|
/// | `ordinals.bin` | see `DocumentOrdinals` |
/// | `copies.bin` | representative, copy: of each group of equal texts, sorted |
/// | `candidates.bin` | ordinal · 2, plus 1 where shingles are needed: documents of pairs, and representatives; sorted |
/// | `pairs.bin` | positions of two documents in `candidates.bin`, the lower first; sorted, each pair once |
/// | `counters.json` | counts for the report |
///
/// A copy takes no further part: its representative, which has the same text, stands for it. The members of a bucket are
/// compared with the first and with the one before, so a bucket of n gives less than 2n pairs.
public struct BucketPhase {
  static let copiesFile = "copies.bin"
  static let candidatesFile = "candidates.bin"
  static let pairsFile = "pairs.bin"
  private static let spoolFile = "pairs-by-ordinal.bin"

  /// What the phase made.
  public struct Result: Sendable {
    public var ordinals: DocumentOrdinals
    /// Documents that the candidate pass must look at; if none, it may be left out.
    public var candidateCount: Int64
    public var counters: PhaseCounters
    public var files: [FileSummary]
  }

  private let options: DeduplicationOptions
  private let folder: String
  private var counters = PhaseCounters()
  private var files: [FileSummary] = []

  /// - Parameters:
  ///   - signatureFiles: one for each unit, in order.
  ///   - folder: of the phase's outputs; they are written over.
  /// - Throws: input errors for damaged signature files, output errors, `.interrupted`.
  public static func run(
    signatureFiles: [String], options: DeduplicationOptions, folder: String
  ) throws(StorageError) -> Result {
    var phase = BucketPhase(options: options, folder: folder)
    return try phase.run(signatureFiles)
  }

  private init(options: DeduplicationOptions, folder: String) {
    self.options = options
    self.folder = folder
  }

  private func sorter(keyWords: Int) -> WordSorter {
    WordSorter(keyWords: keyWords, memoryBytes: options.sortBytes, temporaryFolder: options.temporaryFolder)
  }

  private mutating func run(_ signatureFiles: [String]) throws(StorageError) -> Result {
    let ordinals = try findCopies(signatureFiles)
    try write(DocumentOrdinals.fileName, ordinals.serialized)
    let candidates = sorter(keyWords: 1)
    try addRepresentatives(to: candidates)
    try findPairs(signatureFiles, candidates)
    let candidateCount = try writeCandidates(candidates)
    guard candidateCount <= Int64(UInt32.max) else {
      throw .usage(
        "\(candidateCount) documents have a likely copy; at most \(UInt32.max) can be handled in one run.")
    }
    try writePairs()
    counters["documents"] = Int(ordinals.documentCount)
    counters["candidate_documents"] = Int(candidateCount)
    try write(PhaseCounters.fileName, counters.serialized)
    return Result(ordinals: ordinals, candidateCount: candidateCount, counters: counters, files: files)
  }

  private mutating func write(_ name: String, _ bytes: [UInt8]) throws(StorageError) {
    files.append(try OutputFile.write(bytes, folder: folder, name: name))
  }

  /// Writes `copies.bin`: sorts by hash, takes the first of each group as its representative.
  private mutating func findCopies(_ paths: [String]) throws(StorageError) -> DocumentOrdinals {
    let isByDate = options.keep == .newest
    let byHash = sorter(keyWords: isByDate ? 3 : 2)
    let signatures = SignatureFiles(paths, method: options.method)
    while let (ordinal, record) = try signatures.next() {
      guard options.method.findsExact else { continue }
      // Latest first: the order of dates, turned round. The longest of equal texts is the first one.
      let date = ~(record.word(16) ^ 1 << 63)
      if isByDate {
        try byHash.add(record.word(0), record.word(8), date, ordinal)
      } else {
        try byHash.add(record.word(0), record.word(8), ordinal)
      }
    }
    let byRepresentative = sorter(keyWords: 2)
    let hashes = try byHash.sorted()
    var hash: (UInt64, UInt64)?
    var representative: UInt64 = 0
    while try hashes.next() {
      let ordinal = isByDate ? hashes.words.3 : hashes.words.2
      if let hash, hash == (hashes.words.0, hashes.words.1) {
        try byRepresentative.add(representative, ordinal)
      } else {
        hash = (hashes.words.0, hashes.words.1)
        representative = ordinal
      }
    }
    let output = try RecordOutput(folder: folder, name: Self.copiesFile)
    var count = 0
    let found = try byRepresentative.sorted()
    while try found.next() {
      try output.write(pair: found.words.0, found.words.1)
      count += 1
    }
    files.append(try output.commit())
    counters["exact_copies"] = count
    return signatures.ordinals
  }

  /// Adds each representative once, as a candidate that needs no shingles.
  private func addRepresentatives(to candidates: WordSorter) throws(StorageError) {
    let copies = try RecordFile(Path.join(folder, Self.copiesFile))
    var last: UInt64?
    while let record = try copies.next(16) {
      let representative = record.word(0)
      if representative != last { try candidates.add(representative << 1) }
      last = representative
    }
  }

  /// Sorts the bucket keys of all documents but copies and spools the pairs found, by ordinal and each once: they are needed
  /// again when all candidates are known.
  private mutating func findPairs(_ paths: [String], _ candidates: WordSorter) throws(StorageError) {
    let spool = try RecordOutput(folder: folder, name: Self.spoolFile)
    var count = 0
    if options.method.findsNear {
      let byPair = sorter(keyWords: 2)
      try collectPairs(try bucketKeys(paths).sorted(), into: byPair)
      let pairs = try byPair.sorted()
      var last: (UInt64, UInt64)?
      while try pairs.next() {
        let pair = (pairs.words.0, pairs.words.1)
        if let last, last == pair { continue }
        last = pair
        try spool.write(pair: pair.0, pair.1)
        count += 1
        try candidates.add(pair.0 << 1 | 1)
        try candidates.add(pair.1 << 1 | 1)
      }
    }
    _ = try spool.commit()
    counters["candidate_pairs"] = count
  }

  /// All (bucket key, ordinal) of documents with a signature that are no copies.
  private func bucketKeys(_ paths: [String]) throws(StorageError) -> WordSorter {
    let byOrdinal = sorter(keyWords: 1)
    let copies = try RecordFile(Path.join(folder, Self.copiesFile))
    while let record = try copies.next(16) { try byOrdinal.add(record.word(8)) }
    let sortedCopies = try byOrdinal.sorted()
    var nextCopy = try sortedCopies.next() ? sortedCopies.words.0 : UInt64.max
    let byKey = sorter(keyWords: 1)
    let signatures = SignatureFiles(paths, method: options.method)
    while let (ordinal, record) = try signatures.next() {
      if ordinal == nextCopy {
        nextCopy = try sortedCopies.next() ? sortedCopies.words.0 : UInt64.max
        continue
      }
      guard record.word(24) & SignatureRecord.signatureFlag != 0 else { continue }
      for bucket in 0..<MinHash.bucketCount {
        try byKey.add(record.word(SignatureRecord.headBytes + 8 * bucket), ordinal)
      }
    }
    return byKey
  }

  private func collectPairs(_ byKey: SortedWords, into byPair: WordSorter) throws(StorageError) {
    var key: UInt64?
    var first: UInt64 = 0
    var previous: UInt64 = 0
    var count = 0
    while try byKey.next() {
      count += 1
      if count & 0xFFFFF == 0 { try Interruption.check() }
      let ordinal = byKey.words.1
      if byKey.words.0 == key {
        if ordinal == previous { continue }
        try byPair.add(first, ordinal)
        if previous != first { try byPair.add(previous, ordinal) }
      } else {
        key = byKey.words.0
        first = ordinal
      }
      previous = ordinal
    }
  }

  /// Writes `candidates.bin`; returns the number of documents in it.
  private mutating func writeCandidates(_ candidates: WordSorter) throws(StorageError) -> Int64 {
    let output = try RecordOutput(folder: folder, name: Self.candidatesFile)
    var last: UInt64?
    var count: Int64 = 0
    // Sorted by ordinal · 2 + flag: the last of an ordinal holds its flag.
    let sorted = try candidates.sorted()
    while try sorted.next() {
      let entry = sorted.words.0
      if let last, last >> 1 != entry >> 1 {
        try output.write(word: last)
        count += 1
      }
      last = entry
    }
    if let last {
      try output.write(word: last)
      count += 1
    }
    files.append(try output.commit())
    return count
  }

  /// Writes `pairs.bin`: replaces ordinals by positions in `candidates.bin`, first the lower ones (as the spool is sorted),
  /// then the higher ones, and sorts back.
  private mutating func writePairs() throws(StorageError) {
    let byHigh = sorter(keyWords: 2)
    let pairs = try RecordFile(Path.join(folder, Self.spoolFile))
    var positions = try CandidatePositions(folder: folder)
    while let pair = try pairs.next(16) {
      let (low, high) = (pair.word(0), pair.word(8))
      try byHigh.add(high, try positions.position(of: low))
    }
    let byLow = sorter(keyWords: 2)
    positions = try CandidatePositions(folder: folder)
    let high = try byHigh.sorted()
    while try high.next() {
      let (high, low) = (high.words.0, high.words.1)
      try byLow.add(low, try positions.position(of: high))
    }
    let output = try RecordOutput(folder: folder, name: Self.pairsFile)
    let low = try byLow.sorted()
    while try low.next() { try output.write(pair: low.words.0, low.words.1) }
    files.append(try output.commit())
    try FileSystem.removeFile(Path.join(folder, Self.spoolFile))
  }
}

/// Positions in `candidates.bin` of ordinals that are asked for in ascending order.
struct CandidatePositions {
  private let file: RecordFile
  private var ordinal: UInt64?
  private var position: UInt64 = 0

  init(folder: String) throws(StorageError) {
    file = try RecordFile(Path.join(folder, BucketPhase.candidatesFile))
  }

  mutating func position(of wanted: UInt64) throws(StorageError) -> UInt64 {
    while true {
      if let ordinal {
        if ordinal == wanted { return position }
        position += 1
      }
      guard let entry = try file.nextWord(), entry >> 1 <= wanted else { throw file.damaged() }
      ordinal = entry >> 1
    }
  }
}
