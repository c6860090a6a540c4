import Bytes
import Storage

/// Decoded bytes around the place where a reader (`WARCReader`, `WikiReader`) stands: records already cut lie before `kept`, the rest is to be read.
///
/// It knows in which member each byte lies, because a record's place is the member in which it begins.
final class RecordWindow {
  enum Fill: Equatable {
    case bytes
    /// A member ended, and the next one, whose bytes begin at this position, starts with a record, or with damage (then no bytes
    /// follow, and the next fill tells what it is).
    case newMember(Int)
    case end, truncated
    case corrupt(String)
  }
  enum Blank: Equatable {
    /// `settled`: behind a record that is being kept its member ends, or come nothing but line ends in a long stretch.
    case byte, settled, end, truncated
    case corrupt(String)
  }

  let reader: DecodingReader
  private(set) var bytes: [UInt8] = []
  /// Where the reader stands.
  private(set) var start = 0
  /// End of the records that were cut: bytes before it stay for the parser.
  var kept = 0
  /// Bytes that were given up.
  private(set) var discarded: Int64 = 0
  /// True if the record at `start` begins its member (or the file is plain): a unit may begin here.
  private(set) var isAligned = true

  private var carry: [UInt8] = []
  /// Members that begin behind `start`: position in `bytes`, offset in the file.
  private var members: [(position: Int, offset: Int64)] = []
  private var memberOffset: Int64
  private var ordinal = 0
  /// End of the last record or of the last stretch of garbage: a member that begins behind it begins with a record.
  private var boundary = 0
  private var deferred: Fill?
  private var last = Fill.bytes
  private var plainOffset: Int64

  static let readBytes = 128 << 10

  init(_ reader: DecodingReader, from: Int64) {
    self.reader = reader
    memberOffset = from
    plainOffset = from
  }

  var isPlain: Bool { reader.codec == .plain }
  var available: Int { bytes.count - start }
  /// Offset of the record at `start`: of its member, or in a plain file of its first byte.
  var offset: Int64 { isPlain ? plainOffset : memberOffset }

  /// Takes over the chunk's memory and puts the bytes left by the chunk before into it.
  ///
  /// `prefix`: bytes that go before them, for the parser (nothing is cut out of them).
  func adopt(_ memory: inout [UInt8], prefix: [UInt8] = []) {
    bytes = memory
    memory = []
    bytes.append(contentsOf: prefix)
    start = prefix.count
    kept = prefix.count
    boundary += prefix.count
    for index in members.indices { members[index].position += prefix.count }
    bytes.append(contentsOf: carry)
    carry.removeAll(keepingCapacity: true)
  }

  /// Gives the cut records back and keeps what lies behind `start`.
  func release(_ memory: inout [UInt8]) {
    carry.append(contentsOf: bytes[start...])
    for index in members.indices { members[index].position -= start }
    boundary -= start
    bytes.removeSubrange(kept...)
    memory = bytes
    bytes = []
    start = 0
    kept = 0
  }

  /// Reads more bytes, if need be out of the next member.
  func more() throws(StorageError) -> Fill {
    last = try readMore()
    return last
  }

  /// Makes the next `more` say again what it said.
  func repeatLast() { deferred = last }

  private func readMore() throws(StorageError) -> Fill {
    if let fill = deferred {
      deferred = nil
      return fill
    }
    switch try read() {
    case .bytes: return .bytes
    case .end: return .end
    case .truncated: return .truncated
    case .corrupt(let reason): return .corrupt(reason)
    case .memberEnd: return try peekMember()
    }
  }

  private func read() throws(StorageError) -> DecodingReader.Outcome {
    let position = bytes.count
    let outcome = try reader.read(into: &bytes, upTo: RecordWindow.readBytes)
    if case .bytes(let count) = outcome {
      if !isPlain, reader.decodedInMember == Int64(count) { members.append((position, reader.memberOffset)) }
    } else if bytes.count > position {
      // What a decoder gave before it met damage is not used.
      bytes.removeSubrange(position...)
    }
    return outcome
  }

  /// A member ended: does the next one begin with a record?
  private func peekMember() throws(StorageError) -> Fill {
    let position = bytes.count
    while bytes.count - position < 7 {
      switch try read() {
      case .bytes: continue
      case .memberEnd: continue
      case .end:
        if bytes.count == position { return .end }
        deferred = .end
      case .truncated:
        deferred = .truncated
        if bytes.count == position { return .newMember(position) }
      case .corrupt(let reason):
        deferred = .corrupt(reason)
        if bytes.count == position { return .newMember(position) }
      }
      break
    }
    return beginsRecord(position) || isCutSignature(position) ? .newMember(position) : .bytes
  }

  /// Goes over line ends between records. `keeping`: bytes before this position are kept even if no record was cut yet.
  func skipBlank(keeping: Int = 0) throws(StorageError) -> Blank {
    while true {
      var index = start
      while index < bytes.count, bytes[index] == 10 || bytes[index] == 13 { index += 1 }
      move(to: index)
      if index < bytes.count { return .byte }
      if keeping == 0 {
        dropGap()
      } else if index - keeping > RecordWindow.readBytes {
        return .settled
      }
      switch try more() {
      case .bytes: continue
      case .newMember:
        if keeping > 0 { return .settled }
      case .end: return .end
      case .truncated: return .truncated
      case .corrupt(let reason): return .corrupt(reason)
      }
    }
  }

  /// Settles in which member the record at `start` begins.
  func enterMember() {
    isAligned = isPlain
    while let first = members.first, first.position <= start {
      isAligned = first.position >= boundary
      memberOffset = first.offset
      ordinal = 0
      members.removeFirst()
    }
  }

  /// The number of the record at `start` within its member.
  func takeOrdinal() -> Int {
    if isPlain { return 0 }
    ordinal += 1
    return ordinal - 1
  }

  /// True if a record was taken from the member that is being decoded.
  var gaveRecordOfMember: Bool { memberOffset == reader.memberOffset && ordinal > 0 }

  /// Position of the first member that begins at or behind `position` and was read.
  func memberStart(from position: Int) -> Int? { members.first { $0.position >= position }?.position }

  /// True if the record of this number is the only one of its member so far.
  func isAlone(_ number: Int) -> Bool { number == 0 }

  /// True if a version line stands at `start`; reads on for it.
  func standsAtRecord() throws(StorageError) -> Bool {
    while available < 7 {
      switch try more() {
      case .bytes, .newMember: continue
      case .end, .truncated, .corrupt:
        repeatLast()
        return false
      }
    }
    return beginsRecord(start)
  }

  /// True if the input ends inside the signature of a record.
  private func isCutSignature(_ position: Int) -> Bool {
    let count = bytes.count - position
    guard count < 7 else { return false }
    return "WARC/1".utf8.starts(with: bytes[position...]) || "WARC/0".utf8.starts(with: bytes[position...])
  }

  private func beginsRecord(_ position: Int) -> Bool {
    let bytes = bytes
    return WARCHeader.begins(bytes.span, at: position)
  }

  /// Index behind the empty line of the header at `start`, if it was read.
  func headerEnd(scanned: Int) -> Int? {
    let bytes = bytes
    return HeaderFields.end(bytes.span, from: start, scanned: scanned)
  }

  func parse(_ header: inout WARCHeader, end: Int, _ limits: Limits) {
    let bytes = bytes
    header.parse(bytes.span, start..<end, limits: limits)
  }

  private static let mark: [UInt8] = Array("\nWARC/".utf8)

  /// Position of the next version line at the start of a line or of a member: `low` is the first byte that may be the line
  /// end before it.
  func findRecord(from low: Int, before high: Int) -> Int? {
    let bytes = bytes
    let span = bytes.span
    var found: Int?
    for member in members where member.position > low && member.position < high {
      if WARCHeader.begins(span, at: member.position) {
        found = member.position
        break
      }
    }
    let end = found ?? high
    var index = max(low, 0)
    while let line = span.extracting(0..<end).firstIndex(of: RecordWindow.mark, from: index) {
      if WARCHeader.begins(span, at: line + 1) { return line + 1 }
      index = line + 1
    }
    return found
  }

  /// `end` without the line ends before it, not before `low`.
  func trimmedEnd(_ end: Int, from low: Int) -> Int {
    var end = end
    while end > low, bytes[end - 1] == 10 || bytes[end - 1] == 13 { end -= 1 }
    return max(end, min(low, bytes.count))
  }

  /// Goes on behind a record.
  func advance(to position: Int) {
    move(to: position)
    boundary = position
  }

  /// Goes back, to read bytes again.
  func retreat(to position: Int) { move(to: position) }

  private func move(to position: Int) {
    plainOffset += Int64(position - start)
    start = position
  }

  /// Goes over bytes between records. `dropping`: frees them.
  func pass(to position: Int, dropping: Bool = false) {
    move(to: position)
    if dropping, start > kept, bytes.count - start < 64 {
      enterMember()
      let shift = start - kept
      for index in members.indices { members[index].position -= shift }
      bytes.removeSubrange(kept..<start)
      start = kept
      boundary = min(boundary, start)
    }
  }

  /// Position of `needle` at or behind `low`.
  func find(_ needle: [UInt8], from low: Int) -> Int? {
    let bytes = bytes
    return bytes.span.firstIndex(of: needle, from: low)
  }

  /// Gives up the bytes up to `position`.
  func discard(to position: Int) {
    discarded += Int64(position - start)
    advance(to: position)
    dropGap()
  }

  /// Gives up all bytes that were read and are no record.
  func discardAll() {
    discard(to: bytes.count)
  }

  /// Once all is read, frees what lies behind the kept records, so that skipping takes no memory.
  private func dropGap() {
    guard start == bytes.count, start > kept else { return }
    enterMember()
    bytes.removeSubrange(kept...)
    start = kept
    boundary = min(boundary, start)
  }
}
