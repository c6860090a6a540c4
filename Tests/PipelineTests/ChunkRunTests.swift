import Documents
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// Gives chunks of one record each: `unit/chunk`.
private final class CountingReader: RecordReader {
  private let unit: Unit
  private let chunks: Int
  private var given = 0
  private let failsAt: Int?
  private(set) var endOffset: Int64 = 0

  init(_ unit: Unit, chunks: Int, failsAt: Int? = nil) {
    self.unit = unit
    self.chunks = chunks
    self.failsAt = failsAt
  }

  func next(_ chunk: inout RecordChunk) throws(StorageError) -> Bool {
    if given == failsAt { throw .input(path: unit.input.path, reason: "no more of this") }
    guard given < chunks else {
      endOffset = Int64(1000 + unit.index)
      return false
    }
    chunk.bytes = Array("\(unit.index)/\(given)".utf8)
    chunk.records = [.init(range: 0..<chunk.bytes.count, offset: Int64(given))]
    given += 1
    return true
  }
}

/// Notes what it is given, and throws where it is told to.
private final class NotingSink: ChunkSink {
  var events: [String] = []
  var failsAt: Int?

  private func note(_ event: String) throws(StorageError) {
    if events.count == failsAt { throw .full(path: "sink", written: 0) }
    events.append(event)
  }

  func emit(_ product: String, of unit: Unit) throws(StorageError) { try note(product) }
  func finish(_ unit: Unit, endOffset: Int64) throws(StorageError) {
    try note("end \(unit.index) at \(endOffset)")
  }
}

@Suite struct ChunkRunTests {
  static func units(_ count: Int) -> [Unit] {
    (0..<count).map {
      Unit(index: $0, input: InputFile(path: "f\($0)", name: "f\($0)", size: 10), from: 0, to: nil)
    }
  }

  static let chunkCounts = [3, 0, 1, 17, 0, 40, 2]

  static var wanted: [String] {
    chunkCounts.enumerated().flatMap { unit, count in
      (0..<count).map { "\(unit)/\($0)" } + ["end \(unit) at \(1000 + unit)"]
    }
  }

  /// Runs units whose work takes times of chance.
  private static func run(
    _ sink: NotingSink, workers: Int, seed: UInt64, readFailure: Int? = nil, workFailure: String? = nil
  ) throws -> [String] {
    let run = ChunkRun(units: units(chunkCounts.count), sink: sink) { (unit, _) throws(StorageError) in
      CountingReader(unit, chunks: chunkCounts[unit.index], failsAt: unit.index == 5 ? readFailure : nil)
    }
    let threads = Mutex(seed)
    try run.run(workers: workers) { () throws(StorageError) in
      var random = SeededRandom(
        seed: threads.withLock {
          $0 += 1; return $0
        })
      return { (chunk, context) throws(StorageError) in
        let pause = Int.random(in: 0...400, using: &random)
        let until = monotonicSeconds() + Double(pause) / 1e6
        while monotonicSeconds() < until {}
        let text = chunk.bytes.string
        if text == workFailure { throw .bug("worker failed at \(text)") }
        if !text.hasPrefix("\(context.unit.index)/\(context.chunk)") { throw .bug("wrong context") }
        return text
      }
    }
    return sink.events
  }

  @Test(arguments: [1, 2, 7]) func `products come in the order of the chunks with any number of workers`(
    workers: Int
  )
    throws
  {
    for seed in 0..<10 {
      #expect(try Self.run(NotingSink(), workers: workers, seed: UInt64(seed)) == Self.wanted)
    }
  }

  @Test(arguments: [1, 2, 7]) func `a sink that fails at any event ends the run with its error`(workers: Int)
    throws
  {
    for place in 0..<Self.wanted.count {
      let sink = NotingSink()
      sink.failsAt = place
      let error = #expect(throws: StorageError.self) { try Self.run(sink, workers: workers, seed: 1) }
      #expect(error == .full(path: "sink", written: 0))
      #expect(sink.events == Array(Self.wanted[..<place]))
    }
  }

  @Test(arguments: [1, 2, 7]) func `a reader or a worker that fails ends the run with its error`(workers: Int)
    throws
  {
    for place in [0, 1, 20, 40] {
      let sink = NotingSink()
      let error = #expect(throws: StorageError.self) {
        try Self.run(sink, workers: workers, seed: 2, readFailure: place)
      }
      #expect(error == .input(path: "f5", reason: "no more of this"))
      #expect(Self.wanted.starts(with: sink.events))
      let other = NotingSink()
      let bug = #expect(throws: StorageError.self) {
        try Self.run(other, workers: workers, seed: 3, workFailure: "5/\(min(place, 39))")
      }
      #expect(bug?.exitCode == 70)
      #expect(Self.wanted.starts(with: other.events))
    }
  }

  @Test func `a worker that cannot be made ends the run`() {
    let sink = NotingSink()
    let run = ChunkRun(units: Self.units(3), sink: sink) { (unit, _) throws(StorageError) in
      CountingReader(unit, chunks: 100)
    }
    let error = #expect(throws: StorageError.self) {
      try run.run(workers: 3) { () throws(StorageError) in throw .usage("no worker") }
    }
    #expect(error == .usage("no worker"))
  }

  @Test func `a fast worker waits for a slow one, so that little is held`() throws {
    let alive = Mutex((now: 0, most: 0))
    final class SlowSink: ChunkSink {
      let emitted: @Sendable () -> Void
      init(_ emitted: @escaping @Sendable () -> Void) { self.emitted = emitted }
      func emit(_ product: Int, of unit: Unit) throws(StorageError) { emitted() }
      func finish(_ unit: Unit, endOffset: Int64) throws(StorageError) {}
    }
    let sink = SlowSink { alive.withLock { $0.now -= 1 } }
    let run = ChunkRun(units: Self.units(1), sink: sink) { (unit, _) throws(StorageError) in
      CountingReader(unit, chunks: 300)
    }
    try run.run(workers: 4) { () throws(StorageError) in
      { (_, context) throws(StorageError) in
        alive.withLock {
          $0.now += 1
          $0.most = max($0.most, $0.now)
        }
        if context.chunk % 50 == 0 {
          let until = monotonicSeconds() + 0.02
          while monotonicSeconds() < until {}
        }
        return context.chunk
      }
    }
    // Two chunks a worker may wait for the emitter, and each worker may hold one more.
    #expect(alive.withLock { $0.most } <= 4 * 2 + 4)
    #expect(alive.withLock { $0.now } == 0)
  }

  @Test func `standard input gets a new unit behind every so many bytes`() throws {
    let sink = NotingSink()
    let stdin = Unit(index: 0, input: .standardInput, from: 0, to: nil)
    let run = ChunkRun(units: [stdin], streamUnitBytes: 7, sink: sink) { (unit, _) throws(StorageError) in
      CountingReader(unit, chunks: 8)
    }
    try run.run(workers: 3) { () throws(StorageError) in
      { (chunk, context) throws(StorageError) in
        "\(context.unit.index):\(context.chunk) \(chunk.bytes.string)"
      }
    }
    #expect(
      sink.events == [
        "0:0 0/0", "0:1 0/1", "0:2 0/2", "end 0 at 0", "1:0 0/3", "1:1 0/4", "1:2 0/5", "end 1 at 0",
        "2:0 0/6",
        "2:1 0/7", "end 2 at 1000",
      ])
  }
}
