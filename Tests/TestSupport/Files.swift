import Glibc

/// A file could not be used; `reason` is the system's text.
public struct FileFailure: Error, CustomStringConvertible {
  public var path: String
  public var reason: String
  public var description: String { "\(path): \(reason)" }

  init(_ path: String) {
    self.path = path
    reason = String(cString: strerror(errno))
  }
}

/// All bytes of a file.
public func readFile(_ path: String) throws -> [UInt8] {
  guard let file = fopen(path, "rb") else { throw FileFailure(path) }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { break }
    bytes.append(contentsOf: buffer[..<count])
  }
  guard ferror(file) == 0 else { throw FileFailure(path) }
  return bytes
}

/// A file's text; bytes that are no UTF-8 become U+FFFD.
public func readText(_ path: String) throws -> String {
  String(decoding: try readFile(path), as: UTF8.self)
}

/// Writes a file, and the folders above it where they are missing.
public func writeFile(_ path: String, _ bytes: [UInt8]) throws {
  if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolder(String(path[..<slash])) }
  guard let file = fopen(path, "wb") else { throw FileFailure(path) }
  let count = fwrite(bytes, 1, bytes.count, file)
  guard fclose(file) == 0, count == bytes.count else { throw FileFailure(path) }
}

public func writeFile(_ path: String, _ text: String) throws {
  try writeFile(path, Array(text.utf8))
}

/// Makes a folder and those above it; one that exists is fine.
public func makeFolder(_ path: String) throws {
  if path.isEmpty || exists(path) { return }
  if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolder(String(path[..<slash])) }
  guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw FileFailure(path) }
}

/// Paths of all files below `folder`, relative to it, sorted by their bytes. Links are not followed.
public func filesBelow(_ folder: String) throws -> [String] {
  var found: [String] = []
  var waiting = [""]
  while let relative = waiting.popLast() {
    for name in try names(in: relative.isEmpty ? folder : folder + "/" + relative) {
      let path = relative.isEmpty ? name : relative + "/" + name
      if try isRealFolder(folder + "/" + path) { waiting.append(path) } else { found.append(path) }
    }
  }
  return found.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
}

/// Every file of an output folder with its bytes, but for those that may differ between two
/// runs: `run.json` and the journal hold times.
public func outputTree(_ folder: String) throws -> [String: [UInt8]] {
  var files: [String: [UInt8]] = [:]
  for path in try filesBelow(folder) where !path.hasSuffix("run.json") && !path.contains("journal/") {
    files[path] = try readFile(folder + "/" + path)
  }
  return files
}

/// Names in one folder, sorted by their bytes.
public func names(in folder: String) throws -> [String] {
  guard let stream = opendir(folder) else { throw FileFailure(folder) }
  defer { closedir(stream) }
  var found: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != "." && name != ".." { found.append(name) }
  }
  return found.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
}

/// Removes a file, or a folder with all that is in it. What is not there is fine.
public func removeTree(_ path: String) {
  if (try? isRealFolder(path)) == true {
    for name in (try? names(in: path)) ?? [] { removeTree(path + "/" + name) }
    rmdir(path)
  } else {
    unlink(path)
  }
}

private func isRealFolder(_ path: String) throws -> Bool {
  var status = stat()
  guard lstat(path, &status) == 0 else { throw FileFailure(path) }
  return status.st_mode & S_IFMT == S_IFDIR
}
