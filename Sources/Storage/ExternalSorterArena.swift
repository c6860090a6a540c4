import Glibc

/// Records of one run in memory: one mapped region, entries from its front, record bytes from its back.
///
/// Shape of a record, from its first byte: key length (u32), payload length (u32), key, payload. `position` of an entry
/// is the distance from the region's end to the record, so it grows in the order of arrival and breaks ties of equal
/// keys: the sort itself need not be stable. `prefix` is the first eight bytes of the key as a big-endian number,
/// padded with zeros. The region is mapped once at its full size and pages cost nothing until written: nothing ever
/// doubles, so the budget is strict.
final class RecordArena {
  struct Entry {
    var prefix: UInt64
    var position: UInt64
  }

  static let headerBytes = 8

  /// Nil until the first record comes.
  private var base: UnsafeMutableRawPointer?
  private let capacity: Int
  private var usedBytes = 0
  private(set) var count = 0

  init(capacity: Int) { self.capacity = (capacity + 4095) & ~4095 }

  deinit { release() }

  /// Gives the memory back; the arena is empty then.
  func release() {
    if let base { System.unmap(base, count: capacity) }
    base = nil
    removeAll()
  }

  /// An arena that owns the region from now on; this one is empty and without memory.
  func takeOver() -> RecordArena {
    let taken = RecordArena(capacity: capacity)
    swap(&taken.base, &base)
    taken.usedBytes = usedBytes
    taken.count = count
    removeAll()
    return taken
  }

  private func map() throws(StorageError) -> UnsafeMutableRawPointer {
    do throws(System.Failure) {
      let mapped = try System.mapMemory(count: capacity)
      base = mapped
      return mapped
    } catch {
      let reason = "cannot reserve \(capacity) bytes for sorting: \(error.reason). Lower --memory."
      throw .output(path: "memory", reason: reason)
    }
  }

  /// Bytes of the region that one record takes.
  static func footprint(keyCount: Int, payloadCount: Int) -> Int {
    MemoryLayout<Entry>.size + headerBytes + keyCount + payloadCount
  }

  /// Adds a record; false (and nothing added) if the region is full.
  func add(_ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer) throws(StorageError) -> Bool {
    let base: UnsafeMutableRawPointer
    if let present = self.base { base = present } else { base = try map() }
    let recordBytes = Self.headerBytes + key.count + payload.count
    let free = capacity - usedBytes - count * MemoryLayout<Entry>.size
    guard recordBytes + MemoryLayout<Entry>.size <= free else { return false }
    usedBytes += recordBytes
    let record = base + (capacity - usedBytes)
    record.storeBytes(of: UInt32(truncatingIfNeeded: key.count), as: UInt32.self)
    record.storeBytes(of: UInt32(truncatingIfNeeded: payload.count), toByteOffset: 4, as: UInt32.self)
    if let source = key.baseAddress { memcpy(record + 8, source, key.count) }
    if let source = payload.baseAddress { memcpy(record + 8 + key.count, source, payload.count) }
    (base.assumingMemoryBound(to: Entry.self) + count).pointee = Entry(
      prefix: keyPrefix(key), position: UInt64(usedBytes))
    count += 1
    return true
  }

  func removeAll() {
    usedBytes = 0
    count = 0
  }

  /// Sorts by key, then by arrival.
  func sort() {
    guard let base else { return }
    EntrySorter(entries: base.assumingMemoryBound(to: Entry.self), end: base + capacity).sort(0..<count)
  }

  /// Key and payload of the record at `index` in the present order.
  func record(at index: Int) -> SortedRecord {
    guard let base, index < count else { return .empty }
    let entry = base.assumingMemoryBound(to: Entry.self)[index]
    let record = UnsafeRawPointer(base) + (capacity - Int(entry.position))
    let keyCount = Int(record.loadUnaligned(as: UInt32.self))
    let payloadCount = Int(record.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    return SortedRecord(
      key: UnsafeRawBufferPointer(start: record + 8, count: keyCount),
      payload: UnsafeRawBufferPointer(start: record + 8 + keyCount, count: payloadCount))
  }
}

/// The first eight bytes of a key as a number whose order is memcmp's; shorter keys are padded with zeros.
@inline(__always) func keyPrefix(_ key: UnsafeRawBufferPointer) -> UInt64 {
  if key.count >= 8 { return UInt64(bigEndian: key.loadUnaligned(as: UInt64.self)) }
  var prefix: UInt64 = 0
  for byte in key { prefix = prefix << 8 | UInt64(byte) }
  return key.isEmpty ? 0 : prefix << UInt64(8 * (8 - key.count))
}

/// memcmp order of two keys whose prefixes are equal, a shorter key first: negative, zero or positive.
@inline(__always) func compareBeyondPrefix(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
  let common = min(a.count, b.count)
  if common > 8 {
    let order = memcmp(a.baseAddress! + 8, b.baseAddress! + 8, common - 8)
    if order != 0 { return Int(order) }
  }
  return a.count - b.count
}

/// The in-memory sort: radix by the bytes of the prefix, most significant first and in place, then insertion sort in
/// small groups; groups whose prefix is equal throughout are sorted by comparison (introsort: linear logarithmic in the
/// worst case).
struct EntrySorter {
  typealias Entry = RecordArena.Entry
  let entries: UnsafeMutablePointer<Entry>
  /// End of the region that `position` counts back from.
  let end: UnsafeMutableRawPointer

  /// Groups up to this size go to insertion sort; measured: 16…48 are equal.
  private static let smallGroup = 24

  func sort(_ range: Range<Int>) { radix(range.lowerBound, range.upperBound, shift: 56) }

  private func key(_ entry: Entry) -> UnsafeRawBufferPointer {
    let record = UnsafeRawPointer(end) - Int(entry.position)
    return UnsafeRawBufferPointer(start: record + 8, count: Int(record.loadUnaligned(as: UInt32.self)))
  }

  @inline(__always) private func precedes(_ a: Entry, _ b: Entry) -> Bool {
    if a.prefix != b.prefix { return a.prefix < b.prefix }
    let order = compareBeyondPrefix(key(a), key(b))
    return order != 0 ? order < 0 : a.position < b.position
  }

  private func radix(_ low: Int, _ high: Int, shift: UInt64) {
    guard high - low > Self.smallGroup else { return insertion(low, high) }
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 512) { scratch in
      let next = scratch.baseAddress!
      let ends = next + 256
      next.update(repeating: 0, count: 512)
      for index in low..<high { ends[Int(entries[index].prefix >> shift & 255)] += 1 }
      var sum = low
      for digit in 0..<256 {
        next[digit] = sum
        sum += ends[digit]
        ends[digit] = sum
      }
      // A digit that all share moves nothing, and keeps the order of arrival.
      let digit = Int(entries[low].prefix >> shift & 255)
      if next[digit] != low || ends[digit] != high { permute(next, ends, shift) }
      var start = low
      for digit in 0..<256 {
        let stop = ends[digit]
        if stop - start > 1 {
          if shift == 0 { comparison(start, stop) } else { radix(start, stop, shift: shift - 8) }
        }
        start = stop
      }
    }
  }

  /// American flag: each entry goes straight to its group, what stood there goes on.
  private func permute(_ next: UnsafeMutablePointer<Int>, _ ends: UnsafeMutablePointer<Int>, _ shift: UInt64)
  {
    for digit in 0..<256 {
      while next[digit] < ends[digit] {
        var entry = entries[next[digit]]
        while true {
          let wanted = Int(entry.prefix >> shift & 255)
          let place = next[wanted]
          next[wanted] = place + 1
          if wanted == digit {
            entries[place] = entry
            break
          }
          let displaced = entries[place]
          entries[place] = entry
          entry = displaced
        }
      }
    }
  }

  private func insertion(_ low: Int, _ high: Int) {
    guard high - low > 1 else { return }
    for index in low + 1..<high {
      let entry = entries[index]
      var hole = index
      while hole > low, precedes(entry, entries[hole - 1]) {
        entries[hole] = entries[hole - 1]
        hole -= 1
      }
      entries[hole] = entry
    }
  }

  /// Sorts a group of equal prefixes. Many equal keys in their order of arrival are the common case: one pass sees it.
  private func comparison(_ low: Int, _ high: Int) {
    var isSorted = true
    for index in low + 1..<high where precedes(entries[index], entries[index - 1]) {
      isSorted = false
      break
    }
    if !isSorted { quick(low, high, depth: 2 * (Int.bitWidth - (high - low).leadingZeroBitCount)) }
  }

  private func quick(_ first: Int, _ last: Int, depth: Int) {
    var low = first
    var high = last
    var depth = depth
    while high - low > Self.smallGroup {
      if depth == 0 { return heap(low, high) }
      depth -= 1
      let pivot = median(entries[low], entries[low + (high - low) / 2], entries[high - 1])
      var left = low - 1
      var right = high
      while true {
        repeat { left += 1 } while precedes(entries[left], pivot)
        repeat { right -= 1 } while precedes(pivot, entries[right])
        if left >= right { break }
        swapEntries(left, right)
      }
      // Recurse into the smaller part: the stack stays logarithmic.
      let split = right + 1
      if split - low < high - split {
        quick(low, split, depth: depth)
        low = split
      } else {
        quick(split, high, depth: depth)
        high = split
      }
    }
    insertion(low, high)
  }

  private func median(_ a: Entry, _ b: Entry, _ c: Entry) -> Entry {
    if precedes(a, b) { return precedes(b, c) ? b : precedes(a, c) ? c : a }
    return precedes(a, c) ? a : precedes(b, c) ? c : b
  }

  private func heap(_ low: Int, _ high: Int) {
    let count = high - low
    var root = count / 2
    while root > 0 {
      root -= 1
      sift(low, root, count)
    }
    var size = count
    while size > 1 {
      size -= 1
      swapEntries(low, low + size)
      sift(low, 0, size)
    }
  }

  private func sift(_ low: Int, _ start: Int, _ size: Int) {
    var root = start
    while 2 * root + 1 < size {
      var child = 2 * root + 1
      if child + 1 < size, precedes(entries[low + child], entries[low + child + 1]) { child += 1 }
      guard precedes(entries[low + root], entries[low + child]) else { return }
      swapEntries(low + root, low + child)
      root = child
    }
  }

  @inline(__always) private func swapEntries(_ a: Int, _ b: Int) {
    let held = entries[a]
    entries[a] = entries[b]
    entries[b] = held
  }
}
