import Bytes
import Documents
import Storage

/// Signatures of documents, as phase 1 writes them and phase 2 reads them.
///
/// Shape of a file: one block for each chunk of the unit, in order: the number of its documents (u64), then their records.
/// A record is 144 bytes, little-endian: XXH64 of the text with seeds 0 and 1, `created` in seconds (signed), length of
/// the text in bytes with the top bit set where there is a signature, and fourteen bucket keys. Without MinHash the keys
/// are left out: 32 bytes.
enum SignatureRecord {
  static let headBytes = 32
  static let signatureFlag: UInt64 = 1 << 63

  static func bytes(_ method: DeduplicationOptions.Method) -> Int {
    method.findsNear ? headBytes + MinHash.bucketCount * 8 : headBytes
  }
}

/// Phase 1, one per worker thread: a chunk of documents becomes a block of signatures.
public final class SignatureWorker {
  private let method: DeduplicationOptions.Method
  private var shingler = Shingler()
  private var minHash = MinHash()
  private var hashes: [UInt64] = []

  public init(_ options: DeduplicationOptions) { method = options.method }

  /// Appends the block of one chunk. Every chunk of a unit needs its block, also one without documents; the blocks of a
  /// unit, in order, are its signature file.
  public func append(_ batch: borrowing DocumentBatch, to output: inout [UInt8]) {
    output.reserveCapacity(output.count + 8 + batch.count * SignatureRecord.bytes(method))
    output.append(word: UInt64(batch.count))
    for entry in batch.entries {
      let text = batch.bytes.span.extracting(entry.text)
      var hasSignature = false
      if method.findsNear { hasSignature = sign(text) }
      output.append(word: XXH64.hash(text, seed: 0))
      output.append(word: XXH64.hash(text, seed: 1))
      output.append(word: UInt64(bitPattern: Timestamp.seconds(batch.bytes.span.extracting(entry.created))))
      output.append(word: UInt64(text.count) | (hasSignature ? SignatureRecord.signatureFlag : 0))
      guard method.findsNear else { continue }
      for bucket in 0..<MinHash.bucketCount {
        output.append(word: hasSignature ? minHash.bucketKey(bucket) : 0)
      }
    }
  }

  /// Computes the minima of a text; false if it has less than five words.
  private func sign(_ text: borrowing Span<UInt8>) -> Bool {
    minHash.reset()
    shingler.begin(text)
    hashes.removeAll(keepingCapacity: true)
    while shingler.next(into: &hashes) {
      minHash.add(hashes)
      hashes.removeAll(keepingCapacity: true)
    }
    return !minHash.isEmpty
  }
}
