import CISAL

/// Writes gzip of text in rows, quickly and with the same bytes on every machine and with every version of every library.
///
/// Greedy LZ77 over blocks of 64 KiB and the fixed Huffman codes of RFC 1951: half as dense as zlib's level 6 and four times
/// as fast. Libraries are not used since ISA-L's output follows the processor's instructions, and zlib's its version. The
/// header has no name and no time.
///
/// - Source: RFC 1952 (members), RFC 1951 §3.2.5 and §3.2.6 (codes).
public struct GzipEncoder: ~Copyable {
  static let blockBytes = 64 << 10
  private static let hashBits = 13
  private static let distanceMax = 32_768
  private static let lengthMax = 258

  private var pending: [UInt8] = []
  private var table = [UInt16](repeating: 0, count: 1 << hashBits)
  private var crc: UInt32 = 0
  private var length: UInt32 = 0
  private var bits: UInt64 = 0
  private var bitCount: UInt64 = 0

  /// Begins a member: appends its header to `output`.
  public init(into output: inout [UInt8]) {
    // Deflate, no flags, no time, no hint of the level, system unknown.
    output.append(contentsOf: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
    pending.reserveCapacity(Self.blockBytes)
  }

  /// Adds bytes; appends what is compressed by now. The cuts between calls do not change the output.
  public mutating func add(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) {
    var rest = bytes
    while rest.count > 0 {
      let taken = min(Self.blockBytes - pending.count, rest.count)
      pending.append(contentsOf: rest[..<taken])
      rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
      if pending.count == Self.blockBytes { endBlock(into: &output) }
    }
  }

  public mutating func add(_ bytes: [UInt8], into output: inout [UInt8]) {
    bytes.withUnsafeBytes { add($0, into: &output) }
  }

  /// Ends the member.
  public mutating func finish(into output: inout [UInt8]) {
    if !pending.isEmpty { endBlock(into: &output) }
    // An empty last block: its header (1, fixed codes) and its end.
    put(0b011, 3)
    put(0, 7)
    let tail = (bitCount + 7) / 8
    for byte in 0..<tail { output.append(UInt8(truncatingIfNeeded: bits >> (8 * byte))) }
    for word in [crc, length] {
      for shift in [0, 8, 16, 24] as [UInt32] { output.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
  }

  private mutating func put(_ value: UInt64, _ count: UInt64) {
    bits |= value << bitCount
    bitCount += count
  }

  private mutating func endBlock(into output: inout [UInt8]) {
    let count = pending.count
    crc = pending.withUnsafeBufferPointer { crc32_gzip_refl(crc, $0.baseAddress, UInt64(count)) }
    length &+= UInt32(truncatingIfNeeded: count)
    // A literal has at most 9 bits, a match fewer per byte; the accumulator is written 4 bytes at a time.
    let room = count + count / 8 + 32
    var (bits, bitCount) = (bits, bitCount)
    let compressed = [UInt8](unsafeUninitializedCapacity: room) { out, initialized in
      pending.withUnsafeBytes { input in
        table.withUnsafeMutableBufferPointer { table in
          var state = BlockState(UnsafeMutableRawBufferPointer(out), bits, bitCount)
          Self.compress(input, table, &state)
          (bits, bitCount) = (state.bits, state.count)
          initialized = state.at
        }
      }
    }
    (self.bits, self.bitCount) = (bits, bitCount)
    output.append(contentsOf: compressed)
    pending.removeAll(keepingCapacity: true)
  }

  /// Where bits go: the lowest first.
  private struct BlockState {
    let out: UnsafeMutableRawBufferPointer
    var at = 0
    var bits: UInt64
    var count: UInt64

    init(_ out: UnsafeMutableRawBufferPointer, _ bits: UInt64, _ count: UInt64) {
      self.out = out
      self.bits = bits
      self.count = count
    }

    /// At most 32 bits at once.
    @inline(__always) mutating func put(_ value: UInt32, _ width: UInt32) {
      bits |= UInt64(value) << count
      count += UInt64(width)
      if count >= 32 {
        out.storeBytes(of: UInt32(truncatingIfNeeded: bits).littleEndian, toByteOffset: at, as: UInt32.self)
        at += 4
        bits >>= 32
        count -= 32
      }
    }
  }

  private static func compress(
    _ input: UnsafeRawBufferPointer, _ table: UnsafeMutableBufferPointer<UInt16>, _ state: inout BlockState
  ) {
    table.update(repeating: 0)
    state.put(0b010, 3)
    let literals = Codes.literals
    let lengths = Codes.lengths
    literals.withUnsafeBufferPointer { literals in
      lengths.withUnsafeBufferPointer { lengths in
        var at = 0
        while at + 4 <= input.count {
          let word = input.loadUnaligned(fromByteOffset: at, as: UInt32.self).littleEndian
          let slot = Int(truncatingIfNeeded: (word &* 2_654_435_761) >> UInt32(32 - hashBits))
          let found = Int(table[slot])
          table[slot] = UInt16(truncatingIfNeeded: at)
          guard found < at, at - found <= distanceMax,
            input.loadUnaligned(fromByteOffset: found, as: UInt32.self).littleEndian == word
          else {
            let code = literals[Int(input[at])]
            state.put(code.bits, code.width)
            at += 1
            continue
          }
          let limit = min(lengthMax, input.count - at)
          let length = 4 + equalBytes(input, at + 4, found + 4, limit - 4)
          let code = lengths[length]
          state.put(code.bits, code.width)
          putDistance(at - found, &state)
          at += length
        }
        while at < input.count {
          let code = literals[Int(input[at])]
          state.put(code.bits, code.width)
          at += 1
        }
      }
    }
    // End of block: symbol 256, seven zero bits.
    state.put(0, 7)
  }

  /// How many bytes from `a` and `b` on are equal, at most `limit`.
  @inline(__always) private static func equalBytes(
    _ input: UnsafeRawBufferPointer, _ a: Int, _ b: Int, _ limit: Int
  ) -> Int {
    var count = 0
    while count + 8 <= limit {
      let difference =
        input.loadUnaligned(fromByteOffset: a + count, as: UInt64.self).littleEndian
        ^ input.loadUnaligned(fromByteOffset: b + count, as: UInt64.self).littleEndian
      if difference != 0 { return count + difference.trailingZeroBitCount / 8 }
      count += 8
    }
    while count < limit, input[a + count] == input[b + count] { count += 1 }
    return count
  }

  /// Code of five bits, then extra bits: n - 1 of them where the distance less one has n + 1 bits.
  @inline(__always) private static func putDistance(_ distance: Int, _ state: inout BlockState) {
    let value = UInt32(truncatingIfNeeded: distance - 1)
    guard value >= 4 else { return state.put(Codes.reversed(value, 5), 5) }
    let top = UInt32(31 - value.leadingZeroBitCount)
    let extra = top - 1
    let symbol = 2 * top + (value >> extra & 1)
    state.put(Codes.reversed(symbol, 5) | (value & (1 << extra - 1)) << 5, 5 + extra)
  }

  /// The fixed codes, ready to be written lowest bit first.
  private enum Codes {
    struct Code {
      var bits: UInt32
      var width: UInt32
    }

    static func reversed(_ code: UInt32, _ width: UInt32) -> UInt32 {
      var (code, result) = (code, UInt32(0))
      for _ in 0..<width {
        result = result << 1 | code & 1
        code >>= 1
      }
      return result
    }

    private static func symbol(_ number: UInt32) -> Code {
      switch number {
      case 0...143: Code(bits: reversed(0x30 + number, 8), width: 8)
      case 144...255: Code(bits: reversed(0x190 + number - 144, 9), width: 9)
      case 256...279: Code(bits: reversed(number - 256, 7), width: 7)
      default: Code(bits: reversed(0xC0 + number - 280, 8), width: 8)
      }
    }

    static let literals = (0...255).map { symbol($0) }

    /// By length, 3 to 258: the symbol's code, then its extra bits.
    static let lengths: [Code] = (0...258).map { length in
      guard length >= 3 else { return Code(bits: 0, width: 0) }
      if length == 258 { return symbol(285) }
      let value = UInt32(length - 3)
      guard value >= 8 else { return symbol(257 + value) }
      let extra = UInt32(31 - value.leadingZeroBitCount) - 2
      var code = symbol(257 + 4 * extra + (value >> extra))
      code.bits |= (value & (1 << extra - 1)) << code.width
      code.width += extra
      return code
    }
  }
}

/// CRC-32 of gzip and of Parquet's pages, with the processor's instructions where it has them.
public enum CRC32 {
  /// - Parameter seed: the CRC of what comes before, 0 at the start.
  public static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    crc32_gzip_refl(seed, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
  }
}
