import Bytes
import Documents
import TestSupport
import Testing

@testable import Deduplication

/// What the tests of this room share.
enum Corpus {
  static func batch(_ documents: [(id: String, text: String)]) -> DocumentBatch {
    var batch = DocumentBatch()
    for document in documents { batch.append(Document(id: document.id, text: document.text, source: "test")) }
    return batch
  }

  /// Random words of a vocabulary of 40,000: texts made of them share no shingle by chance.
  static func words(_ count: Int, _ random: inout SeededRandom) -> [String] {
    (0..<count).map { _ in word(Int.random(in: 0..<40_000, using: &random)) }
  }

  static func word(_ number: Int) -> String {
    var rest = number
    var letters = "w"
    repeat {
      letters.append(Character(Unicode.Scalar(97 + UInt8(rest % 26))))
      rest /= 26
    } while rest > 0
    return letters
  }

  /// Runs all phases in a folder that goes away.
  static func run(
    _ units: [DocumentBatch], memoryBytes: Int = 64 << 20,
    _ change: (inout DeduplicationOptions) -> Void = { _ in }
  ) throws -> Outcome {
    let folder = try TemporaryFolder()
    var options = DeduplicationOptions(temporaryFolder: folder("temporary"))
    options.memoryBytes = memoryBytes
    change(&options)
    let result = try Deduplicator.run(documents: units, options: options, folder: folder("work"))
    var outcome = Outcome(result)
    for name in try filesBelow(folder("work/cluster")).filter({ $0.hasSuffix(".dec") }) {
      outcome.decisions.append(try readFile(folder("work/cluster/" + name)))
    }
    return outcome
  }
}

/// What a run decided, easy to compare.
struct Outcome {
  var kept: [String] = []
  /// Cluster sizes of survivors, by id.
  var sizes: [String: Int] = [:]
  var drops: [String: (rule: String, value: Double, peer: String)] = [:]
  var ledger: Ledger
  var counters: [String: Int] = [:]
  var decisions: [[UInt8]] = []

  init(_ result: Deduplicator.Result) {
    ledger = result.ledger
    for batch in result.kept {
      for index in 0..<batch.count {
        let document = batch.document(at: index)
        kept.append(document.id.string)
        if let json = try? JSONValue.parse(document.metadata), let size = json["cluster_size"]?.int {
          sizes[document.id.string] = size
        }
      }
    }
    for batch in result.dropped {
      for index in 0..<batch.count {
        let document = batch.document(at: index)
        guard let json = try? JSONValue.parse([123] + document.extras + [125]), let drop = json["drop"] else {
          continue
        }
        drops[document.id.string] = (
          drop["rule"]?.string ?? "", drop["value"]?.double ?? -1, drop["peer"]?.string ?? ""
        )
      }
    }
    for counter in result.counters.flatMap(\.sorted) { counters[counter.name] = counter.count }
  }
}

@Suite struct DeduplicatorTests {
  let long =
    "the quick brown fox jumps over the lazy dog while seven wizards box with gloves at dawn in spring"

  @Test func `equal texts leave the first one, with the size of its cluster`() throws {
    let outcome = try Corpus.run([
      Corpus.batch([("a", long), ("b", "short"), ("c", long)]),
      Corpus.batch([("d", "short"), ("e", long), ("f", "")]),
    ])
    #expect(outcome.kept == ["a", "b", "f"])
    #expect(outcome.sizes == ["a": 3, "b": 2])
    #expect(outcome.drops["e"]?.rule == "exact")
    #expect(outcome.drops["e"]?.peer == "a")
    #expect(outcome.drops["e"]?.value == 1)
    #expect(outcome.drops["d"]?.peer == "b")
    #expect(outcome.ledger.isBalanced)
    #expect(outcome.ledger.drops["exact"]?.documents == 3)
  }
}
