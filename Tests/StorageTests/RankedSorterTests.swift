import TestSupport
import Testing

@testable import Storage

@Suite struct RankedSorterTests {
  /// Records of 0 to `longest` bytes; now and then a long one.
  private func records(_ count: Int, longest: Int, seed: UInt64) -> [[UInt8]] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { number in
      let length =
        number % 50 == 7
        ? Int.random(in: 0...8 * longest, using: &random) : Int.random(in: 0...longest, using: &random)
      return (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
  }

  /// Adds records in a random order and gives what comes out.
  private func sorted(
    _ records: [[UInt8]], expected: Int64, memory: Int, seed: UInt64
  ) throws -> [[UInt8]] {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: seed)
    let sorter = try RankedSorter(
      count: records.count, expectedBytes: expected, memoryBytes: memory, temporaryFolder: folder.path)
    for rank in records.indices.shuffled(using: &random) {
      let (head, rest) = (records[rank].prefix(3), records[rank].dropFirst(3))
      let (body, tail) = (rest.prefix(5), rest.dropFirst(5))
      try head.withUnsafeBytes { head in
        try body.withUnsafeBytes { body in
          try tail.withUnsafeBytes { tail in try sorter.add(rank: rank, head, body, tail) }
        }
      }
    }
    var out: [[UInt8]] = []
    try sorter.forEach { record in out.append(Array(record)) }
    #expect(try filesBelow(folder.path).isEmpty)
    return out
  }

  @Test(arguments: [0, 1, 2, 17, 1000, 5000])
  func `records come out by rank, whatever was expected of them`(count: Int) throws {
    let records = records(count, longest: 200, seed: UInt64(count))
    let bytes = Int64(records.reduce(0) { $0 + $1.count })
    // In memory; in buckets; more than was expected, so that memory overflows and buckets are distributed again; fewer.
    for (expected, memory) in [(bytes, 1 << 24), (bytes, 1 << 16), (0, 1 << 16), (bytes * 100, 1 << 16)] {
      #expect(try sorted(records, expected: expected, memory: memory, seed: 3) == records)
    }
  }

  @Test func `buckets that are too large are distributed again, twice`() throws {
    // 8 buckets of 500 KB where 64 KiB are allowed, and again in each, for half of the records are long.
    var records = records(40_000, longest: 60, seed: 5)
    for rank in 0..<300 { records[rank] = Array(repeating: UInt8(rank % 256), count: 9000) }
    #expect(try sorted(records, expected: 0, memory: 1 << 16, seed: 4) == records)
  }

  @Test func `ranks that are missing, twice there or too large are told`() throws {
    let folder = try TemporaryFolder()
    let byte: [UInt8] = [7]
    func fill(_ ranks: [Int]) throws {
      let sorter = try RankedSorter(
        count: 3, expectedBytes: 0, memoryBytes: 0, temporaryFolder: folder.path)
      for rank in ranks { try byte.withUnsafeBytes { try sorter.add(rank: rank, $0) } }
      try sorter.forEach { _ in }
    }
    #expect(throws: Never.self) { try fill([2, 0, 1]) }
    for ranks in [[0, 1], [0, 1, 1], [0, 1, 2, 2], [0, 1, 3], [-1]] {
      #expect(throws: StorageError.self) { try fill(ranks) }
    }
  }

  @Test func `a record longer than a quarter of the memory is refused with the option that helps`() throws {
    let folder = try TemporaryFolder()
    let sorter = try RankedSorter(
      count: 1, expectedBytes: 0, memoryBytes: 1 << 16, temporaryFolder: folder.path)
    let long = [UInt8](repeating: 1, count: 1 << 15)
    do {
      try long.withUnsafeBytes { try sorter.add(rank: 0, $0) }
      Issue.record("a record of half the memory was taken")
    } catch let error as StorageError {
      #expect(error.message.contains("Raise --memory"))
    }
  }
}
