/// An exclusive advisory lock (flock) on a file that holds its owner's name. It ends with the object or the process.
///
/// On a network file system the lock may not hold between hosts.
public final class LockFile {
  private let descriptor: Int32

  /// - Parameter refused: called with the owner's name when another process holds the lock; it must throw.
  public init(
    _ path: String, owner: String, refused: (String) throws(StorageError) -> Void
  ) throws(StorageError) {
    do throws(System.Failure) { descriptor = try System.openLockFile(path) } catch {
      throw .output(path: path, reason: error.reason)
    }
    var isTaken = false
    do throws(System.Failure) { isTaken = try System.tryLock(descriptor) } catch {
      throw .output(path: path, reason: error.reason)
    }
    if !isTaken {
      let other = (try? FileSystem.readAll(path, limit: 4096))?.string ?? "unknown"
      try refused(other)
    }
    do throws(System.Failure) {
      try System.truncate(descriptor)
      try System.writeAll(Array(owner.utf8), to: descriptor)
    } catch { throw .output(path: path, reason: error.reason) }
  }

  deinit { try? System.closeFile(descriptor) }
}
