import Storage
import TestSupport
import Testing

@testable import Sharding

/// Sixty topologies, ten shapes for each of six frameworks, against the formulas of the token-store reference (section 7)
/// written out, and against a count of who reads what.
@Suite struct TopologyMatrixTests {
  struct Shape: CustomStringConvertible, Sendable {
    var gpus: Int
    var tensor: Int
    var context: Int
    var pipeline: Int
    var description: String { "\(gpus) GPUs, TP \(tensor) CP \(context) PP \(pipeline)" }
    var data: Int { gpus / (tensor * context * pipeline) }
  }

  static let shapes = [
    Shape(gpus: 1, tensor: 1, context: 1, pipeline: 1), Shape(gpus: 8, tensor: 1, context: 1, pipeline: 1),
    Shape(gpus: 16, tensor: 2, context: 2, pipeline: 2), Shape(gpus: 24, tensor: 1, context: 1, pipeline: 3),
    Shape(gpus: 48, tensor: 4, context: 1, pipeline: 4), Shape(gpus: 60, tensor: 1, context: 5, pipeline: 2),
    Shape(gpus: 64, tensor: 8, context: 1, pipeline: 8), Shape(gpus: 96, tensor: 2, context: 3, pipeline: 4),
    Shape(gpus: 100, tensor: 1, context: 1, pipeline: 5),
    Shape(gpus: 128, tensor: 8, context: 2, pipeline: 1),
  ]

  /// dp of a rank by the closed forms, not by strides.
  private func dataRank(_ rank: Int, _ shape: Shape, _ framework: Framework) -> Int {
    switch framework {
    case .megatron, .nanotron, .torchtitan, .olmo: rank / (shape.tensor * shape.context) % shape.data
    // (pipe, data, model) from the outside in; there is no context axis, so it counts as part of the inner ones.
    case .deepspeed, .gptNeoX: rank / (shape.tensor * shape.context) % shape.data
    }
  }

  /// Offset of (dp, k, j) in a step, by the table of section 8.
  private func offset(_ framework: Framework, _ view: View, _ dp: Int, _ k: Int, _ j: Int) -> Int {
    let (micro, data) = (view.microBatch, view.dataParallel)
    switch framework {
    case .megatron, .nanotron, .torchtitan: return k * micro * data + dp * micro + j
    case .deepspeed, .gptNeoX: return dp * view.globalBatch / data + (k * micro + j)
    case .olmo: return dp + data * (k * micro + j)
    }
  }

  @Test(arguments: Framework.allCases, shapes)
  func ranksReadWhatTheFormulasSay(framework: Framework, shape: Shape) throws {
    let manifest = Samples.manifest(segmentTokens: [60_000, 35_417])
    let view = try Samples.view(manifest) {
      $0.gpus = shape.gpus
      $0.tensor = shape.tensor
      $0.context = shape.context
      $0.pipeline = shape.pipeline
      $0.framework = framework
      $0.sequenceTokens = 60
      $0.microBatch = 2
      $0.globalBatch = 6 * shape.data
      $0.seed = 11
    }
    let topology = view.topology
    #expect(topology.data == shape.data)
    var planes = [Int](repeating: 0, count: shape.data)
    for rank in 0..<shape.gpus {
      let place = topology.coordinates(ofRank: rank)
      #expect(place.data == dataRank(rank, shape, framework), "\(framework) \(shape) rank \(rank)")
      #expect(place.tensor == rank % shape.tensor)
      #expect(place.context == rank / shape.tensor % shape.context)
      #expect(place.pipeline == rank / (shape.tensor * shape.context * shape.data))
      planes[place.data] += 1
    }
    #expect(planes.allSatisfy { $0 == shape.gpus / shape.data })
    try readsOnce(view, framework)
  }

  /// Walks the ranks step by step for one epoch: each sequence exactly once, shares of full steps equal, and the set of
  /// each step the one that any other number of replicas reads.
  private func readsOnce(_ view: View, _ framework: Framework) throws {
    var plan = SequencePlan(view)
    let sequences = view.order.sequences
    var seen = [Int](repeating: 0, count: sequences)
    var counts = [Int](repeating: 0, count: view.dataParallel)
    for step in 0..<sequences / view.globalBatch {
      var batch: Set<Int> = []
      for dp in 0..<view.dataParallel {
        for k in 0..<view.microBatches {
          for j in 0..<view.microBatch {
            let position = step * view.globalBatch + offset(framework, view, dp, k, j)
            #expect(
              plan.position(of: .init(step: step, replica: dp, microBatch: k, item: j)) == position)
            batch.insert(plan.sequence(at: position).sequence)
            counts[dp] += 1
          }
        }
      }
      for sequence in batch { seen[sequence] += 1 }
      // What one replica alone reads in this step.
      let alone = Set(
        (step * view.globalBatch..<(step + 1) * view.globalBatch).map { plan.sequence(at: $0).sequence })
      #expect(batch == alone && batch.count == view.globalBatch)
    }
    for position in sequences / view.globalBatch * view.globalBatch..<sequences {
      seen[plan.sequence(at: position).sequence] += 1
      counts[plan.replica(reading: position)] += 1
    }
    #expect(seen.allSatisfy { $0 == 1 })
    #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
  }

  @Test(arguments: shapes) func megatronsOtherMappingPutsDataOutermost(shape: Shape) throws {
    let order = try Topology.parseRankOrder("tp-cp-ep-pp-dp", context: shape.context)
    let topology = try Topology(
      gpus: shape.gpus, tensor: shape.tensor, context: shape.context, pipeline: shape.pipeline,
      rankOrder: order)
    for rank in 0..<shape.gpus {
      #expect(
        topology.coordinates(ofRank: rank).data == rank / (shape.tensor * shape.context * shape.pipeline))
    }
  }
}
