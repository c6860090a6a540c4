import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

/// What differs, and what follows from it.
@Suite struct InspectionDiffTests {
  private func claim(_ difference: Difference, _ name: String) -> Bool? {
    difference.claims.first { $0.name == name }?.holds
  }

  private func store(
    _ corpus: [Samples.Encoded], _ name: String, _ folder: TemporaryFolder,
    _ change: (inout StoreOptions) -> Void = { _ in }
  ) throws -> TokenStore {
    var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 1000))
    options.segmentBytes = 9000
    change(&options)
    try Samples.store(corpus, options: options, in: folder.path, name: name)
    return try TokenStore(folder(name))
  }

  @Test func storesAreTheSameOrHoldTheSameDocumentsOrOthers() throws {
    let folder = try TemporaryFolder()
    let corpus = Samples.corpus(200, vocabulary: 1000)
    let one = try store(corpus, "one", folder)
    let twin = try StoreDifference.run(one, try store(corpus, "twin", folder))
    #expect(twin.isSame && claim(twin, "same_content") == true)

    let other = try StoreDifference.run(
      one, try store(corpus, "shuffled", folder) { $0.order = .shuffled(seed: 5) })
    #expect(claim(other, "same_content") == false && claim(other, "same_documents") == true)
    #expect(other.fields.contains { $0.name == "order.seed" && $0.second == "5" })

    var changed = corpus
    changed[17].tokens[0] ^= 1
    let edited = try StoreDifference.run(one, try store(changed, "changed", folder))
    #expect(claim(edited, "same_documents") == false && claim(edited, "same_order") == false)
    #expect(edited.fields.contains { $0.name == "splits.train documents by hash" })
    #expect(edited.fields.contains { $0.name == "splits.train tokens of segments" })

    let shorter = try StoreDifference.run(one, try store(Array(corpus.dropLast(20)), "shorter", folder))
    #expect(
      shorter.fields.contains { $0.name == "splits.train.documents" && $0.meaning == "the first has more" })
    let renamed = try StoreDifference.run(
      one, try store(corpus, "renamed", folder) { $0.tokenizer.name = "x" })
    #expect(renamed.fields.map(\.name) == ["tokenizer.name"] && claim(renamed, "same_order") == true)
  }

  @Test func viewsShareAnOrderOrDoNot() throws {
    let manifest = Samples.manifest(segmentTokens: [100_000])
    let base = try Samples.view(manifest) { $0.gpus = 8 }
    #expect(ViewDifference.run(base, base).isSame)
    let more = ViewDifference.run(
      base,
      try Samples.view(manifest) {
        $0.gpus = 16
        $0.tensor = 2
      })
    #expect(claim(more, "same_order") == true && !more.isSame)
    #expect(more.fields.map(\.name).contains("gpus") && more.fields.map(\.name).contains("topology.tensor"))
    for change: @Sendable (inout ViewOptions) -> Void in [
      { $0.seed = 1 }, { $0.sequenceTokens = 1024 }, { $0.overlap = 1 },
      { $0.shuffle = .blocks(block: 4, window: 2) },
    ] {
      let other = ViewDifference.run(base, try Samples.view(manifest, change))
      #expect(claim(other, "same_order") == false && claim(other, "same_content") == true)
      #expect(other.conclusion.contains("cannot go on"))
    }
    let elsewhere = ViewDifference.run(
      base, try Samples.view(Samples.manifest(segmentTokens: [100_001])) { _ in })
    #expect(claim(elsewhere, "same_content") == false)
    #expect(elsewhere.fields.first?.meaning == "other tokens, or other documents")
  }

  @Test func aStateIsComparedWithTheViewThatGoesOn() throws {
    let manifest = Samples.manifest(segmentTokens: [100_000])
    let view = try Samples.view(manifest) {
      $0.gpus = 4
      $0.globalBatch = 8
    }
    let state = ResumeState(view, nextPosition: 20)
    let early = ViewDifference.run(view, state)
    #expect(claim(early, "same_order") == true && early.fields.map(\.name) == ["start"])
    #expect(early.conclusion.contains("step 2, item 4"))
    let resumed = try Samples.view(manifest) {
      $0.gpus = 2
      $0.resume = state
    }
    #expect(ViewDifference.run(resumed, state).isSame)
    #expect(ViewDifference.run(resumed, ResumeState(view, nextPosition: 3)).conclusion.contains("skip"))
    let done = ViewDifference.run(view, ResumeState(view, nextPosition: view.positions))
    #expect(done.conclusion.contains("has read all"))
    let other = try Samples.view(manifest) { $0.seed = 9 }
    #expect(claim(ViewDifference.run(other, state), "same_order") == false)
    #expect(ViewDifference.run(state, state).isSame)
    #expect(
      ViewDifference.run(state, ResumeState(view, nextPosition: 25)).conclusion.contains("5 sequences apart"))
    let json = early.json
    #expect(json["same"]?.bool == false && json["same_order"]?.bool == true)
    #expect(json["differences"]?.array?.first?["second"]?.string == "20")
  }
}
