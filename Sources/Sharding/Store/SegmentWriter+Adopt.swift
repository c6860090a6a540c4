import Bytes
import Storage

/// How the files of a new store came to be.
public struct StoreLinks: Equatable, Sendable {
  public var segmentsLinked = 0
  public var segmentsWritten = 0
  /// Of those linked, segments whose document records were written anew, with other numbers.
  public var segmentsRenumbered = 0
  public var bytesLinked: Int64 = 0
  public var bytesCloned: Int64 = 0
  public var bytesCopied: Int64 = 0

  public init() {}

  public mutating func add(_ other: StoreLinks) {
    segmentsLinked += other.segmentsLinked
    segmentsWritten += other.segmentsWritten
    segmentsRenumbered += other.segmentsRenumbered
    bytesLinked += other.bytesLinked
    bytesCloned += other.bytesCloned
    bytesCopied += other.bytesCopied
  }

  public var json: JSONValue {
    [
      "segments_linked": .int(segmentsLinked), "segments_renumbered": .int(segmentsRenumbered),
      "segments_written": .int(segmentsWritten), "bytes_linked": .int(Int(bytesLinked)),
      "bytes_cloned": .int(Int(bytesCloned)), "bytes_copied": .int(Int(bytesCopied)),
    ]
  }
}

extension SegmentWriter {
  /// Takes a finished segment of another store as the next one: its files get a second name here, and no token is
  /// copied where the file system can link. Files that cannot be linked are cloned, else copied.
  ///
  /// - Parameter numbers: of the other store in this one's lists; nil: the same lists. Document records are written anew
  ///   if a number in them changes.
  func adopt(
    _ entry: StoreManifest.Segment, of split: StoreManifest.Split, in store: TokenStore,
    numbers: StoreLists.Numbers? = nil, sources count: Int, _ links: inout StoreLinks
  ) throws(StorageError) {
    try endSegment()
    var segment = entry
    segment.name = nextName
    var sums = Self.sums(of: entry, in: store, split)
    let renumbers = numbers.map { !$0.areUnchanged } ?? false
    for (suffix, file) in entry.files where !(renumbers && suffix == "doc") {
      try link(
        file, from: store.path(split, entry, suffix), as: "\(self.split)/\(segment.name).\(suffix)", &links)
    }
    if let numbers {
      segment.sourceTokens = Array(repeating: 0, count: count)
      for (old, tokens) in entry.sourceTokens.enumerated() {
        segment.sourceTokens[Int(numbers.sources[old])] += tokens
      }
      if renumbers {
        let written = try renumber(entry, of: split, in: store, numbers, as: segment.name)
        segment.doc = written.file
        sums?.files[0] = written.sums
        links.segmentsRenumbered += 1
      }
    }
    links.segmentsLinked += 1
    try publish(segment, sums)
  }

  /// The sums beside a segment, if they are whole and of its sizes; the new store has none otherwise.
  private static func sums(
    of entry: StoreManifest.Segment, in store: TokenStore, _ split: StoreManifest.Split
  ) -> SegmentSums? {
    guard let bytes = try? FileSystem.readAll(store.path(split, entry, SegmentSums.suffix)),
      let sums = SegmentSums(bytes: bytes),
      sums.files.map(\.bytes) == entry.files.map({ Int($0.file.bytes) })
    else { return nil }
    return sums
  }

  private func link(
    _ file: StoreManifest.File, from source: String, as name: String, _ links: inout StoreLinks
  ) throws(StorageError) {
    let target = Path.join(folder, name)
    try FileSystem.makeFolder(Path.parent(target))
    guard try FileSystem.size(of: source) == file.bytes else {
      throw .input(path: source, reason: "its size is not the manifest's. Run `sluice verify` on the store.")
    }
    if (try? FileSystem.hardLink(from: source, to: target)) != nil {
      links.bytesLinked += file.bytes
    } else if (try? FileSystem.reflink(from: source, to: target)) != nil {
      links.bytesCloned += file.bytes
    } else {
      try copy(file, from: source, as: name)
      links.bytesCopied += file.bytes
    }
  }

  private func copy(_ file: StoreManifest.File, from source: String, as name: String) throws(StorageError) {
    let input = try RandomAccessFile(source)
    let output = try OutputFile(folder: folder, name: name)
    var offset: Int64 = 0
    while offset < input.size {
      let bytes = try input.read(at: offset, count: Int(min(1 << 20, input.size - offset)))
      if bytes.isEmpty { break }
      try output.write(bytes)
      offset += Int64(bytes.count)
    }
    guard try output.commit().sha256 == file.sha256 else {
      throw .input(
        path: source, reason: "its SHA-256 is not the manifest's. Run `sluice verify` on the store.")
    }
  }

  /// Writes a segment's document records with other numbers.
  private func renumber(
    _ entry: StoreManifest.Segment, of split: StoreManifest.Split, in store: TokenStore,
    _ numbers: StoreLists.Numbers, as name: String
  ) throws(StorageError) -> (file: StoreManifest.File, sums: SegmentSums.File) {
    let reader = try store.open(split, segment: split.segments.firstIndex { $0.name == entry.name } ?? 0)
    let output = try BlockFile(folder: folder, name: "\(self.split)/\(name).doc")
    try reader.forEachDocument { (number, _, document) throws(StorageError) in
      guard let stored = numbers.stored(document) else {
        throw .input(
          path: reader.doc.path,
          reason: "document \(number) names a source, language or part that the manifest does not have. Run "
            + "`sluice verify`.")
      }
      try output.append(stored, end: document.end, hash: document.hash)
    }
    let file = StoreManifest.File(try output.commit())
    return (file, SegmentSums.File(bytes: Int(file.bytes), blocks: output.sums))
  }
}

extension BlockFile {
  /// Writes one record of `.doc`.
  func append(_ document: StoredDocument, end: Int, hash: UInt64) throws(StorageError) {
    let record = (
      UInt64(end).littleEndian, hash.littleEndian,
      (UInt64(document.source) | UInt64(document.language) << 32).littleEndian, document.origin.littleEndian
    )
    try withRawBytes(of: record) { (bytes) throws(StorageError) in try append(bytes) }
  }
}
