import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct MixtureTests {
  private func planner(
    _ inputs: [(String, Double, Int, Int?)], epochs: Int = 1
  ) -> MixturePlanner {
    MixturePlanner(
      by: .source,
      inputs: inputs.map { .init(name: $0.0, weight: $0.1, sequences: $0.2, repetitionsMax: $0.3) },
      epochs: epochs)
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch { return (error as? StorageError)?.message ?? "another error" }
  }

  @Test func weightsAreAnyPositiveNumbers() throws {
    for text in ["web=70%,wiki=30%", "web=0.7,wiki=0.3", "web=7,wiki=3"] {
      let options = try MixtureOptions(by: .source, parsing: text, repetitions: "4,wiki=2")
      #expect(options.weights.map(\.name) == ["web", "wiki"])
      #expect(options.repetitionsMax == 4 && options.repetitions.map(\.count) == [2])
      let mixture = try planner(options.weights.map { ($0.name, $0.weight, 1000, nil) }).mixture()
      #expect(mixture.classes.map(\.weightPPM) == [700_000, 300_000])
    }
    for text in ["", "web", "web=0", "web=-1", "web=x", "=1", "web=1,web=2", "web=nan", "web=1e300"] {
      #expect(
        message { _ = try MixtureOptions(by: .source, parsing: text, repetitions: nil) }.contains("--mixture")
      )
    }
    for text in ["0", "x", "news=2", "web=0", "web=1.5"] {
      #expect(
        message { _ = try MixtureOptions(by: .source, parsing: "web=1", repetitions: text) }.contains(
          "--repeat"))
    }
  }

  @Test func sharesComeWithinHalfAPercentOfTheWeights() throws {
    let mixture = try planner([("a", 1, 90_000, nil), ("b", 2, 500, nil), ("c", 97, 2000, nil)]).mixture()
    #expect(mixture.classes.reduce(0) { $0 + $1.share } == mixture.block)
    for (kind, weight) in zip(mixture.classes, [0.01, 0.02, 0.97]) {
      #expect(abs(Double(kind.share) / Double(mixture.block) / weight - 1) <= MixturePlanner.tolerance)
    }
  }

  @Test func aClassAtItsLimitLeavesTheRestToTheOthers() throws {
    // 10,000 positions: wiki would get 8,000 of its 1,000 sequences, and may be read twice.
    let mixture = try planner([("web", 20, 8500, nil), ("wiki", 80, 1000, 2), ("code", 20, 500, nil)])
      .mixture()
    let achieved = mixture.classes.map { Double($0.share) / Double(mixture.block) }
    #expect(abs(achieved[1] - 0.2) < 0.002 && achieved[1] <= 0.2)
    #expect(abs(achieved[0] - 0.4) < 0.003 && abs(achieved[2] - 0.4) < 0.003)
    #expect(mixture.repetitions(of: 1, positions: 10_000) <= 2)
    // All at their limits is too few: the message counts.
    let error = message { _ = try planner([("a", 1, 10, 1), ("b", 1, 90, 1)], epochs: 2).mixture() }
    #expect(error.contains("need 200 sequences") && error.contains("b 1 × 90"))
    #expect(
      message { _ = try planner([("a", 1, 0, nil), ("b", 1, 5, nil)]).mixture() }.contains("“a” holds no"))
  }

  /// Read as a user would count it: walk every position.
  @Test func everyRunKeepsSharesLimitsAndEpochsOfItsClasses() throws {
    var random = SeededRandom(seed: 5)
    for round in 0..<60 {
      let count = Int.random(in: 1...5, using: &random)
      let epochs = Int.random(in: 1...3, using: &random)
      var inputs: [(String, Double, Int, Int?)] = []
      for number in 0..<count {
        let limit = Int.random(in: 0...2, using: &random) == 0 ? Int.random(in: 1...6, using: &random) : nil
        inputs.append(
          (
            "class-\(number)", Double.random(in: 0.05...1, using: &random),
            Int.random(in: 1...400, using: &random), limit
          ))
      }
      guard let mixture = try? planner(inputs, epochs: epochs).mixture() else { continue }
      var view = try Samples.view(Samples.manifest(segmentTokens: [100_000])) { $0.seed = round }
      view.order.mixture = mixture
      view.order.sequences = mixture.classes.reduce(0) { $0 + $1.sequences }
      view.epochs = epochs
      if round % 2 == 1 { view.order.shuffle = .blocks(block: 16, window: 3) }
      var result = Verification(kind: "view", level: 3)
      try MixtureVerification.check(view, mixture, "view.json", &result) {}
      #expect(result.isGood, "\(result.findings)")
      var plan = SequencePlan(view)
      var readings: [Int: [Int]] = [:]
      for position in 0..<view.positions {
        readings[plan.sequence(at: position).sequence, default: []].append(position)
      }
      for sequence in [0, view.order.sequences / 2, view.order.sequences - 1] {
        #expect(plan.readings(of: sequence).map(\.position) == readings[sequence] ?? [])
      }
    }
  }

  @Test func aBrokenMixtureIsFound() throws {
    var mixture = try planner([("a", 1, 50, 1), ("b", 3, 300, nil)]).mixture()
    var view = try Samples.view(Samples.manifest(segmentTokens: [100_000])) { $0.seed = 1 }
    view.order.sequences = 350
    mixture.classes[0].share *= 2
    mixture.block += mixture.classes[0].share / 2
    view.order.mixture = mixture
    var result = Verification(kind: "view", level: 3)
    try MixtureVerification.check(view, mixture, "view.json", &result) {}
    #expect(result.findings.contains { $0.message.contains("its limit is 1 × 50") })
  }
}
