import Bytes
import Glibc
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct OutputTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `a committed file is whole, hashed, and leaves no temporary file`() throws {
    var random = SeededRandom(seed: 1)
    var all: [UInt8] = []
    let file = try OutputFile(folder: folder.path, name: "sub/dir/x.bin")
    for size in [0, 1, 100, 300_000, 7, 262_144, 262_143] {
      let bytes = random.bytes(size)
      try file.write(bytes)
      all += bytes
      #expect(file.byteCount == Int64(all.count))
      #expect(!exists(folder("sub/dir/x.bin")))
    }
    let summary = try file.commit()
    let isEqual = try readFile(folder("sub/dir/x.bin")) == all
    #expect(isEqual)
    #expect(summary.name == "sub/dir/x.bin")
    #expect(summary.bytes == Int64(all.count))
    let hashes = (SHA256.hex(all.span), Hex.string(XXH64.hash(all.span)))
    #expect(summary.sha256 == hashes.0)
    #expect(summary.xxh64 == hashes.1)
    #expect(try names(in: folder(".tmp")) == [])
    file.discard()
    #expect(exists(folder("sub/dir/x.bin")))
  }

  @Test func `a discarded or forgotten file leaves nothing`() throws {
    let discarded = try OutputFile(folder: folder.path, name: "x")
    try discarded.write([1, 2, 3])
    discarded.discard()
    do {
      let forgotten = try OutputFile(folder: folder.path, name: "y")
      try forgotten.write([UInt8](repeating: 1, count: 1 << 20))
    }
    #expect(try names(in: folder.path) == [".tmp"])
    #expect(try names(in: folder(".tmp")) == [])
  }

  @Test func `a file whose final name cannot be given leaves no temporary file`() throws {
    try makeFolder(folder("taken/inner"))
    let file = try OutputFile(folder: folder.path, name: "taken")
    try file.write([1])
    let error = #expect(throws: StorageError.self) { try file.commit() }
    #expect(error?.exitCode == 4)
    #expect(error?.message.hasPrefix(folder("taken")) == true)
    #expect(try names(in: folder(".tmp")) == [])
  }

  @Test func `an earlier file keeps its content until the commit`() throws {
    _ = try OutputFile.write(Array("old".utf8), folder: folder.path, name: "x")
    let file = try OutputFile(folder: folder.path, name: "x")
    try file.write(Array("new".utf8))
    #expect(try readText(folder("x")) == "old")
    _ = try file.commit()
    #expect(try readText(folder("x")) == "new")
  }

  @Test func `a link at a temporary name is not followed`() throws {
    try makeFolder(folder("out/.tmp"))
    try writeFile(folder("victim"), "safe")
    // The names that this process would use next: other tests count on meanwhile.
    let probe = try OutputFile(folder: folder("out"), name: "x")
    let name = try #require(try names(in: folder("out/.tmp")).first)
    let number = try #require(name.split(separator: "-").last.flatMap { Int($0) })
    for next in number + 1...number + 20_000 {
      symlink("../../victim", folder("out/.tmp/x.\(Process.identifier)-\(next)"))
    }
    probe.discard()
    #expect(throws: StorageError.self) {
      let file = try OutputFile(folder: folder("out"), name: "x")
      try file.write([1])
      _ = try file.commit()
    }
    #expect(try readText(folder("victim")) == "safe")
  }

  @Test func `a full device is exit code 4`() throws {
    guard exists("/dev/full") else { return }
    let error = StorageError.full(path: "x", written: 3)
    #expect(error.exitCode == 4)
    #expect(error.message.contains("after 3 bytes"))
  }

  @Test func `a lock refuses a second owner by name and ends with its object`() throws {
    var first: LockFile? = try LockFile(folder("lock"), owner: "one") { (_) throws(StorageError) in }
    let error = #expect(throws: StorageError.self) {
      try LockFile(folder("lock"), owner: "two") { (owner) throws(StorageError) in
        throw .usage("held by \(owner)")
      }
    }
    #expect(error == .usage("held by one"))
    #expect(try readText(folder("lock")) == "one")
    #expect(first != nil)
    first = nil
    _ = try LockFile(folder("lock"), owner: "three") { (_) throws(StorageError) in throw .bug("taken") }
    #expect(try readText(folder("lock")) == "three")
  }

  @Test func `removing a tree spares what links point at`() throws {
    try writeFile(folder("keep/file"), "x")
    try writeFile(folder("tree/a/b/c"), "x")
    _ = try shell(
      "ln -s ../keep link; ln -s nowhere broken; ln -s ../keep/file f", currentDirectory: folder("tree"))
    try FileSystem.removeTree(folder("tree"))
    #expect(!exists(folder("tree")))
    #expect(exists(folder("keep/file")))
    try FileSystem.removeTree(folder("tree"))
    _ = try shell("ln -s keep link", currentDirectory: folder.path)
    try FileSystem.removeTree(folder("link"))
    #expect(try names(in: folder.path) == ["keep"])
    #expect(exists(folder("keep/file")))
  }

  @Test func `temporary files and folders have names of their own and go away`() throws {
    do {
      let a = try TemporaryFile(folder: folder("t"), label: "run")
      let b = try TemporaryFile(folder: folder("t"), label: "run")
      #expect(a.path != b.path)
      try [1, 2, 3].withUnsafeBytes { (bytes) throws in try a.write(bytes) }
      #expect(a.byteCount > 0)
      try a.finishWriting()
      try a.finishWriting()
      #expect(try readFile(a.path).count == Int(a.byteCount))
    }
    #expect(try names(in: folder("t")) == [])
    let one = try FileSystem.makeTemporaryFolder(in: folder("t"), label: "d")
    let two = try FileSystem.makeTemporaryFolder(in: folder("t"), label: "d")
    #expect(one != two)
  }

  // MARK: Hashes, frames, files at any place

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `SHA-256 gives the vectors of FIPS 180`(text: String, hex: String) throws {
    let bytes = Array(text.utf8)
    let oneShot = SHA256.hex(bytes.span)
    #expect(oneShot == hex)
    var state = SHA256()
    for byte in bytes { withUnsafeBytes(of: byte) { state.update($0) } }
    let first = Hex.string(state.finalize())
    let afterwards = Hex.string(state.finalize())
    #expect(first == hex)
    #expect(afterwards == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    try writeFile(folder("h"), bytes)
    let file = try SHA256.hexOfFile(folder("h"))
    #expect(file.hex == hex)
    #expect(file.bytes == Int64(bytes.count))
  }

  @Test func `a frame gives back its bytes and never more than the limit`() throws {
    for size in [0, 1, 1000, 300_000] {
      let bytes = sampleText(size, seed: 5)
      let frame = zstdFrame(bytes)
      var out = Array("x".utf8)
      let count = Zstd.decompressFrame(frame.span, limit: size, into: &out)
      #expect(count == size)
      let isEqual = out == Array("x".utf8) + bytes
      #expect(isEqual)
      var none: [UInt8] = []
      let over = size > 0 ? Zstd.decompressFrame(frame.span, limit: size - 1, into: &none) : nil
      let cut = Zstd.decompressFrame(frame.span.extracting(0..<frame.count - 1), limit: size, into: &none)
      #expect(over == nil)
      #expect(cut == nil)
      #expect(none.isEmpty)
    }
    var none: [UInt8] = []
    let garbage = Zstd.decompressFrame([1, 2, 3].span, limit: 100, into: &none)
    #expect(garbage == nil)
  }

  @Test func `files are read at any place, and no further than their end`() throws {
    let bytes = sampleText(10_000, seed: 6)
    try writeFile(folder("f"), bytes)
    let file = try RandomAccessFile(folder("f"))
    #expect(file.size == 10_000)
    #expect(try file.read(at: 5, count: 7) == Array(bytes[5..<12]))
    #expect(try file.read(at: 9_990, count: 100) == Array(bytes[9_990...]))
    #expect(try file.read(at: 20_000, count: 5) == [])
    let mapped = try MappedFile(folder("f"))
    let isEqual = mapped.withBytes { Array($0) == bytes }
    #expect(isEqual)
    try writeFile(folder("empty"), [])
    #expect(try MappedFile(folder("empty")).withBytes { $0.count } == 0)
    #expect(throws: StorageError.self) { try RandomAccessFile(folder.path) }
    #expect(throws: StorageError.self) { try FileSystem.readAll(folder("f"), limit: 9_999) }
    #expect(try FileSystem.readAll(folder("f"), limit: 10_000) == bytes)
  }

  @Test(arguments: [
    ("a/b", "a", "b"), ("/a", "/", "a"), ("a", "", "a"), ("a/b/", "a", "b"), ("/", "/", ""),
    ("./x", ".", "x"),
  ])
  func `paths split into folder and name`(path: String, parent: String, name: String) {
    #expect(Path.parent(path) == parent)
    #expect(Path.name(path) == name)
  }

  @Test func `paths join and numbers are padded`() {
    #expect(Path.join("a", "b") == "a/b")
    #expect(Path.join("a/", "b") == "a/b")
    #expect(Path.join("", "b") == "b")
    #expect(Path.join(".", "b") == "b")
    #expect(Path.padded(7, digits: 5) == "00007")
    #expect(Path.padded(123_456, digits: 5) == "123456")
  }

  // MARK: Threads

  @Test func `every worker runs once and all are awaited`() throws {
    let seen = Mutex<[Int]>([])
    try Threads.run(9) { index in seen.withLock { $0.append(index) } }
    #expect(seen.withLock { $0.sorted() } == Array(0..<9))
  }

  @Test func `a monitor wakes waiters and a timed wait ends by itself`() throws {
    let monitor = Monitor()
    let turn = Mutex(0)
    try Threads.run(4) { index in
      monitor.lock()
      while turn.withLock({ $0 }) != index { monitor.wait() }
      turn.withLock { $0 += 1 }
      monitor.wakeAll()
      monitor.unlock()
    }
    #expect(turn.withLock { $0 } == 4)
    let start = monotonicSeconds()
    monitor.lock()
    monitor.wait(milliseconds: 30)
    monitor.unlock()
    let waited = monotonicSeconds() - start
    #expect(waited >= 0.025)
    #expect(waited < 5)
  }
}
