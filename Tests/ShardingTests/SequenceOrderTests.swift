import TestSupport
import Testing

@testable import Sharding

@Suite struct SequenceOrderTests {
  private func all(_ order: SequenceOrder) -> [Int] {
    var order = order
    return (0..<order.count).map { order.map($0) }
  }

  /// The example of the reference: 22 sequences, blocks of 4, windows of 2 blocks, seed 0.
  @Test func blocksReadAsInTheReference() {
    let order = SequenceOrder(count: 22, seed: 0, epoch: 0, shuffle: .blocks(block: 4, window: 2))
    #expect(
      all(order) == [
        12, 19, 16, 14, 15, 17, 18, 13, 3, 2, 1, 0, 21, 20, 8, 5, 11, 7, 6, 10, 9, 4,
      ])
  }

  /// Plain: list the blocks in their order, join each window, permute inside.
  private func plain(_ count: Int, _ block: Int, _ window: Int, seed: Int, epoch: Int, kind: Int) -> [Int] {
    let stream = UInt64(kind) << 40
    func permutation(_ count: Int, _ offset: UInt64) -> KeyedPermutation {
      KeyedPermutation(
        count: UInt64(count), seed: UInt64(seed), epoch: UInt64(epoch), stream: stream + offset)
    }
    let blocks = (count + block - 1) / block
    let order = permutation(blocks, 1)
    var result: [Int] = []
    var number = 0
    while number * window < blocks {
      var joined: [Int] = []
      for slot in number * window..<min(blocks, (number + 1) * window) {
        let first = Int(order.map(UInt64(slot))) * block
        joined += Array(first..<min(count, first + block))
      }
      let inside = permutation(joined.count, 1 << 32 + UInt64(number))
      result += joined.indices.map { joined[Int(inside.map(UInt64($0)))] }
      number += 1
    }
    return result
  }

  @Test func anyBlocksAreThePlainListAndInvertible() {
    var random = SeededRandom(seed: 11)
    for round in 0..<400 {
      let count = Int.random(in: 1...(round < 200 ? 60 : 2000), using: &random)
      let block = Int.random(in: 1...40, using: &random)
      let window = Int.random(in: 1...9, using: &random)
      let (seed, epoch, kind) = (round % 7, round % 3, round % 4)
      var order = SequenceOrder(
        count: count, seed: seed, epoch: epoch, class: kind, shuffle: .blocks(block: block, window: window))
      let expected = plain(count, block, window, seed: seed, epoch: epoch, kind: kind)
      #expect(all(order) == expected, "\(count) \(block) \(window)")
      #expect(expected.sorted() == Array(0..<count))
      for (index, sequence) in expected.enumerated() { #expect(order.inverse(sequence) == index) }
    }
  }

  @Test func classesAndEpochsHaveOrdersOfTheirOwn() {
    for shuffle in [View.Shuffle.permutation, .blocks(block: 8, window: 2)] {
      let orders = [(0, 0), (1, 0), (0, 1)].map {
        all(SequenceOrder(count: 500, seed: 3, epoch: $0.0, class: $0.1, shuffle: shuffle))
      }
      #expect(orders[0] != orders[1] && orders[0] != orders[2] && orders[1] != orders[2])
    }
  }
}
