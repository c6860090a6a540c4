import Bytes
import Storage

/// Cuts JSON lines (plain or compressed) into records: one line each, empty lines left out.
///
/// A unit owns the lines that start in it; in a compressed file, the members that start in it and lines begun there. Stream
/// marks (one space before the first document and one after the last of a stage's pipe) are watched on the way.
///
/// - Defects: `line-too-long`, `truncated-file`, `corrupt-member`. With `isStrict` (folders that sluice wrote) damage is an error.
/// - Limits: `lineBytes`.
public final class JSONLinesReader: RecordReader {
  /// Whether the stream says that it is whole.
  public enum Completeness: Equatable, Sendable { case unmarked, complete, cut }

  private let file: InputFile
  private let reader: DecodingReader
  private let upperBound: Int64?
  private let limits: Limits
  private let isStrict: Bool
  private let refusesCut: Bool
  private var sawBytes = false

  /// Decoded bytes that were not handed on yet, from the start of a line; in a plain file they begin at `pendingOffset`.
  private var pending: [UInt8] = []
  private var pendingOffset: Int64
  /// Where members start within `pending`, and their encoded offsets.
  private var members: [(position: Int, offset: Int64)] = []
  private var ordinal = 0
  private var ordinalMember: Int64 = -1
  /// The rest of a line over the limit is being left out.
  private var isSkippingLine = false
  private var isFirstLine: Bool
  private var isFinished = false
  private var isMarked = false
  private var isOpen = false
  private var wasCut = false
  public private(set) var endOffset: Int64

  /// - Parameter refusesCut: a stream with its first mark but not its last, or an empty standard input, is an error.
  public init(
    _ file: InputFile, from: Int64 = 0, to: Int64? = nil, limits: Limits = .standard, isStrict: Bool = false,
    refusesCut: Bool = false
  ) throws(StorageError) {
    self.file = file
    self.refusesCut = refusesCut && from == 0 && to == nil
    self.limits = limits
    self.isStrict = isStrict
    upperBound = to
    reader = try DecodingReader(file, from: from, limits: limits)
    pendingOffset = from
    isFirstLine = from == 0
    endOffset = from
  }

  /// Meaningful once `next` returned false.
  public var completeness: Completeness { !isMarked ? .unmarked : isOpen || wasCut ? .cut : .complete }

  public func next(_ chunk: inout RecordChunk) throws(StorageError) -> Bool {
    chunk.removeAll()
    chunk.file = file.name
    if isFinished {
      try checkCut()
      return false
    }
    let cut = try fill(&chunk)
    guard cut > 0 else {
      isFinished = true
      try checkCut()
      return false
    }
    sawBytes = true
    takeLines(upTo: cut, &chunk)
    return true
  }

  private func checkCut() throws(StorageError) {
    guard refusesCut else { return }
    let place = file.path == "-" ? "standard input" : file.path
    if completeness == .cut {
      throw .input(
        path: place,
        reason:
          "the stream was cut: its first mark is there, its last is not, so the program before this one did not "
          + "finish. Nothing was published. Run the chain again, or take it as it is with --accept-cut.")
    }
    if !sawBytes, file.path == "-" {
      throw .input(
        path: place,
        reason:
          "no document and no stream mark came, so the program before this one did not finish. Nothing was "
          + "published. Give inputs, run the chain again, or take it as it is with --accept-cut.")
    }
  }

  /// Reads until the line that holds byte `target - 1` ends, or the unit; returns the length of the whole lines to hand on.
  /// Where that is depends on the bytes alone, not on how they came.
  private func fill(_ chunk: inout RecordChunk) throws(StorageError) -> Int {
    var scanned = 0
    var lineStart: Int?
    while true {
      if isSkippingLine { skipLongLine() }
      var goal = RecordChunk.targetBytes - 1
      var unitGoal = Int.max
      if reader.codec == .plain, let upperBound, !isSkippingLine {
        // The unit ends with the line that holds the byte before its upper bound.
        unitGoal = Int(clamping: upperBound - pendingOffset - 1)
        if unitGoal < 0 { return finish(at: 0) }
        goal = min(goal, unitGoal)
      }
      if pending.count > goal {
        let newline = pending.span.firstIndex(of: 10, from: max(goal, scanned))
        let start = lineStart ?? pending[..<goal].lastIndex(of: 10).map { $0 + 1 } ?? 0
        if (newline ?? pending.count) - start > limits.lineBytes {
          if start > 0 { return start }
          startSkipping(&chunk)
          lineStart = nil
          scanned = 0
          continue
        }
        if let newline { return newline >= unitGoal ? finish(at: newline + 1) : newline + 1 }
        scanned = pending.count
        lineStart = start
      }
      switch try reader.read(into: &pending, upTo: 1 << 20) {
      case .bytes(let count):
        if reader.codec != .plain, reader.decodedInMember == Int64(count) {
          members.append((pending.count - count, reader.memberOffset))
        }
      case .memberEnd:
        // A unit ends between members only where no line is cut.
        if let upperBound, reader.encodedOffset >= upperBound, !isSkippingLine,
          pending.isEmpty || pending.last == 10
        {
          return finish(at: pending.count)
        }
      case .end: return finish(at: pending.count)
      case .truncated:
        try damage(
          "truncated-file", "The file ends inside a compressed member. What was read before is kept.", &chunk)
        return finish(at: pending.count)
      case .corrupt(let reason):
        try damage("corrupt-member", "\(reason). The rest of this compressed member was skipped.", &chunk)
        if try !reader.skipToNextMember() { return finish(at: pending.count) }
        if let upperBound, reader.encodedOffset >= upperBound { return finish(at: pending.count) }
      }
    }
  }

  /// Counts the damage, and takes the line that it cut away as lost.
  private func damage(_ kind: String, _ message: String, _ chunk: inout RecordChunk) throws(StorageError) {
    if isStrict {
      throw .input(path: file.path, reason: "\(kind) at byte \(reader.memberOffset): \(message)")
    }
    let whole = pending.lastIndex(of: 10).map { $0 + 1 } ?? 0
    let cutsLine = whole < pending.count
    if cutsLine, isMarked || pending[whole] == 32 {
      isMarked = true
      wasCut = true
    }
    chunk.defects.append(
      Defect(
        kind: kind, file: file.name, offset: reader.memberOffset, message: message, losesRecord: cutsLine))
    pending.removeSubrange(whole...)
    members.removeAll { $0.position > whole }
    isSkippingLine = false
  }

  /// The unit ends behind the first `whole` bytes that are pending.
  private func finish(at whole: Int) -> Int {
    isFinished = true
    endOffset = reader.codec == .plain ? pendingOffset + Int64(whole) : reader.encodedOffset
    return whole
  }

  private func startSkipping(_ chunk: inout RecordChunk) {
    let offset = reader.codec == .plain ? pendingOffset : members.first?.offset ?? reader.memberOffset
    sawBytes = true
    chunk.defects.append(tooLong(at: offset))
    if pending.first == 32 { openMark() }
    isSkippingLine = true
  }

  private func tooLong(at offset: Int64) -> Defect {
    Defect(
      kind: "line-too-long", file: file.name, offset: offset,
      message: "A line of more than \(limits.lineBytes) bytes. It was skipped.")
  }

  /// Leaves out what is there of the long line.
  private func skipLongLine() {
    let newline = pending.span.firstIndex(of: 10)
    let end = newline ?? pending.count
    if end > 0 { isOpen = isOpen && pending[end - 1] != 32 }
    if newline != nil {
      isSkippingLine = false
      isFirstLine = false
      countLine(memberOffset(at: 0))
    }
    removePending(newline.map { $0 + 1 } ?? pending.count)
  }

  private func takeLines(upTo cut: Int, _ chunk: inout RecordChunk) {
    chunk.bytes.append(contentsOf: pending[..<cut])
    var start = 0
    var member = 0
    while start < cut {
      let newline = chunk.bytes.span.firstIndex(of: 10, from: start) ?? cut
      while member + 1 < members.count, members[member + 1].position <= start { member += 1 }
      let offset =
        reader.codec != .plain && member < members.count
        ? members[member].offset : pendingOffset + Int64(start)
      let ordinal = countLine(reader.codec == .plain ? nil : offset)
      if newline - start > limits.lineBytes {
        chunk.defects.append(tooLong(at: offset))
      } else {
        takeLine(start..<newline, offset, ordinal, &chunk)
      }
      isFirstLine = false
      start = newline + 1
    }
    removePending(cut)
  }

  private func memberOffset(at position: Int) -> Int64? {
    reader.codec == .plain ? nil : members.last { $0.position <= position }?.offset
  }

  /// Numbers the lines that start in one member from 0; 0 for all lines of a plain file.
  @discardableResult
  private func countLine(_ member: Int64?) -> Int {
    guard let member else { return 0 }
    if member != ordinalMember {
      ordinalMember = member
      ordinal = 0
    }
    ordinal += 1
    return ordinal - 1
  }

  private func removePending(_ count: Int) {
    pending.removeSubrange(..<count)
    pendingOffset += Int64(count)
    // The member that the next line starts in stays, at position 0.
    let current = members.lastIndex { $0.position <= count } ?? 0
    members = members[current...].map { (max(0, $0.position - count), $0.offset) }
  }

  private func openMark() {
    if isOpen { wasCut = true }
    isMarked = true
    isOpen = true
  }

  private func takeLine(_ range: Range<Int>, _ offset: Int64, _ ordinal: Int, _ chunk: inout RecordChunk) {
    var low = range.lowerBound
    var high = range.upperBound
    // A byte order mark at the start of a file is no part of its first line.
    if isFirstLine, chunk.bytes.span.extracting(low..<high).starts(with: "\u{FEFF}") { low += 3 }
    if low < high, chunk.bytes[high - 1] == 13 { high -= 1 }
    if low < high, chunk.bytes[low] == 32 {
      openMark()
      low += 1
    }
    if low < high, chunk.bytes[high - 1] == 32 {
      isOpen = false
      high -= 1
    }
    let trimmed = chunk.bytes.span.trimmedRange(low..<high)
    guard !trimmed.isEmpty else { return }
    chunk.records.append(
      RecordChunk.Record(range: trimmed, offset: offset, ordinal: ordinal))
  }
}
