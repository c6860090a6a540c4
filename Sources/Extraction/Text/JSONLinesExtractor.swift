import Bytes
import Documents
import Text

/// Parses JSON lines of other projects and repairs their text once, as every source does.
///
/// Invisible characters and line ends are repaired; white space stays, because these texts may be code.
///
/// - Drops: `empty`. Defects: those of `JSONLinesParser`.
final class JSONLinesExtractor: RecordParser {
  private let inner: JSONLinesParser
  private let sink = DocumentSink()
  private var batch = DocumentBatch()
  private var none = DocumentBatch()
  private var repaired: [UInt8] = []

  init(_ inner: JSONLinesParser) { self.inner = inner }

  func parse(
    _ chunk: borrowing RecordChunk, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger
  ) {
    batch.removeAll()
    var all = Ledger()
    inner.parse(chunk, kept: &batch, dropped: &none, ledger: &all)
    var lost = Ledger()
    lost.documentsIn = all.defectCount
    lost.defects = all.defects
    lost.marks = all.marks
    lost.defectList = all.defectList
    ledger.merge(lost)
    let batch = batch
    for index in 0..<batch.count {
      repaired.removeAll(keepingCapacity: true)
      let entry = batch.entries[index]
      let counts = TextRepairs.apply(batch.bytes.span.extracting(entry.text), into: &repaired)
      if counts.total > 0 { ledger.counters["repaired_characters", default: 0] += counts.total }
      if repaired.span.trimmedRange(0..<repaired.count).isEmpty {
        sink.drop(batch.document(at: index), "empty", value: .int(0), &dropped, &ledger)
        continue
      }
      let language = batch.language(at: index)
      ledger.countIn(language: language, textBytes: repaired.count)
      ledger.countOut(
        language: language, source: batch.bytes.span.extracting(entry.source).string(),
        textBytes: repaired.count)
      kept.append(from: batch, index, text: counts.total > 0 ? repaired : nil)
    }
  }
}
