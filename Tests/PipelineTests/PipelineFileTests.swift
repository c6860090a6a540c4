import Storage
import TestSupport
import Testing

@testable import Pipeline

@Suite struct PipelineFileTests {
  static func read(_ text: String) throws -> PipelineFile {
    try PipelineFile(parsing: Array(text.utf8), path: "p.yaml")
  }

  @Test func `a good file gives its stages in order with their options`() throws {
    let file = try Self.read(
      """
      # comment
      pipeline: 1
      stages:
        - stage: extract
        - stage: filter
          recipe: web-1
        - stage: dedup
          threshold: 0.75
        - stage: filter
          name: again
        - stage: train
          vocab-size: 1000
          special-tokens: [a, b]
        - stage: tokenize
        - stage: shard
          gpus: 8
      """)
    #expect(file.stages.map(\.name) == ["extract", "filter", "dedup", "again", "train", "tokenize", "shard"])
    #expect(file.stages[2].options == [.init("threshold", .double(0.75))])
    #expect(file.stages[4].options == [.init("vocab-size", 1000), .init("special-tokens", ["a", "b"])])
    #expect(file.stages[6].line == 15)
  }

  @Test(arguments: [
    ("pipeline: 1\nstages:\n  - stage: filter\n    recip: web\n", "p.yaml:4: ", "recip"),
    ("pipeline: 2\nstages:\n  - stage: filter\n", "p.yaml:1: ", "pipeline: 1"),
    ("pipeline: 1\nsteps: []\n", "p.yaml:2: ", "steps"),
    ("pipeline: 1\nstages: []\n", "p.yaml:1: ", "list of stages"),
    ("pipeline: 1\nstages:\n  - stage: sieve\n", "p.yaml:3: ", "sieve"),
    ("pipeline: 1\nstages:\n  - filter\n", "p.yaml:3: ", "mapping"),
    ("pipeline: 1\nstages:\n  - recipe: web\n", "p.yaml:3: ", "stage"),
    ("pipeline: 1\nstages:\n  - stage: train\n    vocab-size: many\n", "p.yaml:4: ", "whole number"),
    ("pipeline: 1\nstages:\n  - stage: dedup\n    threshold: [1]\n", "p.yaml:4: ", "number"),
    ("pipeline: 1\nstages:\n  - stage: filter\n    name: ../x\n", "p.yaml:4: ", "folder name"),
    ("pipeline: 1\nstages:\n  - stage: filter\n    name: .tmp\n", "p.yaml:4: ", "folder name"),
    ("pipeline: 1\nstages:\n  - stage: dedup\n  - stage: extract\n", "p.yaml:4: ", "cannot stand here"),
    ("pipeline: 1\nstages:\n  - stage: filter\n  - stage: filter\n", "p.yaml:4: ", "name"),
    ("pipeline: 1\nstages:\n  - stage: filter\n  - stage: tokenize\n", "p.yaml:4: ", "tokenizer"),
    ("pipeline: 1\nstages:\n  - stage: filter\n  - stage: shard\n", "p.yaml:4: ", "tokenize"),
    ("- a\n", "p.yaml:1: ", "mapping"), ("", "p.yaml", ""), ("a: [", "p.yaml", ""), ("\u{0}", "p.yaml", ""),
    ("pipeline: 1\npipeline: 1\nstages:\n  - stage: filter\n", "p.yaml:2", "pipeline"),
    ("stages:\n  - stage: filter\n", "p.yaml:1: ", "pipeline: 1"),
  ])
  func `what is wrong is named with its line`(text: String, place: String, word: String) {
    let error = #expect(throws: StorageError.self) { try Self.read(text) }
    #expect(error?.exitCode == 2)
    #expect(error?.message.hasPrefix(place) == true, "\(error?.message ?? "")")
    #expect(word.isEmpty || error?.message.contains(word) == true, "\(error?.message ?? "")")
  }

  @Test func `a missing or huge file is a usage error with its path`() throws {
    let folder = try TemporaryFolder()
    try writeFile(folder("big.yaml"), [UInt8](repeating: 35, count: 2 << 20))
    for path in [folder("none.yaml"), folder("big.yaml"), folder.path] {
      let error = #expect(throws: StorageError.self) { try PipelineFile(path: path) }
      #expect(error?.exitCode == 2)
      #expect(error?.message.contains(path) == true)
    }
  }

  @Test func `random damage gives a file or an error, never a trap`() {
    var random = SeededRandom(seed: 1)
    let text = Array(
      "pipeline: 1\nstages:\n  - stage: train\n    vocab-size: 10\n    special-tokens: [a, \"b\"]\n".utf8)
    for _ in 0..<2_000 { _ = try? PipelineFile(parsing: random.mutation(of: text), path: "p") }
  }
}
