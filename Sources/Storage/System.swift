import Glibc

/// Every system call of sluice. Failures are values with their errno; EINTR is retried here and nowhere else.
enum System {
  /// The errno of a call that failed.
  struct Failure: Error, Equatable {
    var code: Int32
    /// The C library's words, for messages.
    var reason: String {
      var buffer = [CChar](repeating: 0, count: 128)
      guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
      return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }.lowercased()
    }
    var isExisting: Bool { code == EEXIST }
    var isFull: Bool { code == ENOSPC || code == EDQUOT }
  }

  struct Status {
    var size: Int64
    var isFolder: Bool
    var isRegular: Bool
    var inode: UInt64
    var device: UInt64
    var linkCount: Int
  }

  private static func retry<R: SignedInteger>(_ call: () -> R) throws(Failure) -> R {
    while true {
      let result = call()
      if result >= 0 { return result }
      if errno != EINTR { throw Failure(code: errno) }
    }
  }

  static func openForReading(_ path: String) throws(Failure) -> Int32 {
    try retry { open(path, O_RDONLY | O_CLOEXEC) }
  }

  /// Creates a new file: never follows a link, never opens one that exists.
  static func createNew(_ path: String, mode: mode_t = 0o644) throws(Failure) -> Int32 {
    try retry { open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode) }
  }

  /// Creates a new file for reading and writing and takes its name away at once: it lives as long as the descriptor.
  static func createUnnamed(_ path: String) throws(Failure) -> Int32 {
    let descriptor = try retry { open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600) }
    unlink(path)
    return descriptor
  }

  static func openLockFile(_ path: String) throws(Failure) -> Int32 {
    try retry { open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o644) }
  }

  /// True if the exclusive lock was taken, false if another process holds it.
  static func tryLock(_ descriptor: Int32) throws(Failure) -> Bool {
    do throws(Failure) {
      _ = try retry { flock(descriptor, LOCK_EX | LOCK_NB) }
      return true
    } catch {
      if error.code == EWOULDBLOCK { return false }
      throw error
    }
  }

  static func truncate(_ descriptor: Int32) throws(Failure) { _ = try retry { ftruncate(descriptor, 0) } }

  static func closeFile(_ descriptor: Int32) throws(Failure) {
    // close(2) must not be retried: the descriptor is gone even after EINTR.
    if close(descriptor) < 0, errno != EINTR { throw Failure(code: errno) }
  }

  static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    guard buffer.count > 0 else { return 0 }
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      switch errno {
      case EINTR: continue
      case EAGAIN: waitUntilReady(descriptor, POLLIN)
      case let code: throw Failure(code: code)
      }
    }
  }

  static func read(_ descriptor: Int32, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer)
    throws(Failure) -> Int
  {
    var done = 0
    while done < buffer.count {
      let count = try retry {
        pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done))
      }
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// Writes everything; a short write goes on where it stopped. Returns the bytes written before a failure in `written`.
  static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(Failure) {
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if count > 0 {
        done += count
        continue
      }
      switch count == 0 ? EIO : errno {
      case EINTR: continue
      case EAGAIN: waitUntilReady(descriptor, POLLOUT)
      case let code: throw Failure(code: code)
      }
    }
  }

  static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(Failure) {
    var failure: Failure?
    bytes.withUnsafeBytes { buffer in
      do throws(Failure) { try writeAll(buffer, to: descriptor) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private static func waitUntilReady(_ descriptor: Int32, _ event: Int32) {
    var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
    _ = poll(&request, 1, 1000)
  }

  static func synchronize(_ descriptor: Int32) throws(Failure) { _ = try retry { fsync(descriptor) } }

  /// Makes the names in a folder durable.
  static func synchronizeFolder(_ path: String) throws(Failure) {
    let descriptor = try retry { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    defer { _ = close(descriptor) }
    if fsync(descriptor) < 0, errno != EINVAL { throw Failure(code: errno) }
  }

  static func move(_ from: String, to: String) throws(Failure) { _ = try retry { rename(from, to) } }
  static func removeFile(_ path: String) throws(Failure) { _ = try retry { unlink(path) } }
  static func removeEmptyFolder(_ path: String) throws(Failure) { _ = try retry { rmdir(path) } }
  static func makeOneFolder(_ path: String, mode: mode_t = 0o755) throws(Failure) {
    _ = try retry { mkdir(path, mode) }
  }
  static func makeHardLink(_ from: String, to: String) throws(Failure) { _ = try retry { link(from, to) } }
  /// Makes an empty file a copy-on-write clone of another.
  ///
  /// - Source: ioctl_ficlone(2); FICLONE is `_IOW(0x94, 9, int)`, the same number on x86-64 and arm64.
  static func shareBlocks(of source: Int32, with target: Int32) throws(Failure) {
    _ = try retry { ioctl(target, 0x4004_9409, source) }
  }
  static func setMode(_ path: String, _ mode: mode_t) throws(Failure) { _ = try retry { chmod(path, mode) } }

  static func status(of path: String) throws(Failure) -> Status {
    var information = stat()
    _ = try retry { stat(path, &information) }
    return status(information)
  }

  /// Of the name itself: a link is not followed.
  static func status(ofLink path: String) throws(Failure) -> Status {
    var information = stat()
    _ = try retry { lstat(path, &information) }
    return status(information)
  }

  static func status(of descriptor: Int32) throws(Failure) -> Status {
    var information = stat()
    _ = try retry { fstat(descriptor, &information) }
    return status(information)
  }

  private static func status(_ information: stat) -> Status {
    Status(
      size: Int64(information.st_size), isFolder: information.st_mode & S_IFMT == S_IFDIR,
      isRegular: information.st_mode & S_IFMT == S_IFREG, inode: UInt64(information.st_ino),
      device: UInt64(information.st_dev), linkCount: Int(information.st_nlink))
  }

  /// Names in a folder, sorted by their bytes, without `.` and `..`.
  static func names(in folder: String) throws(Failure) -> [String] {
    guard let handle = opendir(folder) else { throw Failure(code: errno) }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
  }

  static func mapReadOnly(_ descriptor: Int32, count: Int) throws(Failure) -> UnsafeRawPointer {
    guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw Failure(code: errno)
    }
    return UnsafeRawPointer(address)
  }

  /// Memory that costs nothing until it is written.
  static func mapMemory(count: Int) throws(Failure) -> UnsafeMutableRawPointer {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let address = mmap(nil, count, PROT_READ | PROT_WRITE, flags, -1, 0), address != MAP_FAILED else {
      throw Failure(code: errno)
    }
    return address
  }

  static func unmap(_ address: UnsafeRawPointer, count: Int) {
    munmap(UnsafeMutableRawPointer(mutating: address), count)
  }

  static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
  static var processID: Int32 { getpid() }
  static func processExists(_ id: Int32) -> Bool { kill(id, 0) == 0 || errno == EPERM }
}
