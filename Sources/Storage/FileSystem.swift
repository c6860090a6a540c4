/// Files and folders by path. Listings are sorted by bytes, so nothing depends on the order of a directory.
public enum FileSystem {
  public static func exists(_ path: String) -> Bool { (try? System.status(of: path)) != nil }
  public static func isFolder(_ path: String) -> Bool { (try? System.status(of: path))?.isFolder ?? false }
  public static func isRegularFile(_ path: String) -> Bool {
    (try? System.status(of: path))?.isRegular ?? false
  }

  public static func size(of path: String) throws(StorageError) -> Int64 {
    do throws(System.Failure) { return try System.status(of: path).size } catch {
      throw .input(path: path, reason: error.reason)
    }
  }

  /// Inode and device: two names with equal pairs are one file.
  public static func identity(of path: String) throws(StorageError) -> (
    inode: UInt64, device: UInt64, linkCount: Int
  ) {
    do throws(System.Failure) {
      let status = try System.status(of: path)
      return (status.inode, status.device, status.linkCount)
    } catch { throw .input(path: path, reason: error.reason) }
  }

  public static func list(_ folder: String) throws(StorageError) -> [String] {
    do throws(System.Failure) { return try System.names(in: folder) } catch {
      throw .input(path: folder, reason: error.reason)
    }
  }

  /// All of a small file (manifests, recipes, tokenizers).
  public static func readAll(_ path: String, limit: Int = 1 << 30) throws(StorageError) -> [UInt8] {
    let file = try RandomAccessFile(path)
    guard file.size <= limit else {
      throw .input(path: path, reason: "\(file.size) bytes, over the limit of \(limit)")
    }
    var bytes = [UInt8](repeating: 0, count: Int(file.size))
    var got = 0
    var failure: StorageError?
    bytes.withUnsafeMutableBytes { buffer in
      do throws(StorageError) { got = try file.read(at: 0, into: buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    bytes.removeLast(bytes.count - got)
    return bytes
  }

  /// Makes a folder and those above it.
  public static func makeFolder(_ path: String) throws(StorageError) {
    if isFolder(path) { return }
    let parent = Path.parent(path)
    if !parent.isEmpty, parent != path { try makeFolder(parent) }
    do throws(System.Failure) { try System.makeOneFolder(path) } catch {
      if !isFolder(path) { throw .output(path: path, reason: error.reason) }
    }
  }

  /// Makes a folder of a name that nobody has yet, for this user only; returns its path. In a folder that others may
  /// write to, a foreseeable name could be theirs.
  public static func makeTemporaryFolder(in parent: String, label: String) throws(StorageError) -> String {
    try makeFolder(parent)
    for attempt in 0..<10_000 {
      let path = Path.join(parent, "\(label).\(System.processID)-\(attempt)")
      do throws(System.Failure) {
        try System.makeOneFolder(path, mode: 0o700)
        return path
      } catch {
        if !error.isExisting { throw .output(path: path, reason: error.reason) }
      }
    }
    throw .output(path: parent, reason: "no free name for a temporary folder")
  }

  public static func removeFile(_ path: String) throws(StorageError) {
    do throws(System.Failure) { try System.removeFile(path) } catch {
      throw .output(path: path, reason: error.reason)
    }
  }

  /// Removes a file or a whole folder; nothing happens if there is none. Of a link, only the link goes.
  public static func removeTree(_ path: String) throws(StorageError) {
    guard let status = try? System.status(ofLink: path) else { return }
    if status.isFolder {
      for name in try list(path) { try removeTree(Path.join(path, name)) }
      do throws(System.Failure) { try System.removeEmptyFolder(path) } catch {
        throw .output(path: path, reason: error.reason)
      }
    } else {
      try removeFile(path)
    }
  }

  /// Removes a folder if nothing is in it; otherwise nothing happens.
  public static func removeFolderIfEmpty(_ path: String) { try? System.removeEmptyFolder(path) }

  public static func move(_ from: String, to: String) throws(StorageError) {
    do throws(System.Failure) { try System.move(from, to: to) } catch {
      throw .output(path: to, reason: error.reason)
    }
  }

  /// A second name for the same bytes.
  public static func hardLink(from: String, to: String) throws(StorageError) {
    do throws(System.Failure) { try System.makeHardLink(from, to: to) } catch {
      throw .output(path: to, reason: error.reason)
    }
  }

  /// A new file that shares the blocks of another until one is written to (XFS, btrfs, bcachefs).
  ///
  /// - Throws: `.output` where the file system cannot; nothing is left behind then.
  public static func reflink(from: String, to: String) throws(StorageError) {
    do throws(System.Failure) {
      let source = try System.openForReading(from)
      defer { try? System.closeFile(source) }
      let target = try System.createNew(to)
      defer { try? System.closeFile(target) }
      do throws(System.Failure) {
        try System.shareBlocks(of: source, with: target)
        try System.synchronize(target)
      } catch {
        try? System.removeFile(to)
        throw error
      }
    } catch { throw .output(path: to, reason: error.reason) }
  }

  public static func setReadOnly(_ path: String) throws(StorageError) {
    do throws(System.Failure) { try System.setMode(path, 0o444) } catch {
      throw .output(path: path, reason: error.reason)
    }
  }

  /// Makes the names in a folder durable (fsync of the folder).
  public static func synchronizeFolder(_ path: String) throws(StorageError) {
    do throws(System.Failure) { try System.synchronizeFolder(path) } catch {
      throw .output(path: path, reason: error.reason)
    }
  }
}

/// Paths as text; nothing here touches the disk.
public enum Path {
  public static func join(_ folder: String, _ name: String) -> String {
    folder.isEmpty || folder == "." ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// The folder part; empty for a bare name.
  public static func parent(_ path: String) -> String {
    let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let slash = trimmed.lastIndex(of: "/") else { return "" }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }

  /// The last component.
  public static func name(_ path: String) -> String {
    let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let slash = trimmed.lastIndex(of: "/") else { return trimmed }
    return String(trimmed[trimmed.index(after: slash)...])
  }

  /// `value` with leading zeros.
  public static func padded(_ value: Int, digits: Int) -> String {
    let text = "\(value)"
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
