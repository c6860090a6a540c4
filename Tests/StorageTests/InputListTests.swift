import Storage
import TestSupport
import Testing

@Suite struct InputListTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for path in ["crawl/b/x.gz", "crawl/a/x.gz", "crawl/a/y.gz", "crawl/.hidden", "crawl/.tmp/z", "crawl/B"] {
      try writeFile(folder(path), path)
    }
  }

  func names(_ arguments: [String]) throws -> [String] { try InputList.expand(arguments).map(\.name) }

  @Test func `a folder gives its files below it, by bytes, without hidden ones`() throws {
    #expect(try names([folder("crawl")]) == ["B", "a/x.gz", "a/y.gz", "b/x.gz"])
    #expect(try names([folder("crawl") + "/"]) == ["B", "a/x.gz", "a/y.gz", "b/x.gz"])
    let files = try InputList.expand([folder("crawl/a")])
    #expect(files.map(\.size) == [12, 12])
  }

  @Test func `a glob names files below the folder before its first wildcard`() throws {
    #expect(try names([folder("crawl/*/x.gz")]) == ["a/x.gz", "b/x.gz"])
    #expect(try names([folder("crawl/a/[xy].gz")]) == ["x.gz", "y.gz"])
    #expect(try names([folder("crawl/?")]) == ["B", "a/x.gz", "a/y.gz", "b/x.gz"])
  }

  @Test func `files named one by one get the shortest tails that tell them apart`() throws {
    #expect(try names([folder("crawl/b/x.gz"), folder("crawl/a/y.gz")]) == ["x.gz", "y.gz"])
    #expect(
      try names([folder("crawl/b/x.gz"), folder("crawl/a/x.gz"), folder("crawl/B")]) == [
        "B", "a/x.gz", "b/x.gz",
      ])
  }

  @Test func `names do not depend on the order of arguments or on where the tree lies`() throws {
    let other = try TemporaryFolder()
    let all = try InputList.expand([folder("crawl")])
    for file in all { try writeFile(other("deep/down/crawl/" + file.name), try readFile(file.path)) }
    #expect(try names([other("deep/down/crawl")]) == all.map(\.name))
    let one = [folder("crawl/a"), folder("crawl/b"), folder("crawl/B")]
    #expect(try InputList.expand(one) == InputList.expand(one.reversed()))
    let tails = [folder("crawl/a/x.gz"), folder("crawl/b/x.gz"), folder("crawl/a/y.gz")]
    #expect(try InputList.expand(tails) == InputList.expand(tails.reversed()))
  }

  @Test func `one file by several paths is taken once`() throws {
    let twice = [folder("crawl/B"), folder("crawl/./B"), folder("crawl/a/../B")]
    #expect(try names(twice) == ["B"])
    #expect(try names(twice.reversed()) == ["B"])
    #expect(try names([folder("crawl"), folder("crawl/a/x.gz"), folder("crawl/*/x.gz")]).count == 4)
    _ = try shell("ln -s ../a/x.gz link.gz", currentDirectory: folder("crawl/b"))
    #expect(try names([folder("crawl")]) == ["B", "a/x.gz", "a/y.gz", "b/x.gz"])
  }

  @Test func `files of one relative name below two roots get different names`() throws {
    #expect(try names([folder("crawl/a"), folder("crawl/b")]) == ["x.gz", "x.gz#2", "y.gz"])
  }

  @Test func `links that lead back are not followed, and pipes in folders are left out`() throws {
    _ = try shell("ln -s . loop; ln -s .. up; mkfifo pipe", currentDirectory: folder("crawl/a"))
    #expect(try names([folder("crawl/a")]).filter { !$0.hasPrefix("up/") } == ["x.gz", "y.gz"])
    #expect(try names([folder("crawl")]).contains("a/x.gz"))
  }

  @Test func `thousands of files named one by one are named in no time`() throws {
    let paths = (0..<20_000).map { "/data/\($0 / 100)/part-\($0 % 100).gz" }
    let start = monotonicSeconds()
    let tails = InputList.shortestTails(paths)
    #expect(monotonicSeconds() - start < 5)
    #expect(tails[101] == "1/part-1.gz")
    #expect(Set(tails).count == paths.count)
  }

  @Test func `a list gives its lines, and an empty one is an error`() throws {
    try writeFile(folder("list"), "\(folder("crawl/B"))\r\n\n\(folder("crawl/a/y.gz"))\n")
    #expect(try InputList.expand([], filesFrom: folder("list")).map(\.name) == ["B", "y.gz"])
    try writeFile(folder("empty"), "\n")
    let error = #expect(throws: StorageError.self) { try InputList.expand([], filesFrom: folder("empty")) }
    #expect(error == .input(path: folder("empty"), reason: "the list names no files"))
  }

  @Test func `what is not there is an error that names it`() throws {
    for missing in [folder("none"), folder("none/*.gz"), folder("crawl/a/*.zst")] {
      let error = #expect(throws: StorageError.self) { try InputList.expand([missing]) }
      #expect(error?.message.hasPrefix(missing) == true)
      #expect(error?.exitCode == 3)
    }
    try makeFolder(folder("void"))
    #expect(throws: StorageError.self) { try InputList.expand([folder("void")]) }
    #expect(throws: StorageError.self) { try InputList.expand(["-", folder("crawl")]) }
    #expect(try InputList.expand([]) == [.standardInput])
    #expect(try InputList.expand(["-"]) == [.standardInput])
  }
}
