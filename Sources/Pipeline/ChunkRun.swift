import Documents
import Storage
import Synchronization

/// Takes what workers made, in the order of the chunks; one call at a time.
protocol ChunkSink: AnyObject, SendableMetatype {
  associatedtype Product: Sendable
  func emit(_ product: Product, of unit: Unit) throws(StorageError)
  /// All chunks of the unit were emitted. `endOffset`: where the next unit of its file starts.
  func finish(_ unit: Unit, endOffset: Int64) throws(StorageError)
}

/// A chunk on its way to a worker.
struct ChunkContext {
  var unit: Unit
  /// Number of the chunk within its unit.
  var chunk: Int
}

/// Runs units through workers: one reader at a time cuts records in order, any worker parses a chunk, and products are emitted
/// strictly in the order of the chunks. So nothing that is written depends on the number of workers.
///
/// Back-pressure: a worker that is more than `windowPerWorker` chunks ahead of the emitter waits.
final class ChunkRun<Sink: ChunkSink> {
  typealias Open = @Sendable (_ unit: Unit, _ from: Int64) throws(StorageError) -> any RecordReader
  typealias Work = (_ chunk: borrowing RecordChunk, _ context: ChunkContext) throws(StorageError) ->
    Sink.Product

  private static var windowPerWorker: Int { 2 }

  private enum Event {
    case product(Sink.Product)
    case end(Int64)
  }

  /// All mutable state, guarded by its two monitors.
  // SAFETY (unchecked): `reading` members are used with the source lock held, `emitting` members with the emit lock held; the
  // sink is called by one thread at a time, whoever set `isEmitting`.
  private final class State: @unchecked Sendable {
    let source = Monitor()
    let emit = Monitor()
    let sink: Sink
    let units: [Unit]
    let streamUnitBytes: Int64?
    // reading
    var position = 0
    var reader: (any RecordReader)?
    var chunkNumber = 0
    var streamBytes: Int64 = 0
    var streamIndex = 0
    var ends: [Int: Int64]
    var sequence = 0
    var isStopped = false
    var lastReader: (any RecordReader)?
    // emitting
    var nextSequence = 0
    var isEmitting = false
    var waiting: [Int: (Unit, Event)] = [:]
    var failure: StorageError?

    init(_ sink: Sink, _ units: [Unit], _ ends: [Int: Int64], _ streamUnitBytes: Int64?) {
      self.sink = sink
      self.units = units
      self.ends = ends
      self.streamUnitBytes = streamUnitBytes
    }
  }

  private let state: State
  private let open: Open

  /// - Parameters:
  ///   - units: what is to be done, in order (a resumed run leaves out what is done).
  ///   - knownEnds: end offsets of units already done, by index.
  ///   - streamUnitBytes: for standard input, the decoded bytes after which a new unit begins.
  init(
    units: [Unit], knownEnds: [Int: Int64] = [:], streamUnitBytes: Int64? = nil, sink: Sink,
    open: @escaping Open
  ) {
    state = State(sink, units, knownEnds, streamUnitBytes)
    self.open = open
  }

  /// The reader of the last input: tells whether a marked stream was whole.
  var lastReader: (any RecordReader)? { state.lastReader }

  /// Runs until all is emitted. `makeWorker` is called once in each thread.
  func run(workers: Int, makeWorker: @escaping @Sendable () throws(StorageError) -> Work) throws(StorageError)
  {
    let state = state
    let open = open
    let window = workers * ChunkRun.windowPerWorker
    try Threads.run(workers) { _ in
      do throws(StorageError) {
        let work = try makeWorker()
        var chunk = RecordChunk()
        while let (context, sequence, end) = try ChunkRun.take(state, open, &chunk) {
          let event: Event = if let end { .end(end) } else { .product(try work(chunk, context)) }
          try ChunkRun.deliver(state, context.unit, event, sequence, window)
        }
      } catch {
        ChunkRun.fail(state, error)
      }
    }
    if let failure = state.failure { throw failure }
    if Interruption.isRequested { throw .interrupted }
  }

  /// The next chunk in order, or the end of a unit; nil when nothing is left.
  private static func take(
    _ state: State, _ open: Open, _ chunk: inout RecordChunk
  ) throws(StorageError) -> (ChunkContext, Int, Int64?)? {
    state.source.lock()
    defer { state.source.unlock() }
    if Interruption.isRequested { throw .interrupted }
    guard !state.isStopped, state.position < state.units.count else { return nil }
    var unit = state.units[state.position]
    if let streamUnitBytes = state.streamUnitBytes {
      unit.index = state.streamIndex
      if state.streamBytes >= streamUnitBytes {
        state.streamBytes = 0
        state.streamIndex += 1
        state.chunkNumber = 0
        return next(state, unit, end: 0)
      }
    }
    let reader: any RecordReader
    if let current = state.reader {
      reader = current
    } else {
      let from = unit.isFirstOfFile ? 0 : state.ends[unit.index - 1] ?? unit.from
      if let to = unit.to, from >= to { return endUnit(state, unit, from) }
      if !unit.isFirstOfFile, let size = unit.input.size, from >= size { return endUnit(state, unit, from) }
      reader = try open(unit, from)
      state.reader = reader
      state.lastReader = reader
      state.chunkNumber = 0
    }
    chunk.removeAll()
    chunk.file = unit.input.name
    let hasMore = try reader.next(&chunk)
    if hasMore || !chunk.records.isEmpty || !chunk.defects.isEmpty {
      state.streamBytes += Int64(chunk.bytes.count)
      let context = ChunkContext(unit: unit, chunk: state.chunkNumber)
      state.chunkNumber += 1
      state.sequence += 1
      return (context, state.sequence - 1, nil)
    }
    return endUnit(state, unit, reader.endOffset)
  }

  private static func endUnit(_ state: State, _ unit: Unit, _ end: Int64) -> (ChunkContext, Int, Int64?) {
    state.ends[unit.index] = end
    state.reader = nil
    state.position += 1
    state.chunkNumber = 0
    return next(state, unit, end: end)
  }

  private static func next(_ state: State, _ unit: Unit, end: Int64) -> (ChunkContext, Int, Int64?) {
    state.sequence += 1
    return (ChunkContext(unit: unit, chunk: 0), state.sequence - 1, end)
  }

  /// Hands a product to the emitter; whoever finds the next one ready emits until one is missing.
  private static func deliver(
    _ state: State, _ unit: Unit, _ event: Event, _ sequence: Int, _ window: Int
  ) throws(StorageError) {
    let monitor = state.emit
    monitor.lock()
    defer { monitor.unlock() }
    while sequence >= state.nextSequence + window, state.failure == nil { monitor.wait() }
    if let failure = state.failure { throw failure }
    state.waiting[sequence] = (unit, event)
    if state.isEmitting { return }
    state.isEmitting = true
    defer { state.isEmitting = false }
    while state.failure == nil, let (unit, event) = state.waiting.removeValue(forKey: state.nextSequence) {
      monitor.unlock()
      do throws(StorageError) {
        switch event {
        case .product(let product): try state.sink.emit(product, of: unit)
        case .end(let offset): try state.sink.finish(unit, endOffset: offset)
        }
        monitor.lock()
      } catch {
        monitor.lock()
        throw error
      }
      state.nextSequence += 1
      monitor.wakeAll()
    }
  }

  private static func fail(_ state: State, _ error: StorageError) {
    state.source.lock()
    state.isStopped = true
    state.source.unlock()
    state.emit.lock()
    if state.failure == nil { state.failure = error }
    state.emit.wakeAll()
    state.emit.unlock()
  }
}
