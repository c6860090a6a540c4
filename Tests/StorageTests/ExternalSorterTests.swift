import TestSupport
import Testing

@testable import Storage

@Suite struct ExternalSorterTests {
  /// A record of the tests.
  struct Item: Equatable {
    var key: [UInt8]
    var payload: [UInt8]
  }

  /// What the sorter returns for `items`.
  static func sorted(_ items: [Item], memoryBytes: Int, rounds: inout Int) throws -> [Item] {
    let folder = try TemporaryFolder()
    let sorter = ExternalSorter(memoryBytes: memoryBytes, temporaryFolder: folder.path)
    for item in items { try add(item, to: sorter) }
    let records = try sorter.sorted()
    var found: [Item] = []
    while let record = try records.next() {
      found.append(Item(key: Array(record.key), payload: Array(record.payload)))
    }
    rounds = sorter.roundCount
    #expect(try names(in: folder.path).isEmpty)
    return found
  }

  static func add(_ item: Item, to sorter: ExternalSorter) throws {
    try item.key.withUnsafeBytes { key throws in
      try item.payload.withUnsafeBytes { payload throws in try sorter.add(key: key, payload: payload) }
    }
  }

  /// The plain reference: a stable sort in memory.
  static func reference(_ items: [Item]) -> [Item] {
    items.enumerated().sorted { a, b in
      if a.element.key == b.element.key { return a.offset < b.offset }
      return a.element.key.lexicographicallyPrecedes(b.element.key)
    }.map(\.element)
  }

  enum Shape: CaseIterable {
    case random16, fewKeys, oneKey, anyLength, longPrefix, ascending, descending, empty
  }

  static func items(_ shape: Shape, count: Int, random: inout SeededRandom) -> [Item] {
    (0..<count).map { index in
      let payload = Array("\(index)".utf8)
      let key: [UInt8]
      switch shape {
      case .random16: key = random.bytes(16)
      case .fewKeys: key = [UInt8.random(in: 0..<5, using: &random), 7]
      case .oneKey: key = Array("always the same key".utf8)
      case .anyLength:
        key = (0..<Int.random(in: 0...12, using: &random)).map { _ in UInt8.random(in: 0...2, using: &random)
        }
      case .longPrefix:
        key = Array("a common beginning".utf8) + random.bytes(Int.random(in: 0...3, using: &random))
      case .ascending: key = withUnsafeBytes(of: UInt32(index).bigEndian) { Array($0) }
      case .descending: key = withUnsafeBytes(of: UInt32(count - index).bigEndian) { Array($0) }
      case .empty: return Item(key: [], payload: index % 3 == 0 ? [] : payload)
      }
      return Item(key: key, payload: payload)
    }
  }

  @Test(arguments: Shape.allCases)
  func `every size and budget gives what a stable sort in memory gives`(shape: Shape) throws {
    var random = SeededRandom(seed: 11)
    for count in [0, 1, 2, 23, 24, 25, 26, 100, 1000, 5000] {
      let items = Self.items(shape, count: count, random: &random)
      let expected = Self.reference(items)
      for memory in [0, 20_000, 100_000, 4 << 20] {
        var rounds = 0
        let found = try Self.sorted(items, memoryBytes: memory, rounds: &rounds)
        let isEqual = found == expected
        #expect(isEqual, "\(shape), \(count) records, \(memory) bytes")
      }
    }
  }

  @Test func `a small budget merges in rounds and keeps the order of arrival`() throws {
    var random = SeededRandom(seed: 3)
    let items = (0..<30_000).map { index in
      Item(key: [UInt8.random(in: 0..<3, using: &random)], payload: Array("\(index)".utf8))
    }
    var rounds = 0
    let found = try Self.sorted(items, memoryBytes: 16 << 10, rounds: &rounds)
    #expect(rounds >= 1)
    let isEqual = found == Self.reference(items)
    #expect(isEqual)
  }

  @Test func `long records among short ones survive spills`() throws {
    var random = SeededRandom(seed: 5)
    let items = (0..<3000).map { index in
      let length = index % 50 == 0 ? Int.random(in: 2000...15_000, using: &random) : 9
      return Item(key: random.bytes(index % 100 == 0 ? length : 6), payload: random.bytes(length))
    }
    var rounds = 0
    let found = try Self.sorted(items, memoryBytes: 128 << 10, rounds: &rounds)
    let isEqual = found == Self.reference(items)
    #expect(isEqual)
  }

  @Test func `a record longer than a quarter of the memory is refused and says so`() throws {
    let folder = try TemporaryFolder()
    let sorter = ExternalSorter(memoryBytes: 64 << 10, temporaryFolder: folder.path)
    for _ in 0..<40 { try Self.add(Item(key: [1], payload: [UInt8](repeating: 0, count: 1000)), to: sorter) }
    let long = Item(key: [1], payload: [UInt8](repeating: 0, count: 64 << 10))
    let failure = #expect(throws: StorageError.self) { try Self.add(long, to: sorter) }
    #expect(failure?.exitCode == 2)
    #expect(failure?.message.contains("Raise --memory") == true)
  }

  @Test func `an unusable temporary folder is an output error once memory is full`() throws {
    let folder = try TemporaryFolder()
    try writeFile(folder("file"), "no folder")
    let sorter = ExternalSorter(memoryBytes: 0, temporaryFolder: folder("file"))
    let failure = #expect(throws: StorageError.self) {
      for _ in 0..<4000 { try Self.add(Item(key: [1, 2, 3], payload: [4]), to: sorter) }
    }
    #expect(failure?.exitCode == 4)
  }

  @Test func `keys in an order that is bad for quicksort stay fast`() throws {
    // Equal prefixes force comparisons; organ pipes and runs are the classic killers of a median of three.
    for pattern in 0..<3 {
      let count = 20_000
      let items = (0..<count).map { index -> Item in
        let value = [
          index < count / 2 ? index : count - index, index % 2 == 0 ? index : count - index, count - index,
        ][pattern]
        return Item(
          key: [UInt8](repeating: 0, count: 8) + withUnsafeBytes(of: UInt32(value).bigEndian) { Array($0) },
          payload: [])
      }
      var rounds = 0
      let found = try Self.sorted(items, memoryBytes: 8 << 20, rounds: &rounds)
      #expect(zip(found, found.dropFirst()).allSatisfy { !$1.key.lexicographicallyPrecedes($0.key) })
      #expect(found.count == count)
    }
  }

  @Test func `a sorter can be filled again after it was emptied`() throws {
    let folder = try TemporaryFolder()
    let sorter = ExternalSorter(memoryBytes: 0, temporaryFolder: folder.path)
    for round in 0..<3 {
      for index in (0..<2000).reversed() {
        try Self.add(
          Item(key: withUnsafeBytes(of: UInt32(index).bigEndian) { Array($0) }, payload: [UInt8(round)]),
          to: sorter)
      }
      #expect(sorter.count == 2000)
      let records = try sorter.sorted()
      var seen = 0
      while let record = try records.next() {
        #expect(record.payload[0] == UInt8(round))
        seen += 1
      }
      #expect(seen == 2000)
    }
  }
}
