import Synchronization

/// A file that only this process needs: spilled runs, spools. Created exclusively, removed when the object goes.
public final class TemporaryFile {
  private static let count = Atomic<Int>(0)
  public let path: String
  public private(set) var byteCount: Int64 = 0
  private var descriptor: Int32

  public init(folder: String, label: String) throws(StorageError) {
    try FileSystem.makeFolder(folder)
    let number = TemporaryFile.count.wrappingAdd(1, ordering: .relaxed).newValue
    path = Path.join(folder, "\(label).\(System.processID)-\(number)")
    do throws(System.Failure) { descriptor = try System.createNew(path) } catch {
      throw .output(path: path, reason: error.reason)
    }
  }

  deinit {
    if descriptor >= 0 { try? System.closeFile(descriptor) }
    try? System.removeFile(path)
  }

  public func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    do throws(System.Failure) { try System.writeAll(bytes, to: descriptor) } catch {
      throw error.isFull ? .full(path: path, written: byteCount) : .output(path: path, reason: error.reason)
    }
    byteCount += Int64(bytes.count)
  }

  /// No more writes; the file can be read by its path.
  public func finishWriting() throws(StorageError) {
    guard descriptor >= 0 else { return }
    let closing = descriptor
    descriptor = -1
    do throws(System.Failure) { try System.closeFile(closing) } catch {
      throw .output(path: path, reason: error.reason)
    }
  }
}
