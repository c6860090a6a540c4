import Storage
import TestSupport
import Testing

@testable import Sharding

/// Golden values: the token-store reference, "Topology" (checked there against Megatron's `RankGenerator`).
@Suite struct TopologyTests {
  /// tp, cp, dp, pp
  typealias Place = (Int, Int, Int, Int)

  private func place(_ topology: Topology, _ rank: Int) -> Place {
    let at = topology.coordinates(ofRank: rank)
    return (at.tensor, at.context, at.data, at.pipeline)
  }

  static let table:
    [(gpus: Int, tensor: Int, context: Int, pipeline: Int, data: Int, ranks: [(Int, Place)])] = [
      (
        16, 2, 2, 2, 2,
        [
          (0, (0, 0, 0, 0)), (1, (1, 0, 0, 0)), (2, (0, 1, 0, 0)), (4, (0, 0, 1, 0)), (8, (0, 0, 0, 1)),
          (15, (1, 1, 1, 1)),
        ]
      ),
      (
        1000, 8, 1, 5, 25,
        [(8, (0, 0, 1, 0)), (199, (7, 0, 24, 0)), (200, (0, 0, 0, 1)), (999, (7, 0, 24, 4))]
      ),
      (
        1024, 8, 1, 8, 16,
        [(127, (7, 0, 15, 0)), (128, (0, 0, 0, 1)), (777, (1, 0, 1, 6)), (1023, (7, 0, 15, 7))]
      ),
      (10_000, 8, 1, 10, 125, [(999, (7, 0, 124, 0)), (1000, (0, 0, 0, 1)), (9999, (7, 0, 124, 9))]),
      (
        10_240, 8, 2, 16, 40,
        [(8, (0, 1, 0, 0)), (16, (0, 0, 1, 0)), (640, (0, 0, 0, 1)), (5555, (3, 0, 27, 8))]
      ),
    ]

  @Test(arguments: table.indices) func ranksLieWhereMegatronPutsThem(row: Int) throws {
    let entry = Self.table[row]
    let topology = try Topology(
      gpus: entry.gpus, tensor: entry.tensor, context: entry.context, pipeline: entry.pipeline)
    #expect(topology.data == entry.data)
    for (rank, expected) in entry.ranks { #expect(place(topology, rank) == expected, "rank \(rank)") }
    for rank in 0..<entry.gpus { #expect(topology.rank(at: topology.coordinates(ofRank: rank)) == rank) }
  }

  @Test func theOtherMappingPutsDataOutside() throws {
    let order = try Topology.parseRankOrder("tp-cp-ep-pp-dp", context: 2)
    let inside = try Topology(gpus: 16, tensor: 2, context: 2, pipeline: 2)
    let outside = try Topology(gpus: 16, tensor: 2, context: 2, pipeline: 2, rankOrder: order)
    #expect(
      (0..<16).map { inside.coordinates(ofRank: $0).data } == [
        0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1,
      ])
    #expect(
      (0..<16).map { outside.coordinates(ofRank: $0).data } == [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
      ])
  }

  @Test func everyRankHasItsOwnCoordinates() throws {
    for gpus in 1...48 {
      for tensor in Topology.divisors(gpus) {
        for pipeline in Topology.divisors(gpus / tensor) {
          let topology = try Topology(gpus: gpus, tensor: tensor, pipeline: pipeline)
          #expect((0..<gpus).allSatisfy { topology.rank(at: topology.coordinates(ofRank: $0)) == $0 })
        }
      }
    }
  }

  @Test func contextSlicesCoverTheSequenceOnce() throws {
    let two = try Topology(gpus: 2, context: 2)
    #expect(two.contextSlices(ofRank: 0, tokens: 4096) == [0..<1024, 3072..<4096])
    #expect(two.contextSlices(ofRank: 1, tokens: 4096) == [1024..<2048, 2048..<3072])
    let four = try Topology(gpus: 4, context: 4)
    #expect(four.contextSlices(ofRank: 1, tokens: 8192) == [1024..<2048, 6144..<7168])
    var covered = [Int](repeating: 0, count: 8192)
    for rank in 0..<4 {
      for slice in four.contextSlices(ofRank: rank, tokens: 8192) {
        for token in slice { covered[token] += 1 }
      }
    }
    #expect(covered.allSatisfy { $0 == 1 })
  }

  @Test func invalidShapesNameValidOnes() throws {
    #expect(
      usage { try Topology(gpus: 1000, tensor: 8, pipeline: 7) }?.contains(
        "--pipeline-parallel 1, 5, 25, 125") == true)
    #expect(usage { try Topology(gpus: 10, tensor: 3) }?.contains("--tensor-parallel 1, 2, 5, 10") == true)
    #expect(
      usage { try Topology(gpus: 12, tensor: 2, context: 4) }?.contains("--context-parallel 1, 2, 3, 6")
        == true)
    #expect(usage { try Topology(gpus: 8, tensor: 16) }?.contains("--tensor-parallel 1, 2, 4, 8") == true)
    #expect(usage { try Topology(gpus: 8, expert: 3) }?.contains("1, 2, 4, 8") == true)
    for (gpus, tensor) in [(0, 1), (-1, 1), (8, 0), (1 << 40, 1), (8, Int.max)] {
      #expect(usage { try Topology(gpus: gpus, tensor: tensor) } != nil)
    }
    for order in ["", "tp", "tp-dp", "tp-tp-dp-pp", "tp-xx-dp-pp", "tp-dp-pp-"] {
      #expect(throws: StorageError.self) { try Topology.parseRankOrder(order, context: 1) }
    }
    #expect(throws: StorageError.self) { try Topology.parseRankOrder("tp-dp-pp", context: 2) }
  }

  private func usage(_ body: () throws -> Topology) -> String? {
    do {
      _ = try body()
      return nil
    } catch {
      guard case .usage(let text)? = error as? StorageError else { return nil }
      return text
    }
  }
}
