import Bytes
import Storage

/// Cuts JSON lines (plain or compressed) into records: one line each, empty lines left out.
///
/// A unit owns the lines that start in it; in a compressed file, the members that start in it and lines begun there.
/// Stream marks (one space before the first document and one after the last of a stage's pipe) are watched on the way.
///
/// - Defects: `line-too-long`, `truncated-file`, `corrupt-member`. With `isStrict` (folders that sluice wrote) damage is
///   an error.
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

  private var pending: [UInt8] = []
  /// Where members start within `pending`, and their encoded offsets.
  private var members: [(position: Int, offset: Int64)] = []
  private var scanned = 0
  private var ordinal = 0
  private var ordinalMember: Int64 = -1
  private var pendingFileOffset: Int64
  private var isFinished = false
  private var skipsLine = false
  private var isMarked = false
  private var isOpen = false
  private var wasCut = false
  public private(set) var endOffset: Int64

  /// - Parameter refusesCut: a stream with its first mark but not its last, or an empty standard input, is an
  ///   error.
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
    pendingFileOffset = from
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
        reason: "the stream was cut: its first mark is there, its last is not, so the program before this one did "
          + "not finish. Nothing was published. Run the chain again, or take it as it is with --accept-cut.")
    }
    if !sawBytes, file.path == "-" {
      throw .input(
        path: place,
        reason: "no document and no stream mark came, so the program before this one did not finish. Nothing "
          + "was published. Give inputs, run the chain again, or take it as it is with --accept-cut.")
    }
  }

  /// Reads until a line ends at or behind the target; returns the length of the whole lines to hand on.
  private func fill(_ chunk: inout RecordChunk) throws(StorageError) -> Int {
    let target = RecordChunk.targetBytes
    scanned = min(scanned, pending.count)
    while true {
      if reader.codec == .plain, let upperBound, pendingFileOffset + Int64(pending.count) >= upperBound {
        return try finishPlainUnit(upperBound)
      }
      if pending.count >= target {
        let from = max(target - 1, scanned)
        if let newline = pending.span.firstIndex(of: 10, from: from) { return newline + 1 }
        scanned = pending.count
        if pending.count > limits.lineBytes + target { dropLongLine(&chunk) }
      }
      switch try reader.read(into: &pending, upTo: 1 << 20) {
      case .bytes(let count):
        if reader.codec != .plain, reader.decodedInMember == Int64(count) {
          members.append((pending.count - count, reader.memberOffset))
        }
      case .memberEnd:
        // A unit ends between members only where no line is cut.
        if let upperBound, reader.encodedOffset >= upperBound, pending.isEmpty || pending.last == 10 {
          return finish()
        }
      case .end: return finish()
      case .truncated:
        try damage(
          "truncated-file", "The file ends inside a compressed member. What was read before is kept.", &chunk)
        return finish(droppingTail: true)
      case .corrupt(let reason):
        try damage("corrupt-member", "\(reason). The rest of this file was skipped.", &chunk)
        return finish(droppingTail: true)
      }
    }
  }

  private func damage(_ kind: String, _ message: String, _ chunk: inout RecordChunk) throws(StorageError) {
    if isStrict {
      throw .input(path: file.path, reason: "\(kind) at byte \(reader.memberOffset): \(message)")
    }
    chunk.defects.append(
      Defect(kind: kind, file: file.name, offset: reader.memberOffset, message: message, losesRecord: false))
  }

  private func finish(droppingTail: Bool = false) -> Int {
    isFinished = true
    endOffset = reader.encodedOffset
    if droppingTail {
      let whole = pending.lastIndex(of: 10).map { $0 + 1 } ?? 0
      if whole < pending.count { wasCut = isMarked }
      return whole
    }
    return pending.count
  }

  /// The plain unit ends with the line that holds the byte before its upper bound.
  private func finishPlainUnit(_ upperBound: Int64) throws(StorageError) -> Int {
    var from = Int(upperBound - pendingFileOffset) - 1
    while true {
      if let newline = pending.span.firstIndex(of: 10, from: max(0, from)) {
        isFinished = true
        endOffset = pendingFileOffset + Int64(newline) + 1
        return newline + 1
      }
      from = pending.count
      if case .bytes = try reader.read(into: &pending, upTo: 1 << 20) { continue }
      return finish()
    }
  }

  private func dropLongLine(_ chunk: inout RecordChunk) {
    let start = pending.lastIndex(of: 10).map { $0 + 1 } ?? 0
    if !skipsLine {
      chunk.defects.append(
        Defect(
          kind: "line-too-long", file: file.name, offset: pendingFileOffset + Int64(start),
          message: "A line of more than \(limits.lineBytes) bytes. It was skipped."))
    }
    skipsLine = true
    pendingFileOffset += Int64(pending.count - start)
    pending.removeSubrange(start...)
    scanned = pending.count
  }

  private func takeLines(upTo cut: Int, _ chunk: inout RecordChunk) {
    chunk.bytes.append(contentsOf: pending[..<cut])
    var start = 0
    var member = 0
    while start < cut {
      let newline = chunk.bytes.span.firstIndex(of: 10, from: start) ?? cut
      while member + 1 < members.count, members[member + 1].position <= start { member += 1 }
      var offset = pendingFileOffset + Int64(start)
      if reader.codec != .plain, member < members.count {
        offset = members[member].offset
        if offset != ordinalMember {
          ordinalMember = offset
          ordinal = 0
        }
      }
      if skipsLine {
        skipsLine = false
      } else {
        takeLine(start..<newline, offset, &chunk)
      }
      ordinal += 1
      start = newline + 1
    }
    pending.removeSubrange(..<cut)
    pendingFileOffset += Int64(cut)
    members = members.enumerated().compactMap { index, entry in
      let isLastBefore =
        entry.position < cut && (index + 1 == members.count || members[index + 1].position > cut)
      if entry.position >= cut { return (entry.position - cut, entry.offset) }
      return isLastBefore ? (0, entry.offset) : nil
    }
    scanned = 0
  }

  private func takeLine(_ range: Range<Int>, _ offset: Int64, _ chunk: inout RecordChunk) {
    var low = range.lowerBound
    var high = range.upperBound
    if low < high, chunk.bytes[high - 1] == 13 { high -= 1 }
    if low < high, chunk.bytes[low] == 32 {
      if isOpen { wasCut = true }
      isMarked = true
      isOpen = true
      low += 1
    }
    if low < high, chunk.bytes[high - 1] == 32 {
      isOpen = false
      high -= 1
    }
    let trimmed = chunk.bytes.span.trimmedRange(low..<high)
    guard !trimmed.isEmpty else { return }
    chunk.records.append(
      RecordChunk.Record(range: trimmed, offset: offset, ordinal: reader.codec == .plain ? 0 : ordinal))
  }
}
