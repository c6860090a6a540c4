import Storage

/// What becomes of a document that has copies.
enum Decision {
  /// Dropped as a copy of the survivor; `similarity` is their true Jaccard similarity (1 for equal texts).
  case drop(isExact: Bool, similarity: Double)
  /// Stays for a cluster of `size` documents, itself among them.
  case survive(size: UInt64)
}

/// The decisions of one unit, sorted by ordinal; documents without a copy have none.
///
/// Shape: records of three numbers (u64, little-endian): ordinal; kind (0 exact, 1 minhash, 2 survivor) in the low byte and
/// the length of the peer's id above it; similarity (bits of a double) or size of the cluster. The peer's id follows.
/// Behind the last record an index: for every 64th record its ordinal and offset; then offset and entries of the index.
enum DecisionFile {
  static let headBytes = 24
  static let stride = 64
  static let kindSurvivor: UInt64 = 2

  static func name(unit: Int) -> String { "unit-\(Path.padded(unit, digits: 5)).dec" }

  static func code(_ decision: Decision, idLength: Int) -> (UInt64, UInt64) {
    switch decision {
    case .drop(let isExact, let similarity):
      (UInt64(idLength) << 8 | (isExact ? 0 : 1), similarity.bitPattern)
    case .survive(let size): (UInt64(idLength) << 8 | kindSurvivor, size)
    }
  }

  static func decode(_ kind: UInt64, _ value: UInt64) -> Decision {
    kind & 0xFF == kindSurvivor
      ? .survive(size: value) : .drop(isExact: kind & 0xFF == 0, similarity: Double(bitPattern: value))
  }
}

/// Writes the decisions of one unit.
struct DecisionWriter {
  private let output: RecordOutput
  private var index: [(ordinal: UInt64, offset: UInt64)] = []
  private var count = 0

  init(folder: String, unit: Int) throws(StorageError) {
    output = try RecordOutput(folder: folder, name: DecisionFile.name(unit: unit))
  }

  mutating func write(ordinal: UInt64, kind: UInt64, value: UInt64, id: UnsafeRawBufferPointer)
    throws(StorageError)
  {
    if count % DecisionFile.stride == 0 { index.append((ordinal, output.byteCount)) }
    count += 1
    try output.write(word: ordinal)
    try output.write(word: kind)
    try output.write(word: value)
    try output.write(id)
  }

  func commit() throws(StorageError) -> FileSummary {
    let offset = output.byteCount
    for entry in index { try output.write(pair: entry.ordinal, entry.offset) }
    try output.write(pair: offset, UInt64(index.count))
    return try output.commit()
  }
}

/// Reads the decisions of one unit for ranges of documents.
final class DecisionReader {
  private let path: String
  private var index: [(ordinal: UInt64, offset: UInt64)] = []
  private let recordsEnd: Int64

  init(folder: String, unit: Int) throws(StorageError) {
    path = Path.join(folder, DecisionFile.name(unit: unit))
    let file = try RandomAccessFile(path)
    let tail = try file.read(at: max(0, file.size - 16), count: 16)
    var (offset, count): (UInt64, UInt64) = (0, 0)
    if tail.count == 16 { tail.withUnsafeBytes { (offset, count) = ($0.word(0), $0.word(8)) } }
    guard tail.count == 16, offset <= UInt64(file.size), count <= UInt64(file.size) / 16,
      offset + count * 16 + 16 == UInt64(file.size)
    else { throw .input(path: path, reason: "is damaged or cut. Run with --restart.") }
    recordsEnd = Int64(offset)
    let entries = try file.read(at: recordsEnd, count: Int(count) * 16)
    entries.withUnsafeBytes { bytes in
      for entry in 0..<Int(count) { index.append((bytes.word(16 * entry), bytes.word(16 * entry + 8))) }
    }
  }

  /// Calls `body` for the decisions on the documents of `range`, in order. The id is valid during the call.
  func forEach(
    in range: Range<UInt64>,
    _ body: (_ ordinal: UInt64, _ decision: Decision, _ id: UnsafeRawBufferPointer) throws(StorageError) ->
      Void
  ) throws(StorageError) {
    guard let start = block(holding: range.lowerBound), !range.isEmpty else { return }
    guard start <= UInt64(recordsEnd) else {
      throw .input(path: path, reason: "is damaged. Run with --restart.")
    }
    let file = try RecordFile(path, from: Int64(start), bufferBytes: 64 << 10)
    while file.place < recordsEnd, let head = try file.next(DecisionFile.headBytes) {
      let (ordinal, kind, value) = (head.word(0), head.word(8), head.word(16))
      if ordinal >= range.upperBound { return }
      guard kind >> 8 <= UInt64(CandidateRecord.idBytesMax), let id = try file.next(Int(kind >> 8)) else {
        throw file.damaged()
      }
      if ordinal >= range.lowerBound { try body(ordinal, DecisionFile.decode(kind, value), id) }
    }
  }

  /// Offset of the last indexed record that is not behind `ordinal`, else of the first.
  private func block(holding ordinal: UInt64) -> UInt64? {
    var low = 0
    var high = index.count
    while low < high {
      let middle = (low + high) / 2
      if index[middle].ordinal <= ordinal { low = middle + 1 } else { high = middle }
    }
    return index.isEmpty ? nil : index[max(0, low - 1)].offset
  }
}
