import Bytes
import Storage

/// Takes documents out of a store: segments that hold none of them are linked, the others are written without them.
///
/// The order stays, and so do all lists: a document record that remains is the same 32 bytes but for its end. A segment of
/// which nothing remains is left out. One split is one unit of work. The bytes depend on the store and the set of ids alone.
public final class StoreRemoval {
  /// What of a segment goes, found by reading its origins.
  public struct Hits: Equatable, Sendable {
    /// Numbers of documents in the segment, rising.
    public var documents: [Int] = []
    /// Numbers of their ids in the list.
    public var ids: [Int] = []
  }

  /// What was taken out of a split.
  public struct Removed: Equatable, Sendable {
    public var documents = 0
    public var tokens = 0
    public init(documents: Int = 0, tokens: Int = 0) {
      self.documents = documents
      self.tokens = tokens
    }
  }

  public let store: TokenStore
  public let folder: String
  private let options: StoreOptions

  /// - Parameter folder: of the new store; made if needed.
  public init(_ store: TokenStore, folder: String) throws(StorageError) {
    self.store = store
    self.folder = folder
    var options = try StoreOptions(of: store)
    // A segment is as long as it was, whatever limit it was made with.
    options.segmentBytes = StoreManifest.Segment.bytesMax
    self.options = options
  }

  /// The documents of a segment whose ids are in the list. Reads its origins only.
  ///
  /// - Throws: `.input` if they are damaged.
  public static func hits(
    _ store: TokenStore, _ split: StoreManifest.Split, segment: Int, _ ids: DocumentIDList
  ) throws(StorageError) -> Hits {
    let reader = try store.open(split, segment: segment)
    var hits = Hits()
    var number = 0
    while number < reader.segment.documents {
      let frame = number / StoreOptions.originFrameDocuments
      let text = try reader.originText(ofFrame: frame)
      let end = min(reader.segment.documents, number + StoreOptions.originFrameDocuments)
      var position = 0
      while number < end {
        guard let lineEnd = SegmentReader.lineEnd(text.span, from: position) else {
          throw .input(
            path: store.path(split, reader.segment, "origin.zst"),
            reason: "document \(number) has no origin. Run `sluice verify`.")
        }
        if let id = try Self.number(ofLine: text, position..<lineEnd, ids) {
          hits.documents.append(number)
          hits.ids.append(id)
        }
        position = lineEnd + 1
        number += 1
      }
    }
    return hits
  }

  /// Number of an origin line's id in the list. Ids without escapes, nearly all, are compared as they stand.
  private static func number(
    ofLine text: [UInt8], _ line: Range<Int>, _ ids: DocumentIDList
  ) throws(StorageError) -> Int? {
    let head = "{\"id\":\"".utf8.count
    let start = line.lowerBound + head
    if start < line.upperBound, text.span.starts(with: "{\"id\":\"", at: line.lowerBound, ignoringCase: false)
    {
      var end = start
      while end < line.upperBound, text[end] != UInt8(ascii: "\""), text[end] != UInt8(ascii: "\\") {
        end += 1
      }
      if end < line.upperBound, text[end] == UInt8(ascii: "\"") {
        return try ids.number(of: text.span.extracting(start..<end))
      }
    }
    guard let id = DocumentOrigin(line: Array(text[line]))?.id else { return nil }
    let bytes = Array(id.utf8)
    return try ids.number(of: bytes.span)
  }

  /// Writes the segments of one split; those of an earlier try are removed first.
  ///
  /// - Parameters:
  ///   - hits: of each segment of the split.
  ///   - tick: called now and then; what it throws ends the work.
  public func buildSplit(
    _ number: Int, hits: [Hits], _ links: inout StoreLinks, tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> (split: StoreManifest.Split, removed: Removed) {
    let split = store.manifest.splits[number]
    try FileSystem.removeTree(Path.join(folder, split.name))
    let sources = store.manifest.sources.count
    let writer = SegmentWriter(folder: folder, split: split.name, options: options, sources: sources)
    for (index, segment) in split.segments.enumerated() {
      try tick()
      if hits[index].documents.isEmpty {
        try writer.adopt(segment, of: split, in: store, sources: sources, &links)
        continue
      }
      let before = writer.segments.count
      try rewrite(try store.open(split, segment: index), without: hits[index].documents, writer, tick)
      links.segmentsWritten += writer.segments.count - before
    }
    if !writer.segments.isEmpty { try FileSystem.synchronizeFolder(Path.join(folder, split.name)) }
    let result = StoreManifest.Split(name: split.name, segments: writer.segments)
    let removed = Removed(
      documents: split.documents - result.documents, tokens: split.tokens - result.tokens)
    guard removed.documents == hits.reduce(0, { $0 + $1.documents.count }) else {
      throw .bug("\(removed.documents) documents went from \(split.name), others than were asked for")
    }
    return (result, removed)
  }

  private func rewrite(
    _ reader: SegmentReader, without removed: [Int], _ writer: SegmentWriter,
    _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) {
    var next = 0
    try reader.forEachWholeDocument { (number, document, line, tokens) throws(StorageError) in
      if number % 1024 == 0 { try tick() }
      if next < removed.count, removed[next] == number {
        next += 1
        return
      }
      guard document.source < store.manifest.sources.count, document.language <= UInt16.max else {
        throw .input(
          path: reader.doc.path,
          reason: "document \(number) names a source that the manifest does not have. Run `sluice verify`.")
      }
      try writer.add(
        StoredDocument(
          origin: UInt64(document.part) << 40 | UInt64(document.numberInPart),
          source: UInt32(document.source),
          language: UInt16(document.language)),
        originLine: line, tokens: tokens)
    }
    try writer.endSegment()
  }

  /// Writes `build.json`, which says from what and how much was taken, not which; then `manifest.json`.
  public func finish(
    _ splits: [StoreManifest.Split], removed: Removed, build: [JSONValue.Member] = []
  ) throws(StorageError) -> (manifest: StoreManifest, fingerprint: String) {
    var manifest = store.manifest
    manifest.splits = splits
    let fingerprint = try manifest.publish(
      in: folder,
      build: [
        .init(
          "removed",
          [
            "from": .string(store.fingerprint), "documents": .int(removed.documents),
            "tokens": .int(removed.tokens),
          ])
      ] + build)
    return (manifest, fingerprint)
  }
}
