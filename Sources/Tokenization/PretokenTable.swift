import Glibc

/// Pretokens and how often they were seen: open addressing on memory of its own.
///
/// Keys of up to 15 bytes lie in the table (24 bytes an entry); longer ones in an arena beside a second table.
struct PretokenTable: ~Copyable {
  struct Short: Sendable {
    /// A length of 0 marks a free entry.
    var key = InlineKey(low: 0, high: 0)
    var count: Int64 = 0
  }

  struct Long: Sendable {
    var hash: UInt64 = 0
    var offset = 0
    /// 0: free.
    var length = 0
    var count: Int64 = 0
  }

  private static let shortCapacityMin = 1 << 12
  private static let longCapacityMin = 1 << 8
  private static let arenaCapacityMin = 1 << 14

  private var short: UnsafeMutablePointer<Short>
  private var shortCapacity: Int
  private var shortCount = 0
  private var long: UnsafeMutablePointer<Long>
  private var longCapacity: Int
  private var longCount = 0
  private var arena: UnsafeMutablePointer<UInt8>
  private var arenaCapacity: Int
  private var arenaCount = 0

  init() {
    shortCapacity = Self.shortCapacityMin
    longCapacity = Self.longCapacityMin
    arenaCapacity = Self.arenaCapacityMin
    short = .allocate(capacity: shortCapacity)
    short.initialize(repeating: Short(), count: shortCapacity)
    long = .allocate(capacity: longCapacity)
    long.initialize(repeating: Long(), count: longCapacity)
    arena = .allocate(capacity: arenaCapacity)
  }

  deinit {
    short.deallocate()
    long.deallocate()
    arena.deallocate()
  }

  var count: Int { shortCount + longCount }

  var memoryBytes: Int {
    shortCapacity * MemoryLayout<Short>.stride + longCapacity * MemoryLayout<Long>.stride + arenaCapacity
  }

  /// Counts every pretoken of a text; longer ones than `lengthMax` are cut there. Returns how many, the parts of cut
  /// ones counted each, and how many were cut.
  mutating func add(
    _ text: UnsafeBufferPointer<UInt8>, _ pattern: PretokenPattern, lengthMax: Int
  ) -> (pretokens: Int64, cut: Int64) {
    var pretokens: Int64 = 0
    var cut: Int64 = 0
    guard let base = text.baseAddress else { return (0, 0) }
    PretokenScanner.scan(pattern, text) { start, end in
      let length = end - start
      pretokens += 1
      if length <= InlineKey.lengthMax {
        addShort(InlineKey(base + start, length, left: text.count - start), 1)
      } else if length <= lengthMax {
        addLong(base + start, length, 1)
      } else {
        cut += 1
        pretokens -= 1
        for part in stride(from: start, to: end, by: lengthMax) {
          add(base + part, min(lengthMax, end - part), left: text.count - part, 1)
          pretokens += 1
        }
      }
    }
    return (pretokens, cut)
  }

  /// Counts one pretoken.
  mutating func add(_ bytes: UnsafePointer<UInt8>, _ length: Int, left: Int, _ count: Int64) {
    if length <= InlineKey.lengthMax {
      addShort(InlineKey(bytes, length, left: left), count)
    } else {
      addLong(bytes, length, count)
    }
  }

  /// Adds all counts of another table.
  mutating func add(_ other: borrowing PretokenTable) {
    for slot in 0..<other.shortCapacity where other.short[slot].count != 0 {
      addShort(other.short[slot].key, other.short[slot].count)
    }
    for slot in 0..<other.longCapacity where other.long[slot].length != 0 {
      addLong(other.arena + other.long[slot].offset, other.long[slot].length, other.long[slot].count)
    }
  }

  /// Adds the counts that another table gave away.
  mutating func add(_ batch: borrowing PretokenBatch) {
    for entry in batch.short { addShort(entry.key, entry.count) }
    batch.bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      for entry in batch.long { addLong(base + entry.offset, entry.length, entry.count) }
    }
  }

  /// Gives all counts away and is empty after it, its memory kept.
  mutating func take(_ totals: PretokenTotals) -> PretokenBatch {
    var batch = PretokenBatch(totals: totals)
    batch.short.reserveCapacity(shortCount)
    for slot in 0..<shortCapacity where short[slot].count != 0 { batch.short.append(short[slot]) }
    batch.long.reserveCapacity(longCount)
    for slot in 0..<longCapacity where long[slot].length != 0 { batch.long.append(long[slot]) }
    batch.bytes.append(contentsOf: UnsafeBufferPointer(start: arena, count: arenaCount))
    short.update(repeating: Short(), count: shortCapacity)
    long.update(repeating: Long(), count: longCapacity)
    shortCount = 0
    longCount = 0
    arenaCount = 0
    return batch
  }

  /// Gives every pretoken with its count in the order of bytes, and is empty, and small again, after it.
  mutating func drain<E: Error>(
    _ body: (_ pretoken: UnsafeRawBufferPointer, _ count: Int64) throws(E) -> Void
  ) throws(E) {
    defer { self = PretokenTable() }
    // Sorted in place: the tables are of no more use, and memory is what made the caller drain.
    var shorts = 0
    for slot in 0..<shortCapacity where short[slot].count != 0 {
      short[shorts] = short[slot]
      shorts += 1
    }
    var longs = 0
    for slot in 0..<longCapacity where long[slot].length != 0 {
      long[longs] = long[slot]
      longs += 1
    }
    var sortedShort = UnsafeMutableBufferPointer(start: short, count: shorts)
    sortedShort.sort { $0.key.precedes($1.key) }
    let bytes = arena
    var sortedLong = UnsafeMutableBufferPointer(start: long, count: longs)
    sortedLong.sort {
      Self.precedes(bytes + $0.offset, $0.length, bytes + $1.offset, $1.length)
    }
    var longIndex = 0
    for shortIndex in 0..<shorts {
      let entry = short[shortIndex]
      while longIndex < longs {
        let next = long[longIndex]
        let isFirst = entry.key.withBytes { key in
          Self.precedes(arena + next.offset, next.length, key.baseAddress!, key.count)
        }
        guard isFirst else { break }
        try body(UnsafeRawBufferPointer(start: arena + next.offset, count: next.length), next.count)
        longIndex += 1
      }
      // A closure of a generic error cannot pass through withBytes; the copy keeps it simple.
      var words = (entry.key.low.littleEndian, entry.key.high.littleEndian)
      try Self.give(&words, entry.key.length, entry.count, body)
    }
    while longIndex < longs {
      let next = long[longIndex]
      try body(UnsafeRawBufferPointer(start: arena + next.offset, count: next.length), next.count)
      longIndex += 1
    }
  }

  private static func give<E: Error>(
    _ words: UnsafeMutableRawPointer, _ length: Int, _ count: Int64,
    _ body: (UnsafeRawBufferPointer, Int64) throws(E) -> Void
  ) throws(E) {
    try body(UnsafeRawBufferPointer(start: words, count: length), count)
  }

  private static func precedes(
    _ a: UnsafeRawPointer, _ aCount: Int, _ b: UnsafeRawPointer, _ bCount: Int
  ) -> Bool {
    let order = memcmp(a, b, min(aCount, bCount))
    return order != 0 ? order < 0 : aCount < bCount
  }

  @inline(__always) private mutating func addShort(_ key: InlineKey, _ count: Int64) {
    var slot = Int(truncatingIfNeeded: key.hash) & (shortCapacity - 1)
    while true {
      if short[slot].key == key {
        short[slot].count += count
        return
      }
      if short[slot].count == 0 { break }
      slot = (slot + 1) & (shortCapacity - 1)
    }
    short[slot] = Short(key: key, count: count)
    shortCount += 1
    if shortCount * 3 > shortCapacity * 2 { growShort() }
  }

  private mutating func addLong(_ bytes: UnsafePointer<UInt8>, _ length: Int, _ count: Int64) {
    let hash = foldedHash(bytes, length)
    var slot = Int(truncatingIfNeeded: hash) & (longCapacity - 1)
    while long[slot].length != 0 {
      if long[slot].hash == hash, long[slot].length == length,
        memcmp(arena + long[slot].offset, bytes, length) == 0
      {
        long[slot].count += count
        return
      }
      slot = (slot + 1) & (longCapacity - 1)
    }
    if arenaCount + length > arenaCapacity { growArena(by: length) }
    memcpy(arena + arenaCount, bytes, length)
    long[slot] = Long(hash: hash, offset: arenaCount, length: length, count: count)
    arenaCount += length
    longCount += 1
    if longCount * 2 > longCapacity { growLong() }
  }

  private mutating func growShort() {
    let capacity = shortCapacity * 2
    let larger = UnsafeMutablePointer<Short>.allocate(capacity: capacity)
    larger.initialize(repeating: Short(), count: capacity)
    for old in 0..<shortCapacity where short[old].count != 0 {
      var slot = Int(truncatingIfNeeded: short[old].key.hash) & (capacity - 1)
      while larger[slot].count != 0 { slot = (slot + 1) & (capacity - 1) }
      larger[slot] = short[old]
    }
    short.deallocate()
    short = larger
    shortCapacity = capacity
  }

  private mutating func growLong() {
    let capacity = longCapacity * 2
    let larger = UnsafeMutablePointer<Long>.allocate(capacity: capacity)
    larger.initialize(repeating: Long(), count: capacity)
    for old in 0..<longCapacity where long[old].length != 0 {
      var slot = Int(truncatingIfNeeded: long[old].hash) & (capacity - 1)
      while larger[slot].length != 0 { slot = (slot + 1) & (capacity - 1) }
      larger[slot] = long[old]
    }
    long.deallocate()
    long = larger
    longCapacity = capacity
  }

  private mutating func growArena(by length: Int) {
    let capacity = max(arenaCapacity * 2, arenaCount + length)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    memcpy(larger, arena, arenaCount)
    arena.deallocate()
    arena = larger
    arenaCapacity = capacity
  }
}
