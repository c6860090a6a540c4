import TestSupport
import Testing

/// What the repository as a whole promises: no traces of the machine it was made on, no built or fetched files.
@Suite struct RepositoryTidyTests {
  /// Files that git knows; nil, visibly, outside a work tree.
  private func trackedFiles() throws -> [String]? {
    let listing = try run("git", ["ls-files", "-z"], currentDirectory: packageRoot)
    guard listing.exit == 0 else {
      Notices.once("skipped: the repository's files cannot be listed here (git ls-files failed)")
      return nil
    }
    return listing.output.split(separator: "\0").map(String.init)
  }

  @Test func `no file names a path of the machine it was written on`() throws {
    let roots = ["tmp", "work", "root", "opt", "farm"].map { "/\($0)/" }
    let textual = [".swift", ".md", ".py", ".sh", ".yaml", ".yml", ".c", ".h", "Makefile", ".ci/run"]
    for path in try trackedFiles() ?? [] where textual.contains(where: path.hasSuffix) {
      guard exists(packageRoot + "/" + path) else { continue }
      let text = try readText(packageRoot + "/" + path)
      for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        for root in roots {
          var rest = line[...]
          while let found = rest.firstRange(of: root) {
            let before = rest[..<found.lowerBound].last
            let isInside =
              before.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." || $0 == "}" } ?? false
            let isExcused = line.contains("mktemp") || line.contains("TMPDIR")
            if !isInside, !isExcused { Issue.record("\(path):\(index + 1) names \(root)") }
            rest = rest[found.upperBound...]
          }
        }
      }
    }
  }

  @Test func `built and fetched files are not in git`() throws {
    for path in try trackedFiles() ?? [] {
      let parts = path.split(separator: "/")
      let isBuilt = parts.contains { $0 == "Package.resolved" || $0.hasPrefix(".build") || $0 == ".cache" }
      #expect(!isBuilt, "\(path) is in git")
    }
  }

  @Test func `what a project needs at its top is there`() {
    for name in [
      "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE", "Makefile",
      ".swift-format", ".ci/run", "Benchmarks/RESULTS.md",
    ] {
      #expect(exists(packageRoot + "/" + name), "\(name) is missing")
    }
  }

  @Test func `README promises only targets that the Makefile has`() throws {
    let makefile = try readText(packageRoot + "/Makefile").split(separator: "\n")
    let targets = Set(makefile.filter { $0.contains(":") }.map { line in String(line.prefix { $0 != ":" }) })
    let words = try readText(packageRoot + "/README.md").split { !($0.isLetter || $0 == "-") }
    for (word, next) in zip(words, words.dropFirst()) where word == "make" && next.allSatisfy(\.isLowercase) {
      #expect(
        targets.contains(String(next)) || ["sure", "it", "the"].contains(next), "make \(next) is no target")
    }
  }

  @Test func `registries are sorted and name everything once`() throws {
    for file in try SourceTree.swiftFiles(below: "Sources") where file.path.hasSuffix("Registry.swift") {
      let entries = file.lines.compactMap { line -> String? in
        let trimmed = String(line.drop { $0 == " " })
        guard let end = trimmed.firstRange(of: ".self,"), end.upperBound == trimmed.endIndex else {
          return nil
        }
        return String(trimmed[..<end.lowerBound])
      }
      #expect(Set(entries).count == entries.count, "\(file.path) names something twice")
      #expect(entries == entries.sorted(), "\(file.path) is not sorted")
    }
  }
}
