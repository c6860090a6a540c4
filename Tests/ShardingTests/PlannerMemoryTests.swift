import TestSupport
import Testing

@testable import Sharding

/// Memory of a rank, and what is advised when it does not fit.
@Suite struct PlannerMemoryTests {
  private func layout(
    tensor: Int = 1, pipeline: Int = 1, context: Int = 1, data: Int = 1, virtualStages: Int = 1,
    microBatches: Int = 8, recomputation: Recomputation = .none, isDistributed: Bool = true
  ) -> MemoryEstimate.Layout {
    MemoryEstimate.Layout(
      tensor: tensor, pipeline: pipeline, context: context, data: data, virtualStages: virtualStages,
      microBatch: 1, microBatches: microBatches, sequence: 1000, recomputation: recomputation,
      isOptimizerDistributed: isDistributed)
  }

  private func shape() throws -> ModelShape {
    try ModelShape(layers: 8, hidden: 1000, heads: 10, vocabulary: 1000)
  }

  @Test func `a parameter takes 18 bytes, and the distributed optimizer shares twelve of them`() throws {
    let alone = MemoryEstimate(parameters: 1e9, shape: try shape(), layout(isDistributed: false))
    #expect(alone.weightBytes == 6e9 && alone.optimizerBytes == 12e9)
    let shared = MemoryEstimate(parameters: 1e9, shape: try shape(), layout(data: 4))
    #expect(shared.weightBytes == 6e9 && shared.optimizerBytes == 3e9)
    let cut = MemoryEstimate(
      parameters: 1e9, shape: try shape(), layout(tensor: 2, pipeline: 4, context: 3, data: 2))
    #expect(cut.parametersPerRank == 1.25e8 && cut.weightBytes == 7.5e8 && cut.optimizerBytes == 2.5e8)
  }

  @Test func `activations follow the three formulas`() throws {
    // s·b·h = 10⁶, 5·a·s/h = 50.
    func bytes(_ layout: MemoryEstimate.Layout) throws -> Double {
      MemoryEstimate(parameters: 1e9, shape: try shape(), layout).activationBytes
    }
    #expect(try bytes(layout()) == 8 * 84e6)
    #expect(try bytes(layout(recomputation: .selective)) == 8 * 34e6)
    #expect(try bytes(layout(recomputation: .full)) == 8 * 2e6 + 84e6)
    #expect(try bytes(layout(tensor: 2)) == 4 * 84e6)
    #expect(try bytes(layout(context: 4)) == 2 * 84e6)
    // The first stage keeps a micro-batch per stage: stages do not help, unless there are fewer micro-batches.
    #expect(try bytes(layout(pipeline: 4)) == 8 * 84e6)
    #expect(try bytes(layout(pipeline: 4, microBatches: 2)) == 4 * 84e6)
    #expect(abs(try bytes(layout(pipeline: 4, virtualStages: 2)) / (8 * 84e6 * 1.375) - 1) < 1e-12)
  }

  @Test func `a tenth of the device is kept free`() throws {
    let estimate = MemoryEstimate(parameters: 1e9, shape: try shape(), layout(recomputation: .selective))
    let total = estimate.total
    #expect(estimate.verdict(capacity: total / 0.89) == .fits)
    #expect(estimate.verdict(capacity: total / 0.95) == .tight)
    #expect(estimate.verdict(capacity: total * 0.999) == .doesNotFit)
  }

  private func request(
    _ parameters: Double, gpus: Int, change: (inout TrainingPlanRequest) -> Void = { _ in }
  ) throws -> TrainingPlanRequest {
    var request = TrainingPlanRequest(tokens: 300e9, device: try DeviceTable.standard().device("H100"))
    request.parameters = parameters
    request.gpus = gpus
    change(&request)
    return request
  }

  @Test func `each advised change makes the plan fit`() throws {
    let plan = try TrainingPlan(try request(70e9, gpus: 128))
    #expect(plan.memory.verdict(capacity: 80e9) == .doesNotFit)
    #expect(!plan.memoryAdvice.isEmpty)
    for advice in plan.memoryAdvice {
      let words = advice.split(separator: " ").map(String.init)
      let changed = try request(70e9, gpus: 128) { request in
        for (option, value) in zip(words, words.dropFirst()) {
          switch option {
          case "--tensor-parallel": request.tensor = Int(value) ?? 0
          case "--pipeline-parallel": request.pipeline = Int(value) ?? 0
          case "--recompute": request.recomputation = Recomputation(rawValue: value)
          default: break
          }
        }
      }
      #expect(try TrainingPlan(changed).memory.verdict(capacity: 80e9) == .fits, "\(advice)")
    }
    #expect(plan.notes.contains { $0.contains("Any of these fits: --") })
  }

  @Test func `the optimizer is advised to be shared out when that is enough`() throws {
    let plan = try TrainingPlan(try request(7e9, gpus: 64) { $0.isOptimizerDistributed = false })
    #expect(plan.memoryAdvice.contains("leave out --no-distributed-optimizer"))
  }

  @Test func `where nothing fits the plan says to take more`() throws {
    let plan = try TrainingPlan(try request(1e12, gpus: 8))
    #expect(plan.memoryAdvice.isEmpty)
    #expect(plan.notes.contains { $0.contains("take more GPUs") })
  }
}
