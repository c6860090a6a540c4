import Bytes
import TestSupport
import Testing

@testable import Sharding

/// Golden values: the token-store reference, "The view and the order" (computed in Python and Swift).
@Suite struct PermutationTests {
  @Test func roundKeysAreSplitMix64() {
    let expected = [
      "bdd732262feb6e95", "28efe333b266f103", "47526757130f9f52", "581ce1ff0e4ae394", "09bc585a244823f2",
      "de4431fa3c80db06",
    ]
    #expect(KeyedPermutation.roundKeys(42).map { Hex.string($0) } == expected)
  }

  static let vectors: [(count: UInt64, key: UInt64, first: [UInt64], last: UInt64)] = [
    (1, 0, [0], 0),
    (5, 42, [1, 0, 2, 4, 3], 3),
    (16, 0, [4, 6, 12, 11, 1, 8, 5, 3], 14),
    (17, 0, [1, 8, 11, 10, 16, 6, 3, 2], 12),
    (1_000, 42, [866, 242, 819, 285, 670, 583, 799, 311], 120),
    (65_536, 7, [5831, 4901, 42304, 51238, 27053, 32458, 60144, 57686], 53759),
    (65_537, 7, [33621, 16061, 40108, 24509, 29453, 2631, 45887, 14792], 22895),
    (262_145, 1, [153130, 184473, 214137, 53464, 212180, 221678, 124052, 251707], 108051),
    (
      73_242_187, 20_260_823,
      [62_349_853, 58_201_900, 24_865_425, 55_244_703, 6_133_888, 50_253_578, 71_244_815, 36_412_438],
      72_650_906
    ),
    (
      4_000_000_000, 7,
      [
        802_026_057, 148_219_059, 994_666_948, 266_888_514, 3_034_780_828, 75_951_125, 2_080_825_350,
        3_164_624_115,
      ], 338_219_175
    ),
    (
      1_099_511_627_777, 9,
      [
        483_401_255_657, 67_337_148_868, 363_588_187_806, 7_730_860_363, 484_202_359_986, 1_014_400_471_864,
        853_389_428_401, 739_900_138_260,
      ], 503_413_844_812
    ),
  ]

  @Test(arguments: vectors.indices) func mapsAsTheTableSays(row: Int) {
    let vector = Self.vectors[row]
    let permutation = KeyedPermutation(count: vector.count, key: vector.key)
    #expect((0..<UInt64(vector.first.count)).map { permutation.map($0) } == vector.first)
    #expect(permutation.map(vector.count - 1) == vector.last)
    for index in 0..<UInt64(vector.first.count) {
      #expect(permutation.inverse(permutation.map(index)) == index)
    }
  }

  static let keys:
    [(seed: UInt64, epoch: UInt64, stream: UInt64, key: String, first: [UInt64], inverse: UInt64)] = [
      (0, 0, 0, "feb92a11cb9efb3f", [783, 739, 318, 105, 933, 786], 532),
      (0, 1, 0, "13827af44b2dd6df", [131, 200, 860, 976, 101, 641], 96),
      (1, 0, 0, "b6c6d69305c357eb", [394, 955, 747, 441, 321, 136], 111),
      (1234, 0, 0, "e1d1c8fccec8900a", [192, 727, 768, 15, 366, 108], 121),
      (1234, 0, 1, "8ca178c5a8893025", [385, 413, 212, 600, 763, 386], 640),
    ]

  @Test(arguments: keys.indices) func keysAreDerivedByHash(row: Int) {
    let vector = Self.keys[row]
    let key = OrderKey.derive(seed: vector.seed, epoch: vector.epoch, stream: vector.stream)
    #expect(Hex.string(key) == vector.key)
    let permutation = KeyedPermutation(count: 1000, key: key)
    #expect((0..<6).map { permutation.map($0) } == vector.first)
    #expect(permutation.inverse(0) == vector.inverse)
  }

  @Test func isABijectionForEverySmallDomain() {
    for count in UInt64(1)...5_000 { checkWhole(count, key: count &* 77) }
  }

  @Test func isABijectionAroundPowersOfTwo() {
    for exponent in 9...14 {
      let power = UInt64(1) << UInt64(exponent)
      for count in [power - 1, power, power + 1] { checkWhole(count, key: count) }
    }
    for exponent in [16, 18, 20] {
      let power = UInt64(1) << UInt64(exponent)
      for count in [power - 1, power, power + 1] { checkWhole(count, key: 5) }
    }
  }

  @Test func invertsRandomIndicesOfHugeDomains() {
    var random = SeededRandom(seed: 11)
    for _ in 0..<20_000 {
      let count = max(2, random.next() >> UInt64.random(in: 1..<63, using: &random))
      let permutation = KeyedPermutation(count: count, key: random.next())
      let index = random.next() % count
      let value = permutation.map(index)
      #expect(value < count && permutation.inverse(value) == index)
    }
  }

  @Test func epochsHaveDifferentOrders() {
    for count in [UInt64(64), 100, 4097] {
      let first = KeyedPermutation(count: count, seed: 3, epoch: 0)
      let second = KeyedPermutation(count: count, seed: 3, epoch: 1)
      #expect((0..<count).contains { first.map($0) != second.map($0) })
    }
  }

  @Test func blocksMapAsSingleIndicesDo() {
    var values: [UInt64] = []
    for count: UInt64 in [1, 2, 3, 4, 5, 17, 64, 65, 1_000, 4_097, 262_145] {
      let permutation = KeyedPermutation(count: count, key: count &* 31)
      for range in [0..<count, count / 3..<count / 2, count - 1..<count, count / 2..<count / 2] {
        permutation.map(range, into: &values)
        #expect(values == range.map { permutation.map($0) }, "\(range) of \(count)")
      }
    }
  }

  @Test func ordersMapBlocksAsSingleIndicesDo() {
    var values: [UInt64] = []
    for shuffle in [View.Shuffle.permutation, .blocks(block: 4, window: 2)] {
      for count in [1, 22, 1_000] {
        var order = SequenceOrder(count: count, seed: 0, epoch: 1, shuffle: shuffle)
        for range in [0..<count, count / 3..<count - 1 + count % 2] where !range.isEmpty {
          order.map(range, into: &values)
          #expect(values == range.map { UInt64(order.map($0)) })
        }
      }
    }
  }

  private func checkWhole(_ count: UInt64, key: UInt64) {
    let permutation = KeyedPermutation(count: count, key: key)
    var seen = [Bool](repeating: false, count: Int(count))
    var isGood = true
    for index in 0..<count {
      let value = permutation.map(index)
      guard value < count, !seen[Int(value)], permutation.inverse(value) == index else {
        isGood = false
        break
      }
      seen[Int(value)] = true
    }
    #expect(isGood, "not a bijection of \(count)")
  }
}
