import Storage

/// Consecutive tokens of one document inside one sequence.
public struct PackPiece: Equatable, Sendable {
  /// Number of the document in its unit.
  public var document: Int
  /// First token of the piece in its document.
  public var offset: Int
  /// Tokens; at least 1.
  public var length: Int

  public init(document: Int, offset: Int, length: Int) {
    self.document = document
    self.offset = offset
    self.length = length
  }

  /// In a file: three u32.
  static let bytes = 12

  init(_ buffer: UnsafeRawBufferPointer, at offset: Int) {
    document = Int(buffer.integer(at: offset, as: UInt32.self))
    self.offset = Int(buffer.integer(at: offset + 4, as: UInt32.self))
    length = Int(buffer.integer(at: offset + 8, as: UInt32.self))
  }
}

/// The bins of one unit, read with `pread`: two reads a bin, nothing is kept in memory.
///
/// Shape of `seg-00000.pack`, little-endian: u64 bins, u64 pieces, u32[bins + 1] first piece of each bin, then per piece u32
/// document in the unit, u32 offset in the document, u32 length. Bins of class 0 come first, then those of class 1, …
public final class PackReader: Sendable {
  public let unit: PackManifest.Unit
  public let context: Int
  /// Number of the first document of each segment in the unit, and the unit's documents.
  private let segmentStarts: [Int]
  private let file: RandomAccessFile

  public var path: String { file.path }
  /// Documents of the unit.
  public var documents: Int { segmentStarts[segmentStarts.count - 1] }

  /// Opens a unit.
  ///
  /// - Parameter unit: number in the manifest.
  /// - Throws: `.input` if the file is missing or has another size or head than the manifest says.
  public init(
    _ store: TokenStore, split: StoreManifest.Split, _ manifest: PackManifest, unit number: Int
  ) throws(StorageError) {
    unit = manifest.units[number]
    context = manifest.key.context
    let path = Path.join(PackIndex.folder(store, split: split.name, manifest.key), unit.fileName)
    guard unit.segmentRange.upperBound <= split.segments.count else {
      throw .input(path: path, reason: "packs segments that its store does not have")
    }
    var starts = [0]
    for segment in split.segments[unit.segmentRange] {
      starts.append(starts[starts.count - 1] + segment.documents)
    }
    segmentStarts = starts
    file = try RandomAccessFile(path)
    guard file.size == unit.bytes else {
      throw Self.damaged(path, "has \(file.size) bytes, not \(unit.bytes)")
    }
    let head = try file.read(at: 0, count: 16)
    guard head.count == 16, head.littleEndianWord(at: 0) == UInt64(unit.bins),
      head.littleEndianWord(at: 8) == UInt64(unit.pieces)
    else { throw Self.damaged(path, "does not begin with \(unit.bins) bins and \(unit.pieces) pieces") }
  }

  private static func damaged(_ path: String, _ what: String) -> StorageError {
    .input(path: path, reason: "the pack index \(what). Remove its folder; `sluice shard` makes it again")
  }

  /// The pieces of a bin in the order of its tokens.
  ///
  /// What is given fits: documents are those of the unit, lengths are at least 1 and at most `context` in all. Whether a
  /// document is long enough for its piece is for the caller to check: only the store's records say.
  ///
  /// - Parameter bin: below `unit.bins`.
  /// - Throws: `.input` if the bytes contradict themselves.
  public func pieces(ofBin bin: Int) throws(StorageError) -> [PackPiece] {
    let bounds = try file.read(at: Int64(16 + 4 * bin), count: 8)
    guard bounds.count == 8 else { throw Self.damaged(file.path, "is cut") }
    let first = Int(bounds.withUnsafeBytes { $0.integer(at: 0, as: UInt32.self) })
    let end = Int(bounds.withUnsafeBytes { $0.integer(at: 4, as: UInt32.self) })
    guard first < end, end <= unit.pieces, end - first <= context else {
      throw Self.damaged(file.path, "gives bin \(bin) the pieces \(first) to \(end) of \(unit.pieces)")
    }
    let count = end - first
    let bytes = try file.read(at: place(ofPiece: first), count: count * PackPiece.bytes)
    guard bytes.count == count * PackPiece.bytes else { throw Self.damaged(file.path, "is cut") }
    let pieces = bytes.withUnsafeBytes { buffer in
      (0..<count).map { PackPiece(buffer, at: $0 * PackPiece.bytes) }
    }
    var filled = 0
    for piece in pieces {
      guard piece.document < documents, piece.length >= 1, piece.length <= context - filled else {
        throw Self.damaged(file.path, "holds a piece in bin \(bin) that cannot be")
      }
      filled += piece.length
    }
    return pieces
  }

  /// The bins that hold a document, in the order of the file: reads all pieces of the unit once.
  ///
  /// - Throws: `.input` if the bytes contradict themselves.
  public func bins(holding document: Int) throws(StorageError) -> [(bin: Int, piece: PackPiece)] {
    var found: [(bin: Int, piece: PackPiece)] = []
    let step = 1 << 16
    for first in stride(from: 0, to: unit.pieces, by: step) {
      let count = min(step, unit.pieces - first)
      let bytes = try file.read(at: place(ofPiece: first), count: count * PackPiece.bytes)
      guard bytes.count == count * PackPiece.bytes else { throw Self.damaged(file.path, "is cut") }
      let hits = bytes.withUnsafeBytes { buffer in
        (0..<count).filter { Int(buffer.integer(at: $0 * PackPiece.bytes, as: UInt32.self)) == document }
      }
      for hit in hits {
        let piece = bytes.withUnsafeBytes { PackPiece($0, at: hit * PackPiece.bytes) }
        found.append((try bin(ofPiece: first + hit), piece))
      }
    }
    return found
  }

  /// The segment (by its number in the split) that holds a document of the unit, and its number there.
  public func place(ofDocument document: Int) -> (segment: Int, document: Int) {
    var low = 0
    var high = segmentStarts.count - 1
    // The last segment that starts at or before the document; segments are never empty.
    while high - low > 1 {
      let middle = (low + high) / 2
      if segmentStarts[middle] <= document { low = middle } else { high = middle }
    }
    return (unit.firstSegment + low, document - segmentStarts[low])
  }

  /// Number of a document in the unit; its segment, by its number in the split, is one of the unit's.
  public func number(ofDocument document: Int, inSegment segment: Int) -> Int {
    segmentStarts[segment - unit.firstSegment] + document
  }

  private func place(ofPiece piece: Int) -> Int64 {
    Int64(PackManifest.Unit.fileBytes(bins: unit.bins, pieces: piece))
  }

  /// The bin whose pieces include `piece`: binary search in the file's table.
  private func bin(ofPiece piece: Int) throws(StorageError) -> Int {
    var low = 0
    var high = unit.bins
    while high - low > 1 {
      let middle = (low + high) / 2
      let bytes = try file.read(at: Int64(16 + 4 * middle), count: 4)
      guard bytes.count == 4 else { throw Self.damaged(file.path, "is cut") }
      if Int(bytes.withUnsafeBytes { $0.integer(at: 0, as: UInt32.self) }) <= piece {
        low = middle
      } else {
        high = middle
      }
    }
    return low
  }
}
