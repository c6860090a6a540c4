import Bytes
import Glibc

/// One input of a run.
public struct InputFile: Equatable, Sendable {
  /// What is opened; "-" is standard input.
  public var path: String
  /// The dump name, the first part of ids: the path below the input's root.
  public var name: String
  /// Bytes, nil for standard input.
  public var size: Int64?

  public init(path: String, name: String, size: Int64? = nil) {
    self.path = path
    self.name = name
    self.size = size
  }

  public static let standardInput = InputFile(path: "-", name: "stdin", size: nil)
}

/// Expands what the user named into files: sorted by the bytes of their names, each taken once.
///
/// A folder gives all files below it (hidden ones and `.tmp` left out), named by their path below it. A glob's root is
/// the folder before its first wildcard. Files named one by one get the shortest tails of their paths that tell them
/// apart. So the same tree under another absolute path gives the same names.
public enum InputList {
  /// - Throws: `StorageError.input` for what does not exist and for globs that match nothing.
  public static func expand(_ arguments: [String], filesFrom list: String? = nil) throws(StorageError)
    -> [InputFile]
  {
    var named = arguments
    if let list {
      let listed = try lines(of: list)
      if listed.isEmpty { throw .input(path: list, reason: "the list names no files") }
      named += listed
    }
    if named.isEmpty || named == ["-"] { return [.standardInput] }
    var files: [InputFile] = []
    var single: [String] = []
    for argument in named {
      if argument == "-" { throw .usage("\"-\" (standard input) cannot be mixed with other inputs.") }
      if FileSystem.isFolder(argument) {
        let below = try filesBelow(argument)
        if below.isEmpty { throw .input(path: argument, reason: "the folder holds no files") }
        for name in below { files.append(try file(Path.join(argument, name), name)) }
      } else if FileSystem.exists(argument) {
        single.append(argument)
      } else if argument.utf8.contains(where: { $0 == 42 || $0 == 63 || $0 == 91 }) {
        let root = globRoot(argument)
        let matches = glob(argument)
        if matches.isEmpty { throw .input(path: argument, reason: "no file matches") }
        for path in matches {
          if FileSystem.isFolder(path) {
            for name in try filesBelow(path) {
              let whole = Path.join(path, name)
              files.append(try file(whole, tail(whole, root)))
            }
          } else {
            files.append(try file(path, tail(path, root)))
          }
        }
      } else {
        throw .input(path: argument, reason: "no such file or folder")
      }
    }
    single = onePathEach(single)
    for (path, name) in zip(single, shortestTails(single)) { files.append(try file(path, name)) }
    return try unique(files)
  }

  /// Names of all files below a folder, relative to it. Links are followed, but not back into a folder above; pipes,
  /// sockets and devices are left out, since opening one may wait for ever. A link to nothing stays, and is an error later.
  static func filesBelow(_ folder: String, above: [String] = []) throws(StorageError) -> [String] {
    let identity = try FileSystem.identity(of: folder)
    let key = "\(identity.device):\(identity.inode)"
    if above.contains(key) { return [] }
    var result: [String] = []
    for name in try FileSystem.list(folder) where !name.hasPrefix(".") {
      let path = Path.join(folder, name)
      if FileSystem.isFolder(path) {
        result += try filesBelow(path, above: above + [key]).map { name + "/" + $0 }
      } else if FileSystem.isRegularFile(path) || !FileSystem.exists(path) {
        result.append(name)
      }
    }
    return result
  }

  /// Of several paths to one file, the shortest (then the first by bytes), so that their order does not matter.
  public static func onePathEach(_ paths: [String]) -> [String] {
    let sorted = paths.sorted { a, b in
      a.utf8.count == b.utf8.count ? precedes(a, b) : a.utf8.count < b.utf8.count
    }
    var seen: Set<String> = []
    return sorted.filter { path in
      let identity = try? FileSystem.identity(of: path)
      return seen.insert(identity.map { "\($0.device):\($0.inode)" } ?? path).inserted
    }
  }

  private static func tail(_ path: String, _ root: String) -> String {
    String(decoding: path.utf8.dropFirst(root.utf8.count), as: UTF8.self)
  }

  private static func file(_ path: String, _ name: String) throws(StorageError) -> InputFile {
    InputFile(
      path: path, name: name, size: FileSystem.isRegularFile(path) ? try FileSystem.size(of: path) : nil)
  }

  private static func unique(_ files: [InputFile]) throws(StorageError) -> [InputFile] {
    let sorted = files.sorted { a, b in
      a.name == b.name ? precedes(a.path, b.path) : precedes(a.name, b.name)
    }
    var result: [InputFile] = []
    var seen: Set<String> = []
    for file in sorted {
      let identity = try? FileSystem.identity(of: file.path)
      let key = identity.map { "\($0.device):\($0.inode)" } ?? file.path
      if !seen.insert(key).inserted { continue }
      var file = file
      // Two roots may hold files of one relative name: the second gets its order number, so that ids differ.
      if let last = result.last, last.name == file.name || last.name.hasPrefix(file.name + "#") {
        file.name +=
          "#\(result.filter { $0.name == file.name || $0.name.hasPrefix(file.name + "#") }.count + 1)"
      }
      result.append(file)
    }
    return result
  }

  private static func precedes(_ a: String, _ b: String) -> Bool {
    Array(a.utf8).lexicographicallyPrecedes(Array(b.utf8))
  }

  /// For each path its last component, or as many last components as tell it from the others.
  public static func shortestTails(_ paths: [String]) -> [String] {
    let components = paths.map { $0.split(separator: "/").filter { $0 != "." } }
    var tails = [String](repeating: "", count: paths.count)
    var open = Array(paths.indices)
    var length = 1
    while !open.isEmpty {
      var owners: [String: Int] = [:]
      for index in open {
        tails[index] = components[index].suffix(length).joined(separator: "/")
        owners[tails[index], default: 0] += 1
      }
      open = open.filter { (owners[tails[$0]] ?? 0) > 1 && components[$0].count > length }
      length += 1
    }
    return tails
  }

  private static func globRoot(_ pattern: String) -> String {
    let head = pattern.prefix { $0 != "*" && $0 != "?" && $0 != "[" }
    guard let slash = head.lastIndex(of: "/") else { return "" }
    return String(head[...slash])
  }

  private static func glob(_ pattern: String) -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard Glibc.glob(pattern, GLOB_NOSORT, nil, &found) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
  }

  /// All of a list, which may be a pipe (`<(find …)`) and so has no size beforehand.
  private static func readSequentially(_ path: String) throws(StorageError) -> [UInt8] {
    let input = try ByteInput(path)
    var bytes: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = try input.read(into: buffer)
      if count == 0 { return bytes }
      bytes.append(contentsOf: buffer[..<count])
    }
  }

  private static func lines(of list: String) throws(StorageError) -> [String] {
    let bytes = list == "-" ? try StandardStreams.readAllInput() : try readSequentially(list)
    return bytes.split(separator: 10).map { line in
      String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
    }.filter { !$0.isEmpty }
  }
}
