import Bytes
import Documents
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// Counts the calls of all readers of a run and fails at one of them: what a kill leaves behind, at a place of choice.
private final class Fault: Sendable {
  private let state: Mutex<(calls: Int, opened: [Int])>
  let failsAt: Int?

  init(failsAt: Int?) {
    self.failsAt = failsAt
    state = Mutex((0, []))
  }

  var calls: Int { state.withLock { $0.calls } }
  var opened: [Int] { state.withLock { $0.opened } }

  func open(_ unit: Int) { state.withLock { $0.opened.append(unit) } }

  func step() throws(StorageError) {
    let call = state.withLock { state in
      state.calls += 1
      return state.calls - 1
    }
    if call == failsAt { throw .interrupted }
  }
}

private final class FaultyReader: RecordReader {
  private let inner: any RecordReader
  private let fault: Fault

  init(_ inner: any RecordReader, _ fault: Fault) {
    self.inner = inner
    self.fault = fault
  }

  func next(_ chunk: inout RecordChunk) throws(StorageError) -> Bool {
    try fault.step()
    return try inner.next(&chunk)
  }

  var endOffset: Int64 { inner.endOffset }
}

/// Drops every document whose number divides by three.
private final class DropThirds: DocumentTransform {
  func apply(
    _ input: borrowing DocumentBatch, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger
  ) {
    for index in 0..<input.count {
      let document = input.document(at: index)
      ledger.countIn(language: nil, textBytes: document.text.count)
      if (Int(document.id.string) ?? 0) % 3 == 0 {
        dropped.append(from: input, index, extraMembers: Drop(stage: "thirds", rule: "third").member)
        ledger.drop(rule: "third", textBytes: document.text.count)
      } else {
        kept.append(from: input, index)
        ledger.countOut(language: nil, source: document.source.string, textBytes: document.text.count)
      }
    }
  }
}

@Suite struct ResumeTests {
  let temporary: TemporaryFolder

  init() throws {
    temporary = try TemporaryFolder()
    var number = 0
    for (file, count) in [("a", 5), ("b", 40), ("c", 0), ("d", 12)] {
      var lines = ""
      for _ in 0..<count {
        lines += #"{"id":"\#(number)","text":"text number \#(number)","source":"s"}"# + "\n"
        number += 1
      }
      if file == "d" { lines += "not json\n" }
      try writeFile(temporary("in/\(file).jsonl"), lines)
    }
  }

  private func run(_ folder: String, _ mode: RunOptions.Mode, workers: Int, _ fault: Fault) throws
    -> [StageOutcome]
  {
    var options = RunOptions()
    options.workers = workers
    options.mode = mode
    options.isQuiet = true
    // The second file is cut into ranges.
    options.unitBytes = 700
    let chosen = options
    let documents = try DocumentInputs([temporary("in")])
    var input = MapInput(documents: documents, options: options)
    input.open = { (unit, from) throws(StorageError) in
      fault.open(unit.index)
      return FaultyReader(try documents.open(unit, from: from, options: chosen), fault)
    }
    let steps = [
      MapStep(name: "read", folder: folder + "/read", options: ["x": 1], makeTransform: nil),
      MapStep(name: "thirds", folder: folder + "/thirds", options: .null) { () throws(StorageError) in
        DropThirds()
      },
    ]
    return try MapRun(input: input, steps: steps, writesStandardOutput: false, options: options).run()
  }

  @Test(arguments: [1, 3])
  func `a map run stopped at any step and resumed gives the tree of an uninterrupted one`(
    workers: Int
  ) throws {
    let sound = Fault(failsAt: nil)
    let outcomes = try run(temporary("whole"), .fresh, workers: 2, sound)
    #expect(outcomes.map(\.ledger.documentsIn) == [58, 57])
    #expect(outcomes.map(\.ledger.documentsOut) == [57, 38])
    let wanted = try outputTree(temporary("whole"))
    let units = sound.opened.count
    #expect(units > 5)
    for place in 0..<sound.calls {
      let folder = temporary("run-\(place)")
      #expect(throws: StorageError.interrupted) {
        try run(folder, .fresh, workers: workers, Fault(failsAt: place))
      }
      #expect(!exists(folder + "/thirds/manifest.json"))
      // Stopped once more while resuming, then to the end.
      _ = try? run(folder, .resume, workers: workers, Fault(failsAt: 2))
      let entries = (try? names(in: folder + "/thirds/journal/map"))?.count
      let done = exists(folder + "/thirds/manifest.json") ? units : entries ?? 0
      let last = Fault(failsAt: nil)
      let resumed = try run(folder, .resume, workers: workers, last)
      #expect(last.opened.count == units - done, "a finished unit was done again")
      #expect(resumed.map(\.ledger) == outcomes.map(\.ledger))
      #expect(try outputTree(folder) == wanted, "stopped at step \(place)")
      #expect(try filesBelow(folder).filter { $0.contains("journal") || $0.contains(".tmp") } == [])
    }
  }

  @Test func `a run resumed after its end changes nothing and gives the same counts`() throws {
    let folder = temporary("out")
    let outcomes = try run(folder, .fresh, workers: 2, Fault(failsAt: nil))
    let tree = try outputTree(folder)
    let fault = Fault(failsAt: nil)
    let again = try run(folder, .resume, workers: 1, fault)
    #expect(again.map(\.ledger) == outcomes.map(\.ledger))
    #expect(fault.opened.isEmpty)
    #expect(try outputTree(folder) == tree)
  }

  @Test func `a run stopped between the manifests of two fused stages is finished with the same counts`()
    throws
  {
    let folder = temporary("out")
    let outcomes = try run(folder, .fresh, workers: 2, Fault(failsAt: nil))
    let tree = try outputTree(folder)
    // As a kill leaves it that came when the first stage was published: the second has no manifest yet, and a journal.
    let partial = temporary("partial")
    #expect(throws: StorageError.interrupted) { try run(partial, .fresh, workers: 1, Fault(failsAt: 3)) }
    removeTree(partial + "/read")
    _ = try shell("cp -r '\(folder)/read' '\(partial)/read'")
    let resumed = try run(partial, .resume, workers: 1, Fault(failsAt: nil))
    #expect(resumed.map(\.ledger) == outcomes.map(\.ledger))
    #expect(try outputTree(partial) == tree)
  }

  // MARK: Phases over documents

  private func phase(_ folder: String, _ mode: RunOptions.Mode, failsAt: Int?) throws -> (
    texts: [String], units: [Int]
  ) {
    var options = RunOptions()
    options.workers = 3
    options.mode = mode
    options.isQuiet = true
    options.unitBytes = 700
    let stage = try StageFolder(folder, plan: ["p": 1], mode: mode)
    let phase = DocumentPhase<String>(
      "ids", folder: stage, inputs: try DocumentInputs([temporary("in")]), options: options)
    var text = ""
    var events = 0
    var units: [Int] = []
    func step() throws(StorageError) {
      if events == failsAt { throw .full(path: "x", written: 0) }
      events += 1
    }
    let (details, isComplete) = try phase.run(
      emit: { (product, _) throws(StorageError) in
        try step()
        text += product
        return Ledger()
      },
      finish: { (unit) throws(StorageError) in
        try step()
        units.append(unit.index)
        defer { text = "" }
        return (
          [try OutputFile.write(Array(text.utf8), folder: folder, name: "journal/ids/\(unit.index).txt")],
          [.init("text", .string(text))]
        )
      },
      makeWorker: { () throws(StorageError) in
        { (batch, _, _) throws(StorageError) in
          (0..<batch.count).map { batch.document(at: $0).id.string + " " }.joined()
        }
      })
    #expect(isComplete)
    return (details.map { $0["text"]?.string ?? "" }, units)
  }

  @Test func `a phase stopped at any event and resumed gives the details of an uninterrupted one`() throws {
    let whole = try phase(temporary("phase"), .fresh, failsAt: nil)
    #expect(whole.texts.joined() == (0..<57).map { "\($0) " }.joined())
    for place in 0..<100 {
      let folder = temporary("phase-\(place)")
      guard (try? phase(folder, .fresh, failsAt: place)) == nil else {
        #expect(place > whole.units.count)
        return
      }
      let resumed = try phase(folder, .resume, failsAt: nil)
      #expect(resumed.texts == whole.texts, "stopped at event \(place)")
      #expect(whole.units.suffix(resumed.units.count) == resumed.units[...])
    }
    Issue.record("the phase never came to its end")
  }
}
