import Storage

/// What packing needs of the documents of a unit: their lengths, and their classes where it groups them.
struct UnitRecords {
  /// Tokens of each document: at least 1, below 2^32 in all.
  private(set) var lengths: [UInt32] = []
  /// Class of each document, below `classCount`; empty without grouping.
  private(set) var classes: [UInt16] = []
  let classCount: Int

  /// Reads the `.doc` files of a unit's segments.
  ///
  /// - Throws: `.input` for records that contradict themselves or the manifest, what `tick` throws.
  init(
    _ store: TokenStore, split: StoreManifest.Split, _ grouping: Grouping, segments: Range<Int>,
    tick: () throws(StorageError) -> Void
  ) throws(StorageError) {
    classCount = max(1, grouping.classes(of: store.manifest).count)
    guard classCount <= StoreOptions.sourcesMax else {
      throw .usage("More than \(StoreOptions.sourcesMax) classes; pack without grouping.")
    }
    let documents = split.segments[segments].reduce(0) { $0 + $1.documents }
    lengths.reserveCapacity(documents)
    if grouping != .none { classes.reserveCapacity(documents) }
    for segment in split.segments[segments] {
      try read(store.path(split, segment, "doc"), segment, grouping, tick)
    }
  }

  /// Appends the lengths of a segment's documents, and their classes.
  private mutating func read(
    _ path: String, _ segment: StoreManifest.Segment, _ grouping: Grouping,
    _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) {
    let size = SegmentWriter.documentRecordBytes
    let file = try RandomAccessFile(path)
    guard file.size == Int64(segment.documents * size) else {
      throw .input(
        path: path,
        reason: "\(file.size) bytes; the manifest needs \(segment.documents * size). Run `sluice verify`.")
    }
    let block = 8192
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: block * size, alignment: 64)
    defer { buffer.deallocate() }
    var start: UInt64 = 0
    for first in stride(from: 0, to: segment.documents, by: block) {
      try tick()
      let count = min(block, segment.documents - first)
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(count * size)])
      guard try file.read(at: Int64(first * size), into: part) == count * size else {
        throw .input(path: path, reason: "the file is cut")
      }
      let records = UnsafeRawBufferPointer(part)
      for index in 0..<count {
        let end = records.word(at: index * size)
        guard end > start, end <= UInt64(segment.tokens) else {
          throw .input(
            path: path, reason: "document \(first + index) does not end where it can. Run `sluice verify`.")
        }
        lengths.append(UInt32(end - start))
        start = end
      }
      guard grouping != .none else { continue }
      for index in 0..<count {
        let number =
          grouping == .source
          ? Int(records.integer(at: index * size + 16, as: UInt32.self))
          : Int(records.integer(at: index * size + 20, as: UInt32.self) & 0xFFFF)
        guard number < classCount else {
          throw .input(
            path: path,
            reason: "document \(first + index) names a \(grouping.rawValue) that the manifest does not have. "
              + "Run `sluice verify`.")
        }
        classes.append(UInt16(number))
      }
    }
    guard start == UInt64(segment.tokens) else {
      throw .input(
        path: path,
        reason: "the documents end at token \(start), and the segment has \(segment.tokens). "
          + "Run `sluice verify`.")
    }
  }
}
