import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct ViewTests {
  /// The worked example of the reference: 8 sequences, seed 0, global batch 4.
  private func example(gpus: Int, framework: Framework = .megatron) throws -> (View, SequencePlan) {
    let manifest = Samples.manifest(segmentTokens: [50, 30])
    let view = try Samples.view(manifest) {
      $0.gpus = gpus
      $0.sequenceTokens = 10
      $0.globalBatch = 4
      $0.framework = framework
    }
    return (view, SequencePlan(view))
  }

  private func read(_ plan: SequencePlan, replica: Int, step: Int) -> [Int] {
    var plan = plan
    let view = plan.view
    var out: [Int] = []
    for micro in 0..<view.microBatches {
      for item in 0..<view.microBatch {
        let position = plan.position(of: .init(step: step, replica: replica, microBatch: micro, item: item))
        out.append(plan.sequence(at: position).sequence)
      }
    }
    return out
  }

  @Test func theWorkedExampleReadsAsWritten() throws {
    let (view, plan) = try example(gpus: 1)
    #expect(view.order.sequences == 8)
    var order = plan
    #expect((0..<8).map { order.sequence(at: $0).sequence } == [6, 0, 5, 7, 3, 2, 4, 1])
    #expect((8..<16).map { order.sequence(at: $0).sequence } == [4, 6, 3, 2, 0, 1, 7, 5])
    #expect(
      (0..<16).map { order.sequence(at: $0).epoch } == Array(repeating: 0, count: 8)
        + Array(repeating: 1, count: 8))
    #expect(read(plan, replica: 0, step: 0) == [6, 0, 5, 7])
    #expect(read(plan, replica: 0, step: 1) == [3, 2, 4, 1])
    let (_, two) = try example(gpus: 2)
    #expect(read(two, replica: 0, step: 0) == [6, 5] && read(two, replica: 0, step: 1) == [3, 4])
    #expect(read(two, replica: 1, step: 0) == [0, 7] && read(two, replica: 1, step: 1) == [2, 1])
    let (_, four) = try example(gpus: 4)
    #expect((0..<4).map { read(four, replica: $0, step: 0) } == [[6], [0], [5], [7]])
    #expect((0..<4).map { read(four, replica: $0, step: 1) } == [[3], [2], [4], [1]])
  }

  @Test func otherRulesShareTheSameBatch() throws {
    let (_, neox) = try example(gpus: 2, framework: .gptNeoX)
    #expect(read(neox, replica: 0, step: 0) == [6, 0] && read(neox, replica: 1, step: 0) == [5, 7])
    let (_, olmo) = try example(gpus: 2, framework: .olmo)
    #expect(read(olmo, replica: 0, step: 0) == [6, 5] && read(olmo, replica: 1, step: 0) == [0, 7])
  }

  @Test(arguments: Framework.allCases)
  func everyShapeReadsEverySequenceOnce(framework: Framework) throws {
    let sequences = 211
    let manifest = Samples.manifest(segmentTokens: [1000, 1110])
    for gpus in [1, 2, 3, 4, 6, 8, 12, 24, 36, 64, 96] {
      for tensor in Topology.divisors(gpus) {
        for micro in [1, 2, 5] {
          let view = try Samples.view(manifest) {
            $0.gpus = gpus
            $0.tensor = tensor
            $0.sequenceTokens = 10
            $0.framework = framework
            $0.microBatch = micro
            $0.globalBatch = micro * (gpus / tensor) * 2
          }
          let plan = SequencePlan(view)
          #expect(view.order.sequences == sequences)
          for position in 0..<2 * view.globalBatch {
            #expect(plan.position(of: plan.place(of: position)) == position)
          }
          var counts = [Int](repeating: 0, count: view.dataParallel)
          for position in 0..<sequences { counts[plan.replica(reading: position)] += 1 }
          #expect(counts == counts.indices.map { plan.sequenceCount(ofReplica: $0) })
          #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
        }
      }
    }
  }

  @Test func resumingOnOtherGPUsGoesOnInTheSameOrder() throws {
    let manifest = Samples.manifest(segmentTokens: [2400])
    func sets(gpus: Int) throws -> [Set<Int>] {
      let view = try Samples.view(manifest) {
        $0.gpus = gpus
        $0.sequenceTokens = 10
        $0.globalBatch = 24
        $0.seed = 5
      }
      let plan = SequencePlan(view)
      return (0..<15).map { step in Set((0..<gpus).flatMap { read(plan, replica: $0, step: step) }) }
    }
    let one = try sets(gpus: 1)
    for gpus in [2, 3, 4, 6, 8, 12, 24] { #expect(try sets(gpus: gpus) == one) }
  }

  @Test func balanceIsThatOfTheReference() throws {
    // n = 73,242,187 sequences of 4,096; replicas with one sequence more, and the smaller count.
    let cases: [(Int, Int, Int)] = [
      (25, 12, 2_929_687), (125, 62, 585_937), (1000, 187, 73_242), (10_000, 2187, 7324),
    ]
    for (replicas, larger, base) in cases {
      let shares = (0..<replicas).map {
        SequencePlan.staticShare($0, of: replicas, sequences: 73_242_187).count
      }
      #expect(
        shares.filter { $0 == base + 1 }.count == larger
          && shares.filter { $0 == base }.count == replicas - larger)
    }
  }

  @Test func concatCutsTheSegmentsAsOneStream() throws {
    let manifest = Samples.manifest(segmentTokens: [7, 1, 20, 4])
    let view = try Samples.view(manifest) { $0.sequenceTokens = 9 }
    #expect(view.order.sequences == 3 && view.order.tailTokens == 5)
    func parts(_ layout: StreamLayout, _ sequence: Int) -> [String] {
      layout.parts(of: sequence).map { "\($0.segment): \($0.tokens)" }
    }
    let tokens = [7, 1, 20, 4]
    let plain = StreamLayout(segmentTokens: tokens, sequence: 9, overlap: 0)
    #expect(plain.count == 3)
    #expect(parts(plain, 0) == ["0: 0..<7", "1: 0..<1", "2: 0..<1"])
    #expect(parts(plain, 1) == ["2: 1..<10"] && parts(plain, 2) == ["2: 10..<19"])
    let overlapping = try Samples.view(manifest) {
      $0.sequenceTokens = 9
      $0.overlap = 1
    }
    #expect(overlapping.order.sequences == 3 && overlapping.order.tailTokens == 7)
    let windows = StreamLayout(segmentTokens: tokens, sequence: 9, overlap: 1)
    #expect(parts(windows, 1) == ["2: 0..<9"])
  }

  @Test(arguments: [1, 8, 1000, 4096]) func anyNumberOfGPUsReadsOneStoreOnce(gpus: Int) throws {
    // 43,000 sequences: at least ten for each of 4,096 GPUs.
    let manifest = Samples.manifest(segmentTokens: [300_000, 345_017])
    let view = try Samples.view(manifest) {
      $0.gpus = gpus
      $0.sequenceTokens = 15
    }
    #expect(view.order.sequences == 43_001 && view.bytes.count <= 2048)
    let result = try ViewVerification.run(view, path: "view.json", split: nil)
    #expect(result.isGood, "\(result.findings)")
    let balance = try RankTable(view).balance
    #expect(balance.most - balance.least <= 1 && balance.least >= 10)
    // The order is that of every other number of GPUs.
    #expect(view.orderHash == (try Samples.view(manifest) { $0.sequenceTokens = 15 }.orderHash))
  }

  @Test func theOrderHashIgnoresWhoReads() throws {
    let manifest = Samples.manifest(segmentTokens: [100_000])
    let base = try Samples.view(manifest) { $0.gpus = 8 }.orderHash
    #expect(try Samples.view(manifest) { $0.gpus = 24 }.orderHash == base)
    #expect(
      try Samples.view(manifest) {
        $0.gpus = 8; $0.tensor = 4; $0.microBatch = 2; $0.nodes = 2
      }.orderHash == base)
    #expect(
      try Samples.view(manifest) {
        $0.gpus = 8; $0.seed = 1
      }.orderHash != base)
    #expect(
      try Samples.view(manifest) {
        $0.gpus = 8; $0.sequenceTokens = 1024
      }.orderHash != base)
    var other = manifest
    other.tokenizer.sha256 = String(repeating: "cd", count: 32)
    #expect(try Samples.view(other) { $0.gpus = 8 }.orderHash != base)
  }

  @Test func aViewReadsBackAndRefusesAnotherStore() throws {
    let manifest = Samples.manifest(segmentTokens: [1 << 30, 1 << 29])
    let view = try Samples.view(manifest) {
      $0.gpus = 1024
      $0.tensor = 8
      $0.pipeline = 8
      $0.globalBatch = 1536
      $0.seed = 1234
      $0.sequenceTokens = 4096
    }
    #expect(view.bytes.count <= 2048)
    #expect(try View(bytes: view.bytes, path: "view.json") == view)
    var other = manifest
    other.tokenizer.name = "other"
    #expect(throws: StorageError.self) {
      let store = TokenStore(
        folder: "", manifest: other, fingerprint: StoreManifest.fingerprint(of: other.bytes))
      _ = try SequenceReader(view, try StoreSplit(store, split: "train"))
    }
  }

  @Test func shapesThatDoNotFitAreUsageErrors() throws {
    let manifest = Samples.manifest(segmentTokens: [10_000])
    func message(_ change: (inout ViewOptions) -> Void) -> String {
      do {
        _ = try Samples.view(manifest, change)
        return "no error"
      } catch {
        guard case .usage(let text)? = error as? StorageError else { return "another error" }
        return text
      }
    }
    #expect(
      message {
        $0.gpus = 8; $0.globalBatch = 12
      }.contains("such as 8 or 16"))
    #expect(
      message {
        $0.gpus = 8; $0.nodes = 3
      }.contains("1, 2, 4, 8"))
    #expect(message { $0.sequenceTokens = 20_000 }.contains("not enough for one sequence"))
    #expect(
      message {
        $0.gpus = 2; $0.context = 2; $0.sequenceTokens = 1022
      }.contains("such as --context 1020"))
    #expect(message { $0.split = "test" }.contains("it has train"))
    #expect(message { $0.sequenceTokens = 0 }.contains("--context"))
    #expect(message { $0.overlap = 2 }.contains("--overlap"))
    #expect(message { $0.microBatch = 0 }.contains("--micro-batch"))
    #expect(message { $0.globalBatch = -8 }.contains("--global-batch"))
    #expect(message { $0.seed = -1 }.contains("--seed"))
  }

  @Test func damagedViewsAreErrorsNotCrashes() throws {
    let view = try Samples.view(Samples.manifest(segmentTokens: [1 << 20])) { $0.gpus = 16 }
    var random = SeededRandom(seed: 3)
    for _ in 0..<500 {
      guard let read = try? View(bytes: random.mutation(of: view.bytes), path: "view.json") else { continue }
      let plan = SequencePlan(read)
      #expect(plan.sequenceCount(ofReplica: 0, epochs: ViewOptions.epochsMax) >= 0)
    }
  }

  @Test func aViewOfATrillionTokensIsArithmetic() throws {
    // 932 segments of 2 GiB as u16: 10^12 tokens. No file exists.
    let manifest = Samples.manifest(segmentTokens: Array(repeating: 1_073_741_823, count: 932))
    #expect(manifest.splits[0].tokens > 1_000_000_000_000)
    let bytes = manifest.bytes
    let clock = ContinuousClock()
    var views: [View] = []
    let time = try clock.measure {
      let read = try StoreManifest(bytes: bytes, path: "manifest.json")
      var options = ViewOptions()
      options.gpus = 4096
      options.sequenceTokens = 4096
      views.append(try View(of: read, fingerprint: StoreManifest.fingerprint(of: bytes), options))
    }
    #expect(views[0].order.sequences == 244_318_207 && views[0].bytes.count <= 2048)
    #if DEBUG
      // Unoptimised JSON reading; the limit of 0.1 s is for release builds.
      #expect(time < .seconds(10))
    #else
      #expect(time < .milliseconds(100))
    #endif
  }
}
