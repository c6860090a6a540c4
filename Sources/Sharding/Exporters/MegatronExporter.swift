import Bytes
import Storage

/// Megatron-LM's indexed dataset: `P.bin` is the segment itself, `P.idx` holds lengths and offsets.
///
/// `.idx`: `MMIDIDX\0\0`, u64 version 1, u8 type (8 = u16, 4 = i32), u64 sequences D, u64 D + 1, i32[D] lengths in tokens, i64[D]
/// byte offsets in `.bin`, i64[D + 1] document indices 0…D. There is no u32: ids below 2^31 are the same as i32.
///
/// - Source: megatron-core 0.16.1, `core/datasets/indexed_dataset.py`.
public struct MegatronExporter: Exporter {
  public let name = "megatron"
  public let summary = "Megatron-LM: .bin (hard link) and .idx per segment"

  /// Prefixes that a blend can take: their numbers are i16.
  static let prefixesMax = 32_766
  static let mark = Array("MMIDIDX\0\0".utf8)
  static let headerBytes = 34

  public init() {}

  public func check(_ store: TokenStore, _ split: StoreManifest.Split) throws(StorageError) {
    guard split.segments.count <= Self.prefixesMax else {
      throw .usage(
        "\(split.segments.count) segments, and Megatron takes at most \(Self.prefixesMax) prefixes. "
          + "Build the store with a larger --segment-bytes.")
    }
  }

  public func export(
    _ split: StoreManifest.Split, of store: TokenStore, into folder: ExportFolder
  ) throws(StorageError) {
    for number in split.segments.indices {
      let segment = try store.open(split, segment: number)
      try export(segment, stem: StoreExport.stem(split, number), into: folder)
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
    _ segment: SegmentReader, stem: String, into folder: ExportFolder
  ) throws(StorageError) {
    try folder.link(segment.segment.tok, at: segment.tok.path, as: stem + ".bin")
    let documents = segment.segment.documents
    try folder.write(stem + ".idx") { (output) throws(StorageError) in
      var bytes = Self.mark
      bytes.append(littleEndian: UInt64(1))
      bytes.append(segment.width == .u16 ? 8 : 4)
      bytes.append(littleEndian: UInt64(documents))
      bytes.append(littleEndian: UInt64(documents + 1))
      // Three passes over the document records, so that memory stays flat for any number of documents.
      try segment.forEachDocument { (_, start, document) throws(StorageError) in
        bytes.append(littleEndian: Int32(document.end - start))
        try Self.drain(&bytes, to: output)
      }
      try segment.forEachDocument { (_, start, _) throws(StorageError) in
        bytes.append(littleEndian: Int64(start * segment.width.bytes))
        try Self.drain(&bytes, to: output)
      }
      for document in 0...documents {
        bytes.append(littleEndian: Int64(document))
        try Self.drain(&bytes, to: output)
      }
      try output.write(bytes)
    }
  }

  private func compare(_ segment: SegmentReader, stem: String, in folder: String) throws(StorageError) {
    try StoreExport.compareTokens(stem + ".bin", segment, in: folder)
    let index = try RandomAccessFile(Path.join(folder, stem + ".idx"))
    let documents = segment.segment.documents
    guard index.size == Int64(Self.headerBytes + 20 * documents + 8) else {
      throw .output(path: index.path, reason: "\(index.size) bytes for \(documents) documents")
    }
    let header = try index.read(at: 0, count: Self.headerBytes)
    guard Array(header[..<9]) == Self.mark, header.littleEndianWord(at: 18) == UInt64(documents) else {
      throw .output(path: index.path, reason: "the header does not read back")
    }
    var lengths = WindowedReader(index, from: Int64(Self.headerBytes))
    var offsets = WindowedReader(index, from: Int64(Self.headerBytes + 4 * documents))
    try segment.forEachDocument { (document, start, record) throws(StorageError) in
      let length = try lengths.next(Int32.self)
      let offset = try offsets.next(Int64.self)
      guard length == Int32(record.end - start), offset == Int64(start * segment.width.bytes) else {
        throw .output(path: index.path, reason: "document \(document) does not read back equal")
      }
    }
  }

  static func drain(_ bytes: inout [UInt8], to output: OutputFile) throws(StorageError) {
    guard bytes.count >= 1 << 16 else { return }
    try output.write(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}

/// Reads the little-endian integers of a file one after the other, 64 KiB at a time.
struct WindowedReader {
  private let file: RandomAccessFile
  private var offset: Int64
  private var window: [UInt8] = []
  private var position = 0

  init(_ file: RandomAccessFile, from offset: Int64) {
    self.file = file
    self.offset = offset
  }

  /// - Throws: `.output` at the end of the file.
  mutating func next<Word: FixedWidthInteger>(_ type: Word.Type) throws(StorageError) -> Word {
    let size = MemoryLayout<Word>.size
    if position + size > window.count {
      // Windows are a multiple of 8 bytes, so no integer lies across their border.
      window = try file.read(at: offset, count: 1 << 16)
      offset += Int64(window.count)
      position = 0
      guard window.count >= size else { throw .output(path: file.path, reason: "the file ends too early") }
    }
    let value = window.withUnsafeBytes { $0.integer(at: position, as: type) }
    position += size
    return value
  }
}
