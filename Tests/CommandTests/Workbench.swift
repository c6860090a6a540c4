import Glibc
import TestSupport
import Testing

/// A folder with a small crawl and with what each stage makes of it, under the names that the help texts use. Made once per test run; tests
/// work on a copy.
enum Workbench {
  /// The binary's folder, in front of PATH: examples call the program by its name.
  static func environment(_ binary: String) -> [String: String] {
    let folder = binary.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
      separator: "/")
    return ["PATH": folder + ":" + (TestSupport.environment("PATH") ?? "/usr/bin:/bin")]
  }

  /// The steps that make the folders, in order.
  static let steps = [
    "sluice extract crawl -o extracted",
    "sluice filter extracted --recipe web -o filtered",
    "sluice dedup filtered -o clean",
    "sluice train clean --vocab-size 1000 -o tok",
    "sluice encode clean --tokenizer tok -o encoded",
    "sluice tokenize clean --tokenizer tok --split valid=10% -o store",
    "sluice tokenize filtered --tokenizer tok --split valid=10% -o store-2",
    "sluice inspect where store 0 --json | sed -n 's/^ *\"id\": *\"\\(.*\\)\",*$/\\1/p' > ids.txt && test -s ids.txt",
    "sluice shard store --gpus 2 --context 128 -o view.json",
    "sluice run pipelines/small.yaml --input crawl -o corpus --gpus 2",
  ]

  private static let made: Result<TemporaryFolder, any Error> = Result { try make() }

  private static func make() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    // Statics are not released when a process ends.
    atexit { if case .success(let folder) = Workbench.made { removeTree(folder.path) } }
    let binary = try #require(Sluice.binary)
    for (from, to) in [("fixtures/crawl", "crawl"), ("fixtures/wiki", "dumps"), ("pipelines", "pipelines")] {
      _ = try run("cp", ["-r", "\(packageRoot)/\(from)", folder(to)])
    }
    // The page that the examples ask about; codecs go by content, so it need not be compressed.
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>A page to ask about.</p>"
    let header = "WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: https://example.org/page.html\r\n"
    try writeFile(
      folder("crawl/page.warc.gz"), "\(header)Content-Length: \(page.utf8.count)\r\n\r\n\(page)\r\n\r\n")
    for step in steps {
      let result = try shell(step, environment: environment(binary), currentDirectory: folder.path)
      try #require(result.exit == 0, "\(step): exit \(result.exit): \(result.stderr)")
    }
    return folder
  }

  /// A copy of the prepared folder. Nil, with a visible line, if no binary was built.
  static func copy() throws -> TemporaryFolder? {
    guard Sluice.binary != nil else { return nil }
    let folder = try TemporaryFolder()
    _ = try run("cp", ["-r", try made.get().path + "/.", folder.path])
    return folder
  }
}
