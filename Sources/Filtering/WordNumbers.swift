import Bytes
import Text

/// Gives equal words equal numbers, 0… in order of appearance, and counts them: an open-addressing table that one worker
/// reuses for every document. Exact: equal hashes are compared byte by byte.
struct WordNumbers: ~Copyable {
  /// Slots hold a number + 1; 0 is free.
  private var slots: [UInt32] = []
  private var hashes: [UInt64] = []
  /// A range of the text per number.
  private var firsts: [Range<UInt32>] = []
  /// How often each number occurs.
  private(set) var counts: [UInt32] = []

  init() {}

  var distinctCount: Int { counts.count }

  mutating func removeAll(expecting count: Int) {
    let wanted = WordNumbers.slotCount(for: count)
    if slots.count < wanted || slots.count > wanted * 8 {
      slots = [UInt32](repeating: 0, count: wanted)
    } else {
      for index in slots.indices { slots[index] = 0 }
    }
    hashes.removeAll(keepingCapacity: true)
    firsts.removeAll(keepingCapacity: true)
    counts.removeAll(keepingCapacity: true)
  }

  /// The number of the bytes at `range` of the text. Never more distinct ones than `removeAll` was told.
  @inline(__always)
  mutating func number(_ text: UnsafeBufferPointer<UInt8>, _ start: UInt32, _ end: UInt32) -> UInt32 {
    let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[Int(start)..<Int(end)])
    let hash = WordNumbers.hash(bytes)
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash >> 20) & mask
    while slots[slot] != 0 {
      let number = slots[slot] - 1
      if hashes[Int(number)] == hash, isSame(text, firsts[Int(number)], bytes) {
        counts[Int(number)] += 1
        return number
      }
      slot = (slot + 1) & mask
    }
    let number = UInt32(counts.count)
    slots[slot] = number + 1
    hashes.append(hash)
    firsts.append(start..<end)
    counts.append(1)
    return number
  }

  private func isSame(
    _ text: UnsafeBufferPointer<UInt8>, _ first: Range<UInt32>, _ bytes: UnsafeRawBufferPointer
  ) -> Bool {
    guard first.count == bytes.count else { return false }
    let start = Int(first.lowerBound)
    for index in 0..<bytes.count where text[start + index] != bytes[index] { return false }
    return true
  }

  /// At most half of the slots are used.
  static func slotCount(for count: Int) -> Int {
    var size = 64
    while size < count * 2 { size *= 2 }
    return size
  }

  /// Multiply and fold, 8 bytes a round: fixed for all machines and processes.
  @inline(__always)
  private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15
    var index = 0
    while index + 8 <= bytes.count {
      hash = fold(hash ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
      index += 8
    }
    var rest: UInt64 = 0
    while index < bytes.count {
      rest = rest << 8 | UInt64(bytes[index])
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
