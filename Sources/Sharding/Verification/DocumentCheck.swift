import Bytes
import Storage

/// Checks the tokens of a segment's documents as they pass by: hash, marks at both ends, every id below the vocabulary.
///
/// A document that lies within what is fed at once is hashed in one go; others piece by piece, so that memory does not
/// depend on the longest.
struct DocumentCheck {
  private let width: TokenWidth
  private let tokenizer: TokenizerIdentity
  private let documents: Int
  private let doc: RandomAccessFile
  private var records: [UInt8] = []
  private var recordsFirst = 0
  private var number = 0
  private var start = 0
  private var document: SegmentReader.Document?
  /// Bytes of the segment that were fed.
  private var offset = 0

  private var pieces = XXH64()
  private var isWhole = true
  private var largest = 0
  private var firstID: Int?

  /// Documents that are wrong: number, byte range in `.tok`, and what.
  private(set) var findings: [(number: Int, bytes: Range<Int>, message: String)] = []
  static let findingsMax = 16

  init(_ reader: SegmentReader, _ tokenizer: TokenizerIdentity) throws(StorageError) {
    width = reader.width
    documents = reader.segment.documents
    doc = reader.doc
    self.tokenizer = tokenizer
    try advance()
  }

  /// Takes the next bytes of the token file.
  mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    var position = 0
    while position < bytes.count, let current = document {
      let end = current.end * width.bytes
      let count = min(end - offset, bytes.count - position)
      let piece = UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
      let first = start * width.bytes
      if offset == first, offset + count == end {
        check(piece, XXH64.hash(piece), current)
      } else {
        add(piece, isFirst: offset == first)
        if offset + count == end { check(piece, pieces.finalize(), current) }
      }
      position += count
      offset += count
      if offset == end { try advance() }
    }
  }

  private mutating func add(_ piece: UnsafeRawBufferPointer, isFirst: Bool) {
    guard piece.count >= width.bytes else { return }
    if isFirst {
      pieces = XXH64()
      largest = 0
      firstID = id(piece, 0)
      isWhole = false
    }
    pieces.update(piece)
    largest = max(largest, SegmentWriter.bounds(piece, width).max)
  }

  /// - Parameter piece: the document's last piece.
  private mutating func check(
    _ piece: UnsafeRawBufferPointer, _ hash: UInt64, _ current: SegmentReader.Document
  ) {
    let most = isWhole ? SegmentWriter.bounds(piece, width).max : largest
    let first = isWhole ? id(piece, 0) : firstID ?? 0
    isWhole = true
    let last = id(piece, piece.count - width.bytes)
    var message: String?
    if hash != current.hash {
      message = "its hash is not the recorded one"
    } else if most >= tokenizer.vocabulary {
      message = "id \(most) is not below the vocabulary of \(tokenizer.vocabulary)"
    } else if let bos = tokenizer.firstID, first != bos {
      message = "it starts with id \(first), not with the begin-of-text id \(bos)"
    } else if let eos = tokenizer.lastID, last != eos {
      message = "it ends with id \(last), not with the end-of-text id \(eos)"
    }
    if let message, findings.count < Self.findingsMax {
      findings.append((number - 1, start * width.bytes..<current.end * width.bytes, message))
    }
  }

  private func id(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int {
    width == .u16
      ? Int(bytes.integer(at: offset, as: UInt16.self)) : Int(bytes.integer(at: offset, as: UInt32.self))
  }

  /// Goes to the next document; none where the records end or no longer grow (the check of the records says so).
  private mutating func advance() throws(StorageError) {
    start = document?.end ?? 0
    document = nil
    guard number < documents else { return }
    let size = SegmentWriter.documentRecordBytes
    if number >= recordsFirst + records.count / size {
      records = try doc.read(at: Int64(number * size), count: size * min(8192, documents - number))
      recordsFirst = number
      guard records.count >= size else { return }
    }
    let place = (number - recordsFirst) * size
    let next = records.withUnsafeBytes {
      SegmentReader.Document(UnsafeRawBufferPointer(rebasing: $0[place..<place + size]))
    }
    guard next.end > start, next.end <= StoreManifest.Segment.bytesMax else { return }
    document = next
    number += 1
  }
}
