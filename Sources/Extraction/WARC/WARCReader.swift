import Bytes
import Documents
import Storage

/// Cuts a WARC or WET file into records: a member per record, one member for all, anything between, or plain.
///
/// Shape of a record in a chunk: header and block, without the two line ends behind it; of types that give no document only the
/// header. Its place is the offset of the member in which it begins, and its number within that member; in a plain file
/// the offset of `WARC/`.
///
/// - Defects: `gzip-corrupt`, `zstd-corrupt`, `bzip2-corrupt`, `checksum`, `truncated-file`, `warc-header`, `warc-length`,
///   `record-too-large`. After each the next record is searched; every step takes at least a byte, so a file always ends.
/// - Limits: `recordBytes`, `headerBytes`.
/// - Source: ISO 28500:2017; containers and damage as in the project's extraction notes, section 1.
public final class WARCReader: RecordReader {
  let window: RecordWindow
  private let file: InputFile
  private let upperBound: Int64?
  private let limits: Limits
  private var header = WARCHeader()
  private var isFinished = false
  private var taken = 0
  public private(set) var endOffset: Int64

  public init(_ file: InputFile, from: Int64 = 0, to: Int64? = nil, limits: Limits = .standard)
    throws(StorageError)
  {
    self.file = file
    self.limits = limits
    upperBound = to
    endOffset = from
    window = RecordWindow(try DecodingReader(file, from: from, limits: limits), from: from)
  }

  /// Over a reader that stands at its start: for bytes in memory.
  init(_ reader: DecodingReader, name: String, limits: Limits = .standard) {
    file = InputFile(path: name, name: name)
    self.limits = limits
    upperBound = nil
    endOffset = 0
    window = RecordWindow(reader, from: 0)
  }

  public func next(_ chunk: inout RecordChunk) throws(StorageError) -> Bool {
    chunk.removeAll()
    chunk.file = file.name
    guard !isFinished else { return false }
    window.adopt(&chunk.bytes)
    taken = 0
    while taken < RecordChunk.targetBytes, !isFinished { try takeRecord(&chunk) }
    window.release(&chunk.bytes)
    return !isFinished || !chunk.records.isEmpty
  }

  private func finish(at offset: Int64) {
    isFinished = true
    endOffset = offset
  }

  /// Reads one record, or one stretch of damage.
  private func takeRecord(_ chunk: inout RecordChunk) throws(StorageError) {
    switch try window.skipBlank() {
    case .byte, .settled: break
    case .end: return finish(at: window.reader.encodedOffset)
    case .truncated:
      note(
        "truncated-file", "The file ends inside a compressed member.",
        losesRecord: !window.gaveRecordOfMember, at: window.reader.memberOffset, &chunk)
      return finish(at: window.reader.encodedOffset)
    case .corrupt(let reason):
      return try leaveMember(reason, losesRecord: !window.gaveRecordOfMember, &chunk)
    }
    window.enterMember()
    if let upperBound, window.isAligned, window.offset >= upperBound { return finish(at: window.offset) }
    guard try window.standsAtRecord() else {
      return try resync("warc-header", "No WARC header stands here.", losesRecord: true, &chunk)
    }
    guard let headerEnd = try findHeaderEnd(&chunk) else { return }
    window.parse(&header, end: headerEnd, limits)
    try takeBlock(&chunk)
  }

  /// The index behind the header's empty line; nil if there is none (then the defect is noted and the reader stands behind it).
  private func findHeaderEnd(_ chunk: inout RecordChunk) throws(StorageError) -> Int? {
    var scanned = window.start
    while true {
      if let end = window.headerEnd(scanned: scanned), end - window.start <= limits.headerBytes { return end }
      if window.available > limits.headerBytes {
        try resync(
          "warc-header", "A WARC header of more than \(limits.headerBytes) bytes.", losesRecord: true,
          skipping: 5, &chunk)
        return nil
      }
      scanned = max(window.start, window.bytes.count - 3)
      switch try window.more() {
      case .bytes: continue
      case .newMember(let position):
        // The header of a bare record may end with its member.
        note("warc-header", "The member ends inside a WARC header.", losesRecord: true, &chunk)
        window.advance(to: position)
        return nil
      case .end:
        note("warc-header", "The file ends inside a WARC header.", losesRecord: true, &chunk)
        window.discardAll()
        finish(at: window.reader.encodedOffset)
        return nil
      case .truncated:
        note("truncated-file", "The file ends inside a WARC header.", losesRecord: true, &chunk)
        window.discardAll()
        finish(at: window.reader.encodedOffset)
        return nil
      case .corrupt(let reason):
        try leaveMember(reason, losesRecord: true, &chunk)
        return nil
      }
    }
  }

  private func takeBlock(_ chunk: inout RecordChunk) throws(StorageError) {
    let record = OpenRecord(offset: window.offset, ordinal: window.takeOrdinal())
    guard let length = header.length else { return try takeUnmeasured(record, &chunk) }
    let (total, overflows) = length.addingReportingOverflow(Int64(header.byteCount))
    guard header.type.isDocument else {
      if overflows || (window.isPlain && isBehindEnd(record.offset, total)) {
        return try takeUnmeasured(record, &chunk)
      }
      try keep(record, end: window.start + header.byteCount, mark: nil, &chunk)
      return try skip(length, of: record, &chunk)
    }
    if overflows, !window.isPlain { return try takeUnmeasured(record, &chunk) }
    if overflows || (window.isPlain && total > limits.recordBytes && isBehindEnd(record.offset, total)) {
      return try resync(
        "warc-length", "Content-Length \(length) reaches behind the end of the file.", losesRecord: true,
        skipping: 5, &chunk)
    }
    while Int64(window.available) < total {
      if window.available > limits.recordBytes {
        note(
          "record-too-large", "A record of \(total) bytes; the limit is \(limits.recordBytes).",
          losesRecord: true,
          at: record.offset, &chunk)
        return try skip(total, of: nil, &chunk)
      }
      switch try window.more() {
      case .bytes: continue
      case .newMember(let position): return try keep(record, end: position, mark: "short", &chunk)
      case .end: return try takeLast(record, window.isPlain ? "truncated-file" : "short", &chunk)
      case .truncated: return try takeLast(record, "truncated-file", &chunk)
      case .corrupt(let reason): return try leaveMember(reason, losesRecord: true, &chunk)
      }
    }
    try settle(record, end: window.start + Int(total), &chunk)
  }

  private func isBehindEnd(_ offset: Int64, _ total: Int64) -> Bool {
    guard let size = file.size else { return false }
    return total > size - offset
  }

  /// The block is whole. What follows decides: the next record, the end, or garbage, which means that the length was wrong.
  private func settle(_ record: OpenRecord, end: Int, _ chunk: inout RecordChunk) throws(StorageError) {
    if end - window.start > limits.recordBytes {
      note(
        "record-too-large", "A record of \(end - window.start) bytes; the limit is \(limits.recordBytes).",
        losesRecord: true, at: record.offset, &chunk)
      return window.advance(to: end)
    }
    let start = window.start
    window.advance(to: end)
    switch try window.skipBlank(keeping: end) {
    case .end, .settled: break
    case .truncated:
      note(
        "truncated-file", "The file ends inside a compressed member, behind its record.", losesRecord: false,
        &chunk)
    case .corrupt(let reason):
      return try leaveMember(reason, losesRecord: true, &chunk)
    case .byte:
      if try !window.standsAtRecord() {
        return try takeMismeasured(record, start: start, end: end, &chunk)
      }
    }
    append(record, start..<end, mark: nil, &chunk)
  }

  /// Something else than a record follows the block: it was shorter than its length says (a record begins inside it), or longer
  /// (in a compressed file it then ends with its member), or garbage lies between.
  private func takeMismeasured(_ record: OpenRecord, start: Int, end: Int, _ chunk: inout RecordChunk)
    throws(StorageError)
  {
    if let border = window.memberStart(from: end), border <= window.start {
      // The length was right; the next member is what is wrong.
      return append(record, start..<end, mark: nil, &chunk)
    }
    if let inside = window.findRecord(
      from: start + header.byteCount - 1, before: min(end + 7, window.bytes.count))
    {
      append(record, start..<window.trimmedEnd(inside, from: start + header.byteCount), mark: "short", &chunk)
      return window.advance(to: inside)
    }
    guard !window.isPlain, window.isAlone(record.ordinal) else {
      append(record, start..<end, mark: nil, &chunk)
      return try resync(
        "warc-length", "Content-Length is too short, or garbage follows the record.", losesRecord: false,
        &chunk)
    }
    window.retreat(to: start)
    var scanned = end
    while true {
      if let next = window.findRecord(from: scanned, before: window.bytes.count) {
        append(record, start..<end, mark: nil, &chunk)
        note("warc-length", "Garbage follows the record.", losesRecord: false, at: record.offset, &chunk)
        return window.advance(to: next)
      }
      scanned = max(scanned, window.bytes.count - 9)
      if window.available > limits.recordBytes {
        append(record, start..<end, mark: nil, &chunk)
        window.advance(to: end)
        return try resync("warc-length", "Garbage follows the record.", losesRecord: false, &chunk)
      }
      switch try window.more() {
      case .bytes:
        if let border = window.memberStart(from: end) {
          return try keep(record, end: border, mark: "long", &chunk)
        }
      case .newMember(let position): return try keep(record, end: position, mark: "long", &chunk)
      case .end: return try takeLast(record, "long", &chunk)
      case .truncated: return try takeLast(record, "truncated-file", &chunk)
      case .corrupt(let reason): return try leaveMember(reason, losesRecord: true, &chunk)
      }
    }
  }

  /// No valid Content-Length. In a compressed file the record ends with its member or where another begins; in a plain file
  /// nothing tells where it ends: types without documents are counted, others are lost.
  private func takeUnmeasured(_ record: OpenRecord, _ chunk: inout RecordChunk) throws(StorageError) {
    let start = window.start
    let blockStart = start + header.byteCount
    guard header.type.isDocument, !window.isPlain else {
      if header.type.isDocument {
        note("warc-length", "No valid Content-Length.", losesRecord: true, at: record.offset, &chunk)
        window.advance(to: blockStart)
      } else {
        try keep(record, end: blockStart, mark: nil, &chunk)
      }
      return try toNextRecord()
    }
    var scanned = blockStart - 1
    while true {
      if let next = window.findRecord(from: scanned, before: window.bytes.count) {
        append(record, start..<window.trimmedEnd(next, from: blockStart), mark: "no-length", &chunk)
        return window.advance(to: next)
      }
      scanned = max(scanned, window.bytes.count - 9)
      if window.available > limits.recordBytes {
        note("record-too-large", "A record without length.", losesRecord: true, at: record.offset, &chunk)
        return try toNextRecord()
      }
      switch try window.more() {
      case .bytes: continue
      case .newMember(let position): return try keep(record, end: position, mark: "no-length", &chunk)
      case .end: return try takeLast(record, "no-length", &chunk)
      case .truncated: return try takeLast(record, "truncated-file", &chunk)
      case .corrupt(let reason): return try leaveMember(reason, losesRecord: true, &chunk)
      }
    }
  }

  /// The input ended inside the block. A plain record may hide others behind a wrong length.
  private func takeLast(_ record: OpenRecord, _ mark: String, _ chunk: inout RecordChunk) throws(StorageError)
  {
    let blockStart = window.start + header.byteCount
    if let inside = window.findRecord(from: blockStart - 1, before: window.bytes.count) {
      append(record, window.start..<window.trimmedEnd(inside, from: blockStart), mark: "short", &chunk)
      return window.advance(to: inside)
    }
    try keep(record, end: window.bytes.count, mark: mark, &chunk)
    finish(at: window.reader.encodedOffset)
  }
}

extension WARCReader {
  /// A record whose header was read.
  private struct OpenRecord {
    var offset: Int64
    var ordinal: Int
  }

  private func append(_ record: OpenRecord, _ range: Range<Int>, mark: String?, _ chunk: inout RecordChunk) {
    window.kept = max(window.kept, range.upperBound)
    taken += range.count
    chunk.records.append(
      RecordChunk.Record(range: range, offset: record.offset, ordinal: record.ordinal, mark: mark))
  }

  /// Adds the record that ends at `end` and goes behind it.
  private func keep(_ record: OpenRecord, end: Int, mark: String?, _ chunk: inout RecordChunk)
    throws(StorageError)
  {
    append(record, window.start..<end, mark: mark, &chunk)
    window.advance(to: end)
  }

  private func note(
    _ kind: String, _ message: String, losesRecord: Bool, at offset: Int64? = nil, _ chunk: inout RecordChunk
  ) {
    chunk.defects.append(
      Defect(
        kind: kind, file: file.name, offset: offset ?? window.offset, message: message,
        losesRecord: losesRecord))
  }

  /// Goes over `count` bytes without keeping them, at most to the next member that begins a record.
  private func skip(_ count: Int64, of record: OpenRecord?, _ chunk: inout RecordChunk) throws(StorageError) {
    var rest = count
    while rest > Int64(window.available) {
      rest -= Int64(window.available)
      taken += window.available
      window.discardAll()
      switch try window.more() {
      case .bytes: continue
      case .newMember, .end: return
      case .truncated:
        note(
          "truncated-file", "The file ends inside a record.", losesRecord: false, at: record?.offset, &chunk)
        return
      case .corrupt(let reason):
        return try leaveMember(reason, losesRecord: false, &chunk)
      }
    }
    taken += Int(rest)
    window.advance(to: window.start + Int(rest))
  }

  /// Notes the defect, then goes to the next record header, in this member or a later one.
  private func resync(
    _ kind: String, _ message: String, losesRecord: Bool, skipping: Int = 0, _ chunk: inout RecordChunk
  ) throws(StorageError) {
    let offset = window.offset
    window.advance(to: min(window.start + max(1, skipping), window.bytes.count))
    let before = window.discarded
    let index = chunk.defects.count
    note(kind, message, losesRecord: losesRecord, at: offset, &chunk)
    try toNextRecord()
    let skipped = window.discarded - before + Int64(max(1, skipping))
    chunk.defects[index].message += " \(skipped) bytes were skipped."
  }

  /// Discards bytes up to the next record header; damage on the way is left to the next step.
  private func toNextRecord() throws(StorageError) {
    while true {
      if let found = window.findRecord(from: window.start - 1, before: window.bytes.count) {
        window.discard(to: found)
        return
      }
      // A header may begin in the last bytes.
      window.discard(to: max(window.start, window.bytes.count - 9))
      switch try window.more() {
      case .bytes: continue
      case .newMember(let position):
        window.discard(to: position)
        return
      case .end, .truncated, .corrupt:
        window.discard(to: window.bytes.count)
        window.repeatLast()
        return
      }
    }
  }

  /// The member is damaged: its rest is given up, and the next member that begins a record is searched.
  private func leaveMember(_ reason: String, losesRecord: Bool, _ chunk: inout RecordChunk)
    throws(StorageError)
  {
    let kind = reason.contains("checksum") ? "checksum" : "\(window.reader.codec.rawValue)-corrupt"
    let offset = window.reader.memberOffset
    note(
      kind, "The member is damaged: \(reason). The next one was searched.", losesRecord: losesRecord,
      at: offset, &chunk)
    window.discardAll()
    if try !window.reader.skipToNextMember(accepting: "WARC/") { finish(at: window.reader.encodedOffset) }
  }
}
