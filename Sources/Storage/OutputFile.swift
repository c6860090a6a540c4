import Bytes
import Synchronization

/// A finished output: what manifests record of it.
public struct FileSummary: Equatable, Sendable {
  /// Name within its folder.
  public var name: String
  public var bytes: Int64
  public var sha256: String
  public var xxh64: String

  public init(name: String, bytes: Int64, sha256: String, xxh64: String) {
    self.name = name
    self.bytes = bytes
    self.sha256 = sha256
    self.xxh64 = xxh64
  }
}

/// An output that appears under its final name whole or not at all.
///
/// Steps: written as `folder/.tmp/<name>.<pid>-<n>` (created exclusively, no links followed), fsync, rename, fsync of the
/// folder. A failed fsync is never retried: the file is discarded and its unit is done again from the input.
public final class OutputFile {
  private static let attempts = Atomic<Int>(0)

  public let folder: String
  public let name: String
  /// Bytes given to `write` so far.
  public var byteCount: Int64 { written + Int64(pending.count) }
  private var written: Int64 = 0
  private let temporaryPath: String
  private var descriptor: Int32
  private var isTemporary = true
  private var sha256 = SHA256()
  private var xxh64 = XXH64()
  private var pending: [UInt8] = []
  private static let pendingBytes = 256 << 10

  /// - Parameter name: may hold folders (`dropped/part-00000.jsonl.zst`); they are made.
  public init(folder: String, name: String) throws(StorageError) {
    self.folder = folder
    self.name = name
    let temporary = Path.join(folder, ".tmp")
    try FileSystem.makeFolder(temporary)
    let parent = Path.parent(name)
    if !parent.isEmpty { try FileSystem.makeFolder(Path.join(folder, parent)) }
    let attempt = OutputFile.attempts.wrappingAdd(1, ordering: .relaxed).newValue
    let flat = name.split(separator: "/").joined(separator: "-")
    temporaryPath = Path.join(temporary, "\(flat).\(System.processID)-\(attempt)")
    do throws(System.Failure) { descriptor = try System.createNew(temporaryPath) } catch {
      throw .output(path: temporaryPath, reason: error.reason)
    }
  }

  deinit { discard() }

  public func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    if pending.count + bytes.count > OutputFile.pendingBytes { try flush() }
    if bytes.count >= OutputFile.pendingBytes { try put(bytes) } else { pending.append(contentsOf: bytes) }
  }

  public func write(_ bytes: [UInt8]) throws(StorageError) {
    var failure: StorageError?
    bytes.withUnsafeBytes { buffer in
      do throws(StorageError) { try write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Makes the file durable and gives it its final name.
  public func commit() throws(StorageError) -> FileSummary {
    try flush()
    let path = Path.join(folder, name)
    do throws(System.Failure) {
      try System.synchronize(descriptor)
      let closing = descriptor
      descriptor = -1
      try System.closeFile(closing)
      try System.move(temporaryPath, to: path)
      isTemporary = false
      try System.synchronizeFolder(Path.parent(path).isEmpty ? "." : Path.parent(path))
    } catch {
      discard()
      throw failure(error)
    }
    return FileSummary(
      name: name, bytes: byteCount, sha256: Hex.string(sha256.finalize()), xxh64: Hex.string(xxh64.finalize())
    )
  }

  /// Removes the unfinished file; nothing happens after `commit`.
  public func discard() {
    if descriptor >= 0 {
      try? System.closeFile(descriptor)
      descriptor = -1
    }
    if isTemporary {
      try? System.removeFile(temporaryPath)
      isTemporary = false
    }
  }

  private func flush() throws(StorageError) {
    guard !pending.isEmpty else { return }
    var failure: StorageError?
    pending.withUnsafeBytes { buffer in
      do throws(StorageError) { try put(buffer) } catch { failure = error }
    }
    pending.removeAll(keepingCapacity: true)
    if let failure { throw failure }
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    do throws(System.Failure) { try System.writeAll(bytes, to: descriptor) } catch {
      discard()
      throw failure(error)
    }
    sha256.update(bytes)
    xxh64.update(bytes)
    written += Int64(bytes.count)
  }

  private func failure(_ error: System.Failure) -> StorageError {
    let path = Path.join(folder, name)
    return error.isFull ? .full(path: path, written: written) : .output(path: path, reason: error.reason)
  }

  /// Writes a small file in one go.
  public static func write(_ bytes: [UInt8], folder: String, name: String) throws(StorageError) -> FileSummary
  {
    let file = try OutputFile(folder: folder, name: name)
    try file.write(bytes)
    return try file.commit()
  }

  /// Writes a small file of its own, by its path, and leaves no temporary folder beside it.
  public static func write(_ bytes: [UInt8], path: String) throws(StorageError) -> FileSummary {
    let folder = Path.parent(path)
    defer { FileSystem.removeFolderIfEmpty(Path.join(folder, ".tmp")) }
    return try write(bytes, folder: folder, name: Path.name(path))
  }
}
