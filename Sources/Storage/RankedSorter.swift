import Glibc

/// Puts records into an order that is known from the start: each has a rank, and the ranks are the numbers below `count`,
/// each once. A shuffle by a permutation is that.
///
/// Cheaper than `ExternalSorter`, for nothing is compared and nothing is merged: records go to buckets of consecutive
/// ranks, in one temporary file without a name; then one bucket after the other is read into memory and given out by rank.
/// A bucket that does not fit is distributed again, into a file of its own. What fits into memory never touches the disk.
///
/// - Limits: records, tables and buffers together stay within `memoryBytes` (at least 64 KiB), but for a few bytes per
///   bucket and chunk. A record may take a quarter of that.
public final class RankedSorter {
  private static let memoryBytesMin = 64 << 10
  private static let chunkBytesMax = 256 << 10

  private let count: Int
  private let memoryBytes: Int
  private let temporaryFolder: String
  private let chunkBytes: Int
  private var arena: RankArena?
  private var buckets: RankBuckets?
  private var longestRecord = 0

  /// - Parameters:
  ///   - count: of the records.
  ///   - expectedBytes: of all records; a wrong guess costs time, nothing else.
  ///   - temporaryFolder: for what does not fit into memory; needs the records' bytes and 16 for each.
  public init(count: Int, expectedBytes: Int64, memoryBytes: Int, temporaryFolder: String)
    throws(StorageError)
  {
    self.count = count
    self.memoryBytes = max(memoryBytes, Self.memoryBytesMin)
    self.temporaryFolder = temporaryFolder
    chunkBytes = min(Self.chunkBytesMax, self.memoryBytes / 64)
    let wanted = bucketCount(bytes: expectedBytes + Int64(RankedRecord.headerBytes * count), ranks: count)
    if wanted == 1 {
      arena = RankArena(capacity: self.memoryBytes - 8 * count)
    } else {
      buckets = try RankBuckets(
        ranks: 0..<count, count: wanted, chunkBytes: chunkBytes, temporaryFolder: temporaryFolder)
    }
  }

  /// Buckets of which each, with its table, fits into memory; a fifth is left for those that are larger than the others.
  private func bucketCount(bytes: Int64, ranks: Int) -> Int {
    let room = Int64(memoryBytes / 5 * 4)
    let most = max(2, memoryBytes / 4 * 3 / chunkBytes)
    return Int(min(Int64(most), max(1, (bytes + 8 * Int64(ranks) + room - 1) / room)))
  }

  /// Adds a record, given in three pieces.
  ///
  /// - Throws: `.usage` if it is longer than a quarter of the memory; output errors of the temporary folder.
  public func add(
    rank: Int, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer = .empty,
    _ tail: UnsafeRawBufferPointer = .empty
  ) throws(StorageError) {
    guard rank >= 0, rank < count else { throw .bug("rank \(rank) of \(count) records") }
    let bytes = RankedRecord.headerBytes + head.count + body.count + tail.count
    guard bytes <= memoryBytes / 4 else {
      throw .usage(
        "A record of \(bytes - RankedRecord.headerBytes) bytes is too long to be moved in \(memoryBytes) bytes of memory: at "
          + "most a quarter of it. Raise --memory.")
    }
    longestRecord = max(longestRecord, bytes)
    if let arena {
      if arena.add(rank: rank, head, body, tail) { return }
      try spill(arena)
    }
    guard let buckets else { throw .bug("a sorter without buckets") }
    try buckets.add(rank: rank, head, body, tail)
  }

  /// The records are more than was expected: they go to buckets.
  private func spill(_ arena: RankArena) throws(StorageError) {
    let buckets = try RankBuckets(
      ranks: 0..<count, count: 8, chunkBytes: chunkBytes, temporaryFolder: temporaryFolder)
    var offset = 0
    while offset < arena.used {
      let record = RankedRecord(arena.base + offset)
      try buckets.add(rank: record.rank, record.bytes(at: arena.base + offset), .empty, .empty)
      offset += RankedRecord.headerBytes + record.count
    }
    self.arena = nil
    self.buckets = buckets
  }

  /// Gives all records by rank. The sorter is empty afterwards.
  ///
  /// - Throws: `.bug` if a rank was missing or twice there; what `body` throws.
  public func forEach(
    _ body: (_ record: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    if let arena {
      self.arena = nil
      return try arena.give(0..<count, body)
    }
    guard let buckets else { return }
    self.buckets = nil
    try give(buckets, body)
  }

  private func give(
    _ buckets: RankBuckets, _ body: (_ record: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    try buckets.finish()
    func fits(_ bucket: RankBuckets.Bucket) -> Bool {
      bucket.bytes + 8 * bucket.ranks.count <= memoryBytes || bucket.ranks.count == 1
    }
    // One region for all of them: fresh pages would cost more than the reading.
    var arena: RankArena?
    let longest = buckets.buckets.filter(fits).map(\.bytes).max() ?? 0
    for bucket in buckets.buckets {
      let ranks = bucket.ranks
      if fits(bucket) {
        let region = arena ?? RankArena(capacity: longest)
        arena = region
        region.removeAll()
        try buckets.read(bucket, into: region)
        try region.give(ranks, body)
      } else {
        arena = nil
        let parts = max(2, min(ranks.count, bucketCount(bytes: Int64(bucket.bytes), ranks: ranks.count)))
        let inner = try RankBuckets(
          ranks: ranks, count: parts, chunkBytes: chunkBytes, temporaryFolder: temporaryFolder)
        try buckets.redistribute(bucket, into: inner, bufferBytes: longestRecord + chunkBytes)
        try give(inner, body)
      }
    }
  }
}

extension UnsafeRawBufferPointer {
  public static var empty: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
}

/// A record as it lies in memory and in the file: u64 rank, u64 bytes, the bytes; in the machine's own byte order.
struct RankedRecord {
  static let headerBytes = 16
  let rank: Int
  let count: Int

  init(_ start: UnsafeRawPointer) {
    rank = start.loadUnaligned(as: Int.self)
    count = start.loadUnaligned(fromByteOffset: 8, as: Int.self)
  }

  func bytes(at start: UnsafeRawPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: start + Self.headerBytes, count: count)
  }
}

/// Records back to back in memory.
final class RankArena {
  let base: UnsafeMutableRawPointer
  private let capacity: Int
  private(set) var used = 0

  init(capacity: Int) {
    self.capacity = max(capacity, 1)
    base = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  /// False if there is no room for it.
  func add(
    rank: Int, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer
  ) -> Bool {
    let count = head.count + body.count + tail.count
    guard capacity - used >= RankedRecord.headerBytes + count else { return false }
    base.storeBytes(of: rank, toByteOffset: used, as: Int.self)
    base.storeBytes(of: count, toByteOffset: used + 8, as: Int.self)
    if let start = head.baseAddress { memcpy(base + used + 16, start, head.count) }
    if let start = body.baseAddress { memcpy(base + used + 16 + head.count, start, body.count) }
    if let start = tail.baseAddress { memcpy(base + used + 16 + head.count + body.count, start, tail.count) }
    used += RankedRecord.headerBytes + count
    return true
  }

  func removeAll() { used = 0 }

  /// Room for bytes that are read from a file.
  func extend(_ count: Int) -> UnsafeMutableRawBufferPointer {
    let room = UnsafeMutableRawBufferPointer(start: base + used, count: min(count, capacity - used))
    used += room.count
    return room
  }

  /// Gives the records of these ranks in order.
  func give(
    _ ranks: Range<Int>, _ body: (_ record: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let places = UnsafeMutablePointer<Int>.allocate(capacity: max(ranks.count, 1))
    defer { places.deallocate() }
    places.initialize(repeating: -1, count: ranks.count)
    var offset = 0
    while offset < used {
      let record = RankedRecord(base + offset)
      guard ranks.contains(record.rank), places[record.rank - ranks.lowerBound] < 0 else {
        throw .bug("rank \(record.rank) stands there twice")
      }
      places[record.rank - ranks.lowerBound] = offset
      offset += RankedRecord.headerBytes + record.count
    }
    for place in 0..<ranks.count {
      guard places[place] >= 0 else { throw .bug("rank \(ranks.lowerBound + place) has no record") }
      let start = UnsafeRawPointer(base + places[place])
      try body(RankedRecord(start).bytes(at: start))
    }
  }
}
