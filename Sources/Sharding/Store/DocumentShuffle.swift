import Bytes
import Storage

/// The documents of one split on their way to their places: the keyed permutation of a document's number, in the order in
/// which they come, is its place.
struct DocumentShuffle {
  private let sorter: RankedSorter
  private let permutation: KeyedPermutation
  private var count = 0

  /// - Parameters:
  ///   - documents: at least one.
  ///   - expectedBytes: of tokens and origin lines, as far as is known.
  init(
    documents: Int, expectedBytes: Int64, seed: Int, memoryBytes: Int, temporaryFolder: String
  ) throws(StorageError) {
    permutation = KeyedPermutation(
      count: UInt64(documents), seed: UInt64(seed), epoch: 0, stream: OrderKey.documents)
    sorter = try RankedSorter(
      count: documents, expectedBytes: expectedBytes + Int64(EncodedRecord.headerBytes * documents),
      memoryBytes: memoryBytes, temporaryFolder: temporaryFolder)
  }

  /// Adds the next document.
  ///
  /// - Parameter body: the origin line and the tokens as stored, in one piece or two.
  mutating func add(
    _ record: EncodedRecord, _ body: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer = .empty
  ) throws(StorageError) {
    let rank = Int(permutation.map(UInt64(count)))
    count += 1
    try withRawBytes(of: record.words) { (header) throws(StorageError) in
      try sorter.add(rank: rank, header, body, tail)
    }
  }

  /// Writes all documents by their places.
  func write(to writer: SegmentWriter, _ tick: () throws(StorageError) -> Void) throws(StorageError) {
    var done = 0
    try sorter.forEach { (payload) throws(StorageError) in
      let record = EncodedRecord(payload)
      let line = EncodedRecord.headerBytes..<EncodedRecord.headerBytes + Int(record.originBytes)
      try writer.add(
        record.stored, originLine: UnsafeRawBufferPointer(rebasing: payload[line]),
        tokens: UnsafeRawBufferPointer(rebasing: payload[line.upperBound...]))
      done += 1
      if done % 1024 == 0 { try tick() }
    }
  }
}
