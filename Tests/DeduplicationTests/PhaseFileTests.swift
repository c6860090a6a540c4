import Bytes
import Documents
import Storage
import TestSupport
import Testing

@testable import Deduplication

@Suite struct PhaseFileTests {
  @Test func `the overlap of sorted sets equals that of plain sets`() {
    var random = SeededRandom(seed: 41)
    for _ in 0..<300 {
      let a = Set(
        (0..<Int.random(in: 0...80, using: &random)).map { _ in UInt64.random(in: 0...100, using: &random) })
      let b = Set(
        (0..<Int.random(in: 0...80, using: &random)).map { _ in UInt64.random(in: 0...100, using: &random) })
      let common = a.sorted().withUnsafeBytes { first in
        b.sorted().withUnsafeBytes { second in ShingleOverlap.count(first, second).common }
      }
      #expect(common == a.intersection(b).count)
    }
  }

  @Test func `documents of more shingles than a buffer holds are compared block by block`() throws {
    var random = SeededRandom(seed: 42)
    let words = Corpus.words(40_000, &random)
    var other = words
    for place in stride(from: 100, to: 40_000, by: 400) { other[place] = "changed" }
    let short = Array(words[..<8000])
    let batch = Corpus.batch([
      ("a", words.joined(separator: " ")), ("s", short.joined(separator: " ")),
      ("b", other.joined(separator: " ")),
    ])
    let outcome = try Corpus.run([batch])
    #expect(outcome.kept == ["a", "s"])
    let shared = 40_000 - 4 - 5 * 100
    #expect(outcome.drops["b"]?.value == Double(shared) / Double(2 * (40_000 - 4) - shared))
    #expect(outcome.drops["b"]?.peer == "a")
  }

  @Test func `components equal those of a plain search`() {
    var random = SeededRandom(seed: 43)
    for _ in 0..<50 {
      let count = 60
      let edges = (0..<Int.random(in: 0...60, using: &random)).map { _ in
        (Int.random(in: 0..<count, using: &random), Int.random(in: 0..<count, using: &random))
      }
      let components = Components(count: count)
      for (a, b) in edges { components.join(a, b) }
      var labels = Array(0..<count)
      for _ in 0..<count {
        for (a, b) in edges {
          (labels[a], labels[b]) = (min(labels[a], labels[b]), min(labels[a], labels[b]))
        }
      }
      #expect((0..<count).map { components.root($0) } == labels)
    }
  }

  @Test func `decisions are found for every range of documents`() throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 44)
    let ordinals = (0..<2000).filter { _ in Bool.random(using: &random) }.map { UInt64($0) }
    var writer = try DecisionWriter(folder: folder.path, unit: 0)
    for ordinal in ordinals {
      let id = Array("peer of \(ordinal)".utf8)
      let (kind, value) = DecisionFile.code(
        .drop(isExact: false, similarity: Double(ordinal)), idLength: id.count)
      try id.withUnsafeBytes { bytes throws in
        try writer.write(ordinal: ordinal, kind: kind, value: value, id: bytes)
      }
    }
    _ = try writer.commit()
    let reader = try DecisionReader(folder: folder.path, unit: 0)
    for range: Range<UInt64> in [
      0..<2000, 0..<0, 0..<1, 63..<64, 500..<700, 1999..<2000, 1999..<5000, 900..<900,
    ] {
      var found: [UInt64] = []
      try reader.forEach(in: range) { (ordinal, decision, id) throws(StorageError) in
        #expect(String(decoding: id, as: UTF8.self) == "peer of \(ordinal)")
        if case .drop(_, let similarity) = decision { #expect(similarity == Double(ordinal)) }
        found.append(ordinal)
      }
      #expect(found == ordinals.filter(range.contains))
    }
  }

  /// The files of a run that a later phase reads.
  private func makeWork(_ folder: TemporaryFolder) throws -> DeduplicationOptions {
    var random = SeededRandom(seed: 45)
    let words = Corpus.words(60, &random).joined(separator: " ")
    let documents = (0..<40).map {
      ("d\($0)", $0 % 4 == 0 ? words + " \($0)" : Corpus.words(30, &random).joined(separator: " "))
    }
    let options = DeduplicationOptions(temporaryFolder: folder("temporary"))
    _ = try Deduplicator.run(
      documents: [Corpus.batch(documents + documents), Corpus.batch(documents)], options: options,
      folder: folder("work"))
    return options
  }

  @Test func `damaged files between the phases are errors, never crashes`() throws {
    let folder = try TemporaryFolder()
    let options = try makeWork(folder)
    var random = SeededRandom(seed: 46)
    let names = try filesBelow(folder("work")).filter { !$0.hasSuffix(".json") && !$0.hasSuffix("index.bin") }
    #expect(names.count >= 10)
    let signatures = (0..<2).map { folder("work/signature/unit-0000\($0).sig") }
    let candidates = (0..<2).map { folder("work/candidates/unit-0000\($0).cand") }
    var failures = 0
    for name in names {
      let whole = try readFile(folder("work/" + name))
      for round in 0..<12 {
        var damaged = random.mutation(of: whole)
        if round % 3 == 0 {
          damaged = Array(whole.dropLast(Int.random(in: 1...max(1, whole.count / 2), using: &random)))
        }
        try writeFile(folder("work/" + name), damaged)
        do {
          if name.hasPrefix("signature") {
            _ = try BucketPhase.run(signatureFiles: signatures, options: options, folder: folder("other"))
          } else {
            if !name.hasSuffix(".dec") {
              _ = try ClusterPhase.run(
                bucketFolder: folder("work/bucket"), candidateFiles: candidates, options: options,
                folder: folder("other"))
            }
            let remover = try RemoveWorker(
              bucketFolder: folder("work/bucket"), clusterFolder: folder("work/cluster"), options: options)
            var (kept, dropped, ledger) = (DocumentBatch(), DocumentBatch(), Ledger())
            let documents = Corpus.batch((0..<80).map { ("x\($0)", "some text") })
            try remover.apply(documents, unit: 0, chunk: 0, kept: &kept, dropped: &dropped, ledger: &ledger)
            #expect(ledger.isBalanced)
          }
        } catch {
          failures += 1
        }
      }
      try writeFile(folder("work/" + name), whole)
    }
    #expect(failures > names.count * 3)
  }

  @Test func `another number of documents than before is an input error`() throws {
    let folder = try TemporaryFolder()
    _ = try makeWork(folder)
    let worker = try CandidateWorker(bucketFolder: folder("work/bucket"))
    var out: [UInt8] = []
    let failure = #expect(throws: StorageError.self) {
      try worker.append(Corpus.batch([("only", "one")]), unit: 0, chunk: 0, to: &out)
    }
    #expect(failure?.exitCode == 3)
    #expect(throws: StorageError.self) { try worker.append(DocumentBatch(), unit: 7, chunk: 0, to: &out) }
  }

  @Test func `nothing is left in the temporary folder`() throws {
    let folder = try TemporaryFolder()
    _ = try makeWork(folder)
    if exists(folder("temporary")) { #expect(try names(in: folder("temporary")).isEmpty) }
    #expect(!exists(folder("work/bucket/pairs-by-ordinal.bin")))
  }
}
