import Bytes
import Storage

/// llm.c's and modded-nanogpt's token files: a header of 1,024 bytes, then the ids.
///
/// Header: 256 × i32, of which `20240520, 1, tokens` for u16 ids and `20240801, 7, tokens` for u32 ids (Llama 3); the rest zero.
/// Names sort in order; `*_val_*` is validation.
///
/// - Limits: files below 2 GiB, since llm.c seeks with a C int.
/// - Source: llm.c at f1e2ace (2025), `llmc/dataloader.h` and `dev/data/data_common.py`; modded-nanogpt, `train_gpt.py`.
public struct LLMCExporter: Exporter {
  /// Who reads it: the bytes are the same, modded-nanogpt is stricter.
  public enum Reader: String, Sendable {
    case llmc
    case moddedNanoGPT = "modded-nanogpt"
  }

  let reader: Reader
  public var name: String { reader.rawValue }
  public var summary: String {
    switch reader {
    case .llmc: "llm.c: *_train_*.bin, *_val_*.bin with a header of 1,024 bytes"
    case .moddedNanoGPT: "modded-nanogpt: as llmc; u16, and each document starts with BOS"
    }
  }
  public var hasBoundaries: Bool { false }
  /// 10^8 ids of 16 bits, as the projects' own scripts cut.
  public var shardBytesDefault: Int? { 200_000_000 }

  static let headerBytes = 1024
  static let fileBytesMax = Int(Int32.max)

  public init(_ reader: Reader) { self.reader = reader }

  public func check(_ plan: ExportPlan) throws(StorageError) {
    if let largest = plan.largest, Self.headerBytes + largest.tokens * plan.width.bytes > Self.fileBytesMax {
      throw .usage(
        "\(name): a file of \(largest.tokens * plan.width.bytes) token bytes; its reader needs files below 2 GiB. "
          + "Choose more --shards, or --shard-bytes 200MB.")
    }
    if let replicas = plan.replicas, let micro = plan.microBatch, let length = plan.tokensPerRecord,
      let smallest = plan.shards.min(by: { $0.tokens < $1.tokens }),
      smallest.tokens < replicas * micro * length + 1
    {
      throw .usage(
        "\(name): a file of \(smallest.tokens) ids, and its reader needs DP·B·T + 1 = \(replicas)·\(micro)·\(length) + 1 in "
          + "each. Choose fewer --shards or a larger --shard-bytes.")
    }
    guard reader == .moddedNanoGPT else { return }
    guard plan.width == .u16 else {
      throw .usage(
        "modded-nanogpt reads ids of 16 bits, and this vocabulary has \(plan.vocabulary). Choose --format llmc."
      )
    }
    guard plan.tokenizer.firstID != nil else {
      throw .usage(
        "modded-nanogpt finds documents by the BOS at their start, and this store has none "
          + "(policy \(plan.tokenizer.policy.rawValue)). Tokenize with --eos prepend-bos, or choose --format llmc."
      )
    }
  }

  static func fileName(_ plan: ExportPlan, _ shard: Int) -> String {
    let digits = max(6, String(plan.shards.count - 1).utf8.count)
    return "corpus_\(plan.split == "valid" ? "val" : plan.split)_\(Path.padded(shard, digits: digits)).bin"
  }

  private static func magic(_ width: TokenWidth) -> (Int32, Int32) {
    width == .u16 ? (20_240_520, 1) : (20_240_801, 7)
  }

  public func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter {
    let writer = Writer(try folder.create(Self.fileName(plan, shard)), folder)
    var header: [UInt8] = []
    let (magic, version) = Self.magic(plan.width)
    for word in [magic, version, Int32(plan.shards[shard].tokens)] { header.append(littleEndian: word) }
    header.append(contentsOf: repeatElement(0, count: Self.headerBytes - header.count))
    try writer.output.write(header)
    return writer
  }

  private final class Writer: ExportWriter {
    let output: OutputFile
    private let folder: ExportFolder

    init(_ output: OutputFile, _ folder: ExportFolder) {
      self.output = output
      self.folder = folder
    }

    func add(_ record: ExportRecord) throws(StorageError) { try output.write(record.tokens) }

    func finish() throws(StorageError) -> JSONValue {
      folder.record(try output.commit())
      return .null
    }
  }

  public func readBack(
    _ plan: ExportPlan, shard: Int, folder: String,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    let file = try RandomAccessFile(Path.join(folder, Self.fileName(plan, shard)))
    let header = try file.read(at: 0, count: Self.headerBytes)
    guard header.count == Self.headerBytes else {
      throw .output(path: file.path, reason: "the header is cut")
    }
    let words = header.withUnsafeBytes { bytes in
      (0..<256).map { bytes.integer(at: 4 * $0, as: Int32.self) }
    }
    let (magic, version) = Self.magic(plan.width)
    guard words[0] == magic, words[1] == version, words[3...].allSatisfy({ $0 == 0 }),
      Int64(Self.headerBytes) + Int64(words[2]) * Int64(plan.width.bytes) == file.size
    else { throw .output(path: file.path, reason: "the header does not fit the file") }
    try file.forEachPart(from: Int64(Self.headerBytes), to: file.size) { (bytes) throws(StorageError) in
      try body(nil, bytes)
    }
  }
}
