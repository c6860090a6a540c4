import Bytes
import Glibc
import Storage

/// Where the records of an export come from: gives those of one shard in order.
protocol ExportSource: Sendable {
  /// Fingerprints of the stores, and the hash of the view's order.
  var store: String { get }
  var view: String? { get }

  /// Lengths of a shard's records in tokens, in order.
  func forEachLength(
    of plan: ExportPlan, shard: Int, _ body: (Int) throws(StorageError) -> Void
  ) throws(StorageError)

  /// - Parameter withIDs: look the ids up; otherwise they are empty.
  /// - Parameter body: gets the record and XXH64 of its tokens if the store recorded it (then it is checked already).
  func forEachRecord(
    of plan: ExportPlan, shard: Int, withIDs: Bool,
    _ body: (_ record: ExportRecord, _ hash: UInt64?) throws(StorageError) -> Void
  ) throws(StorageError)
}

extension ExportSource {
  /// Records of one length; the last of all may be shorter.
  func forEachLength(
    of plan: ExportPlan, shard: Int, _ body: (Int) throws(StorageError) -> Void
  ) throws(StorageError) {
    let length = plan.tokensPerRecord ?? 1
    var rest = plan.shards[shard].tokens
    while rest > 0 {
      try body(min(length, rest))
      rest -= min(length, rest)
    }
  }
}

/// The documents of a split in stored order.
struct DocumentSource: ExportSource {
  let opened: TokenStore
  let split: StoreManifest.Split

  var store: String { opened.fingerprint }
  var view: String? { nil }

  func forEachRecord(
    of plan: ExportPlan, shard: Int, withIDs: Bool,
    _ body: (_ record: ExportRecord, _ hash: UInt64?) throws(StorageError) -> Void
  ) throws(StorageError) {
    try forEachSegment(of: plan.shards[shard]) { (segment, documents) throws(StorageError) in
      try forEachDocument(of: segment, documents, withIDs: withIDs, body)
    }
  }

  func forEachLength(
    of plan: ExportPlan, shard: Int, _ body: (Int) throws(StorageError) -> Void
  ) throws(StorageError) {
    try forEachSegment(of: plan.shards[shard]) { (segment, documents) throws(StorageError) in
      try segment.forEachDocument(documents) { (_, start, document) throws(StorageError) in
        try body(document.end - start)
      }
    }
  }

  /// The documents of a shard, segment by segment.
  private func forEachSegment(
    of shard: ExportPlan.Shard, _ body: (SegmentReader, Range<Int>) throws(StorageError) -> Void
  ) throws(StorageError) {
    let wanted = shard.firstRecord..<shard.firstRecord + shard.records
    var first = 0
    for number in split.segments.indices {
      let documents = split.segments[number].documents
      let part = wanted.clamped(to: first..<first + documents)
      if !part.isEmpty {
        try body(
          try opened.open(split, segment: number), part.lowerBound - first..<part.upperBound - first)
      }
      first += documents
    }
  }

  /// Gives documents of a segment with their tokens, whose hash is checked against the document's record.
  private func forEachDocument(
    of segment: SegmentReader, _ documents: Range<Int>, withIDs: Bool,
    _ body: (_ record: ExportRecord, _ hash: UInt64?) throws(StorageError) -> Void
  ) throws(StorageError) {
    var ids = OriginIDs(segment)
    var window = FileWindow(segment.tok, limit: segment.segment.tokens * segment.width.bytes)
    try segment.forEachDocument(documents) { (number, start, document) throws(StorageError) in
      let id = withIDs ? try ids.id(ofDocument: number) : []
      let range = start * segment.width.bytes..<document.end * segment.width.bytes
      try window.withBytes(range) { (bytes) throws(StorageError) in
        guard XXH64.hash(bytes) == document.hash else {
          throw .input(
            path: segment.tok.path,
            reason: "document \(number) has another hash than its record. Run `sluice verify` on the store.")
        }
        let parts = opened.manifest.parts
        let part = document.part < parts.count ? (parts[document.part].name, document.numberInPart) : nil
        try body(ExportRecord(id: id, tokens: bytes, part: part), document.hash)
      }
    }
  }
}

/// Ids [k·T, (k+1)·T) of a split as one stream, for readers that cut windows themselves; the last record is shorter.
struct WindowSource: ExportSource {
  let opened: TokenStore
  let split: StoreManifest.Split
  let windowTokens: Int

  var store: String { opened.fingerprint }
  var view: String? { nil }

  func forEachRecord(
    of plan: ExportPlan, shard: Int, withIDs: Bool,
    _ body: (_ record: ExportRecord, _ hash: UInt64?) throws(StorageError) -> Void
  ) throws(StorageError) {
    let width = plan.width.bytes
    let start = plan.shards[shard].firstRecord * windowTokens
    let wanted = start * width..<(start + plan.shards[shard].tokens) * width
    let record = windowTokens * width
    var number = plan.shards[shard].firstRecord
    var pending: [UInt8] = []
    var first = 0
    for index in split.segments.indices {
      let size = split.segments[index].tokens * width
      let part = wanted.clamped(to: first..<first + size)
      if !part.isEmpty {
        let segment = try opened.open(split, segment: index)
        var at = part.lowerBound - first
        let end = part.upperBound - first
        while at < end {
          let taken = try segment.tok.read(at: Int64(at), count: min(max(record, 1 << 20), end - at))
          guard !taken.isEmpty else { throw .input(path: segment.tok.path, reason: "the file is cut") }
          pending.append(contentsOf: taken)
          at += taken.count
          var used = 0
          while pending.count - used >= record {
            try Self.give(pending, used..<used + record, number, withIDs, body)
            used += record
            number += 1
          }
          pending.removeFirst(used)
        }
      }
      first += size
    }
    if !pending.isEmpty { try Self.give(pending, 0..<pending.count, number, withIDs, body) }
  }

  private static func give(
    _ bytes: [UInt8], _ range: Range<Int>, _ number: Int, _ withIDs: Bool,
    _ body: (_ record: ExportRecord, _ hash: UInt64?) throws(StorageError) -> Void
  ) throws(StorageError) {
    let id = withIDs ? Array("window-\(number)".utf8) : []
    try bytes.withPlace(range) { (part) throws(StorageError) in
      try body(ExportRecord(id: id, tokens: part), nil)
    }
  }
}

/// A file read front to back through one buffer of at least 1 MiB.
struct FileWindow {
  private let file: RandomAccessFile
  private let limit: Int
  private var buffer: [UInt8] = []
  private var start = 0

  init(_ file: RandomAccessFile, limit: Int) {
    self.file = file
    self.limit = limit
  }

  /// - Throws: `.input` if the file ends before the range does.
  mutating func withBytes(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    if range.lowerBound < start || range.upperBound > start + buffer.count {
      start = range.lowerBound
      let count = max(range.count, min(1 << 20, limit - start))
      buffer = try file.read(at: Int64(start), count: count)
      guard buffer.count >= range.count else { throw .input(path: file.path, reason: "the file is cut") }
    }
    try buffer.withPlace(range.lowerBound - start..<range.upperBound - start, body)
  }
}

/// The ids of a segment's documents, decoded a frame at a time; quick for documents in order.
struct OriginIDs {
  private let segment: SegmentReader
  private var frame = -1
  private var text: [UInt8] = []
  /// Where the line of document `next` of the frame begins.
  private var position = 0
  private var next = 0

  init(_ segment: SegmentReader) { self.segment = segment }

  /// - Throws: `.input` for a frame that is damaged or a line without an id.
  mutating func id(ofDocument number: Int) throws(StorageError) -> [UInt8] {
    var id: [UInt8] = []
    try withID(ofDocument: number) { (bytes) in id = Array(bytes) }
    return id
  }

  /// Lends the id, in plain UTF-8.
  mutating func withID(
    ofDocument number: Int, _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let (wanted, inFrame) = number.quotientAndRemainder(dividingBy: StoreOptions.originFrameDocuments)
    if wanted != frame {
      text = try segment.originText(ofFrame: wanted)
      frame = wanted
      (position, next) = (0, 0)
    } else if inFrame < next {
      (position, next) = (0, 0)
    }
    var line = position..<position
    while next <= inFrame {
      guard let end = SegmentReader.lineEnd(text.span, from: position) else { throw missing(number) }
      line = position..<end
      position = end + 1
      next += 1
    }
    guard let (range, isPlain) = DocumentOrigin.idRange(ofLine: text.span.extracting(line)) else {
      throw missing(number)
    }
    let place = line.lowerBound + range.lowerBound..<line.lowerBound + range.upperBound
    if isPlain { return try text.withPlace(place, body) }
    var unescaped: [UInt8] = []
    JSONText.appendUnescaped(text.span.extracting(place), to: &unescaped)
    try unescaped.withPlace(0..<unescaped.count, body)
  }

  private func missing(_ number: Int) -> StorageError {
    .input(path: segment.doc.path, reason: "document \(number) has no origin. Run `sluice verify`.")
  }
}

extension DocumentOrigin {
  /// The id of a line as `write` makes it, in plain UTF-8; nil if the line does not start so.
  static func id(ofLine line: borrowing Span<UInt8>) -> [UInt8]? {
    guard let (range, isPlain) = idRange(ofLine: line) else { return nil }
    let raw = line.extracting(range)
    if isPlain { return raw.array() }
    var id: [UInt8] = []
    JSONText.appendUnescaped(raw, to: &id)
    return id
  }

  /// Where the id stands in a line, without its quotes, and whether nothing in it is escaped.
  static func idRange(ofLine line: borrowing Span<UInt8>) -> (Range<Int>, isPlain: Bool)? {
    let lead: StaticString = "{\"id\":\""
    guard line.starts(with: lead) else { return nil }
    let start = lead.utf8CodeUnitCount
    // Ids without escapes are the rule: the first quote ends them, and no backslash stands before it.
    let (quote, hasBackslash) = line.withUnsafeBytes { bytes -> (Int?, Bool) in
      guard let base = bytes.baseAddress, let found = memchr(base + start, 34, bytes.count - start) else {
        return (nil, false)
      }
      let end = UnsafeRawPointer(found) - base
      return (end, memchr(base + start, 92, end - start) != nil)
    }
    guard let quote else { return nil }
    if !hasBackslash { return (start..<quote, true) }
    var end = start
    while end < line.count, line[end] != UInt8(ascii: "\"") {
      end += line[end] == UInt8(ascii: "\\") ? 2 : 1
    }
    return end < line.count ? (start..<end, false) : nil
  }
}

extension Array where Element == UInt8 {
  /// Lends the memory of a range; a closure that throws types.
  func withPlace(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    var failure: StorageError?
    withUnsafeBytes { all in
      do throws(StorageError) { try body(UnsafeRawBufferPointer(rebasing: all[range])) } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}
