import Bytes
import CKernels

/// MinHash signatures: 14 buckets of 8 minima over the hashes of shingles.
///
/// A pair of documents with Jaccard similarity s meets in at least one bucket with probability 1 − (1 − s⁸)¹⁴: 0.05 at
/// 0.5, 0.92 at 0.8, 0.9996 at 0.9.
///
/// - Source: Broder 1997; bucket counts, permutations and the product that wraps mod 2^64 before it is reduced mod
///   2^61 − 1 are those of datatrove 0.10.1 (pipeline/dedup/minhash.py), which FineWeb was made with.
struct MinHash: ~Copyable {
  static let bucketCount = 14
  static let hashesPerBucket = 8
  static let permutationCount = bucketCount * hashesPerBucket

  /// The minima over everything added since `reset`.
  private(set) var minima = [UInt64](repeating: .max, count: permutationCount)
  private var partial = [UInt64](repeating: 0, count: permutationCount)
  private(set) var isEmpty = true

  mutating func reset() { isEmpty = true }

  /// Takes in more shingle hashes.
  mutating func add(_ hashes: [UInt64]) {
    guard !hashes.isEmpty else { return }
    if isEmpty {
      MinHash.computeMinima(hashes, &minima)
      isEmpty = false
      return
    }
    MinHash.computeMinima(hashes, &partial)
    for index in 0..<MinHash.permutationCount { minima[index] = min(minima[index], partial[index]) }
  }

  private static func computeMinima(_ hashes: [UInt64], _ minima: inout [UInt64]) {
    let multipliers = MinHashConstants.multipliers
    let additions = MinHashConstants.additions
    sluice_minhash_minima(hashes, hashes.count, multipliers, additions, permutationCount, &minima)
  }

  /// 64-bit key of one bucket: the hash of its eight minima (little-endian) with the bucket's number as the seed, so that
  /// the keys of all buckets can be sorted together.
  func bucketKey(_ bucket: Int) -> UInt64 {
    minima.withUnsafeBytes { bytes in
      let size = MinHash.hashesPerBucket * 8
      return XXH64.hash(
        UnsafeRawBufferPointer(rebasing: bytes[bucket * size..<(bucket + 1) * size]), seed: UInt64(bucket))
    }
  }
}
