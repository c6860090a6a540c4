import Bytes
import Storage

/// nanoGPT's `train.bin` and `val.bin`: u16 ids, nothing else.
///
/// A split of one segment is linked under that name; several become `train-00000.bin`, …, which sort in order. nanoGPT's own script
/// maps one file: `--shards 1` copies the segments into it.
///
/// - Source: nanoGPT at 93a43d9 (2023), `train.py` (`np.memmap(…, dtype=np.uint16)`) and `data/openwebtext/prepare.py`.
public struct NanoGPTExporter: LinkingExporter {
  public let name = "nanogpt"
  public let summary = "nanoGPT: train.bin, val.bin (hard link); --shards 1 joins segments"
  public var hasBoundaries: Bool { false }

  public init() {}

  public func checkLinks(_ split: StoreManifest.Split, of store: TokenStore) throws(StorageError) {
    try Self.check(store.manifest.width, store.manifest.tokenizer.vocabulary)
  }

  public func check(_ plan: ExportPlan) throws(StorageError) { try Self.check(plan.width, plan.vocabulary) }

  private static func check(_ width: TokenWidth, _ vocabulary: Int) throws(StorageError) {
    guard width == .u16 else {
      throw .usage(
        "nanoGPT reads ids of 16 bits, and this vocabulary has \(vocabulary). "
          + "Tokenize with at most 65,536 ids (sluice train --vocab-size), or choose --format llmc.")
    }
  }

  static func fileName(_ plan: ExportPlan, _ shard: Int) -> String {
    plan.shards.count == 1 && !plan.options.isPerRank
      ? splitName(plan.split) + ".bin" : plan.stem(shard) + ".bin"
  }

  /// nanoGPT's own name of the split that other formats call `valid`.
  private static func splitName(_ split: String) -> String { split == "valid" ? "val" : split }

  private static func fileName(_ segment: Int, of split: StoreManifest.Split) -> String {
    split.segments.count == 1 ? splitName(split.name) + ".bin" : split.stem(segment) + ".bin"
  }

  public func link(
    _ segment: SegmentReader, number: Int, of split: StoreManifest.Split, in store: TokenStore,
    into folder: ExportFolder
  ) throws(StorageError) {
    try folder.link(segment.segment.tok, at: segment.tok.path, as: Self.fileName(number, of: split))
  }

  public func compareLinks(
    _ segment: SegmentReader, number: Int, of split: StoreManifest.Split, in store: TokenStore,
    folder: ExportFolder
  ) throws(StorageError) {
    try folder.compareTokens(Self.fileName(number, of: split), segment)
  }

  public func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter {
    try TokenFileWriter(
      plan, shard, folder, tokenFile: Self.fileName(plan, shard),
      method: plan.records == .documents ? .copy : .written
    ) { (_, _) throws(StorageError) in }
  }

  public func readBack(
    _ plan: ExportPlan, shard: Int, folder: String,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let file = try RandomAccessFile(Path.join(folder, Self.fileName(plan, shard)))
    try file.forEachPart(from: 0, to: file.size) { (bytes) throws(StorageError) in try body(nil, bytes) }
  }
}

extension RandomAccessFile {
  /// Gives a range of the file in parts of at most 1 MiB.
  ///
  /// - Throws: `.output` if the file ends before.
  func forEachPart(
    from start: Int64, to end: Int64, _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    var offset = start
    while offset < end {
      let part = try read(at: offset, count: Int(min(1 << 20, end - offset)))
      guard !part.isEmpty else { throw .output(path: path, reason: "the file ends too early") }
      try part.withPlace(0..<part.count, body)
      offset += Int64(part.count)
    }
  }
}
