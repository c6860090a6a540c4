import Bytes
import Glibc
import Storage

extension SegmentReader {
  /// Gives every document of the segment in order, whole: its record, its origin line (without the line feed) and its
  /// tokens as stored. The bytes are valid until `body` returns.
  ///
  /// - Throws: `.input` at the first document that is not what the store says of it: rewriting must not bless damage.
  func forEachWholeDocument(
    _ body: (
      _ number: Int, _ document: Document, _ originLine: UnsafeRawBufferPointer,
      _ tokens: UnsafeRawBufferPointer
    ) throws(StorageError) -> Void
  ) throws(StorageError) {
    var window = TokenWindow(self)
    var frame: [UInt8] = []
    var position = 0
    try forEachDocument { (number, start, document) throws(StorageError) in
      if number % StoreOptions.originFrameDocuments == 0 {
        frame = try originText(ofFrame: number / StoreOptions.originFrameDocuments)
        position = 0
      }
      guard let end = Self.lineEnd(frame.span, from: position) else {
        throw .input(path: doc.path, reason: "document \(number) has no origin. Run `sluice verify`.")
      }
      let line = position..<end
      position = end + 1
      let bytes = try window.bytes(start..<document.end)
      try bytes.span.withUnsafeBytes { (tokens) throws(StorageError) in
        guard XXH64.hash(tokens) == document.hash else {
          throw .input(
            path: tok.path, reason: "document \(number) does not have its recorded hash. Run `sluice verify`."
          )
        }
        try frame.span.withUnsafeBytes { (text) throws(StorageError) in
          try body(number, document, UnsafeRawBufferPointer(rebasing: text[line]), tokens)
        }
      }
    }
  }

  /// Offset of the first line feed at or behind `start`.
  static func lineEnd(_ text: borrowing Span<UInt8>, from start: Int) -> Int? {
    text.withUnsafeBytes { bytes in
      guard start < bytes.count, let base = bytes.baseAddress,
        let found = memchr(base + start, 10, bytes.count - start)
      else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }
}

/// Token bytes of consecutive documents, read a megabyte at a time.
struct TokenWindow {
  private let reader: SegmentReader
  private var start = 0
  private var window: [UInt8] = []
  private static let windowBytes = 1 << 20

  init(_ reader: SegmentReader) { self.reader = reader }

  /// Bytes of a range of tokens that lies in the segment.
  mutating func bytes(_ range: Range<Int>) throws(StorageError) -> ArraySlice<UInt8> {
    let width = reader.width.bytes
    let wanted = range.lowerBound * width..<range.upperBound * width
    if wanted.lowerBound < start || wanted.upperBound > start + window.count {
      start = wanted.lowerBound
      window = try reader.tok.read(at: Int64(start), count: max(wanted.count, Self.windowBytes))
    }
    guard wanted.upperBound <= start + window.count else {
      throw .input(path: reader.tok.path, reason: "the file is cut")
    }
    return window[wanted.lowerBound - start..<wanted.upperBound - start]
  }
}
