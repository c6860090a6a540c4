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
