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
    if let list { named += try lines(of: list) }
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
              files.append(try file(whole, String(whole.dropFirst(root.count))))
            }
          } else {
            files.append(try file(path, String(path.dropFirst(root.count))))
          }
        }
      } else {
        throw .input(path: argument, reason: "no such file or folder")
      }
    }
    for (path, name) in zip(single, shortestTails(single)) { files.append(try file(path, name)) }
    return try unique(files)
  }

  /// Names of all files below a folder, relative to it.
  static func filesBelow(_ folder: String) throws(StorageError) -> [String] {
    var result: [String] = []
    for name in try FileSystem.list(folder) where !name.hasPrefix(".") {
      let path = Path.join(folder, name)
      if FileSystem.isFolder(path) {
        result += try filesBelow(path).map { name + "/" + $0 }
      } else {
        result.append(name)
      }
    }
    return result
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
  static func shortestTails(_ paths: [String]) -> [String] {
    let components = paths.map { $0.split(separator: "/").filter { $0 != "." } }
    return components.indices.map { index in
      var length = 1
      while length < components[index].count {
        let tail = components[index].suffix(length)
        let clashes = components.indices.contains {
          $0 != index && paths[$0] != paths[index] && components[$0].suffix(length) == tail
        }
        if !clashes { break }
        length += 1
      }
      return components[index].suffix(length).joined(separator: "/")
    }
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

  private static func lines(of list: String) throws(StorageError) -> [String] {
    let bytes = list == "-" ? try StandardStreams.readAllInput() : try FileSystem.readAll(list)
    return bytes.split(separator: 10).map { line in
      String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
    }.filter { !$0.isEmpty }
  }
}
