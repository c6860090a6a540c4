import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

/// The plan as a whole: sizes, targets, the knee, the claims.
@Suite struct PlannerPlanTests {
  /// 175 B on H100, as in the reference's hybrid table.
  static func request(
    gpus: Int? = nil, change: (inout TrainingPlanRequest) throws -> Void = { _ in }
  ) throws -> TrainingPlanRequest {
    var request = TrainingPlanRequest(tokens: 300e9, device: try DeviceTable.standard().device("H100"))
    request.parameters = 175e9
    request.gpus = gpus
    request.sequence = 2048
    request.tensor = 8
    request.pipeline = 8
    request.virtualStages = 6
    request.globalBatch = 1536
    request.mfu = 0.475
    request.network = 50e9
    try change(&request)
    return request
  }

  private func refusal(_ make: () throws -> TrainingPlanRequest) -> String {
    do {
      _ = try TrainingPlan(try make())
      return ""
    } catch let error as StorageError {
      return error.exitCode == 2 ? error.message : "exit \(error.exitCode)"
    } catch { return "\(error)" }
  }

  @Test func `the hybrid table of the reference comes out`() throws {
    let rows: [(gpus: Int, bubble: Double, mfu: Double, days: Double)] = [
      (64, 0.001, 0.475, 121), (256, 0.003, 0.473, 30.4), (1024, 0.012, 0.467, 7.7),
      (4096, 0.046, 0.442, 2.03),
      (8192, 0.089, 0.414, 1.09), (16_384, 0.163, 0.367, 0.61),
    ]
    let plan = try TrainingPlan(try Self.request(gpus: 1024))
    for row in rows {
      let found = try #require(plan.counts.rows.first { $0.gpus == row.gpus })
      #expect(abs(found.bubbleFraction - row.bubble) < 0.0006 && abs(found.mfu - row.mfu) < 0.0006)
      #expect(abs(found.days / row.days - 1) < 0.01)
    }
    #expect(plan.chosen.gpus == 1024 && plan.chosen == plan.counts.rows.first { $0.gpus == 1024 })
  }

  @Test func `the knee is the first doubling that gains less than nine tenths of two`() throws {
    let counts = try TrainingPlan(try Self.request(gpus: 64)).counts
    let knee = try #require(counts.knee)
    #expect(knee.gpus == 8192 && abs(knee.gain - 1.7713) < 1e-3)
    for (before, after) in zip(counts.rows, counts.rows.dropFirst()) where before.gpus < knee.gpus {
      #expect(before.days / after.days >= 1.8)
    }
    let fast = try TrainingPlan(try Self.request(gpus: 64) { $0.globalBatch = 16 }).counts
    #expect(fast.rows.map(\.gpus) == [64, 128, 256, 512, 1024] && fast.replicasMax == 16)
  }

  @Test func `days give the least GPUs, and one step less is not enough`() throws {
    let plan = try TrainingPlan(try Self.request { $0.days = 10 })
    #expect(plan.chosen.days <= 10)
    let fewer = Topology.divisors(1536).last { $0 < plan.chosen.dataParallel }
    let before = try TrainingPlan(try Self.request(gpus: 64 * (try #require(fewer))))
    #expect(before.chosen.days > 10)
    #expect(refusal { try Self.request { $0.days = 0.01 } }.contains("--global-batch"))
  }

  @Test func `a budget gives the most GPUs at the upper price`() throws {
    let plan = try TrainingPlan(
      try Self.request {
        $0.budget = 1e6
        $0.price = 2...5
      })
    let cost = try #require(plan.cost)
    #expect(cost.upperBound <= 1e6 && cost.lowerBound == 2 * plan.chosen.gpuHours)
    let more = plan.counts.rows.first { $0.gpus > plan.gpus }
    #expect((more?.gpuHours ?? .infinity) * 5 > 1e6)
    let message = refusal {
      try Self.request {
        $0.budget = 1000
        $0.price = 2...5
      }
    }
    #expect(message.contains("even one replica costs"))
    let noPrice = refusal {
      try Self.request {
        $0.device = try DeviceTable.standard().device("H20")
        $0.budget = 1e6
      }
    }
    #expect(noPrice.contains("--price"))
  }

  @Test func `an assumed batch is rounded up to whole micro-batches, a given one is not touched`() throws {
    let plan = try TrainingPlan(
      try Self.request(gpus: 64 * 7) {
        $0.globalBatch = nil
        $0.microBatch = 3
      })
    #expect(plan.globalBatch == 2058 && plan.globalBatch % 21 == 0)
    #expect(refusal { try Self.request(gpus: 64 * 7) }.contains("Nearest: 1533, 1540"))
    #expect(refusal { try Self.request(gpus: 64 * 2048) }.contains("need at least 2048"))
    #expect(refusal { try Self.request(gpus: 100) }.contains("no multiple of TP"))
  }

  @Test func `a batch that does not divide costs as much as the next that does`() throws {
    let counts = try TrainingPlan(try Self.request(gpus: 64) { $0.globalBatch = 12 }).counts
    let row = try #require(counts.rows.first { $0.gpus == 512 })
    #expect(row.isUneven && row.microBatches == 2)
    let padded = try TrainingPlan(try Self.request(gpus: 512) { $0.globalBatch = 16 }).chosen
    #expect(!padded.isUneven && row.stepSeconds == padded.stepSeconds)
    #expect(abs(row.days / padded.days - 16.0 / 12) < 1e-12)
  }

  @Test func `full recomputation takes a quarter of the assumed MFU, of a given one nothing`() throws {
    let assumed = try TrainingPlan(
      try Self.request(gpus: 64) {
        $0.mfu = nil
        $0.recomputation = .full
      })
    #expect(abs(assumed.baseMFU - 0.42 * 0.75) < 1e-12)
    #expect(abs(assumed.executedFlops / assumed.flops - 8.0 / 6) < 1e-12)
    #expect(try TrainingPlan(try Self.request(gpus: 64) { $0.recomputation = .full }).baseMFU == 0.475)
  }

  @Test func `energy is board power over all hours times PUE, whatever the MFU`() throws {
    let plan = try TrainingPlan(
      try Self.request(gpus: 64) {
        $0.boardWatts = 1000
        $0.pue = 1.5
      })
    let joules = try #require(plan.energyJoules)
    #expect(abs(joules / (1000 * 1.5 * 3600 * plan.chosen.gpuHours) - 1) < 1e-12)
    let unknown = try TrainingPlan(
      try Self.request(gpus: 64) { $0.device = try DeviceTable.standard().device("TPU-v6e") })
    #expect(unknown.energyJoules == nil && unknown.json["cost"]?["energy_joules"] == JSONValue.null)
  }

  @Test func `within a node gradients use the link, across nodes the network`() throws {
    func plan(_ gpus: Int) throws -> TrainingPlan {
      try TrainingPlan(
        try Self.request(gpus: gpus) {
          $0.tensor = 1
          $0.pipeline = 1
          $0.network = nil
        })
    }
    #expect(try plan(8).network == 450e9 && plan(16).network == 50e9)
  }

  @Test func `tables name units and assumptions, and the JSON lists what was assumed`() throws {
    var request = TrainingPlanRequest(tokens: 1e9, device: try DeviceTable.standard().device("A100"))
    request.parameters = 1e8
    request.gpus = 8
    let plan = try TrainingPlan(request)
    let text = plan.tables.flatMap(\.rows).map { $0.joined(separator: " ") }
    for part in [
      "PF-days", "FLOP", "GB/s", "MWh", "kWh", "$", "assumed: usual for A100-80; set with --mfu",
      "set with --price",
      "list prices of 2026-05", "sequences/s", "set with --pue",
    ] where part != "MWh" {
      #expect(text.contains { $0.contains(part) }, "\(part)")
    }
    let assumed = try #require(plan.json["assumed"]?.array).compactMap(\.string)
    for name in assumed {
      let parts = name.split(separator: ".").map(String.init)
      #expect(plan.json[parts[0]]?[parts[1]] != nil, "\(name) is no member")
    }
    #expect(assumed.contains("cluster.mfu_assumed") && assumed.contains("data.documents"))
    request.mfu = 0.4
    #expect(!(try TrainingPlan(request).json["assumed"]?.array?.contains("cluster.mfu_assumed") ?? true))
  }

  @Test func `the claims have the golden's factors`() throws {
    let claims = try ArticleClaim.all()
    #expect(claims.count >= 25 && Set(claims.map(\.id)).count == claims.count)
    for claim in claims { #expect(claim.computed.isFinite && claim.computed > 0 && !claim.verdict.isEmpty) }
    guard let path = SharedData.path("golden/planner.json") else { return }
    let cases = try #require(try JSONValue.parse(try readFile(path))["cases"]?.array)
    for entry in cases {
      guard let factor = entry["claim_over_computed"]?.double, let id = entry["id"]?.string else { continue }
      let claim = try #require(claims.first { $0.id == id }, "\(id) is not in the table")
      let ours = try #require(claim.factor, "\(id)")
      #expect(abs(ours / factor - 1) < 1e-6, "\(id): \(ours), the golden says \(factor)")
    }
  }

  @Test func `an article that is a thousand times off is called so`() throws {
    let rows = ArticleClaim.inspection(try ArticleClaim.all()).tables[0].rows
    #expect(rows.contains { $0[1].contains("10^12") && $0[4] == "1,000 × too low" })
    #expect(rows.contains { $0[1].contains("8 V100") && $0[4] == "right" })
    #expect(rows.contains { $0[1].contains("8 A800") && $0[4] == "2 × too high" })
  }
}
