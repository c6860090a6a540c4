/// XXH64, the 64-bit hash of xxHash, one-shot and incremental.
///
/// - Source: the xxHash specification, "XXH64 algorithm description" (Cyan4973/xxHash, doc/xxhash_spec.md, version 0.1.1).
public struct XXH64: Sendable {
  static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  private let seed: UInt64
  private var lanes: (UInt64, UInt64, UInt64, UInt64)
  private var pending: [UInt8] = []
  private var length: UInt64 = 0

  public init(seed: UInt64 = 0) {
    self.seed = seed
    lanes = (seed &+ Self.prime1 &+ Self.prime2, seed &+ Self.prime2, seed, seed &- Self.prime1)
  }

  /// Hash of all bytes at once.
  public static func hash(_ bytes: borrowing Span<UInt8>, seed: UInt64 = 0) -> UInt64 {
    bytes.withUnsafeBufferPointer { hash(UnsafeRawBufferPointer($0), seed: seed) }
  }

  public static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    var lanes = (seed &+ prime1 &+ prime2, seed &+ prime2, seed, seed &- prime1)
    let striped = bytes.count & ~31
    if striped > 0 { consume(bytes, striped, &lanes) }
    return finish(lanes, seed, UInt64(bytes.count), UnsafeRawBufferPointer(rebasing: bytes[striped...]))
  }

  /// Adds bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    length &+= UInt64(bytes.count)
    var rest = bytes
    if !pending.isEmpty {
      let taken = min(32 - pending.count, rest.count)
      pending.append(contentsOf: rest[..<taken])
      rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
      guard pending.count == 32 else { return }
      pending.withUnsafeBytes { Self.consume($0, 32, &lanes) }
      pending.removeAll(keepingCapacity: true)
    }
    let striped = rest.count & ~31
    if striped > 0 { Self.consume(rest, striped, &lanes) }
    pending.append(contentsOf: rest[striped...])
  }

  public mutating func update(_ bytes: borrowing Span<UInt8>) {
    bytes.withUnsafeBufferPointer { update(UnsafeRawBufferPointer($0)) }
  }

  /// The hash of everything added so far.
  public func finalize() -> UInt64 {
    pending.withUnsafeBytes { Self.finish(lanes, seed, length, $0) }
  }

  private static func consume(
    _ bytes: UnsafeRawBufferPointer, _ count: Int, _ lanes: inout (UInt64, UInt64, UInt64, UInt64)
  ) {
    var (a, b, c, d) = lanes
    var offset = 0
    while offset < count {
      a = round(a, bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      b = round(b, bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
      c = round(c, bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self))
      d = round(d, bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
      offset += 32
    }
    lanes = (a, b, c, d)
  }

  @inline(__always) private static func rotate(_ x: UInt64, _ by: UInt64) -> UInt64 {
    x << by | x >> (64 - by)
  }

  @inline(__always) private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    rotate(lane &+ UInt64(littleEndian: input) &* prime2, 31) &* prime1
  }

  private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
    (hash ^ round(0, lane)) &* prime1 &+ prime4
  }

  private static func finish(
    _ lanes: (UInt64, UInt64, UInt64, UInt64), _ seed: UInt64, _ length: UInt64,
    _ tail: UnsafeRawBufferPointer
  ) -> UInt64 {
    var hash: UInt64
    if length >= 32 {
      hash = rotate(lanes.0, 1) &+ rotate(lanes.1, 7) &+ rotate(lanes.2, 12) &+ rotate(lanes.3, 18)
      hash = merge(merge(merge(merge(hash, lanes.0), lanes.1), lanes.2), lanes.3)
    } else {
      hash = seed &+ prime5
    }
    hash &+= length
    var offset = 0
    while offset + 8 <= tail.count {
      hash =
        rotate(hash ^ round(0, tail.loadUnaligned(fromByteOffset: offset, as: UInt64.self)), 27) &* prime1
        &+ prime4
      offset += 8
    }
    if offset + 4 <= tail.count {
      let word = UInt64(UInt32(littleEndian: tail.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      hash = rotate(hash ^ word &* prime1, 23) &* prime2 &+ prime3
      offset += 4
    }
    while offset < tail.count {
      hash = rotate(hash ^ UInt64(tail[offset]) &* prime5, 11) &* prime1
      offset += 1
    }
    hash = (hash ^ hash >> 33) &* prime2
    hash = (hash ^ hash >> 29) &* prime3
    return hash ^ hash >> 32
  }
}
