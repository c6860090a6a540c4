/// HighwayHash-64, a keyed hash of four 64-bit lanes with 32-bit multiplications: the checksum of Riegeli and ArrayRecord files.
///
/// - Source: Alakuijala, Cox, Wassenberg, "Fast keyed hash/pseudo-random function using SIMD multiply and permute" (2016); the
///   remainder rule and the test vectors are those of google/highwayhash, portable version.
public struct HighwayHash: Sendable {
  /// 256 bits.
  public struct Key: Sendable {
    var words: SIMD4<UInt64>

    public init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) { words = SIMD4(a, b, c, d) }
  }

  /// Digits of π: the initial values of the two multipliers.
  private static let multipliers0 = SIMD4<UInt64>(
    0xDBE6_D5D5_FE4C_CE2F, 0xA409_3822_299F_31D0, 0x1319_8A2E_0370_7344, 0x243F_6A88_85A3_08D3)
  private static let multipliers1 = SIMD4<UInt64>(
    0x3BD3_9E10_CB0E_F593, 0xC0AC_F169_B5F1_8A8C, 0xBE54_66CF_34E9_0C6C, 0x4528_21E6_38D0_1377)
  private static let packetBytes = 32
  private static let low32 = SIMD4<UInt64>(repeating: 0xFFFF_FFFF)

  private var v0: SIMD4<UInt64>
  private var v1: SIMD4<UInt64>
  private var mul0: SIMD4<UInt64>
  private var mul1: SIMD4<UInt64>

  private init(_ key: Key) {
    mul0 = Self.multipliers0
    mul1 = Self.multipliers1
    v0 = mul0 ^ key.words
    v1 = mul1 ^ Self.swapHalves(key.words)
  }

  /// Hash of all bytes at once.
  public static func hash(_ bytes: borrowing Span<UInt8>, key: Key) -> UInt64 {
    bytes.withUnsafeBytes { hash($0, key: key) }
  }

  public static func hash(_ bytes: UnsafeRawBufferPointer, key: Key) -> UInt64 {
    var state = HighwayHash(key)
    let whole = bytes.count & ~(packetBytes - 1)
    var offset = 0
    while offset < whole {
      state.update(packet(bytes, at: offset))
      offset += packetBytes
    }
    if whole < bytes.count { state.updateRemainder(UnsafeRawBufferPointer(rebasing: bytes[whole...])) }
    for _ in 0..<4 { state.permuteAndUpdate() }
    return state.v0[0] &+ state.v1[0] &+ state.mul0[0] &+ state.mul1[0]
  }

  @inline(__always) private static func packet(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> SIMD4<
    UInt64
  > {
    // SAFETY: callers give an offset with 32 bytes behind it; `loadUnaligned` checks it in debug builds.
    SIMD4(
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)),
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self)),
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)))
  }

  @inline(__always) private mutating func update(_ lanes: SIMD4<UInt64>) {
    v1 = v1 &+ mul0 &+ lanes
    mul0 ^= (v1 & Self.low32) &* (v0 &>> 32)
    v0 = v0 &+ mul1
    mul1 ^= (v0 & Self.low32) &* (v1 &>> 32)
    v0 = v0 &+ Self.zipperMerge(v1)
    v1 = v1 &+ Self.zipperMerge(v0)
  }

  /// Mixes the bytes of each pair of lanes, so that the strong middle bytes of a product reach every other byte.
  @inline(__always) private static func zipperMerge(_ v: SIMD4<UInt64>) -> SIMD4<UInt64> {
    SIMD4(
      mergeEven(v[0], v[1]), mergeOdd(v[0], v[1]), mergeEven(v[2], v[3]), mergeOdd(v[2], v[3]))
  }

  /// Bytes 3, 12, 2, 5, 14, 1, 15, 0 of the pair, lowest first.
  @inline(__always) private static func mergeEven(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let first = (a & 0xFF00_0000 | b & 0xFF_0000_0000) >> 24
    let second = (a & 0xFF00_0000_0000 | b & 0xFF_0000_0000_0000) >> 16
    let third = a & 0xFF_0000 | (a & 0xFF00) << 32
    return first | second | third | (b & 0xFF00_0000_0000_0000) >> 8 | a << 56
  }

  /// Bytes 11, 4, 10, 13, 9, 6, 8, 7 of the pair, lowest first.
  @inline(__always) private static func mergeOdd(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let first = (b & 0xFF00_0000 | a & 0xFF_0000_0000) >> 24
    let second = b & 0xFF_0000 | (b & 0xFF00_0000_0000) >> 16
    let third = (b & 0xFF00) << 24 | (a & 0xFF_0000_0000_0000) >> 8
    return first | second | third | (b & 0xFF) << 48 | a & 0xFF00_0000_0000_0000
  }

  /// The last 1 to 31 bytes.
  private mutating func updateRemainder(_ bytes: UnsafeRawBufferPointer) {
    let count = bytes.count
    let length = UInt64(count)
    v0 = v0 &+ SIMD4(repeating: length << 32 &+ length)
    let low = v1 & Self.low32
    let high = v1 &>> 32
    v1 = Self.rotate32(high, by: length) &<< 32 | Self.rotate32(low, by: length)
    var packet = [UInt8](repeating: 0, count: Self.packetBytes)
    let whole = count & ~3
    for index in 0..<whole { packet[index] = bytes[index] }
    let rest = count & 3
    if count & 16 != 0 {
      // The last four bytes, whole words included.
      for index in 0..<4 { packet[28 + index] = bytes[whole + rest - 4 + index] }
    } else if rest != 0 {
      packet[16] = bytes[whole]
      packet[17] = bytes[whole + rest >> 1]
      packet[18] = bytes[whole + rest - 1]
    }
    update(packet.withUnsafeBytes { Self.packet($0, at: 0) })
  }

  private mutating func permuteAndUpdate() {
    let swapped = Self.swapHalves(v0)
    update(SIMD4(swapped[2], swapped[3], swapped[0], swapped[1]))
  }

  private static func swapHalves(_ v: SIMD4<UInt64>) -> SIMD4<UInt64> { v &>> 32 | v &<< 32 }

  /// Rotates 32-bit values, each in the low half of its lane; `count` is 1 to 31.
  private static func rotate32(_ v: SIMD4<UInt64>, by count: UInt64) -> SIMD4<UInt64> {
    (v &<< SIMD4(repeating: count) | v &>> SIMD4(repeating: 32 - count)) & low32
  }
}
