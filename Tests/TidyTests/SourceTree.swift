import TestSupport

/// A Swift file of the repository, as the tidy tests see it.
struct SourceFile {
  /// Path from the package's root.
  var path: String
  var lines: [Substring]

  /// The folder below `Sources` or `Tests`: the module.
  var module: String { String(path.split(separator: "/")[1]) }

  /// Modules that it imports.
  var imports: [String] {
    lines.compactMap { line in
      var words = line.split(separator: " ")[...]
      while let first = words.first, first.hasPrefix("@") || SourceFile.accessWords.contains(first) {
        words.removeFirst()
      }
      guard words.count >= 2, words.removeFirst() == "import" else { return nil }
      return words.last.map { String($0.prefix { $0 != "." }) }
    }
  }

  /// Lines without their comments (a `//` inside a string counts as one: good enough here), numbered from 1.
  var code: [(number: Int, text: Substring)] {
    lines.enumerated().map { index, line in
      (index + 1, line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line)
    }
  }

  private static let accessWords: Set<Substring> = [
    "public", "internal", "package", "private", "fileprivate",
  ]
}

enum SourceTree {
  /// All Swift files below one of the package's folders, sorted by path.
  static func swiftFiles(below folder: String) throws -> [SourceFile] {
    try filesBelow(packageRoot + "/" + folder).filter { $0.hasSuffix(".swift") }.map { path in
      let text = try readText("\(packageRoot)/\(folder)/\(path)")
      var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      if lines.last == "" { lines.removeLast() }
      return SourceFile(path: "\(folder)/\(path)", lines: lines)
    }
  }
}
