import Bytes
import Glibc
import Text

/// Gives equal words equal numbers, 0… in order of appearance, and counts them: an open-addressing table that one worker
/// reuses for every document. Exact: equal hashes are compared byte by byte.
struct WordNumbers: ~Copyable {
  private struct Entry {
    var hash: UInt64
    /// Where the word stands first in the text.
    var start: UInt32
    var end: UInt32
  }

  /// Slots hold a number + 1; 0 is free.
  private var slots: UnsafeMutablePointer<UInt32> = .allocate(capacity: 1)
  private var slotCount = 0
  private var entries: UnsafeMutablePointer<Entry> = .allocate(capacity: 1)
  /// How often each number occurs, by number.
  private(set) var counts: UnsafeMutablePointer<UInt32> = .allocate(capacity: 1)
  private var capacity = 1
  /// Numbers given so far: 0 ..< distinctCount.
  private(set) var distinctCount = 0

  init() {}

  deinit {
    slots.deallocate()
    entries.deallocate()
    counts.deallocate()
  }

  mutating func removeAll(expecting count: Int) {
    distinctCount = 0
    if capacity < count {
      capacity = max(count, capacity * 2, 1024)
      entries.deallocate()
      counts.deallocate()
      entries = .allocate(capacity: capacity)
      counts = .allocate(capacity: capacity)
    }
    let wanted = WordNumbers.slotCount(for: count)
    if slotCount < wanted || slotCount > wanted * 8 {
      slots.deallocate()
      slots = .allocate(capacity: wanted)
      slotCount = wanted
    }
    slots.initialize(repeating: 0, count: slotCount)
  }

  /// The number of the bytes `start ..< end` of the text. There must not be more different ones than `removeAll` was told.
  @inline(__always)
  mutating func number(_ text: UnsafeBufferPointer<UInt8>, _ start: UInt32, _ end: UInt32) -> UInt32 {
    // SAFETY: start ..< end lies in the text (it comes from the splitter of this text); a slot holds a number given before.
    precondition(distinctCount < capacity && start <= end && Int(end) <= text.count)
    let length = Int(end - start)
    let bytes = UnsafeRawPointer(text.baseAddress! + Int(start))
    let hash = WordNumbers.hash(bytes, length)
    let mask = slotCount - 1
    var slot = Int(truncatingIfNeeded: hash >> 20) & mask
    while slots[slot] != 0 {
      let number = slots[slot] &- 1
      let entry = entries[Int(number)]
      if entry.hash == hash, Int(entry.end &- entry.start) == length,
        memcmp(text.baseAddress! + Int(entry.start), bytes, length) == 0
      {
        counts[Int(number)] &+= 1
        return number
      }
      slot = (slot &+ 1) & mask
    }
    let number = UInt32(truncatingIfNeeded: distinctCount)
    slots[slot] = number &+ 1
    entries[distinctCount] = Entry(hash: hash, start: start, end: end)
    counts[distinctCount] = 1
    distinctCount += 1
    return number
  }

  /// At most half of the slots are used.
  static func slotCount(for count: Int) -> Int {
    var size = 64
    while size < count * 2 { size *= 2 }
    return size
  }

  /// Multiply and fold, 8 bytes a round: fixed for all machines and processes.
  @inline(__always)
  private static func hash(_ bytes: UnsafeRawPointer, _ count: Int) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
    var index = 0
    while index + 8 <= count {
      hash = fold(hash ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
      index += 8
    }
    var rest: UInt64 = 0
    if index + 4 <= count {
      rest = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)))
      index += 4
    }
    while index < count {
      rest = rest << 8 | UInt64(bytes.load(fromByteOffset: index, as: UInt8.self))
      index += 1
    }
    return fold(hash ^ rest)
  }

  @inline(__always)
  private static func fold(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }
}
