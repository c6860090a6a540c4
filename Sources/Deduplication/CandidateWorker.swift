import Bytes
import Documents
import Storage

/// A candidate as the candidate files hold it.
///
/// Shape: a head of five numbers (u64, little-endian): ordinal, `created` in seconds (signed), length of the text in bytes,
/// number of shingles, length of the id in bytes; then the id, then the distinct shingle hashes (u64), ascending.
enum CandidateRecord {
  static let headBytes = 40
  /// Longer ids are cut here.
  static let idBytesMax = 16 << 10

  struct Head {
    var ordinal: UInt64
    var created: Int64
    var textLength: UInt64
    var shingleCount: Int
    var idLength: Int

    /// Nil if the numbers cannot be those of a record that lies in a file of `limit` bytes.
    init?(_ bytes: UnsafeRawBufferPointer, limit: Int64) {
      ordinal = bytes.word(0)
      created = Int64(bitPattern: bytes.word(8))
      textLength = bytes.word(16)
      guard bytes.word(24) <= UInt64(limit) / 8, bytes.word(32) <= UInt64(limit) else { return nil }
      shingleCount = Int(bytes.word(24))
      idLength = Int(bytes.word(32))
    }

    /// Bytes of the record behind its head.
    var restBytes: Int { idLength + 8 * shingleCount }
  }
}

/// The pass over the documents between the phases 2 and 3, one per worker thread: shingles and facts of the candidates.
public final class CandidateWorker {
  private let ordinals: DocumentOrdinals
  private let list: RandomAccessFile
  private var shingler = Shingler()
  private var hashes: [UInt64] = []

  /// - Parameter folder: of the bucket phase.
  public init(bucketFolder folder: String) throws(StorageError) {
    ordinals = try DocumentOrdinals(bucketFolder: folder)
    list = try RandomAccessFile(Path.join(folder, BucketPhase.candidatesFile))
  }

  /// Appends the candidates among the documents of one chunk. What all chunks of a unit give, in order, is its candidate
  /// file.
  ///
  /// - Throws: an input error if the chunk has not the documents that it had in phase 1.
  public func append(
    _ batch: borrowing DocumentBatch, unit: Int, chunk: Int, to output: inout [UInt8]
  ) throws(StorageError) {
    let range = try ordinals.checked(unit: unit, chunk: chunk, count: batch.count)
    var index = try firstIndex(notBelow: range.lowerBound << 1)
    while let value = try entry(index), range.contains(value >> 1) {
      let place = Int(value >> 1 - range.lowerBound)
      append(batch, place, ordinal: value >> 1, needsShingles: value & 1 == 1, to: &output)
      index += 1
    }
  }

  private func append(
    _ batch: borrowing DocumentBatch, _ index: Int, ordinal: UInt64, needsShingles: Bool,
    to output: inout [UInt8]
  ) {
    let entry = batch.entries[index]
    hashes.removeAll(keepingCapacity: true)
    if needsShingles {
      shingler.begin(batch.bytes.span.extracting(entry.text))
      while shingler.next(into: &hashes) {}
      hashes.sort()
      hashes.removeNeighbouringCopies()
    }
    output.append(word: ordinal)
    output.append(word: UInt64(bitPattern: Timestamp.seconds(batch.bytes.span.extracting(entry.created))))
    output.append(word: UInt64(entry.text.count))
    output.append(word: UInt64(hashes.count))
    // An id of any length must not break the fixed buffers behind; as a peer its beginning is enough.
    let id = entry.id.prefix(CandidateRecord.idBytesMax)
    output.append(word: UInt64(id.count))
    output.append(batch.bytes.span.extracting(id))
    for hash in hashes { output.append(word: hash) }
  }

  private func entry(_ index: Int64) throws(StorageError) -> UInt64? {
    var value: UInt64 = 0
    var failure: StorageError?
    var count = 0
    withUnsafeMutableBytes(of: &value) { bytes in
      do throws(StorageError) { count = try list.read(at: index * 8, into: bytes) } catch { failure = error }
    }
    if let failure { throw failure }
    return count == 8 ? UInt64(littleEndian: value) : nil
  }

  /// Binary search in the sorted list on disk.
  private func firstIndex(notBelow wanted: UInt64) throws(StorageError) -> Int64 {
    var low: Int64 = 0
    var high = list.size / 8
    while low < high {
      let middle = (low + high) / 2
      if let value = try entry(middle), value < wanted { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension DocumentOrdinals {
  /// Ordinals of a chunk's documents.
  ///
  /// - Throws: an input error if the chunk has not `count` documents.
  func checked(unit: Int, chunk: Int, count: Int) throws(StorageError) -> Range<UInt64> {
    guard let range = ordinals(unit: unit, chunk: chunk), range.upperBound - range.lowerBound == UInt64(count)
    else {
      throw .input(
        path: "unit \(unit), chunk \(chunk)",
        reason:
          "\(count) documents, but another number when the signatures were made. The input has changed: run with "
          + "--restart.")
    }
    return range
  }
}

extension Array where Element == UInt64 {
  /// Removes all but one of equal neighbours.
  mutating func removeNeighbouringCopies() {
    guard count > 1 else { return }
    var kept = 1
    for index in 1..<count where self[index] != self[kept - 1] {
      self[kept] = self[index]
      kept += 1
    }
    removeLast(count - kept)
  }
}
