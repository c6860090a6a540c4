import Bytes
import Documents
import Storage
import TestSupport
import Testing

@testable import Tokenization

@Suite struct TokenTransformTests {
  /// The documents of some lines.
  static func batch(_ lines: [String], requiresText: Bool = true) -> DocumentBatch {
    var chunk = RecordChunk()
    for line in lines {
      let start = chunk.bytes.count
      chunk.bytes += Array(line.utf8)
      chunk.records.append(RecordChunk.Record(range: start..<chunk.bytes.count, offset: Int64(start)))
    }
    var kept = DocumentBatch()
    var dropped = DocumentBatch()
    var ledger = Ledger()
    JSONLinesParser(requiresText: requiresText).parse(chunk, kept: &kept, dropped: &dropped, ledger: &ledger)
    return kept
  }

  static func apply(_ transform: any DocumentTransform, _ input: DocumentBatch) -> (
    kept: String, dropped: String, Ledger
  ) {
    var kept = DocumentBatch()
    var dropped = DocumentBatch()
    var ledger = Ledger()
    transform.apply(input, kept: &kept, dropped: &dropped, ledger: &ledger)
    var lines: ([UInt8], [UInt8]) = ([], [])
    JSONLinesWriter.append(kept, to: &lines.0)
    JSONLinesWriter.append(dropped, to: &lines.1)
    return (lines.0.string, lines.1.string, ledger)
  }

  @Test func `encoding adds tokens, and replaces those that stand there`() throws {
    let tokenizer = try smallTokenizer()
    let input = Self.batch([
      #"{"id":"a","text":"ab","z":[1,{"tokens":2}]}"#, #"{"id":"b","text":"b","tokens":[9,9],"y":1.50}"#,
      #"{"id":"c","text":""}"#,
    ])
    let (kept, dropped, ledger) = Self.apply(EncodeTransform(tokenizer), input)
    #expect(
      kept == """
        {"id":"a","text":"ab","source":"","metadata":{},"z":[1,{"tokens":2}],"tokens":[64,65]}
        {"id":"b","text":"b","source":"","metadata":{},"y":1.50,"tokens":[65]}
        {"id":"c","text":"","source":"","metadata":{},"tokens":[]}

        """)
    #expect(dropped.isEmpty)
    #expect(ledger.isBalanced)
    #expect(ledger.counters["tokens"] == 3)
  }

  @Test func `decoding gives the text back and says what it could not decode`() throws {
    let tokenizer = try smallTokenizer()
    let input = Self.batch(
      [
        #"{"id":"a","text":"old","x":1,"tokens":[64,65,300]}"#, #"{"id":"b","tokens":[ 64 , 65 ]}"#,
        #"{"id":"c"}"#,
        #"{"id":"d","tokens":[301]}"#, #"{"id":"e","tokens":[-1]}"#,
        #"{"id":"f","tokens":[99999999999999999999]}"#,
        #"{"id":"g","tokens":[187]}"#, #"{"id":"h","tokens":"64"}"#,
      ], requiresText: false)
    let (kept, dropped, ledger) = Self.apply(DecodeTransform(tokenizer), input)
    #expect(
      kept == """
        {"id":"a","text":"ab<|endoftext|>","source":"","metadata":{},"x":1}
        {"id":"b","text":"ab","source":"","metadata":{}}
        {"id":"g","text":"\u{FFFD}","source":"","metadata":{}}

        """)
    #expect(dropped.contains(#""rule":"unknown-id","value":301,"threshold":301"#))
    #expect(ledger.drops["no-tokens"]?.documents == 4)
    #expect(ledger.drops["unknown-id"]?.documents == 1)
    #expect(ledger.marks["invalid-utf8"] == 1)
    #expect(ledger.isBalanced)
  }

  @Test func `damaged tokens never crash decoding`() throws {
    let transform = DecodeTransform(try smallTokenizer())
    var random = SeededRandom(seed: 71)
    let line = Array(#"{"id":"a","text":"t","tokens":[64,65,300,12],"y":[[]]}"#.utf8)
    for _ in 0..<2000 {
      let changed = random.mutation(of: line).string
      let (_, _, ledger) = Self.apply(transform, Self.batch([changed]))
      #expect(ledger.isBalanced)
    }
  }
}
