import Bytes
import Storage

extension PackIndex {
  /// Packs one unit and writes its file, read-only, under its final name.
  ///
  /// Memory: `memoryBytes`. Reads the document records only, no token.
  ///
  /// - Parameters:
  ///   - segments: a unit of `plan`.
  ///   - tick: called now and then; what it throws ends the work.
  /// - Throws: `.input` if the document records are damaged, output errors, what `tick` throws.
  public static func buildUnit(
    _ store: TokenStore, split: StoreManifest.Split, _ key: PackKey, segments: Range<Int>,
    tick: @escaping () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> PackManifest.Unit {
    try key.validate()
    let records = try UnitRecords(store, split: split, key.grouping, segments: segments, tick: tick)
    let packed = PackedUnit(
      key, lengths: records.lengths, classes: records.classes, classCount: records.classCount)
    return try write(
      packed, to: folder(store, split: split.name, key), split.segments[segments.lowerBound].name, segments,
      tick)
  }

  /// Bytes of memory that packing a unit takes at most: 32 per document, 10 per id of the context, and buffers.
  public static func memoryBytes(
    _ split: StoreManifest.Split, _ key: PackKey, segments: Range<Int>
  ) -> Int {
    split.segments[segments].reduce(0) { $0 + $1.documents } * 32 + key.context * 10 + 2 << 20
  }

  /// Writes `manifest.json` after all units: from now on the index exists.
  public static func finish(
    _ store: TokenStore, split: StoreManifest.Split, _ key: PackKey, units: [PackManifest.Unit]
  ) throws(StorageError) -> PackManifest {
    let manifest = PackManifest(
      store: store.fingerprint, split: split.name, key: key,
      classes: key.grouping.classes(of: store.manifest), units: units)
    if let problem = manifest.problem(store: store, split: split, key) {
      throw .bug("the new pack index \(problem)")
    }
    let folder = folder(store, split: split.name, key)
    _ = try OutputFile.write(manifest.bytes, folder: folder, name: PackManifest.fileName)
    try FileSystem.setReadOnly(Path.join(folder, PackManifest.fileName))
    return manifest
  }

  private static func write(
    _ packed: PackedUnit, to folder: String, _ segment: String, _ segments: Range<Int>,
    _ tick: @escaping () throws(StorageError) -> Void
  ) throws(StorageError) -> PackManifest.Unit {
    let (classBins, pieces) = packed.sizes
    let bins = classBins.reduce(0, +)
    let tokens = packed.lengths.reduce(0) { $0 + Int($1) }
    let file = try OutputFile(folder: folder, name: segment + ".pack")
    var output = WordOutput(file, tick)
    for number in [UInt64(bins), UInt64(pieces)] {
      try output.append(UInt32(truncatingIfNeeded: number))
      try output.append(UInt32(number >> 32))
    }
    var piece: UInt32 = 0
    for number in 0..<packed.classCount {
      try packed.forEachPiece(ofClass: number) { (_, _, _, isFirst) throws(StorageError) in
        if isFirst { try output.append(piece) }
        piece += 1
      }
    }
    try output.append(piece)
    for number in 0..<packed.classCount {
      try packed.forEachPiece(ofClass: number) { (document, offset, length, _) throws(StorageError) in
        try output.append(document)
        try output.append(offset)
        try output.append(length)
      }
    }
    try output.flush()
    let summary = try file.commit()
    try FileSystem.setReadOnly(Path.join(folder, summary.name))
    return PackManifest.Unit(
      name: segment, firstSegment: segments.lowerBound, segments: segments.count, bins: bins, pieces: pieces,
      padding: bins * packed.key.context - tokens, classBins: classBins, bytes: summary.bytes,
      sha256: summary.sha256)
  }
}

/// Little-endian u32 on their way to a file.
private struct WordOutput {
  private let file: OutputFile
  private var words: [UInt32] = []
  private let tick: () throws(StorageError) -> Void
  private static let wordsMax = 1 << 16

  init(_ file: OutputFile, _ tick: @escaping () throws(StorageError) -> Void) {
    self.file = file
    self.tick = tick
    words.reserveCapacity(Self.wordsMax)
  }

  @inline(__always)
  mutating func append(_ word: UInt32) throws(StorageError) {
    words.append(word.littleEndian)
    if words.count == Self.wordsMax { try flush() }
  }

  mutating func flush() throws(StorageError) {
    try tick()
    var failure: StorageError?
    words.withUnsafeBytes { buffer in
      do throws(StorageError) { try file.write(buffer) } catch { failure = error }
    }
    words.removeAll(keepingCapacity: true)
    if let failure { throw failure }
  }
}
