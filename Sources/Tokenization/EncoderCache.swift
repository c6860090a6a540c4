import Glibc

/// Tokens of pretokens seen before, in bounded memory; results never depend on it.
///
/// Pretokens of up to 15 bytes with up to four tokens: sets of two 32-byte entries (one cache line), the newer first.
/// Longer ones: a table over two arenas that are emptied when one is full.
///
/// - Source: the layout of the short entries is gigatoken's (marcelroed/gigatoken, `src/pretokenize`).
struct EncoderCache: ~Copyable {
  /// `high` holds the number of tokens in the upper half of its last byte, above the length.
  struct ShortEntry {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var ids: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
  }
  private static let countShift: UInt64 = 60
  private static let keyMask: UInt64 = 0x0FFF_FFFF_FFFF_FFFF

  struct LongEntry {
    var hash: UInt64 = 0
    var keyOffset: UInt32 = 0
    /// 0: free.
    var keyLength: UInt32 = 0
    var idOffset: UInt32 = 0
    var idCount: UInt32 = 0
  }
  /// Longest pretoken, in bytes, that is kept.
  static let keyMax = 256

  private let short: UnsafeMutablePointer<ShortEntry>
  private let shortMask: Int
  private let long: UnsafeMutablePointer<LongEntry>
  private let longMask: Int
  private var longCount = 0
  private let keys: UnsafeMutablePointer<UInt8>
  private let keyCapacity: Int
  private var keyEnd = 0
  private let ids: UnsafeMutablePointer<UInt32>
  private let idCapacity: Int
  private var idEnd = 0

  /// - Parameter memoryBytes: about what the cache may take.
  init(memoryBytes: Int) {
    // A quarter for short pretokens; 16 sets and slots at least.
    var sets = 16
    while sets * 4 * MemoryLayout<ShortEntry>.stride <= memoryBytes / 4 { sets *= 2 }
    shortMask = sets - 1
    short = .allocate(capacity: sets * 2)
    short.initialize(repeating: ShortEntry(), count: sets * 2)
    // Half the slots are used, each with 48 bytes and 16 tokens: more than what most texts need.
    var slots = 16
    while slots * 2 * (MemoryLayout<LongEntry>.stride + 24 + 32) <= memoryBytes / 4 * 3 { slots *= 2 }
    longMask = slots - 1
    long = .allocate(capacity: slots)
    long.initialize(repeating: LongEntry(), count: slots)
    keyCapacity = slots * 24
    keys = .allocate(capacity: keyCapacity + Self.keyMax)
    idCapacity = slots * 8
    ids = .allocate(capacity: idCapacity + Self.keyMax)
  }

  deinit {
    short.deallocate()
    long.deallocate()
    keys.deallocate()
    ids.deallocate()
  }

  /// Writes the tokens of a short pretoken to `output`, which has room for four; their number, or 0 if it is not here.
  @inline(__always) func findShort(_ key: InlineKey, _ hash: UInt64, _ output: UnsafeMutablePointer<UInt32>)
    -> Int
  {
    let set = short + (Int(truncatingIfNeeded: hash) & shortMask) * 2
    for way in 0..<2 where set[way].low == key.low && set[way].high & Self.keyMask == key.high {
      let found = set[way].ids
      output[0] = found.0
      output[1] = found.1
      output[2] = found.2
      output[3] = found.3
      return Int(set[way].high >> Self.countShift)
    }
    return 0
  }

  /// Keeps the tokens of a short pretoken, if they are four at most.
  @inline(__always) func addShort(
    _ key: InlineKey, _ hash: UInt64, _ tokens: UnsafePointer<UInt32>, _ count: Int
  ) {
    guard count >= 1, count <= 4 else { return }
    let set = short + (Int(truncatingIfNeeded: hash) & shortMask) * 2
    set[1] = set[0]
    set[0] = ShortEntry(
      low: key.low, high: key.high | UInt64(count) << Self.countShift,
      ids: (
        tokens[0], count > 1 ? tokens[1] : 0, count > 2 ? tokens[2] : 0, count > 3 ? tokens[3] : 0
      ))
  }

  /// The tokens of a longer pretoken, or an empty buffer if it is not here.
  @inline(__always) func findLong(
    _ start: UnsafePointer<UInt8>, _ length: Int, _ hash: UInt64
  ) -> UnsafeBufferPointer<UInt32> {
    var slot = Int(truncatingIfNeeded: hash) & longMask
    while long[slot].keyLength != 0 {
      let entry = long[slot]
      if entry.hash == hash, Int(entry.keyLength) == length,
        memcmp(keys + Int(entry.keyOffset), start, length) == 0
      {
        return UnsafeBufferPointer(start: ids + Int(entry.idOffset), count: Int(entry.idCount))
      }
      slot = (slot + 1) & longMask
    }
    return UnsafeBufferPointer(start: nil, count: 0)
  }

  /// Keeps the tokens of a longer pretoken that `findLong` did not find.
  mutating func addLong(
    _ start: UnsafePointer<UInt8>, _ length: Int, _ hash: UInt64, _ tokens: UnsafePointer<UInt32>,
    _ count: Int
  ) {
    guard length <= Self.keyMax else { return }
    if longCount * 2 > longMask || keyEnd + length > keyCapacity || idEnd + count > idCapacity {
      long.update(repeating: LongEntry(), count: longMask + 1)
      longCount = 0
      keyEnd = 0
      idEnd = 0
    }
    var slot = Int(truncatingIfNeeded: hash) & longMask
    while long[slot].keyLength != 0 { slot = (slot + 1) & longMask }
    long[slot] = LongEntry(
      hash: hash, keyOffset: UInt32(keyEnd), keyLength: UInt32(length), idOffset: UInt32(idEnd),
      idCount: UInt32(count))
    memcpy(keys + keyEnd, start, length)
    (ids + idEnd).update(from: tokens, count: count)
    keyEnd += length
    idEnd += count
    longCount += 1
  }
}
