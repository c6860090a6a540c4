import Bytes
import Storage

/// A document on its way into a segment.
struct StoredDocument {
  var origin: UInt64
  var source: UInt32
  var language: UInt16
}

/// Writes the segments of one split, one after the other: four files each, read-only when they are finished.
///
/// - `.tok`: the ids, little-endian u16 or u32, nothing else. A segment is closed before a document would take it past
///   the limit.
/// - `.doc`: 32 bytes a document: u64 end in tokens, u64 XXH64 of the token bytes, u32 source, u32 flags (language in
///   bits 0 to 15), u64 origin (input part in bits 63 to 40, document of the part in bits 39 to 0).
/// - `.origin.zst`: a JSON line per document, a zstd frame per 1,024 documents; `.origin.idx`: u64 offset of each
///   frame, then u64 size of the file.
final class SegmentWriter {
  static let documentRecordBytes = 32

  private struct Open {
    var tok: OutputFile
    var doc: OutputFile
    var originFrames: OutputFile
    var segment: StoreManifest.Segment
    /// Bytes of the frames so far: where the next one starts.
    var originBytes = 0
    var frames: [Int] = []
    var frameDocuments = 0
    var lines: [UInt8] = []
  }

  /// The finished segments.
  private(set) var segments: [StoreManifest.Segment] = []
  private let folder: String
  private let split: String
  private let width: TokenWidth
  private let tokensMax: Int
  private let vocabulary: Int
  private let sources: Int
  private var open: Open?
  private var record: [UInt8] = []

  init(folder: String, split: String, options: StoreOptions, sources: Int) {
    self.folder = folder
    self.split = split
    width = options.width
    tokensMax = options.segmentBytes / options.width.bytes
    vocabulary = options.tokenizer.vocabulary
    self.sources = sources
  }

  /// Adds a document: its token bytes as stored, and its origin line (without a line feed).
  ///
  /// - Throws: `.input` for an id that is not below the vocabulary or a document larger than a segment.
  func add(
    _ document: StoredDocument, originLine: UnsafeRawBufferPointer, tokens: UnsafeRawBufferPointer
  ) throws(StorageError) {
    let count = tokens.count / width.bytes
    guard count > 0 else { return }
    guard count <= tokensMax else {
      throw .input(
        path: String(decoding: originLine, as: UTF8.self), reason: "a document larger than a segment")
    }
    if let current = open, current.segment.tokens + count > tokensMax { try close() }
    if open == nil { try start() }
    let ids = Self.bounds(tokens, width)
    guard ids.max < vocabulary else {
      throw .input(
        path: String(decoding: originLine, as: UTF8.self),
        reason: "token id \(ids.max) is not below the vocabulary of \(vocabulary) ids")
    }
    guard var current = open else { return }
    // The struct is moved out while it changes, so that its buffers are not copied.
    open = nil
    current.segment.tokens += count
    current.segment.documents += 1
    current.segment.minID = min(current.segment.minID, ids.min)
    current.segment.maxID = max(current.segment.maxID, ids.max)
    current.segment.sourceTokens[Int(document.source)] += count
    let bucket = Int.bitWidth - 1 - count.leadingZeroBitCount
    while current.segment.lengthHistogram.count <= bucket { current.segment.lengthHistogram.append(0) }
    current.segment.lengthHistogram[bucket] += 1
    try current.tok.write(tokens)
    record.removeAll(keepingCapacity: true)
    record.append(littleEndian: UInt64(current.segment.tokens))
    record.append(littleEndian: XXH64.hash(tokens))
    record.append(littleEndian: document.source)
    record.append(littleEndian: UInt32(document.language))
    record.append(littleEndian: document.origin)
    try current.doc.write(record)
    current.lines.append(contentsOf: originLine)
    current.lines.append(10)
    current.frameDocuments += 1
    if current.frameDocuments == StoreOptions.originFrameDocuments { try Self.endFrame(&current) }
    open = current
  }

  /// Finishes the last segment.
  func finish() throws(StorageError) { try close() }

  private func start() throws(StorageError) {
    let name = StoreManifest.segmentName(segments.count)
    let path = "\(split)/\(name)"
    let none = StoreManifest.File(bytes: 0, sha256: "", xxh64: "")
    open = Open(
      tok: try OutputFile(folder: folder, name: path + ".tok"),
      doc: try OutputFile(folder: folder, name: path + ".doc"),
      originFrames: try OutputFile(folder: folder, name: path + ".origin.zst"),
      segment: StoreManifest.Segment(
        name: name, tokens: 0, documents: 0, minID: Int.max, maxID: 0, tok: none, doc: none,
        originIndex: none,
        originFrames: none, sourceTokens: Array(repeating: 0, count: sources), lengthHistogram: []))
  }

  private static func endFrame(_ open: inout Open) throws(StorageError) {
    guard open.frameDocuments > 0 else { return }
    open.frames.append(open.originBytes)
    var frame: [UInt8] = []
    Zstd.compressFrame(open.lines.span, into: &frame)
    try open.originFrames.write(frame)
    open.originBytes += frame.count
    open.lines.removeAll(keepingCapacity: true)
    open.frameDocuments = 0
  }

  private func close() throws(StorageError) {
    guard var current = open else { return }
    open = nil
    try Self.endFrame(&current)
    var index: [UInt8] = []
    for frame in current.frames { index.append(littleEndian: UInt64(frame)) }
    index.append(littleEndian: UInt64(current.originBytes))
    let path = "\(split)/\(current.segment.name)"
    current.segment.tok = StoreManifest.File(try current.tok.commit())
    current.segment.doc = StoreManifest.File(try current.doc.commit())
    current.segment.originFrames = StoreManifest.File(try current.originFrames.commit())
    current.segment.originIndex = StoreManifest.File(
      try OutputFile.write(index, folder: folder, name: path + ".origin.idx"))
    for (suffix, _) in current.segment.files {
      try FileSystem.setReadOnly(Path.join(folder, "\(path).\(suffix)"))
    }
    segments.append(current.segment)
  }

  /// Smallest and largest id of at least one.
  static func bounds(_ tokens: UnsafeRawBufferPointer, _ width: TokenWidth) -> (min: Int, max: Int) {
    switch width {
    case .u16: bounds(tokens, as: UInt16.self)
    case .u32: bounds(tokens, as: UInt32.self)
    }
  }

  private static func bounds<Word: FixedWidthInteger>(
    _ tokens: UnsafeRawBufferPointer, as type: Word.Type
  ) -> (min: Int, max: Int) {
    var low = Word.max
    var high = Word.min
    for index in 0..<tokens.count / MemoryLayout<Word>.size {
      let id = Word(
        littleEndian: tokens.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self))
      low = min(low, id)
      high = max(high, id)
    }
    return (Int(low), Int(high))
  }
}
