import CISAL

/// Writes gzip with the fixed Huffman codes of RFC 1951, from text and a list of the places where it repeats itself.
///
/// The caller knows its text (rows that resemble the row before) and names the repetitions, so that nothing is searched: a few
/// nanoseconds a row instead of hundreds. The bytes are the same on every machine and with every version of every library; ISA-L's own
/// compressor follows the processor's instructions, and zlib's its version. The header has no name and no time.
///
/// - Source: RFC 1952 (members), RFC 1951 §3.2.5 and §3.2.6 (codes).
public struct GzipEncoder: ~Copyable {
  /// Bytes of the text that stand before it already.
  public struct Copy: Equatable, Sendable {
    /// Offset in the bytes that are added.
    public var at: Int
    public var length: Int
    /// How far before, 1 to `distanceMax`; it may reach back into what was added earlier.
    public var distance: Int
    public init(at: Int, length: Int, distance: Int) {
      self.at = at
      self.length = length
      self.distance = distance
    }
  }

  public static let distanceMax = 32_768
  /// Shorter copies are written out.
  public static let lengthMin = 3
  private static let lengthMax = 258

  private var crc: UInt32 = 0
  private var length: UInt32 = 0
  private var bits: UInt64 = 0
  private var bitCount: UInt64 = 0

  /// Begins a member: appends its header to `output`.
  public init(into output: inout [UInt8]) {
    // Deflate, no flags, no time, no hint of the level, system unknown.
    output.append(contentsOf: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
    // One block, the last, of fixed codes.
    bits = 0b011
    bitCount = 3
  }

  /// Adds text and appends what is compressed by now. The cuts between calls do not change the output.
  ///
  /// - Parameter copies: in order, without overlap, inside `bytes`; that they are repetitions is the caller's promise, which reading
  ///   back checks. What is not covered is written out.
  public mutating func add(
    _ bytes: UnsafeRawBufferPointer, copies: [Copy] = [], into output: inout [UInt8]
  ) {
    crc = CRC32.hash(bytes, seed: crc)
    length &+= UInt32(truncatingIfNeeded: bytes.count)
    // A literal has at most 9 bits, a copy fewer per byte; the accumulator is written 4 bytes at a time.
    let room = bytes.count + bytes.count / 8 + 32
    var (bits, bitCount) = (bits, bitCount)
    let compressed = [UInt8](unsafeUninitializedCapacity: room) { out, initialized in
      var state = BitWriter(UnsafeMutableRawBufferPointer(out), bits, bitCount)
      Codes.literals.withUnsafeBufferPointer { literals in
        Codes.lengths.withUnsafeBufferPointer { lengths in
          var at = 0
          for copy in copies {
            guard copy.length >= Self.lengthMin, copy.at >= at, (1...Self.distanceMax).contains(copy.distance)
            else { continue }
            Self.putLiterals(bytes, at..<copy.at, literals, &state)
            Self.put(copy, lengths, &state)
            at = copy.at + copy.length
          }
          Self.putLiterals(bytes, at..<bytes.count, literals, &state)
        }
      }
      (bits, bitCount) = (state.bits, state.count)
      initialized = state.at
    }
    (self.bits, self.bitCount) = (bits, bitCount)
    output.append(contentsOf: compressed)
  }

  /// Ends the member.
  public mutating func finish(into output: inout [UInt8]) {
    // End of block: symbol 256, seven zero bits.
    bitCount += 7
    for byte in 0..<(bitCount + 7) / 8 { output.append(UInt8(truncatingIfNeeded: bits >> (8 * byte))) }
    for word in [crc, length] {
      for shift in [0, 8, 16, 24] as [UInt32] { output.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
  }

  /// Where bits go: the lowest first.
  private struct BitWriter {
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

  @inline(__always) private static func putLiterals(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ literals: UnsafeBufferPointer<Code>,
    _ state: inout BitWriter
  ) {
    var at = range.lowerBound
    while at + 2 <= range.upperBound {
      let (first, second) = (literals[Int(bytes[at])], literals[Int(bytes[at + 1])])
      state.put(first.bits | second.bits << first.width, first.width + second.width)
      at += 2
    }
    if at < range.upperBound { state.put(literals[Int(bytes[at])].bits, literals[Int(bytes[at])].width) }
  }

  /// A copy in pieces of at most 258 bytes, none shorter than 3.
  @inline(__always) private static func put(
    _ copy: Copy, _ lengths: UnsafeBufferPointer<Code>, _ state: inout BitWriter
  ) {
    var rest = copy.length
    while rest > 0 {
      var length = min(rest, lengthMax)
      if rest > length, rest - length < lengthMin { length -= lengthMin }
      state.put(lengths[length].bits, lengths[length].width)
      putDistance(copy.distance, &state)
      rest -= length
    }
  }

  /// Code of five bits, then extra bits: n - 1 of them where the distance less one has n + 1 bits.
  @inline(__always) private static func putDistance(_ distance: Int, _ state: inout BitWriter) {
    let value = UInt32(truncatingIfNeeded: distance - 1)
    guard value >= 4 else { return state.put(reversedFive(value), 5) }
    let top = UInt32(31 - value.leadingZeroBitCount)
    let extra = top - 1
    let symbol = 2 * top + (value >> extra & 1)
    state.put(reversedFive(symbol) | (value & (1 << extra - 1)) << 5, 5 + extra)
  }

  /// Five bits in the other order.
  @inline(__always) private static func reversedFive(_ code: UInt32) -> UInt32 {
    (code & 1) << 4 | (code & 2) << 2 | code & 4 | code >> 2 & 2 | code >> 4
  }

  private struct Code {
    var bits: UInt32
    var width: UInt32
  }

  /// The fixed codes, ready to be written lowest bit first.
  private enum Codes {
    private static func reversed(_ code: UInt32, _ width: UInt32) -> UInt32 {
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
