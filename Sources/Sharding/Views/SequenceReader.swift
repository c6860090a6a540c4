import Bytes
import Storage

/// Consecutive tokens of one document inside one sequence.
public struct SequencePiece: Equatable, Sendable {
  /// Number of the segment in the `StoreSplit`.
  public var segment: Int
  /// Number of the document in that segment.
  public var document: Int
  /// Where the piece begins in its document, in tokens.
  public var offset: Int
  /// The piece in its segment, in tokens.
  public var tokens: Range<Int>
  /// Where it begins in the sequence.
  public var start: Int
}

/// One sequence, as a rank trains on it.
public struct TrainingSequence: Equatable, Sendable {
  /// As many ids as a sequence has. Padding stands at the end: end-of-text ids, with loss mask 0 and document -1.
  public var tokens: [UInt32]
  public var pieces: [SequencePiece]
  public var padding: Int
}

/// Reads the sequences of a view out of its stores, with reads of exactly what a sequence needs.
///
/// Not for several threads at once: it keeps a bounded number of segments open. Make one per thread.
public final class SequenceReader {
  /// Open segments at most: three files each.
  static let openMax = 128

  public let view: View
  public let split: StoreSplit
  public var plan: SequencePlan
  private let layout: SequenceLayout
  private var segments: [Int: SegmentReader] = [:]
  private var packs: [Int: PackReader] = [:]
  private let padding: UInt32

  /// - Throws: `.usage` if the view was made of other stores or the pack index is another; `.input` if the index is missing.
  public init(_ view: View, _ split: StoreSplit) throws(StorageError) {
    self.view = view
    self.split = split
    plan = SequencePlan(view)
    layout = try SequenceLayout(view, split)
    padding = UInt32(split.tokenizer.eos ?? split.tokenizer.bos ?? 0)
  }

  /// The documents of a sequence (its number is below `view.order.sequences`), in order.
  ///
  /// - Throws: `.input` if files are missing or contradict one another.
  public func pieces(of sequence: Int) throws(StorageError) -> [SequencePiece] {
    switch layout {
    case .stream(let stream):
      var pieces: [SequencePiece] = []
      for part in stream.parts(of: sequence) { try addPieces(part, to: &pieces) }
      return pieces
    case .packs(let packs): return try pieces(of: packs.place(of: sequence), packs)
    }
  }

  public func read(_ sequence: Int) throws(StorageError) -> TrainingSequence {
    let pieces = try pieces(of: sequence)
    var tokens: [UInt32] = []
    tokens.reserveCapacity(view.order.tokens)
    for run in Self.runs(pieces) {
      tokens.append(contentsOf: try open(run.segment).tokens(run.tokens))
    }
    let missing = view.order.tokens - tokens.count
    tokens.append(contentsOf: repeatElement(padding, count: max(0, missing)))
    return TrainingSequence(tokens: tokens, pieces: pieces, padding: missing)
  }

  /// Appends the ids of a sequence as they are stored, little-endian u16 or u32, padding included.
  public func readBytes(_ sequence: Int, into bytes: inout [UInt8]) throws(StorageError) {
    let width = split.width
    let end = bytes.count + view.order.tokens * width.bytes
    let parts: [(segment: Int, tokens: Range<Int>)]
    switch layout {
    case .stream(let stream): parts = stream.parts(of: sequence)
    case .packs: parts = Self.runs(try pieces(of: sequence))
    }
    for part in parts { try open(part.segment).appendBytes(part.tokens, to: &bytes) }
    while bytes.count < end {
      if width == .u16 {
        bytes.append(littleEndian: UInt16(truncatingIfNeeded: padding))
      } else {
        bytes.append(littleEndian: padding)
      }
    }
  }

  /// The reader of a segment, opened when it is needed first.
  public func open(_ segment: Int) throws(StorageError) -> SegmentReader {
    if let reader = segments[segment] { return reader }
    if segments.count >= Self.openMax { segments.removeAll(keepingCapacity: true) }
    let reader = try split.open(segment)
    segments[segment] = reader
    return reader
  }

  /// Pieces that follow one another in their segment, joined: one read each.
  private static func runs(_ pieces: [SequencePiece]) -> [(segment: Int, tokens: Range<Int>)] {
    var runs: [(segment: Int, tokens: Range<Int>)] = []
    for piece in pieces {
      if let last = runs.last, last.segment == piece.segment,
        last.tokens.upperBound == piece.tokens.lowerBound
      {
        runs[runs.count - 1].tokens = last.tokens.lowerBound..<piece.tokens.upperBound
      } else {
        runs.append((piece.segment, piece.tokens))
      }
    }
    return runs
  }

  /// The documents in a part of the stream.
  private func addPieces(
    _ part: (segment: Int, tokens: Range<Int>), to pieces: inout [SequencePiece]
  ) throws(StorageError) {
    let reader = try open(part.segment)
    var start = pieces.last.map { $0.start + $0.tokens.count } ?? 0
    var token = part.tokens.lowerBound
    var document = try reader.document(atToken: token)
    while token < part.tokens.upperBound {
      guard document < reader.segment.documents else {
        throw .input(
          path: reader.doc.path, reason: "the documents end before token \(token). Run `sluice verify`.")
      }
      let range = try reader.range(ofDocument: document)
      let end = min(range.upperBound, part.tokens.upperBound)
      guard range.lowerBound <= token, token < end else {
        throw .input(
          path: reader.doc.path, reason: "the ends of document \(document) do not grow. Run `sluice verify`.")
      }
      pieces.append(
        SequencePiece(
          segment: part.segment, document: document, offset: token - range.lowerBound, tokens: token..<end,
          start: start))
      start += end - token
      token = end
      document += 1
    }
  }

  private func pieces(
    of place: PackLayout.Place, _ layout: PackLayout
  ) throws(StorageError) -> [SequencePiece] {
    let reader = try pack(place.unit, layout)
    var pieces: [SequencePiece] = []
    var start = 0
    for piece in try reader.pieces(ofBin: place.bin) {
      let (inStore, document) = reader.place(ofDocument: piece.document)
      let segment = layout.units[place.unit].firstSegment + inStore
      let range = try open(segment).range(ofDocument: document)
      let first = range.lowerBound + piece.offset
      guard first + piece.length <= range.upperBound else { throw damaged(reader) }
      pieces.append(
        SequencePiece(
          segment: segment, document: document, offset: piece.offset, tokens: first..<first + piece.length,
          start: start))
      start += piece.length
    }
    return pieces
  }

  private func damaged(_ reader: PackReader) -> StorageError {
    .input(
      path: reader.path,
      reason: "names tokens that its documents do not have. Remove its folder; `sluice shard` makes it again")
  }

  private func pack(_ unit: Int, _ layout: PackLayout) throws(StorageError) -> PackReader {
    if let reader = packs[unit] { return reader }
    if packs.count >= Self.openMax { packs.removeAll(keepingCapacity: true) }
    let reader = try layout.open(unit)
    packs[unit] = reader
    return reader
  }
}

extension SegmentReader {
  /// Appends the stored bytes of a range of tokens that lies in the segment.
  func appendBytes(_ tokens: Range<Int>, to bytes: inout [UInt8]) throws(StorageError) {
    let read = try tok.read(at: Int64(tokens.lowerBound * width.bytes), count: tokens.count * width.bytes)
    guard read.count == tokens.count * width.bytes else {
      throw .input(path: tok.path, reason: "the file is cut")
    }
    bytes.append(contentsOf: read)
  }
}
