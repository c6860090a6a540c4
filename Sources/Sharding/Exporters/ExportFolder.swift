import Bytes
import Storage

/// The folder that an exporter writes to; records each file and how it came there. One per shard: not shared by threads.
public final class ExportFolder {
  public let path: String
  public private(set) var files: [ExportReport.File] = []

  /// What a compressed file must read back as, by its name.
  private(set) var contents: [String: Contents] = [:]

  struct Contents {
    /// XXH64 of the file.
    var file: String
    /// XXH64 of so many decoded bytes from its start on.
    var decoded: UInt64
    var decodedBytes: Int
  }

  public init(_ path: String) throws(StorageError) {
    self.path = path
    try FileSystem.makeFolder(path)
  }

  /// Opens a file of the export's own; give it back with `record(try file.commit())`.
  public func create(_ name: String) throws(StorageError) -> OutputFile {
    try OutputFile(folder: path, name: name)
  }

  public func record(_ summary: FileSummary, _ method: ExportMethod = .written) {
    files.append(.init(name: summary.name, bytes: summary.bytes, sha256: summary.sha256, method: method))
  }

  func note(_ name: String, _ read: Contents) { contents[name] = read }

  /// Writes a file of the export's own, piece by piece.
  public func write(
    _ name: String, _ body: (OutputFile) throws(StorageError) -> Void
  ) throws(StorageError) {
    let output = try create(name)
    try body(output)
    record(try output.commit())
  }

  public func write(_ name: String, _ bytes: [UInt8]) throws(StorageError) {
    record(try OutputFile.write(bytes, folder: path, name: name))
  }

  /// Gives a file of the store a second name here; where the file system cannot link, shares its blocks, else copies it.
  func link(_ file: StoreManifest.File, at source: String, as name: String) throws(StorageError) {
    let target = Path.join(path, name)
    if FileSystem.exists(target) { try FileSystem.removeFile(target) }
    for (method, attempt) in Self.links {
      do throws(StorageError) { try attempt(source, target) } catch { continue }
      files.append(.init(name: name, bytes: file.bytes, sha256: file.sha256, method: method))
      return
    }
    try copy(file, at: source, as: name)
  }

  private static let links: [(ExportMethod, @Sendable (String, String) throws(StorageError) -> Void)] = [
    (.hardLink, { (from, to) throws(StorageError) in try FileSystem.hardLink(from: from, to: to) }),
    (.reflink, { (from, to) throws(StorageError) in try FileSystem.reflink(from: from, to: to) }),
  ]

  func copy(_ file: StoreManifest.File, at source: String, as name: String) throws(StorageError) {
    let input = try RandomAccessFile(source)
    let output = try create(name)
    var offset: Int64 = 0
    while offset < input.size {
      let bytes = try input.read(at: offset, count: Int(min(1 << 20, input.size - offset)))
      if bytes.isEmpty { break }
      try output.write(bytes)
      offset += Int64(bytes.count)
    }
    let summary = try output.commit()
    guard summary.sha256 == file.sha256 else {
      throw .input(
        path: source, reason: "its SHA-256 is not the manifest's. Run `sluice verify` on the store.")
    }
    record(summary, .copy)
  }

  /// Checks that a token file of an export is the store's: the same inode, a clone of its size, or a copy of the recorded hash.
  func compareTokens(_ name: String, _ segment: SegmentReader) throws(StorageError) {
    let file = Path.join(path, name)
    let mine = try FileSystem.identity(of: file)
    let theirs = try FileSystem.identity(of: segment.tok.path)
    if mine.inode == theirs.inode, mine.device == theirs.device { return }
    if files.contains(where: { $0.name == name && $0.method == .reflink }),
      try FileSystem.size(of: file) == segment.segment.tok.bytes
    {
      return
    }
    let found = try SHA256.hexOfFile(file)
    guard found.hex == segment.segment.tok.sha256 else {
      throw .output(
        path: file,
        reason: "its SHA-256 is \(found.hex), the store's segment has \(segment.segment.tok.sha256)")
    }
  }
}
