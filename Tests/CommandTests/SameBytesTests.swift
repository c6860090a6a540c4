import Storage
import TestSupport
import Testing

/// Outputs are a function of inputs, options and version: not of workers, of the order of arguments, of the folder's place or of how the
/// stages are chained.
@Suite struct SameBytesTests {
  /// Cuts the small crawl's gzip members into 13 files of unequal size: file k gets about k of 91 parts.
  private static func writeCrawl(_ folder: String) throws {
    // Every member of fixtures/ begins with these bytes; see Tools/dumps/warc.py.
    let head: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 0xFF]
    var members: [ArraySlice<UInt8>] = []
    for name in try filesBelow(packageRoot + "/fixtures/crawl") {
      let bytes = try readFile(packageRoot + "/fixtures/crawl/" + name)
      var starts = bytes.indices.filter { bytes[$0] == 0x1F && bytes[$0...].starts(with: head) }
      starts.append(bytes.count)
      members += zip(starts, starts.dropFirst()).map { bytes[$0..<$1] }
    }
    var files = [[UInt8]](repeating: [], count: 13)
    for (index, member) in members.enumerated() {
      let place = index % 91
      let file = (0..<13).first { place < ($0 + 1) * ($0 + 2) / 2 } ?? 12
      files[file] += member
    }
    for (index, bytes) in files.enumerated() {
      let name = index % 4 == 0 ? "deep/part-\(index).warc.gz" : "part-\(index).warc.gz"
      try writeFile("\(folder)/\(name)", bytes)
    }
  }

  /// The documents of a stage folder, one after the other.
  private static func documents(_ folder: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for name in try names(in: folder) where name.hasPrefix("part-") {
      let path = folder + "/" + name
      let reader = try DecodingReader(InputFile(path: path, name: name, size: nil))
      reading: while true {
        switch try reader.read(into: &bytes, upTo: 1 << 20) {
        case .bytes, .memberEnd: continue
        case .end: break reading
        case .corrupt, .truncated:
          Issue.record("\(path) is damaged")
          break reading
        }
      }
    }
    return bytes
  }

  /// Runs a line of the shell in a folder and fails the test if it does.
  private static func sh(_ line: String, in folder: String) throws {
    let binary = try #require(Sluice.binary)
    let result = try shell(
      line, environment: Workbench.environment(binary), currentDirectory: folder, timeout: 300)
    try #require(result.exit == 0, "\(line): exit \(result.exit): \(result.stderr)")
  }

  private static func expectSame(_ a: [String: [UInt8]], _ b: [String: [UInt8]], _ what: String) {
    #expect(a.keys.sorted() == b.keys.sorted(), "\(what): other files")
    for (path, bytes) in a.sorted(by: { $0.key < $1.key }) {
      if let other = b[path], other != bytes { Issue.record("\(what): \(path) differs") }
    }
  }

  @Test func `run, chain and single stages give the same documents`() throws {
    guard Sluice.binary != nil else { return }
    let folder = try TemporaryFolder()
    try Self.writeCrawl(folder("crawl"))
    try Self.sh("cp -r '\(packageRoot)/pipelines' .", in: folder.path)
    try Self.sh(
      "sluice run pipelines/small.yaml --input crawl -o run --gpus 8 --unit-bytes 16KiB", in: folder.path)
    try Self.sh("sluice extract crawl | sluice filter --recipe web | sluice dedup -o chain", in: folder.path)
    try Self.sh(
      """
      sluice extract crawl -o a --unit-bytes 16KiB && sluice filter a --recipe web -o b && sluice dedup b -o c &&
      sluice train c --vocab-size 1000 --pattern o200k -o tokenizer && sluice tokenize c --tokenizer tokenizer -o store
      """, in: folder.path)
    let whole = try Self.documents(folder("run/dedup"))
    #expect(whole.count > 10_000)
    #expect(try Self.documents(folder("chain")) == whole)
    #expect(try Self.documents(folder("c")) == whole)
    // Extract and filter run as one pass: only the last of them keeps its documents.
    for stage in [("filter", "b"), ("dedup", "c")] {
      #expect(try Self.documents(folder("run/\(stage.0)")) == Self.documents(folder(stage.1)), "\(stage.0)")
    }
    #expect(
      try readFile(folder("run/tokenizer/vocab.tiktoken")) == readFile(folder("tokenizer/vocab.tiktoken")))
    #expect(try readFile(folder("run/store/manifest.json")) == readFile(folder("store/manifest.json")))
    // The largest file was cut into units of its own.
    #expect(try names(in: folder("a")).count { $0.hasPrefix("part-") } > 13)
  }

  @Test func `workers, order of inputs and place of the dump change no byte`() throws {
    guard Sluice.binary != nil else { return }
    let folder = try TemporaryFolder()
    try Self.writeCrawl(folder("crawl"))
    try Self.writeCrawl(folder("other/place/crawl"))
    try Self.sh("cp -r '\(packageRoot)/pipelines' .", in: folder.path)
    let command = "sluice run pipelines/small.yaml --gpus 8 --unit-bytes 16KiB"
    let files = try filesBelow(folder("crawl")).map { "crawl/" + $0 }
    func inputs(_ names: [String]) -> String { names.map { "--input \($0)" }.joined(separator: " ") }

    try Self.sh("\(command) --workers 1 --input crawl -o one", in: folder.path)
    let one = try outputTree(folder("one"))
    #expect(one.keys.contains("extract/report.json") && one.keys.contains("store/manifest.json"))
    for workers in [2, 5] {
      try Self.sh("\(command) --workers \(workers) --input crawl -o w\(workers)", in: folder.path)
      Self.expectSame(one, try outputTree(folder("w\(workers)")), "\(workers) workers")
    }
    try Self.sh("\(command) --workers 2 --input other/place/crawl -o moved", in: folder.path)
    Self.expectSame(one, try outputTree(folder("moved")), "another place")

    try Self.sh("\(command) --workers 2 \(inputs(files)) -o forward", in: folder.path)
    try Self.sh("\(command) --workers 2 \(inputs(files.reversed())) -o backward", in: folder.path)
    Self.expectSame(try outputTree(folder("forward")), try outputTree(folder("backward")), "reversed inputs")
  }
}
