import Glibc

/// Records by buckets of consecutive ranks: each bucket is a list of chunks in one temporary file.
final class RankBuckets {
  struct Chunk {
    var offset: Int64
    var count: Int
  }

  struct Bucket {
    var ranks: Range<Int>
    var chunks: [Chunk] = []
    var bytes = 0
  }

  private(set) var buckets: [Bucket] = []
  private let file: RunFile
  private let firstRank: Int
  private let ranksPerBucket: Int
  private let chunkBytes: Int
  /// A chunk for each bucket, until `finish`.
  private var buffers: UnsafeMutableRawPointer?
  private var used: [Int]

  init(ranks: Range<Int>, count: Int, chunkBytes: Int, temporaryFolder: String) throws(StorageError) {
    file = try RunFile(folder: temporaryFolder)
    firstRank = ranks.lowerBound
    ranksPerBucket = max(1, (ranks.count + count - 1) / count)
    self.chunkBytes = chunkBytes
    for first in stride(from: ranks.lowerBound, to: ranks.upperBound, by: ranksPerBucket) {
      buckets.append(Bucket(ranks: first..<min(first + ranksPerBucket, ranks.upperBound)))
    }
    used = Array(repeating: 0, count: buckets.count)
    buffers = .allocate(byteCount: max(1, buckets.count * chunkBytes), alignment: 16)
  }

  deinit { buffers?.deallocate() }

  func add(
    rank: Int, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer
  ) throws(StorageError) {
    let bucket = (rank - firstRank) / ranksPerBucket
    let header = (rank, head.count + body.count + tail.count)
    // A tuple of two Ints is 16 bytes in order.
    var failure: StorageError?
    withUnsafeBytes(of: header) { bytes in
      do throws(StorageError) { try put(bytes, bucket) } catch { failure = error }
    }
    if let failure { throw failure }
    try put(head, bucket)
    try put(body, bucket)
    try put(tail, bucket)
  }

  private func put(_ bytes: UnsafeRawBufferPointer, _ bucket: Int) throws(StorageError) {
    guard var source = bytes.baseAddress, let buffers else { return }
    var rest = bytes.count
    buckets[bucket].bytes += rest
    while rest > 0 {
      let count = min(rest, chunkBytes - used[bucket])
      memcpy(buffers + bucket * chunkBytes + used[bucket], source, count)
      used[bucket] += count
      source += count
      rest -= count
      if used[bucket] == chunkBytes { try flush(bucket) }
    }
  }

  private func flush(_ bucket: Int) throws(StorageError) {
    guard used[bucket] > 0, let buffers else { return }
    buckets[bucket].chunks.append(Chunk(offset: file.size, count: used[bucket]))
    try file.append(UnsafeRawBufferPointer(start: buffers + bucket * chunkBytes, count: used[bucket]))
    used[bucket] = 0
  }

  /// Writes what is left and gives the memory back.
  func finish() throws(StorageError) {
    for bucket in buckets.indices { try flush(bucket) }
    buffers?.deallocate()
    buffers = nil
  }

  func read(_ bucket: Bucket, into arena: RankArena) throws(StorageError) {
    for chunk in bucket.chunks { try file.read(at: chunk.offset, into: arena.extend(chunk.count)) }
  }

  /// Gives the records of a bucket to smaller ones.
  ///
  /// - Parameter bufferBytes: at least a chunk and the longest record.
  func redistribute(_ bucket: Bucket, into target: RankBuckets, bufferBytes: Int) throws(StorageError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 16)
    defer { buffer.deallocate() }
    guard let base = buffer.baseAddress else { return }
    var filled = 0
    for chunk in bucket.chunks {
      guard filled + chunk.count <= bufferBytes else { throw .bug("a record does not fit its buffer") }
      try file.read(
        at: chunk.offset, into: UnsafeMutableRawBufferPointer(start: base + filled, count: chunk.count))
      filled += chunk.count
      var offset = 0
      while filled - offset >= RankedRecord.headerBytes {
        let record = RankedRecord(base + offset)
        guard filled - offset - RankedRecord.headerBytes >= record.count else { break }
        try target.add(rank: record.rank, record.bytes(at: base + offset), .empty, .empty)
        offset += RankedRecord.headerBytes + record.count
      }
      memmove(base, base + offset, filled - offset)
      filled -= offset
    }
  }
}
