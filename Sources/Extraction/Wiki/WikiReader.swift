import Bytes
import Documents
import Storage

/// Cuts a MediaWiki XML dump into pages by their tags, without parsing: one bad page costs one page.
///
/// Shape of a chunk: the dump's head (root tag and `siteinfo`, at most 64 KiB) before its first record, for the parser; each
/// record is `<page>…</page>`. Its place is the offset of the compressed member in which it begins and its number there, or in a
/// plain file the offset of its tag.
///
/// - Defects: `xml` (DOCTYPE, UTF-16), `page-too-large`, `truncated-file`, `gzip-corrupt`, `zstd-corrupt`, `bzip2-corrupt`.
/// - Limits: `wikiPageBytes`.
/// - Source: MediaWiki's export schema 0.11; multistream dumps as in the project's extraction notes, 5.1.
final class WikiReader: RecordReader {
  private let window: RecordWindow
  private let file: InputFile
  private let upperBound: Int64?
  private let limits: Limits
  private let head: [UInt8]
  private var refusal: Defect?
  private var isFinished = false
  private var taken = 0
  private(set) var endOffset: Int64

  private static let open = Array("<page>".utf8)
  private static let close = Array("</page>".utf8)
  static let headBytes = 64 << 10

  init(_ file: InputFile, from: Int64, to: Int64?, limits: Limits) throws(StorageError) {
    self.file = file
    self.limits = limits
    upperBound = to
    endOffset = from
    var head = try DecodingReader.head(of: file, count: WikiReader.headBytes).bytes
    if UTF16Text.byteOrder(head.span) != nil {
      refusal = Defect(
        kind: "xml", file: file.name, offset: 0,
        message: "The dump is UTF-16. The file was skipped; convert it to UTF-8 (iconv -f UTF-16 -t UTF-8).")
    }
    let end = head.span.firstIndex(of: WikiReader.open) ?? head.count
    if let close = head.span.firstIndex(of: Array("</siteinfo>".utf8)), close < end {
      head.removeSubrange((close + 11)...)
    } else {
      head.removeSubrange(end...)
    }
    if head.span.firstIndex(of: Array("<!DOCTYPE".utf8)) != nil {
      refusal = Defect(
        kind: "xml", file: file.name, offset: 0,
        message: "The dump has a DOCTYPE, which no wiki dump has and which can do harm. The file was skipped."
      )
    }
    self.head = head
    window = RecordWindow(try DecodingReader(file, from: from, limits: limits), from: from)
  }

  func next(_ chunk: inout RecordChunk) throws(StorageError) -> Bool {
    chunk.removeAll()
    chunk.file = file.name
    guard !isFinished else { return false }
    if let refusal {
      if endOffset == 0 { chunk.defects.append(refusal) }
      finish(at: file.size ?? 0)
      return false
    }
    window.adopt(&chunk.bytes, prefix: head)
    taken = 0
    while taken < RecordChunk.targetBytes, !isFinished { try takePage(&chunk) }
    window.release(&chunk.bytes)
    return !isFinished || !chunk.records.isEmpty
  }

  private func finish(at offset: Int64) {
    isFinished = true
    endOffset = offset
  }

  private func takePage(_ chunk: inout RecordChunk) throws(StorageError) {
    guard try findOpen(&chunk) else { return }
    window.enterMember()
    if let upperBound, window.isAligned, window.offset >= upperBound { return finish(at: window.offset) }
    let offset = window.offset
    let start = window.start
    var scanned = start
    while true {
      if let close = window.find(WikiReader.close, from: scanned) {
        let end = close + WikiReader.close.count
        let ordinal = window.takeOrdinal()
        window.kept = end
        taken += end - start
        chunk.records.append(RecordChunk.Record(range: start..<end, offset: offset, ordinal: ordinal))
        return window.advance(to: end)
      }
      scanned = max(start, window.bytes.count - WikiReader.close.count + 1)
      if window.available > limits.wikiPageBytes {
        note(
          "page-too-large", "A page of more than \(limits.wikiPageBytes) bytes. It was skipped.", offset,
          &chunk)
        return window.discard(to: start + WikiReader.open.count)
      }
      switch try window.more() {
      case .bytes, .newMember: continue
      case .end, .truncated:
        note("truncated-file", "The file ends inside a page.", offset, &chunk)
        window.discardAll()
        return finish(at: window.reader.encodedOffset)
      case .corrupt(let reason): return try leaveMember(reason, losesRecord: true, &chunk)
      }
    }
  }

  /// Goes to the next `<page>`; false if none follows here (then the reader is finished or stands at the next member).
  private func findOpen(_ chunk: inout RecordChunk) throws(StorageError) -> Bool {
    while true {
      if let found = window.find(WikiReader.open, from: window.start) {
        // What lies between pages is white space or the end of the dump: the boundary stays at the page before.
        window.pass(to: found)
        return true
      }
      window.pass(to: max(window.start, window.bytes.count - WikiReader.open.count + 1), dropping: true)
      switch try window.more() {
      case .bytes, .newMember: continue
      case .end:
        finish(at: window.reader.encodedOffset)
        return false
      case .truncated:
        note(
          "truncated-file", "The file ends inside a compressed member.", window.reader.memberOffset,
          losesRecord: false, &chunk)
        finish(at: window.reader.encodedOffset)
        return false
      case .corrupt(let reason):
        try leaveMember(reason, losesRecord: true, &chunk)
        return false
      }
    }
  }

  private func note(
    _ kind: String, _ message: String, _ offset: Int64, losesRecord: Bool = true, _ chunk: inout RecordChunk
  ) {
    chunk.defects.append(
      Defect(kind: kind, file: file.name, offset: offset, message: message, losesRecord: losesRecord))
  }

  private func leaveMember(_ reason: String, losesRecord: Bool, _ chunk: inout RecordChunk)
    throws(StorageError)
  {
    note(
      "\(window.reader.codec.rawValue)-corrupt",
      "The member is damaged: \(reason). The next one was searched.",
      window.reader.memberOffset, losesRecord: losesRecord, &chunk)
    window.discardAll()
    if try !window.reader.skipToNextMember() { finish(at: window.reader.encodedOffset) }
  }
}
