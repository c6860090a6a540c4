import Bytes
import Storage

/// Datatrove's and nanotron's tokenized files: `N.ds` is the segment itself, `N.ds.index` holds the ends of documents.
///
/// `.ds.index`: u64 end of each document in tokens, no header. `.ds.metadata`: `tokenizer|bytes per token`, a line feed, the number of
/// tokens, a line feed, the number for people.
///
/// - Source: datatrove 0.10.0, `pipeline/tokens/tokenizer.py` and `utils/dataset.py`.
public struct DatatroveExporter: Exporter {
  public let name = "datatrove"
  public let summary = "datatrove, nanotron: .ds (hard link), .ds.index, .ds.metadata"

  public init() {}

  public func check(_ store: TokenStore, _ split: StoreManifest.Split) throws(StorageError) {
    let name = store.manifest.tokenizer.name
    // The metadata's first line is cut at “|”, and datatrove's merger needs a name there.
    guard !name.isEmpty, !name.utf8.contains(where: { $0 == UInt8(ascii: "|") || $0 == 10 || $0 == 13 })
    else {
      throw .usage(
        "The tokenizer's name “\(name)” cannot stand in a datatrove file: it must not be empty or hold “|”.")
    }
  }

  public func export(
    _ split: StoreManifest.Split, of store: TokenStore, into folder: ExportFolder
  ) throws(StorageError) {
    for number in split.segments.indices {
      let segment = try store.open(split, segment: number)
      try export(segment, stem: StoreExport.stem(split, number), store, into: folder)
    }
  }

  public func compare(
    _ split: StoreManifest.Split, of store: TokenStore, in folder: String
  ) throws(StorageError) {
    for number in split.segments.indices {
      try compare(try store.open(split, segment: number), stem: StoreExport.stem(split, number), in: folder)
    }
  }

  private func export(
    _ segment: SegmentReader, stem: String, _ store: TokenStore, into folder: ExportFolder
  ) throws(StorageError) {
    let stem = stem + ".ds"
    try folder.link(segment.segment.tok, at: segment.tok.path, as: stem)
    try folder.write(stem + ".index") { (output) throws(StorageError) in
      var bytes: [UInt8] = []
      try segment.forEachDocument { (_, _, document) throws(StorageError) in
        bytes.append(littleEndian: UInt64(document.end))
        try MegatronExporter.drain(&bytes, to: output)
      }
      try output.write(bytes)
    }
    let tokens = segment.segment.tokens
    let text = "\(store.manifest.tokenizer.name)|\(segment.width.bytes)\n\(tokens)\n\(Self.rounded(tokens))"
    folder.record(try OutputFile.write(Array(text.utf8), folder: folder.path, name: stem + ".metadata"))
  }

  private func compare(_ segment: SegmentReader, stem: String, in folder: String) throws(StorageError) {
    let stem = stem + ".ds"
    try StoreExport.compareTokens(stem, segment, in: folder)
    let index = try RandomAccessFile(Path.join(folder, stem + ".index"))
    guard index.size == Int64(8 * segment.segment.documents) else {
      throw .output(
        path: index.path, reason: "\(index.size) bytes for \(segment.segment.documents) documents")
    }
    var ends = WindowedReader(index, from: 0)
    try segment.forEachDocument { (document, _, record) throws(StorageError) in
      guard try ends.next(UInt64.self) == UInt64(record.end) else {
        throw .output(path: index.path, reason: "document \(document) does not read back equal")
      }
    }
  }

  /// For people: `123.4K`, `5.6M`.
  static func rounded(_ tokens: Int) -> String {
    for (unit, size) in [("T", 1_000_000_000_000), ("B", 1_000_000_000), ("M", 1_000_000), ("K", 1000)]
    where tokens >= size {
      return "\(tokens / size).\(tokens % size * 10 / size)\(unit)"
    }
    return "\(tokens)"
  }
}
