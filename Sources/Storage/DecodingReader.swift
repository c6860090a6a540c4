import Bytes
import Glibc

/// Decodes an input whose codec is told by its first bytes, never by its name: gzip (any number of members), zstd (frames,
/// skippable ones, a WARC dictionary), bzip2 (any number of streams) or plain.
///
/// A read never crosses the border of a member, so that a caller can keep the offset of the member a record lies in.
public final class DecodingReader {
  public enum Codec: String, Sendable { case plain, gzip, zstd, bzip2 }

  public enum Outcome: Equatable {
    /// So many bytes were appended, at least one.
    case bytes(Int)
    /// A member ended; the next read starts the next one.
    case memberEnd
    case end
    /// The member is damaged here; go on with `skipToNextMember`, or stop.
    case corrupt(String)
    /// The input ended inside a member.
    case truncated
  }

  public let codec: Codec
  /// Encoded offset at which the current member starts; 0 in a plain input.
  public private(set) var memberOffset: Int64
  /// Decoded bytes given out of the current member. In a plain input: of the file, the start offset included.
  public private(set) var decodedInMember: Int64 = 0

  private let input: ByteInput
  private let decoder: any MemberDecoder
  private let limits: Limits
  private let dictionary: [UInt8]
  private let buffer: UnsafeMutableRawBufferPointer
  private var low = 0
  private var high = 0
  private var inputEnded = false
  private var isInMember = false
  private var bufferOffset: Int64
  private var decodedTotal: Int64 = 0
  /// Where the bytes that `decodedTotal` came from begin.
  private var ratioStart: Int64
  /// Members that were left because they expand too much: a few cost one record each, more end the file.
  private var bombs = 0
  private static let bombsMax = 8
  private let startOffset: Int64
  private var rescanned: Int64 = 0

  static let bufferBytes = 256 << 10

  /// Encoded bytes consumed so far, as an offset in the file.
  public var encodedOffset: Int64 { bufferOffset + Int64(low) }

  /// - Parameter offset: encoded offset of the start of a member (plain: any byte).
  public convenience init(_ file: InputFile, from offset: Int64 = 0, limits: Limits = .standard)
    throws(StorageError)
  {
    try self.init(try ByteInput(file.path, from: offset), file: file, from: offset, limits: limits)
  }

  /// Over bytes in memory, for sniffing and tests. `window`: at most so many bytes are taken at once.
  public convenience init(bytes: [UInt8], name: String = "memory", limits: Limits = .standard)
    throws(StorageError)
  {
    try self.init(ByteInput(bytes: bytes, name: name), file: nil, from: 0, limits: limits)
  }

  private init(_ input: ByteInput, file: InputFile?, from offset: Int64, limits: Limits) throws(StorageError)
  {
    self.input = input
    self.limits = limits
    startOffset = offset
    ratioStart = offset
    buffer = .allocate(byteCount: DecodingReader.bufferBytes, alignment: 64)
    bufferOffset = offset
    memberOffset = offset
    while high < 18 {
      let count = try input.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[high...]))
      if count == 0 {
        inputEnded = true
        break
      }
      high += count
    }
    var codec = DecodingReader.sniff(UnsafeRawBufferPointer(rebasing: buffer[..<high]))
    if offset > 0, let file {
      // A range of a file has the codec of the file's own first bytes.
      codec = try DecodingReader.head(of: file, count: 0).codec
    }
    self.codec = codec
    var dictionary: [UInt8] = []
    if codec == .zstd, let file { dictionary = try DecodingReader.dictionary(of: file, limits: limits) }
    self.dictionary = dictionary
    decoder = try DecodingReader.makeDecoder(codec, limits, dictionary)
    if codec == .plain {
      memberOffset = 0
      decodedInMember = offset
    }
  }

  deinit { buffer.deallocate() }

  /// The codec that the first bytes announce.
  static func sniff(_ head: UnsafeRawBufferPointer) -> Codec {
    func begins(_ magic: [UInt8]) -> Bool {
      head.count >= magic.count && magic.indices.allSatisfy { head[$0] == magic[$0] }
    }
    if begins([0x1F, 0x8B]) { return .gzip }
    if begins([0x28, 0xB5, 0x2F, 0xFD]) { return .zstd }
    if head.count >= 4, head[0] & 0xF0 == 0x50, head[1] == 0x2A, head[2] == 0x4D, head[3] == 0x18 {
      return .zstd
    }
    if begins([0x42, 0x5A, 0x68]), head.count >= 10, (0x31...0x39).contains(head[3]),
      head[4] == 0x31 || head[4] == 0x17
    {
      return .bzip2
    }
    return .plain
  }

  /// Appends up to `count` decoded bytes of the current member.
  public func read(into output: inout [UInt8], upTo count: Int) throws(StorageError) -> Outcome {
    guard count > 0 else { return .bytes(0) }
    while true {
      if low == high, !inputEnded { try refill() }
      if !isInMember {
        if low == high { return .end }
        if codec == .gzip, skipPadding() { continue }
        isInMember = true
        if codec != .plain {
          decoder.reset()
          memberOffset = encodedOffset
          decodedInMember = 0
        }
      }
      let step = decode(into: &output, count)
      low += step.consumed
      decodedInMember += Int64(step.produced)
      decodedTotal += Int64(step.produced)
      if decodedTotal > limits.expansionGrace,
        decodedTotal / Int64(limits.expansionRatio) > max(1, encodedOffset - ratioStart)
      {
        low = high
        inputEnded = true
        isInMember = false
        return .corrupt("expands more than \(limits.expansionRatio) : 1")
      }
      if step.produced > 0 {
        // What came with the end or the damage goes out first.
        if step.state == .memberEnd { pendingMemberEnd = true }
        if case .corrupt(let reason) = step.state { pendingDamage = reason }
        return .bytes(step.produced)
      }
      if case .corrupt(let reason) = step.state { return damaged(reason) }
      if let reason = pendingDamage { return damaged(reason) }
      if pendingMemberEnd || step.state == .memberEnd {
        pendingMemberEnd = false
        isInMember = false
        return .memberEnd
      }
      if low == high, inputEnded {
        isInMember = false
        return codec == .plain ? .end : .truncated
      }
      if step.consumed == 0, low < high { return damaged("the decoder makes no progress") }
    }
  }

  private var pendingMemberEnd = false
  private var pendingDamage: String?

  private func damaged(_ reason: String) -> Outcome {
    pendingDamage = nil
    isInMember = false
    return .corrupt(reason)
  }

  private func decode(into output: inout [UInt8], _ count: Int) -> DecodingStep {
    if pendingMemberEnd || pendingDamage != nil { return DecodingStep() }
    let available = UnsafeRawBufferPointer(rebasing: buffer[low..<high])
    var step = DecodingStep()
    let decoder = decoder
    output.append(addingCapacity: min(count, 1 << 20)) { (room: inout OutputSpan<UInt8>) in
      room.withUnsafeMutableBufferPointer { scratch, initialized in
        step = decoder.step(available, UnsafeMutableRawBufferPointer(scratch))
        initialized = step.produced
      }
    }
    return step
  }

  /// Zero bytes between or after gzip members are padding.
  private func skipPadding() -> Bool {
    let start = low
    while low < high, buffer[low] == 0 { low += 1 }
    return low > start
  }

  private func refill() throws(StorageError) {
    bufferOffset += Int64(low)
    if low > 0, low < high { memmove(buffer.baseAddress!, buffer.baseAddress! + low, high - low) }
    high -= low
    low = 0
    let count = try input.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[high...]))
    if count == 0 { inputEnded = true }
    high += count
  }
}

extension DecodingReader {
  /// After `corrupt` (or at any time): searches the next member behind the damaged one's start, and makes it the current
  /// one. `accepting`: bytes that its content must begin with. False, and the input at its end, if there is none.
  public func skipToNextMember(accepting prefix: StaticString = "") throws(StorageError) -> Bool {
    isInMember = false
    pendingMemberEnd = false
    pendingDamage = nil
    // Bytes are looked at again only as long as all rescans together stay within the file read so far: damage after
    // damage must not make the work quadratic.
    var restart = memberOffset + 1
    if decodedTotal > limits.expansionGrace, bombs < DecodingReader.bombsMax {
      bombs += 1
      decodedTotal = 0
      ratioStart = restart
    }
    rescanned += max(0, encodedOffset - restart)
    if rescanned > 4 * (encodedOffset - startOffset) + 16 << 20 { restart = max(restart, encodedOffset) }
    if input.isSeekable, codec != .plain, restart < encodedOffset {
      input.seek(to: restart)
      bufferOffset = restart
      low = 0
      high = 0
      inputEnded = false
    } else if low < high {
      low += restart > encodedOffset ? 1 : 0
    }
    while true {
      if high - low < 64 << 10, !inputEnded {
        try refill()
        continue
      }
      guard high - low >= 10 else {
        low = high
        return false
      }
      // Candidates are judged only while enough bytes stand behind them.
      let end = inputEnded ? high - 9 : high - (32 << 10)
      while low < end {
        if isMemberStart(low), content(at: low, beginsWith: prefix) { return true }
        low += 1
      }
      if inputEnded, low >= high - 9 {
        low = high
        return false
      }
    }
  }

  private func isMemberStart(_ index: Int) -> Bool {
    switch codec {
    case .plain: false
    case .gzip:
      buffer[index] == 0x1F && buffer[index + 1] == 0x8B && buffer[index + 2] == 8
        && buffer[index + 3] & 0xE0 == 0
    case .zstd:
      buffer[index] == 0x28 && buffer[index + 1] == 0xB5 && buffer[index + 2] == 0x2F
        && buffer[index + 3] == 0xFD
    case .bzip2:
      buffer[index] == 0x42 && buffer[index + 1] == 0x5A && buffer[index + 2] == 0x68
        && buffer[index + 4] == 0x31
        && buffer[index + 5] == 0x41 && buffer[index + 6] == 0x59 && buffer[index + 7] == 0x26
    }
  }

  /// Decodes the first bytes of a candidate: damage there, or another beginning than wanted, refuses it.
  private func content(at index: Int, beginsWith prefix: StaticString) -> Bool {
    guard let trial = try? DecodingReader.makeDecoder(codec, limits, dictionary) else { return false }
    trial.reset()
    var head = [UInt8](repeating: 0, count: 4096)
    var count = 0
    var consumed = index
    let isSound = head.withUnsafeMutableBytes { output -> Bool in
      while count < output.count, consumed < high {
        let step = trial.step(
          UnsafeRawBufferPointer(rebasing: buffer[consumed..<high]),
          UnsafeMutableRawBufferPointer(rebasing: output[count...]))
        if case .corrupt = step.state { return false }
        count += step.produced
        consumed += step.consumed
        if step.state == .memberEnd || step.consumed + step.produced == 0 { break }
      }
      return true
    }
    return isSound && count >= prefix.utf8CodeUnitCount && head.span.starts(with: prefix)
  }

  private static func makeDecoder(
    _ codec: Codec, _ limits: Limits, _ dictionary: [UInt8]
  ) throws(StorageError) -> any MemberDecoder {
    switch codec {
    case .plain: PlainDecoder()
    case .gzip: try GzipDecoder()
    case .zstd: try ZstdDecoder(windowLog: limits.zstdWindowLog, dictionary: dictionary)
    case .bzip2: Bzip2Decoder()
    }
  }

  /// Codec and the first decoded bytes of an input, which stays to be read (standard input too).
  public static func head(of file: InputFile, count: Int) throws(StorageError) -> (
    codec: Codec, bytes: [UInt8]
  ) {
    let input: ByteInput
    if file.path == "-" {
      input = ByteInput(bytes: try ByteInput.peekStandardInput(32 << 10), name: "standard input")
    } else {
      input = try ByteInput(file.path)
    }
    let reader = try DecodingReader(input, file: file.path == "-" ? nil : file, from: 0, limits: .standard)
    var bytes: [UInt8] = []
    while bytes.count < count {
      switch try reader.read(into: &bytes, upTo: count - bytes.count) {
      case .bytes, .memberEnd: continue
      case .end, .truncated, .corrupt: return (reader.codec, bytes)
      }
    }
    return (reader.codec, bytes)
  }

  /// The dictionary of a WARC in zstd: a skippable frame 0x184D2A5D at the start of the file, raw or itself a zstd frame.
  ///
  /// - Source: IIPC, "Zstandard WARC", version 1.0. At most 8 MiB.
  static func dictionary(of file: InputFile, limits: Limits) throws(StorageError) -> [UInt8] {
    guard file.path != "-" else { return [] }
    let random = try RandomAccessFile(file.path)
    let head = try random.read(at: 0, count: 8)
    guard head.count == 8, head[0] == 0x5D, head[1] == 0x2A, head[2] == 0x4D, head[3] == 0x18 else {
      return []
    }
    let size = Int(head[4]) | Int(head[5]) << 8 | Int(head[6]) << 16 | Int(head[7]) << 24
    guard size <= 8 << 20 else { return [] }
    let content = try random.read(at: 8, count: size)
    guard content.count > 4, content[0] == 0x28, content[1] == 0xB5, content[2] == 0x2F, content[3] == 0xFD
    else {
      return content
    }
    var dictionary: [UInt8] = []
    let plain = try DecodingReader(bytes: content)
    while case .bytes = try plain.read(into: &dictionary, upTo: (8 << 20) - dictionary.count) {}
    return dictionary
  }
}
