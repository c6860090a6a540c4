/// Scratch memory that bytes are written to one by one; owned by one worker and reused for every document.
struct ByteSink: ~Copyable {
  private var memory: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private(set) var count = 0

  init() {
    capacity = 4096
    memory = .allocate(capacity: 4096)
  }

  deinit { memory.deallocate() }

  mutating func removeAll() { count = 0 }

  /// Makes room for `wanted` more bytes, so that `put` needs no check.
  @inline(__always) mutating func reserve(_ wanted: Int) {
    if capacity - count < wanted { grow(wanted) }
  }

  /// SAFETY: the caller has reserved this byte.
  @inline(__always) mutating func put(_ byte: UInt8) {
    memory[count] = byte
    count += 1
  }

  /// Writes a scalar; the caller has reserved 4 bytes.
  @inline(__always) mutating func put(scalar: UInt32) {
    if scalar < 0x80 {
      put(UInt8(truncatingIfNeeded: scalar))
    } else if scalar < 0x800 {
      put(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
      put(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
    } else if scalar < 0x10000 {
      put(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
      put(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
      put(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
    } else {
      put(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18 & 0x07))
      put(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
      put(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
      put(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
    }
  }

  /// Forgets bytes at the end that equal `byte`.
  mutating func trimEnd(_ byte: UInt8) {
    while count > 0, memory[count - 1] == byte { count -= 1 }
  }

  func append(to output: inout [UInt8]) {
    output.append(contentsOf: UnsafeBufferPointer(start: memory, count: count))
  }

  private mutating func grow(_ wanted: Int) {
    let larger = max(capacity * 2, count + wanted)
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    moved.update(from: memory, count: count)
    memory.deallocate()
    memory = moved
    capacity = larger
  }
}
