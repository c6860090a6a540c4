import Bytes
import Storage
import Synchronization

/// A token store on disk, opened for reading: its manifest, and segments on demand.
public final class TokenStore: Sendable {
  public let folder: String
  public let manifest: StoreManifest
  /// SHA-256 of the manifest's bytes, as views name the store.
  public let fingerprint: String

  /// Reads the manifest.
  ///
  /// - Throws: `.input` if there is none, or it is no token store's.
  public init(_ folder: String) throws(StorageError) {
    self.folder = folder
    let path = Path.join(folder, StoreManifest.fileName)
    let bytes = try FileSystem.readAll(path)
    manifest = try StoreManifest(bytes: bytes, path: path)
    fingerprint = StoreManifest.fingerprint(of: bytes)
  }

  /// A store whose manifest is known; nothing is read.
  init(folder: String, manifest: StoreManifest, fingerprint: String) {
    self.folder = folder
    self.manifest = manifest
    self.fingerprint = fingerprint
  }

  /// Is there a token store in this folder? (Looks at the manifest's `format` only.)
  public static func isStore(_ folder: String) -> Bool {
    guard let bytes = try? FileSystem.readAll(Path.join(folder, StoreManifest.fileName)) else { return false }
    return (try? JSONValue.parse(bytes))?["format"]?.string == StoreManifest.format
  }

  /// Path of a segment's file.
  public func path(_ split: StoreManifest.Split, _ segment: StoreManifest.Segment, _ suffix: String) -> String
  {
    Path.join(folder, "\(split.name)/\(segment.name).\(suffix)")
  }

  /// Opens a segment.
  ///
  /// - Throws: `.input` if a file is missing or has another size than the manifest says.
  public func open(_ split: StoreManifest.Split, segment number: Int) throws(StorageError) -> SegmentReader {
    try SegmentReader(self, split, split.segments[number])
  }
}

/// A file whose size is known at once and which is opened at its first use: a store of thousands of segments must not
/// hold descriptors for what is hardly ever read.
final class LazyFile: Sendable {
  let path: String
  let size: Int64
  private let opened = Mutex<RandomAccessFile?>(nil)

  init(_ path: String) throws(StorageError) {
    self.path = path
    size = try FileSystem.size(of: path)
  }

  func file() throws(StorageError) -> RandomAccessFile {
    try opened.withLock { (opened) throws(StorageError) in
      if let opened { return opened }
      let file = try RandomAccessFile(path)
      opened = file
      return file
    }
  }
}

/// One segment, read in pieces with `pread`: never a map, whose readahead costs 20 times the bytes in random order.
public final class SegmentReader: Sendable {
  /// One record of `.doc`.
  public struct Document: Equatable, Sendable {
    /// Tokens of the segment up to and including this document.
    public var end: Int
    /// XXH64 of the token bytes as stored.
    public var hash: UInt64
    public var source: Int
    public var language: Int
    /// Ordinal of the input part, and number of the document in it.
    public var part: Int
    public var numberInPart: Int

    init(_ record: UnsafeRawBufferPointer) {
      end = Int(truncatingIfNeeded: record.integer(at: 0, as: UInt64.self))
      hash = record.integer(at: 8, as: UInt64.self)
      source = Int(record.integer(at: 16, as: UInt32.self))
      language = Int(record.integer(at: 20, as: UInt32.self) & 0xFFFF)
      let origin = record.integer(at: 24, as: UInt64.self)
      part = Int(origin >> 40)
      numberInPart = Int(origin & 0xFF_FFFF_FFFF)
    }
  }

  public let segment: StoreManifest.Segment
  public let width: TokenWidth
  let tok: RandomAccessFile
  let doc: RandomAccessFile
  private let originFrames: LazyFile
  private let originIndex: LazyFile

  fileprivate init(
    _ store: TokenStore, _ split: StoreManifest.Split, _ segment: StoreManifest.Segment
  ) throws(StorageError) {
    self.segment = segment
    width = store.manifest.width
    tok = try RandomAccessFile(store.path(split, segment, "tok"))
    doc = try RandomAccessFile(store.path(split, segment, "doc"))
    originFrames = try LazyFile(store.path(split, segment, "origin.zst"))
    originIndex = try LazyFile(store.path(split, segment, "origin.idx"))
    let frameCount = (segment.documents - 1) / StoreOptions.originFrameDocuments + 1
    for (path, size, bytes) in [
      (tok.path, tok.size, segment.tokens * width.bytes),
      (doc.path, doc.size, segment.documents * SegmentWriter.documentRecordBytes),
      (originIndex.path, originIndex.size, (frameCount + 1) * 8),
    ] where size != Int64(bytes) {
      throw .input(
        path: path, reason: "\(size) bytes; the manifest needs \(bytes). Run `sluice verify`.")
    }
  }

  /// Ids of a range of the segment's tokens (clamped to them).
  public func tokens(_ range: Range<Int>) throws(StorageError) -> [UInt32] {
    let part = range.clamped(to: 0..<segment.tokens)
    let bytes = try tok.read(at: Int64(part.lowerBound * width.bytes), count: part.count * width.bytes)
    guard bytes.count == part.count * width.bytes else {
      throw .input(path: tok.path, reason: "the file is cut")
    }
    return Self.ids(bytes.span, width)
  }

  static func ids(_ bytes: borrowing Span<UInt8>, _ width: TokenWidth) -> [UInt32] {
    bytes.withUnsafeBytes { buffer in
      let count = buffer.count / width.bytes
      return [UInt32](unsafeUninitializedCapacity: count) { out, initialized in
        switch width {
        case .u16: for i in 0..<count { out[i] = UInt32(buffer.integer(at: 2 * i, as: UInt16.self)) }
        case .u32: for i in 0..<count { out[i] = buffer.integer(at: 4 * i, as: UInt32.self) }
        }
        initialized = count
      }
    }
  }

  /// Record of a document (its number is below `segment.documents`).
  public func document(_ number: Int) throws(StorageError) -> Document {
    let size = SegmentWriter.documentRecordBytes
    let bytes = try doc.read(at: Int64(number * size), count: size)
    guard bytes.count == size else { throw .input(path: doc.path, reason: "the file is cut") }
    return bytes.withUnsafeBytes { Document($0) }
  }

  /// The tokens of a document.
  public func range(ofDocument number: Int) throws(StorageError) -> Range<Int> {
    let start = number == 0 ? 0 : try document(number - 1).end
    let end = try document(number).end
    guard start >= 0, start < end, end <= segment.tokens else {
      throw .input(path: doc.path, reason: "the ends of document \(number) do not grow. Run `sluice verify`.")
    }
    return start..<end
  }

  /// The document that holds a token: the first whose end lies behind it. Binary search, 20 steps for 600,000.
  public func document(atToken token: Int) throws(StorageError) -> Int {
    var low = 0
    var high = segment.documents - 1
    while low < high {
      let middle = (low + high) / 2
      if try document(middle).end > token { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Where a document came from: decodes one frame.
  public func origin(ofDocument number: Int) throws(StorageError) -> DocumentOrigin {
    let (frame, inFrame) = number.quotientAndRemainder(dividingBy: StoreOptions.originFrameDocuments)
    let text = try originText(ofFrame: frame)
    guard let line = Self.line(inFrame, of: text.span), let origin = DocumentOrigin(line: Array(text[line]))
    else {
      throw .input(
        path: originFrames.path,
        reason: "frame \(frame) has no readable line \(inFrame). Run `sluice verify`.")
    }
    return origin
  }

  /// A line by its number, found without making the others; nil if there are fewer.
  private static func line(_ number: Int, of text: borrowing Span<UInt8>) -> Range<Int>? {
    var start = 0
    for _ in 0..<number {
      guard let feed = text.firstIndex(of: 10, from: start) else { return nil }
      start = feed + 1
    }
    return start < text.count ? start..<(text.firstIndex(of: 10, from: start) ?? text.count) : nil
  }

  /// The raw lines of a frame, without line feeds.
  func originLines(ofFrame frame: Int) throws(StorageError) -> [[UInt8]] {
    try originText(ofFrame: frame).split(separator: 10).map { Array($0) }
  }

  /// The lines of a frame as they were written.
  func originText(ofFrame frame: Int) throws(StorageError) -> [UInt8] {
    let frames = try originFrames.file()
    let frameIndex = try originIndex.file()
    let bounds = try frameIndex.read(at: Int64(frame * 8), count: 16)
    guard bounds.count == 16 else { throw .input(path: frameIndex.path, reason: "no frame \(frame)") }
    let start = bounds.littleEndianWord(at: 0)
    let end = bounds.littleEndianWord(at: 8)
    guard start < end, end <= UInt64(frames.size), end - start <= UInt64(Self.frameBytesMax) else {
      throw .input(
        path: frameIndex.path, reason: "the offsets of frame \(frame) are wrong. Run `sluice verify`.")
    }
    let frameBytes = try frames.read(at: Int64(start), count: Int(end - start))
    var text: [UInt8] = []
    guard Zstd.decompressFrame(frameBytes.span, limit: Self.frameBytesMax, into: &text) != nil else {
      throw .input(path: frames.path, reason: "frame \(frame) is damaged. Run `sluice verify`.")
    }
    return text
  }

  /// What is wrong with the offsets of the frames, or nil: they grow, and the last is the file's size.
  func originIndexProblem() throws(StorageError) -> String? {
    let frameIndex = try originIndex.file()
    var last: UInt64?
    var offset: Int64 = 0
    while offset < frameIndex.size {
      let bytes = try frameIndex.read(at: offset, count: 1 << 16)
      guard bytes.count >= 8 else { return "the origin index is cut" }
      for position in stride(from: 0, to: bytes.count - 7, by: 8) {
        let value = bytes.littleEndianWord(at: position)
        if let last, value <= last { return "the offsets of the origin index do not grow" }
        if last == nil, value != 0 { return "the origin index does not start at 0" }
        last = value
      }
      offset += Int64(bytes.count)
    }
    return last == UInt64(originFrames.size) ? nil : "the origin index does not end with the size of its file"
  }

  /// A frame of 1,024 lines, decoded: ids and URLs are bounded by the line limit, and in practice 200 bytes.
  static let frameBytesMax = 1 << 30

  /// Gives the records of all documents in order, with the start of each.
  ///
  /// - Throws: `.input` at an end that does not grow or lies behind the segment.
  public func forEachDocument(
    _ body: (_ number: Int, _ start: Int, _ document: Document) throws(StorageError) -> Void
  ) throws(StorageError) {
    try forEachDocument(0..<segment.documents, body)
  }

  /// The same for documents of a range.
  func forEachDocument(
    _ documents: Range<Int>,
    _ body: (_ number: Int, _ start: Int, _ document: Document) throws(StorageError) -> Void
  ) throws(StorageError) {
    let size = SegmentWriter.documentRecordBytes
    let step = 8192
    var start = documents.lowerBound == 0 ? 0 : try document(documents.lowerBound - 1).end
    guard (0...segment.tokens).contains(start) else {
      throw .input(path: doc.path, reason: "the ends of documents do not grow. Run `sluice verify`.")
    }
    var first = documents.lowerBound
    while first < documents.upperBound {
      let count = min(step, documents.upperBound - first)
      let bytes = try doc.read(at: Int64(first * size), count: count * size)
      guard bytes.count == count * size else { throw .input(path: doc.path, reason: "the file is cut") }
      for index in 0..<count {
        let document = bytes.withUnsafeBytes {
          Document(UnsafeRawBufferPointer(rebasing: $0[index * size..<(index + 1) * size]))
        }
        guard document.end > start, document.end <= segment.tokens else {
          throw .input(
            path: doc.path,
            reason: "document \(first + index) does not end where it can. Run `sluice verify`.")
        }
        try body(first + index, start, document)
        start = document.end
      }
      first += count
    }
  }
}
