import Bytes
import Pipeline
import Storage
import TestSupport
import Testing
import Tokenization

@Suite struct TrainRunTests {
  /// Trains on `d.jsonl` of a folder; the files of the result, `run.json` left out.
  static func train(_ folder: TemporaryFolder, to name: String, workers: Int, unitBytes: Int64) throws
    -> [String: [UInt8]]
  {
    var options = RunOptions()
    options.workers = workers
    options.unitBytes = unitBytes
    options.isQuiet = true
    options.progress = .none
    let inputs = try DocumentInputs([folder("d.jsonl")])
    let training = TokenizerTraining(vocabularySize: 320, pattern: .cl100k)
    let run = TrainRun(
      source: .documents(inputs), training: training, folder: folder(name), options: options)
    let outcome = try run.run()
    #expect(outcome.ledger.isBalanced)
    var files: [String: [UInt8]] = [:]
    for file in try filesBelow(folder(name)) where file != "run.json" {
      files[file] = try readFile(folder(name + "/" + file))
    }
    return files
  }

  static func writeDocuments(_ path: String) throws {
    var random = SeededRandom(seed: 5)
    var lines: [UInt8] = []
    for index in 0..<300 {
      let words = (0..<40).map { _ in String(random.next() % 5000, radix: 20) }
      let text = words.joined(separator: " ")
      lines +=
        JSONValue.object([.init("id", .string("\(index)")), .init("text", .string(text))]).serialized() + [10]
    }
    try writeFile(path, lines)
  }

  @Test func `workers do not change a byte of a tokenizer folder`() throws {
    let folder = try TemporaryFolder()
    try Self.writeDocuments(folder("d.jsonl"))
    let one = try Self.train(folder, to: "one", workers: 1, unitBytes: 4096)
    let three = try Self.train(folder, to: "three", workers: 3, unitBytes: 4096)
    #expect(one == three)
    #expect(one.keys.contains("manifest.json") && one.keys.contains("pretokens.counts"))
  }

  @Test func `the size of units changes no count and no merge`() throws {
    let folder = try TemporaryFolder()
    try Self.writeDocuments(folder("d.jsonl"))
    let small = try Self.train(folder, to: "small", workers: 2, unitBytes: 3000)
    let large = try Self.train(folder, to: "large", workers: 2, unitBytes: 1 << 28)
    for name in ["pretokens.counts", "tokenizer.json", "vocab.tiktoken"] {
      #expect(small[name] == large[name], "\(name)")
    }
  }

  @Test func `a folder that is not empty is refused, and a finished one is not done again`() throws {
    let folder = try TemporaryFolder()
    try Self.writeDocuments(folder("d.jsonl"))
    let first = try Self.train(folder, to: "tok", workers: 1, unitBytes: 1 << 20)
    #expect(throws: StorageError.self) { try Self.train(folder, to: "tok", workers: 1, unitBytes: 1 << 20) }
    var options = RunOptions()
    options.mode = .resume
    options.workers = 1
    options.unitBytes = 1 << 20
    let run = TrainRun(
      source: .documents(try DocumentInputs([folder("d.jsonl")])),
      training: TokenizerTraining(vocabularySize: 320, pattern: .cl100k), folder: folder("tok"),
      options: options)
    #expect(try run.run().ledger.documentsOut == 300)
    #expect(try readFile(folder("tok/manifest.json")) == first["manifest.json"])
  }
}
