import Bytes
import Storage

/// A document on its way into a segment.
struct StoredDocument {
  var origin: UInt64
  var source: UInt32
  var language: UInt16
}

/// Writes the segments of one split, one after the other: four files each, read-only when they are finished, and their
/// `SegmentSums`.
///
/// - `.tok`: the ids, little-endian u16 or u32, nothing else. A segment is closed before a document would take it past
///   the limit.
/// - `.doc`: 32 bytes a document: u64 end in tokens, u64 XXH64 of the token bytes, u32 source, u32 flags (language in
///   bits 0 to 15), u64 origin (input part in bits 63 to 40, document of the part in bits 39 to 0).
/// - `.origin.zst`: a JSON line per document, a zstd frame per 1,024 documents; `.origin.idx`: u64 offset of each
///   frame, then u64 size of the file.
final class SegmentWriter {
  static let documentRecordBytes = 32

  /// The segment that is being written.
  private final class Open {
    let tok: BlockFile
    let doc: BlockFile
    let originFrames: BlockFile
    let name: String
    var tokens = 0
    var documents = 0
    var minID = Int.max
    var maxID = 0
    var sourceTokens: [Int]
    var lengthHistogram = [Int](repeating: 0, count: Int.bitWidth)
    /// Bytes of the frames so far: where the next one starts.
    var originBytes = 0
    var frames: [Int] = []
    var frameDocuments = 0
    var lines: [UInt8] = []

    init(folder: String, split: String, name: String, sources: Int) throws(StorageError) {
      let path = "\(split)/\(name)"
      tok = try BlockFile(folder: folder, name: path + ".tok")
      doc = try BlockFile(folder: folder, name: path + ".doc")
      originFrames = try BlockFile(folder: folder, name: path + ".origin.zst")
      self.name = name
      sourceTokens = Array(repeating: 0, count: sources)
    }

    func endFrame() throws(StorageError) {
      guard frameDocuments > 0 else { return }
      frames.append(originBytes)
      var frame: [UInt8] = []
      Zstd.compressFrame(lines.span, into: &frame)
      try originFrames.append(frame)
      originBytes += frame.count
      lines.removeAll(keepingCapacity: true)
      frameDocuments = 0
    }
  }

  /// The finished segments.
  private(set) var segments: [StoreManifest.Segment] = []
  let folder: String
  let split: String
  private let width: TokenWidth
  private let tokensMax: Int
  private let vocabulary: Int
  private let sources: Int
  private var open: Open?

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
    if let open, open.tokens + count > tokensMax { try endSegment() }
    let ids = Self.bounds(tokens, width)
    guard ids.max < vocabulary else {
      throw .input(
        path: String(decoding: originLine, as: UTF8.self),
        reason: "token id \(ids.max) is not below the vocabulary of \(vocabulary) ids")
    }
    let current = try opened()
    current.tokens += count
    current.documents += 1
    current.minID = min(current.minID, ids.min)
    current.maxID = max(current.maxID, ids.max)
    current.sourceTokens[Int(document.source)] += count
    current.lengthHistogram[Int.bitWidth - 1 - count.leadingZeroBitCount] += 1
    try current.tok.append(tokens)
    try current.doc.append(document, end: current.tokens, hash: XXH64.hash(tokens))
    current.lines.append(contentsOf: originLine)
    current.lines.append(10)
    current.frameDocuments += 1
    if current.frameDocuments == StoreOptions.originFrameDocuments { try current.endFrame() }
  }

  /// Finishes the last segment.
  func finish() throws(StorageError) { try endSegment() }

  /// Name of the next segment that is finished.
  var nextName: String { StoreManifest.segmentName(segments.count) }

  private func opened() throws(StorageError) -> Open {
    if let open { return open }
    let new = try Open(folder: folder, split: split, name: nextName, sources: sources)
    open = new
    return new
  }

  /// Finishes the segment that is being written, if there is one; the next document starts another.
  func endSegment() throws(StorageError) {
    guard let current = open else { return }
    open = nil
    try current.endFrame()
    var index: [UInt8] = []
    for frame in current.frames { index.append(littleEndian: UInt64(frame)) }
    index.append(littleEndian: UInt64(current.originBytes))
    let path = "\(split)/\(current.name)"
    let indexFile = try BlockFile(folder: folder, name: path + ".origin.idx")
    try indexFile.append(index)
    var histogram = current.lengthHistogram
    while histogram.last == 0 { histogram.removeLast() }
    let segment = StoreManifest.Segment(
      name: current.name, tokens: current.tokens, documents: current.documents, minID: current.minID,
      maxID: current.maxID, tok: StoreManifest.File(try current.tok.commit()),
      doc: StoreManifest.File(try current.doc.commit()),
      originIndex: StoreManifest.File(try indexFile.commit()),
      originFrames: StoreManifest.File(try current.originFrames.commit()),
      sourceTokens: current.sourceTokens, lengthHistogram: histogram)
    let blocks = [current.doc.sums, indexFile.sums, current.originFrames.sums, current.tok.sums]
    try publish(
      segment,
      SegmentSums(
        files: zip(segment.files, blocks).map { .init(bytes: Int($0.file.bytes), blocks: $1) }))
  }

  /// Takes a segment whose files are in place into the list, and writes its sums.
  func publish(_ segment: StoreManifest.Segment, _ sums: SegmentSums?) throws(StorageError) {
    var suffixes = segment.files.map(\.extension)
    if let sums {
      _ = try OutputFile.write(
        sums.bytes, folder: folder, name: "\(split)/\(segment.name).\(SegmentSums.suffix)")
      suffixes.append(SegmentSums.suffix)
    }
    for suffix in suffixes {
      try FileSystem.setReadOnly(Path.join(folder, "\(split)/\(segment.name).\(suffix)"))
    }
    segments.append(segment)
  }

  /// Smallest and largest id of at least one.
  static func bounds(_ tokens: UnsafeRawBufferPointer, _ width: TokenWidth) -> (min: Int, max: Int) {
    switch width {
    case .u16:
      let (low, high) = bounds(tokens, as: Int16.self)
      return (Int(UInt16(bitPattern: low)), Int(UInt16(bitPattern: high)))
    case .u32:
      let (low, high) = bounds(tokens, as: Int32.self)
      return (Int(UInt32(bitPattern: low)), Int(UInt32(bitPattern: high)))
    }
  }

  /// Compared as signed numbers with the sign bit turned over, which is the same order: baseline x86-64 has minimum and
  /// maximum of many 16-bit words at once only for signed ones.
  private static func bounds<Word: FixedWidthInteger & SignedInteger>(
    _ tokens: UnsafeRawBufferPointer, as type: Word.Type
  ) -> (min: Word, max: Word) {
    var low = Word.max
    var high = Word.min
    for index in 0..<tokens.count / MemoryLayout<Word>.size {
      let id =
        Word(
          littleEndian: tokens.loadUnaligned(fromByteOffset: index &* MemoryLayout<Word>.size, as: Word.self))
        ^ Word.min
      low = min(low, id)
      high = max(high, id)
    }
    return (low ^ Word.min, high ^ Word.min)
  }
}
