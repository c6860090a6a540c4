import Bytes
import Documents
import Storage
import TestSupport
import Testing

@testable import Pipeline

@Suite struct StageFolderTests {
  let temporary: TemporaryFolder
  var path: String { temporary("out") }

  init() throws { temporary = try TemporaryFolder() }

  func open(_ plan: JSONValue, _ mode: RunOptions.Mode, isStream: Bool = false) throws -> StageFolder {
    try StageFolder(path, plan: plan, mode: mode, isStream: isStream)
  }

  func finish(_ folder: StageFolder) throws {
    try folder.finish(report: ["r": 1], run: ["t": 2], inputs: [], outputs: [], stage: "s", isComplete: true)
  }

  @Test func `a folder with files is refused and stays as it is`() throws {
    try writeFile(path + "/mine.txt", "keep")
    for mode in [RunOptions.Mode.fresh, .resume, .restart] {
      let error = #expect(throws: StorageError.self) { try open(["a": 1], mode) }
      #expect(error?.exitCode == 2)
      #expect(error?.message.hasPrefix(path) == true)
    }
    #expect(try readText(path + "/mine.txt") == "keep")
    try writeFile(temporary("file"), "x")
    let error = #expect(throws: StorageError.self) {
      try StageFolder(temporary("file"), plan: .null, mode: .fresh)
    }
    #expect(error?.exitCode == 4)
  }

  @Test func `a second runner is refused by name`() throws {
    let first = try open(["a": 1], .fresh)
    for mode in [RunOptions.Mode.resume, .restart] {
      let error = #expect(throws: StorageError.self) { try open(["a": 1], mode) }
      #expect(error?.message.contains("process \(Process.identifier)") == true)
    }
    #expect(first.opening == .new)
  }

  @Test func `another plan is refused and the difference is named`() throws {
    do {
      let folder = try open(["a": 1, "b": ["c": "x"]], .fresh)
      _ = try folder.commit("p", 0, outputs: [], details: [])
    }
    let error = #expect(throws: StorageError.self) { try open(["a": 1, "b": ["c": "y"]], .resume) }
    #expect(error?.message.contains(#"b.c: "x" → "y""#) == true, "\(error?.message ?? "")")
    #expect(try open(["a": 1, "b": ["c": "x"]], .resume).opening == .resumed)
    #expect(try open(["a": 1, "b": ["c": "y"]], .restart).opening == .new)
  }

  @Test func `whole numbers written as decimals are the same plan`() throws {
    do { _ = try open(["t": .double(1)], .fresh) }
    #expect(try open(["t": .double(1)], .resume).opening == .resumed)
  }

  @Test func `a finished folder is complete, of another plan refused, and has no journal`() throws {
    do { try finish(try open(["a": 1], .fresh)) }
    #expect(try names(in: path) == ["manifest.json", "report.json", "run.json"])
    do {
      let again = try open(["a": 1], .resume)
      #expect(again.opening == .complete)
      try again.close()
    }
    #expect(try names(in: path) == ["manifest.json", "report.json", "run.json"])
    #expect(throws: StorageError.self) { try open(["a": 2], .resume) }
    #expect(throws: StorageError.self) { try open(["a": 1], .fresh) }
    #expect(try open(["a": 2], .restart).opening == .new)
    #expect(!exists(path + "/manifest.json"))
  }

  @Test func `a unit counts as done only while its files are as they were`() throws {
    do {
      let folder = try open(.null, .fresh)
      let summary = try OutputFile.write(Array("data".utf8), folder: path, name: "part-00000")
      try folder.commit("map", 0, outputs: [summary], details: [.init("end", 7)])
      #expect(folder.finishedUnit("map", 0) == nil, "a new run knows no finished units")
    }
    func finished() throws -> JSONValue? { try open(.null, .resume).finishedUnit("map", 0) }
    #expect(try finished()?["end"]?.int == 7)
    for damage in ["datA", "dat", "data ", ""] {
      try writeFile(path + "/part-00000", damage)
      #expect(try finished() == nil, "\(damage)")
    }
    try writeFile(path + "/part-00000", "data")
    #expect(try finished() != nil)
    let entry = path + "/journal/map/unit-00000.json"
    let bytes = try readFile(entry)
    for length in 0..<bytes.count {
      try writeFile(entry, Array(bytes[..<length]))
      #expect(try finished() == nil, "entry cut at \(length)")
    }
    removeTree(entry)
    #expect(try finished() == nil)
  }

  @Test func `what a killed run left in the temporary folder goes`() throws {
    do { _ = try open(.null, .fresh) }
    try writeFile(path + "/.tmp/part-00000.123-1", "half")
    try writeFile(path + "/.tmp/deep/spill", "half")
    let folder = try open(.null, .resume)
    #expect(try names(in: path + "/.tmp") == ["lock"])
    folder.discardAll()
    #expect(try names(in: path) == [])
  }

  @Test func `an unfinished run over standard input cannot be resumed`() throws {
    do { _ = try open(.null, .fresh, isStream: true) }
    let error = #expect(throws: StorageError.self) { try open(.null, .resume, isStream: true) }
    #expect(error?.exitCode == 2)
    #expect(try open(.null, .restart, isStream: true).opening == .new)
  }

  @Test func `a manifest survives its file`() throws {
    let manifest = StageManifest(
      stage: "filter", options: ["x": [1, "y", .null]], inputs: [.init(name: "a", bytes: 1, sha256: "aa")],
      outputs: [.init(name: "part-00000", bytes: 2, sha256: "bb")], isComplete: false)
    try writeFile(path + "/manifest.json", manifest.json.serialized(indent: 2))
    #expect(try StageManifest.read(path) == manifest)
    for damage in ["", "{", "{}", "[]", "{\"format\":\"other/1\"}"] {
      try writeFile(path + "/manifest.json", damage)
      #expect(throws: StorageError.self) { try StageManifest.read(path) }
    }
    #expect(try StageManifest.read(temporary("none")) == nil)
  }
}
