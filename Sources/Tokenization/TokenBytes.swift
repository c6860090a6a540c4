import Glibc

/// The bytes of all tokens in one buffer, by id. An id without a token is empty.
struct TokenBytes: Sendable {
  private(set) var bytes: [UInt8] = []
  /// `offsets[id]..<offsets[id + 1]` is where token `id` lies.
  private(set) var offsets: [Int] = [0]

  init() {}

  /// From tokens by id; ids that are not named are gaps.
  init(_ tokens: [UInt32: [UInt8]]) {
    for id in 0..<(tokens.keys.max().map { $0 + 1 } ?? 0) { append(tokens[id] ?? []) }
  }

  var count: Int { offsets.count - 1 }

  func range(_ id: UInt32) -> Range<Int> { offsets[Int(id)]..<offsets[Int(id) + 1] }

  func token(_ id: UInt32) -> [UInt8] { Array(bytes[range(id)]) }

  /// True if the merge's result is the token of both parts' bytes.
  func joins(_ merge: Merge) -> Bool {
    guard max(merge.left, merge.right, merge.result) < count else { return false }
    let (left, right, result) = (range(merge.left), range(merge.right), range(merge.result))
    guard !left.isEmpty, !right.isEmpty, left.count + right.count == result.count else { return false }
    return bytes.withUnsafeBufferPointer { bytes in
      let joined = bytes.baseAddress! + result.lowerBound
      return memcmp(joined, bytes.baseAddress! + left.lowerBound, left.count) == 0
        && memcmp(joined + left.count, bytes.baseAddress! + right.lowerBound, right.count) == 0
    }
  }

  /// Two ids of the same bytes, the later one first found, or nil.
  func firstDuplicate() -> (first: Int, second: Int)? {
    var size = 16
    while size < count * 2 { size *= 2 }
    var slots = [UInt32](repeating: .max, count: size)
    return bytes.withUnsafeBufferPointer { bytes in
      for id in 0..<UInt32(count) {
        let range = range(id)
        guard let base = bytes.baseAddress, !range.isEmpty else { continue }
        let start = base + range.lowerBound
        var slot = Int(truncatingIfNeeded: foldedHash(start, range.count)) & (size - 1)
        while slots[slot] != .max {
          let other = self.range(slots[slot])
          if other.count == range.count, memcmp(base + other.lowerBound, start, range.count) == 0 {
            return (Int(slots[slot]), Int(id))
          }
          slot = (slot + 1) & (size - 1)
        }
        slots[slot] = id
      }
      return nil
    }
  }

  mutating func append(_ token: some Collection<UInt8>) {
    bytes.append(contentsOf: token)
    offsets.append(bytes.count)
  }
}

/// A hash of some bytes for tables in memory; never written anywhere.
///
/// - Source: the multiply-fold step of wyhash (Wang Yi, public domain), with primes of XXH64.
@inline(__always)
func foldedHash(_ low: UInt64, _ high: UInt64) -> UInt64 {
  let product = (low ^ 0x9E37_79B1_85EB_CA87).multipliedFullWidth(by: high ^ 0xC2B2_AE3D_27D4_EB4F)
  return product.high ^ product.low
}

@inline(__always)
func foldedHash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
  let raw = UnsafeRawPointer(bytes)
  var hash = UInt64(truncatingIfNeeded: count)
  var index = 0
  while index + 8 <= count {
    hash = foldedHash(hash, raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    index += 8
  }
  var rest: UInt64 = 0
  while index < count {
    rest = rest << 8 | UInt64(bytes[index])
    index += 1
  }
  return foldedHash(hash, rest)
}

/// Key of a pretoken of at most 15 bytes: its bytes, zeros, and the length in the last byte.
struct InlineKey: Equatable {
  static let lengthMax = 15

  var low: UInt64
  var high: UInt64

  /// - Parameter left: bytes that may be read from `bytes` on, at least `length`.
  @inline(__always) init(_ bytes: UnsafePointer<UInt8>, _ length: Int, left: Int) {
    if left >= 16 {
      let raw = UnsafeRawPointer(bytes)
      let first = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
      let second = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      if length >= 8 {
        low = first
        high = second & ((1 << UInt64(8 * (length - 8))) &- 1)
      } else {
        low = first & ((1 << UInt64(8 * length)) &- 1)
        high = 0
      }
    } else {
      low = 0
      high = 0
      for index in 0..<length {
        if index < 8 {
          low |= UInt64(bytes[index]) << UInt64(8 * index)
        } else {
          high |= UInt64(bytes[index]) << UInt64(8 * (index - 8))
        }
      }
    }
    high |= UInt64(length) << 56
  }

  @inline(__always) init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  @inline(__always) var hash: UInt64 { foldedHash(low, high) }
  var length: Int { Int(high >> 56) }

  /// True if the bytes of `self` sort before those of `other` (a prefix first).
  @inline(__always) func precedes(_ other: InlineKey) -> Bool {
    // Big-endian words compare like bytes; zeros fill up, and the length in the last byte breaks their ties.
    let a = low.byteSwapped
    let b = other.low.byteSwapped
    return a != b ? a < b : high.byteSwapped < other.high.byteSwapped
  }

  /// Calls `body` with the bytes.
  @inline(__always) func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    var words = (low.littleEndian, high.littleEndian)
    return withUnsafeBytes(of: &words) { body(UnsafeRawBufferPointer(rebasing: $0[..<length])) }
  }
}
