import Bytes
import Documents
import TestSupport
import Testing

@testable import Deduplication

@Suite struct SurvivorTests {
  /// Three near copies and two exact ones, of different lengths and dates.
  private func cluster() -> DocumentBatch {
    var random = SeededRandom(seed: 31)
    let words = Corpus.words(200, &random)
    let text = words.joined(separator: " ")
    let longer = (words + Corpus.words(6, &random)).joined(separator: " ")
    let shorter = words.dropLast(4).joined(separator: " ")
    var batch = DocumentBatch()
    for (id, text, created) in [
      ("a", shorter, "2021-05-01"), ("b", text, "2023-01-01T00:00:00Z"), ("c", longer, ""),
      ("d", text, "2024-02-29"),
      ("e", longer, "2019"), ("f", "another text that has nothing to do with all the rest", ""),
    ] {
      var document = Document(id: id, text: text, source: "test")
      document.created = Array(created.utf8)
      batch.append(document)
    }
    return batch
  }

  @Test(arguments: [(DeduplicationOptions.Keep.first, "a"), (.longest, "c"), (.newest, "d")])
  func `one document of a cluster stays, by policy`(keep: DeduplicationOptions.Keep, survivor: String) throws
  {
    for method in [DeduplicationOptions.Method.both, .minhash] {
      let outcome = try Corpus.run([cluster()]) {
        $0.keep = keep
        $0.method = method
      }
      #expect(outcome.kept == [survivor, "f"].sorted())
      #expect(outcome.sizes == [survivor: 5])
      #expect(outcome.drops.values.allSatisfy { $0.peer == survivor })
      #expect(outcome.drops.count == 4)
    }
  }

  @Test func `an exact copy of the survivor is exact, one of a dropped document is near`() throws {
    let outcome = try Corpus.run([cluster()]) { $0.keep = .longest }
    #expect(outcome.drops["e"]?.rule == "exact")
    #expect(outcome.drops["e"]?.value == 1)
    #expect(outcome.drops["b"]?.rule == "minhash")
    #expect(outcome.drops["d"]?.rule == "minhash")
    #expect(outcome.drops["d"]?.value == outcome.drops["b"]?.value)
    #expect((outcome.drops["d"]?.value ?? 0) > 0.9)
  }

  @Test func `the exact method finds equal texts only`() throws {
    let outcome = try Corpus.run([cluster()]) { $0.method = .exact }
    #expect(outcome.kept == ["a", "b", "c", "f"])
    #expect(outcome.sizes == ["b": 2, "c": 2])
    let newest = try Corpus.run([cluster()]) {
      $0.method = .exact
      $0.keep = .newest
    }
    #expect(newest.kept == ["a", "d", "e", "f"])
  }

  /// A corpus with many clusters of many sizes.
  private func corpus(_ count: Int) -> [(id: String, text: String)] {
    var random = SeededRandom(seed: 33)
    var texts: [[String]] = []
    return (0..<count).map { number in
      var words = Corpus.words(60, &random)
      if !texts.isEmpty, number % 3 != 0 {
        words = texts[Int.random(in: 0..<texts.count, using: &random)]
        if number % 3 == 1 { words[Int.random(in: 0..<60, using: &random)] = "changed" }
      }
      texts.append(words)
      return ("d\(number)", words.joined(separator: " "))
    }
  }

  @Test func `the memory budget changes no decision`() throws {
    let batch = Corpus.batch(corpus(3000))
    let reference = try Corpus.run([batch], memoryBytes: 256 << 20)
    #expect(reference.drops.count > 1000)
    for memory in [0, 9 << 20, 12 << 20] {
      let outcome = try Corpus.run([batch], memoryBytes: memory)
      let isEqual = outcome.decisions == reference.decisions
      #expect(isEqual, "\(memory) bytes")
    }
  }

  @Test(arguments: DeduplicationOptions.Keep.allCases)
  func `how the input is cut into units changes no survivor`(keep: DeduplicationOptions.Keep) throws {
    let documents = corpus(1000)
    let whole = try Corpus.run([Corpus.batch(documents)]) { $0.keep = keep }
    for borders in [[0, 1, 2, 500, 1000], [0, 999, 1000, 1000], [0, 0, 333, 666, 1000]] {
      let units = zip(borders, borders.dropFirst()).map { Corpus.batch(Array(documents[$0..<$1])) }
      let outcome = try Corpus.run(units) { $0.keep = keep }
      #expect(outcome.kept == whole.kept)
      #expect(outcome.sizes == whole.sizes)
      let isSame = outcome.drops.allSatisfy { id, drop in whole.drops[id].map { $0 == drop } ?? false }
      #expect(isSame && outcome.drops.count == whole.drops.count)
    }
  }

  @Test func `two hundred thousand equal documents stay linear`() throws {
    let folder = try TemporaryFolder()
    let options = DeduplicationOptions(temporaryFolder: folder("temporary"))
    let count = 200_000
    // Signed once; the block of the whole unit repeats the record.
    var one: [UInt8] = []
    SignatureWorker(options).append(
      Corpus.batch([("same", "one text that stands on every page of the web")]), to: &one)
    var block: [UInt8] = []
    block.append(word: UInt64(count))
    for _ in 0..<count { block.append(contentsOf: one[8...]) }
    try writeFile(folder("unit.sig"), block)
    let result = try BucketPhase.run(
      signatureFiles: [folder("unit.sig")], options: options, folder: folder("bucket"))
    #expect(result.counters["exact_copies"] == count - 1)
    #expect(result.candidateCount == 1)
  }

  @Test func `a bucket of many near copies gives less than two pairs a document`() throws {
    var batch = DocumentBatch()
    let document = Document(
      id: "same", text: "one text that somebody put on every page of the web", source: "test")
    for _ in 0..<4000 { batch.append(document) }
    let near = try Corpus.run([batch]) { $0.method = .minhash }
    #expect(near.counters["candidate_pairs"] == 2 * 4000 - 3)
    #expect(near.kept.count == 1)
    #expect(near.ledger.drops["minhash"]?.documents == 3999)
  }

  @Test func `no documents at all are fine`() throws {
    for units in [[], [DocumentBatch()], [DocumentBatch(), DocumentBatch()]] {
      let outcome = try Corpus.run(units)
      #expect(outcome.kept.isEmpty)
      #expect(outcome.ledger.isBalanced)
    }
  }

  @Test func `dates in all their lengths are in order`() {
    func seconds(_ text: String) -> Int64 { Timestamp.seconds(Array(text.utf8).span) }
    #expect(seconds("1970") == 0)
    #expect(seconds("1970-01-02") == 86_400)
    #expect(seconds("2024-02-29T12:30:15Z") == 1_709_209_815)
    #expect(seconds("2024-02-29 12:30:15.25+02:00") == 1_709_202_615)
    #expect(seconds("2024-02-29T12:30") == 1_709_209_800)
    #expect(seconds("1969-12-31T23:59:59Z") == -1)
    for text in ["", "yesterday", "2024-13-01", "2024-02-29T", "2024-02-29T12:30:15 and more", "20240229"] {
      #expect(seconds(text) == Timestamp.unknown, "\(text)")
    }
  }
}
