import Bytes
import Storage

/// The key of one order: of the sequences of an epoch, of the documents of a store.
public enum OrderKey {
  /// Stream of the order in which sequences are read.
  public static let sequences: UInt64 = 0
  /// Stream of the order in which documents are stored.
  public static let documents: UInt64 = 1 << 63

  /// The first eight bytes (little-endian) of SHA-256 over the text `sluice order 1`, a line feed, and the three
  /// numbers as little-endian u64.
  ///
  /// A hash, because `seed + epoch` fed straight to SplitMix64 makes neighbours share five of six round keys.
  public static func derive(seed: UInt64, epoch: UInt64, stream: UInt64 = sequences) -> UInt64 {
    var message = Array("sluice order 1\n".utf8)
    message.append(littleEndian: seed)
    message.append(littleEndian: epoch)
    message.append(littleEndian: stream)
    return SHA256.hash(message.span).littleEndianWord(at: 0)
  }
}

/// A bijection of 0..<n that needs no table: order by arithmetic, for any n below 2^63.
///
/// A balanced Feistel network of 6 rounds over the smallest even number of bits that holds n - 1 (at least 2); values
/// outside 0..<n walk on along their cycle. Round keys and the round function are SplitMix64's.
///
/// - Source: Feistel networks and cycle walking, Black and Rogaway, "Ciphers with Arbitrary Finite Domains" (2002);
///   SplitMix64's finaliser, Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
public struct KeyedPermutation: Sendable {
  static let rounds = 6

  /// Size of the domain; at least 1.
  public let count: UInt64
  private let half: UInt64
  private let mask: UInt64
  private let k0: UInt64
  private let k1: UInt64
  private let k2: UInt64
  private let k3: UInt64
  private let k4: UInt64
  private let k5: UInt64

  /// - Parameter count: size of the domain; 0 counts as 1.
  public init(count: UInt64, key: UInt64) {
    let domain = max(count, 1)
    self.count = domain
    // The bit length of n - 1 by leading zeros; a floating-point logarithm is off just above powers of two.
    let length = UInt64(64 - (domain - 1).leadingZeroBitCount)
    let bits = max(2, length + length & 1)
    half = bits / 2
    mask = 1 << half - 1
    let keys = Self.roundKeys(key)
    (k0, k1, k2, k3, k4, k5) = (keys[0], keys[1], keys[2], keys[3], keys[4], keys[5])
  }

  public init(count: UInt64, seed: UInt64, epoch: UInt64, stream: UInt64 = OrderKey.sequences) {
    self.init(count: count, key: OrderKey.derive(seed: seed, epoch: epoch, stream: stream))
  }

  static func roundKeys(_ key: UInt64) -> [UInt64] {
    (0..<rounds).map { mix(key &+ UInt64($0 + 1) &* 0x9E37_79B9_7F4A_7C15) }
  }

  @inline(__always) static func mix(_ value: UInt64) -> UInt64 {
    var z = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// Where index `index` (below `count`) goes.
  public func map(_ index: UInt64) -> UInt64 {
    var value = forward(index)
    while value >= count { value = forward(value) }
    return value
  }

  /// The index that `map` sends to `value` (below `count`).
  public func inverse(_ value: UInt64) -> UInt64 {
    var index = backward(value)
    while index >= count { index = backward(index) }
    return index
  }

  /// Where each index of a range (below `count`) goes, in order: several times the speed of `map` where values walk far,
  /// just above a power of four.
  ///
  /// Four walks go on side by side, since each step of a walk waits for the one before it, and none decides a branch.
  public func map(_ indices: Range<UInt64>, into values: inout [UInt64]) {
    values.removeAll(keepingCapacity: true)
    let total = indices.count
    let lanes = 4
    // Room for what idle lanes write at the end.
    values.append(contentsOf: repeatElement(0, count: total + lanes))
    guard total >= lanes else {
      for number in 0..<total { values[number] = map(indices.lowerBound + UInt64(number)) }
      return values.removeLast(lanes)
    }
    let first = indices.lowerBound
    values.withUnsafeMutableBufferPointer { out in
      var (a, b, c, d) = (first, first + 1, first + 2, first + 3)
      var (placeA, placeB, placeC, placeD) = (0, 1, 2, 3)
      var next = lanes
      // A lane whose walk has ended takes the next index; behind the last one it walks on without being heard.
      while min(placeA, placeB, placeC, placeD) < total {
        advance(&a, &placeA, &next, first, total, out)
        advance(&b, &placeB, &next, first, total, out)
        advance(&c, &placeC, &next, first, total, out)
        advance(&d, &placeD, &next, first, total, out)
      }
    }
    values.removeLast(lanes)
  }

  @inline(__always) private func advance(
    _ value: inout UInt64, _ place: inout Int, _ next: inout Int, _ first: UInt64, _ total: Int,
    _ out: UnsafeMutableBufferPointer<UInt64>
  ) {
    let step = forward(value)
    let isDone = step < count
    out[place] = step
    value = isDone ? first &+ UInt64(truncatingIfNeeded: next) : step
    place = isDone ? min(next, total) : place
    next += isDone ? 1 : 0
  }

  @inline(__always) private func forward(_ value: UInt64) -> UInt64 {
    var l = value >> half
    var r = value & mask
    (l, r) = (r, l ^ (Self.mix(r &+ k0) & mask))
    (l, r) = (r, l ^ (Self.mix(r &+ k1) & mask))
    (l, r) = (r, l ^ (Self.mix(r &+ k2) & mask))
    (l, r) = (r, l ^ (Self.mix(r &+ k3) & mask))
    (l, r) = (r, l ^ (Self.mix(r &+ k4) & mask))
    (l, r) = (r, l ^ (Self.mix(r &+ k5) & mask))
    return l << half | r
  }

  @inline(__always) private func backward(_ value: UInt64) -> UInt64 {
    var l = value >> half
    var r = value & mask
    (l, r) = (r ^ (Self.mix(l &+ k5) & mask), l)
    (l, r) = (r ^ (Self.mix(l &+ k4) & mask), l)
    (l, r) = (r ^ (Self.mix(l &+ k3) & mask), l)
    (l, r) = (r ^ (Self.mix(l &+ k2) & mask), l)
    (l, r) = (r ^ (Self.mix(l &+ k1) & mask), l)
    (l, r) = (r ^ (Self.mix(l &+ k0) & mask), l)
    return l << half | r
  }
}
