import Storage

/// The candidate files of all units, read at any place.
///
/// `index.bin` holds a row for each candidate, in the order of `candidates.bin` (u64, little-endian): ordinal, created, length
/// of the text, unit, offset of the record in the unit's file.
final class CandidateStore {
  static let indexFile = "index.bin"
  static let rowBytes = 40
  /// Files that are open at the same time.
  private static let openMax = 64

  struct Row {
    var ordinal: UInt64
    var created: Int64
    var textLength: UInt64
    var unit: Int
    var offset: Int64

    init(_ bytes: UnsafeRawBufferPointer) {
      ordinal = bytes.word(0)
      created = Int64(bitPattern: bytes.word(8))
      textLength = bytes.word(16)
      unit = Int(truncatingIfNeeded: bytes.word(24))
      offset = Int64(truncatingIfNeeded: bytes.word(32))
    }
  }

  let count: Int
  private let paths: [String]
  private let index: RandomAccessFile
  private let indexPath: String
  private var open: [Int: RandomAccessFile] = [:]
  private let rowBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: rowBytes, alignment: 8)

  private init(_ paths: [String], indexPath: String) throws(StorageError) {
    self.paths = paths
    self.indexPath = indexPath
    index = try RandomAccessFile(indexPath)
    count = Int(index.size) / Self.rowBytes
  }

  deinit { rowBuffer.deallocate() }

  /// Scans the files once, compares them with `candidates.bin` and writes the index into `folder`.
  ///
  /// - Throws: an input error if a file is damaged or does not hold the listed candidates.
  static func index(
    _ paths: [String], bucketFolder: String, folder: String
  ) throws(StorageError) -> (CandidateStore, FileSummary) {
    let output = try RecordOutput(folder: folder, name: indexFile)
    let list = try RecordFile(Path.join(bucketFolder, BucketPhase.candidatesFile))
    for (unit, path) in paths.enumerated() {
      let file = try RecordFile(path, bufferBytes: 64 << 10)
      while true {
        let offset = file.place
        guard let bytes = try file.next(CandidateRecord.headBytes) else { break }
        guard let head = CandidateRecord.Head(bytes, limit: file.size),
          Int64(head.restBytes) <= file.size - file.place,
          let listed = try list.nextWord(), listed >> 1 == head.ordinal
        else { throw file.damaged() }
        try output.write(word: head.ordinal)
        try output.write(word: UInt64(bitPattern: head.created))
        try output.write(word: head.textLength)
        try output.write(word: UInt64(unit))
        try output.write(word: UInt64(offset))
        file.skip(Int64(head.restBytes))
      }
      try Interruption.check()
    }
    guard list.isAtEnd else { throw list.damaged() }
    let summary = try output.commit()
    return (try CandidateStore(paths, indexPath: Path.join(folder, indexFile)), summary)
  }

  /// All rows from the first to the last.
  func rows() throws(StorageError) -> RecordFile { try RecordFile(indexPath) }

  func row(_ position: Int) throws(StorageError) -> Row {
    let got = try index.read(at: Int64(position) * Int64(Self.rowBytes), into: rowBuffer)
    guard got == Self.rowBytes else { throw .bug("candidate \(position) has no row in the index") }
    return Row(UnsafeRawBufferPointer(rowBuffer))
  }

  func file(_ unit: Int) throws(StorageError) -> RandomAccessFile {
    if let file = open[unit] { return file }
    if open.count >= Self.openMax { open.removeAll(keepingCapacity: true) }
    let file = try RandomAccessFile(paths[unit])
    open[unit] = file
    return file
  }
}

/// One candidate being read: its head and id, and its shingles block by block.
final class CandidateSlot {
  /// Room for a head with the longest id, and for 6,000 shingles at least.
  static let bufferBytes = 64 << 10

  private let store: CandidateStore
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 8)
  private var file: RandomAccessFile?
  /// Position in the store of what is loaded, or -1.
  private(set) var position = -1
  private(set) var head: CandidateRecord.Head
  /// Offset in the file of the first shingle.
  private var shinglesOffset: Int64 = 0
  /// Index of the first shingle in the buffer, of the next one to be given, and of the end of the buffer.
  private var blockStart = 0
  private var blockEnd = 0
  private var blockOffset = 0

  init(_ store: CandidateStore) {
    self.store = store
    head = .none
  }

  deinit { buffer.deallocate() }

  /// Loads the candidate at `position` of the store, unless it is the one loaded.
  func load(_ position: Int) throws(StorageError) {
    if position == self.position, blockStart == 0 { return }
    self.position = -1
    let row = try store.row(position)
    let file = try store.file(row.unit)
    self.file = file
    let got = try file.read(at: row.offset, into: buffer)
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<got])
    guard got >= CandidateRecord.headBytes, let head = CandidateRecord.Head(bytes, limit: file.size),
      head.ordinal == row.ordinal, CandidateRecord.headBytes + head.idLength <= got
    else {
      throw .input(
        path: file.path, reason: "the candidate at byte \(row.offset) is damaged or its id too long")
    }
    self.head = head
    blockOffset = CandidateRecord.headBytes + head.idLength
    shinglesOffset = row.offset + Int64(blockOffset)
    blockStart = 0
    blockEnd = min(head.shingleCount, (got - blockOffset) / 8)
    self.position = position
  }

  /// The id; valid until the shingles go on beyond the first block.
  var id: UnsafeRawBufferPointer {
    let start = CandidateRecord.headBytes
    return UnsafeRawBufferPointer(rebasing: buffer[start..<start + head.idLength])
  }

  /// The block of shingles at hand (unaligned), valid until `nextBlock` or `load`.
  var block: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: buffer[blockOffset..<blockOffset + 8 * (blockEnd - blockStart)])
  }

  /// Goes to the next block; false if there is none.
  func nextBlock() throws(StorageError) -> Bool {
    guard blockEnd < head.shingleCount, let file else { return false }
    let count = min(head.shingleCount - blockEnd, Self.bufferBytes / 8)
    let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(8 * count)])
    let got = try file.read(at: shinglesOffset + 8 * Int64(blockEnd), into: target)
    guard got == 8 * count else { throw .input(path: file.path, reason: "a candidate is cut") }
    blockStart = blockEnd
    blockEnd += count
    blockOffset = 0
    return true
  }

  /// Number of shingles that both documents have. Both must be loaded; neither is afterwards, if it is a long one.
  func overlap(with other: CandidateSlot) throws(StorageError) -> Int {
    var common = 0
    var a = block
    var b = other.block
    while true {
      let (taken, skippedA, skippedB) = ShingleOverlap.count(a, b)
      common += taken
      a = UnsafeRawBufferPointer(rebasing: a[skippedA...])
      b = UnsafeRawBufferPointer(rebasing: b[skippedB...])
      if a.isEmpty {
        guard try nextBlock() else { return common }
        a = block
      }
      if b.isEmpty {
        guard try other.nextBlock() else { return common }
        b = other.block
      }
    }
  }
}

extension CandidateRecord.Head {
  static let none = CandidateRecord.Head()
  private init() {
    ordinal = 0
    created = Timestamp.unknown
    textLength = 0
    shingleCount = 0
    idLength = 0
  }
}

/// Sizes of intersections of sorted sets.
enum ShingleOverlap {
  /// Counts equal numbers of two ascending blocks (u64, unaligned) until one is used up. Also returns the bytes used of each.
  static func count(
    _ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer
  ) -> (common: Int, usedA: Int, usedB: Int) {
    var common = 0
    var i = 0
    var j = 0
    while i < a.count, j < b.count {
      let x = a.word(i)
      let y = b.word(j)
      common &+= x == y ? 1 : 0
      i &+= x <= y ? 8 : 0
      j &+= y <= x ? 8 : 0
    }
    return (common, i, j)
  }

  /// Jaccard similarity: shared over all; 0 for two empty sets.
  static func jaccard(common: Int, _ a: Int, _ b: Int) -> Double {
    let all = a + b - common
    return all == 0 ? 0 : Double(common) / Double(all)
  }
}
