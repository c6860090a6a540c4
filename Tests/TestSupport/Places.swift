import Glibc

/// The package's root folder, found from where this file was compiled.
public let packageRoot: String = {
  var path = #filePath[...]
  for _ in 0..<3 { path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)] }
  return String(path)
}()

/// Value of an environment variable; nil if it is not set or empty.
public func environment(_ name: String) -> String? {
  guard let value = getenv(name) else { return nil }
  let text = String(cString: value)
  return text.isEmpty ? nil : text
}

/// Is there a file or folder of this name?
public func exists(_ path: String) -> Bool {
  access(path, F_OK) == 0
}

/// Data that several projects share and that lies outside this repository: real dumps, golden answers.
public enum SharedData {
  /// `SLUICE_SHARED`, else the folder `shared` beside the package.
  public static let folder: String = environment("SLUICE_SHARED") ?? packageRoot + "/../shared"

  /// Full path of a shared file or folder; nil, with one visible line, where it is missing.
  public static func path(_ relative: String) -> String? {
    let path = folder + "/" + relative
    if exists(path) { return path }
    Notices.once("skipped: ../shared/\(relative) is not here")
    return nil
  }
}

/// The product under test, as a program.
public enum Sluice {
  /// `SLUICE_BINARY`, else the release build, else the debug build; nil, with one visible line, if none was built.
  public static var binary: String? {
    if let path = environment("SLUICE_BINARY") { return path }
    for build in ["release", "debug"] {
      let path = "\(packageRoot)/.build/\(build)/sluice"
      if exists(path) { return path }
    }
    Notices.once("skipped: no sluice binary; run make build, or set SLUICE_BINARY")
    return nil
  }
}
