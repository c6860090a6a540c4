import Bytes
import Documents
import Text

/// Where a parser puts what it made of its records, with the counting that goes with each outcome.
struct DocumentSink: ~Copyable {
  static let stage = "extract"
  private var repaired: [UInt8] = []
  private var tidied: [UInt8] = []

  /// Counts what the reader met between records.
  func count(_ defects: [Defect], _ ledger: inout Ledger) {
    for defect in defects {
      if defect.losesRecord { ledger.documentsIn += 1 }
      ledger.record(defect)
    }
  }

  /// The record is lost.
  func lose(_ defect: Defect, _ ledger: inout Ledger) {
    ledger.documentsIn += 1
    ledger.record(defect)
  }

  /// The record is no document by its nature.
  func pass(_ type: String, _ ledger: inout Ledger) {
    ledger.documentsIn += 1
    ledger.other[type, default: 0] += 1
  }

  func drop(
    _ document: borrowing Document, _ rule: String, value: JSONValue = .null, threshold: JSONValue = .null,
    _ dropped: inout DocumentBatch, _ ledger: inout Ledger
  ) {
    var document = copy document
    document.extras = Drop(stage: DocumentSink.stage, rule: rule, value: value, threshold: threshold).member
    ledger.countIn(language: nil, textBytes: document.text.count)
    ledger.drop(rule: rule, textBytes: document.text.count)
    dropped.append(document)
  }

  func keep(
    _ document: borrowing Document, language: String?, _ kept: inout DocumentBatch, _ ledger: inout Ledger
  ) {
    ledger.countIn(language: language, textBytes: document.text.count)
    ledger.countOut(language: language, source: document.source.string, textBytes: document.text.count)
    kept.append(document)
  }

  /// Replaces `output` by `text` with the repairs that every source gets once: invisible characters, line ends, and white space at the
  /// edges.
  mutating func clean(_ text: borrowing Span<UInt8>, into output: inout [UInt8], _ ledger: inout Ledger) {
    repaired.removeAll(keepingCapacity: true)
    let counts = TextRepairs.apply(text, into: &repaired)
    output.removeAll(keepingCapacity: true)
    WhiteSpace.tidy(repaired.span, into: &output)
    if counts.controls > 0 { ledger.counters["repaired_controls", default: 0] += counts.controls }
    if counts.invisibles > 0 { ledger.counters["repaired_invisibles", default: 0] += counts.invisibles }
    if counts.lineBreaks > 0 { ledger.counters["repaired_line_breaks", default: 0] += counts.lineBreaks }
  }
}
