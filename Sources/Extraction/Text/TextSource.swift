import Bytes
import Documents
import Storage

/// Plain text: a file is a document; a larger one is cut at empty lines.
public struct TextSource: DumpSource {
  public static let name = "text"
  private let options: ExtractionOptions

  public init(options: ExtractionOptions) { self.options = options }

  /// Text by its bytes: no control characters but white space, and UTF-8 (but for the end of the head) or a single-byte encoding.
  /// Files that are named as another kind of dump are not text: their damage should be seen.
  public static func recognises(_ head: borrowing Span<UInt8>, fileName: String) -> Bool {
    if DumpName.hasEnding(
      fileName, [".warc", ".wet", ".wat", ".arc", ".jsonl", ".ndjson", ".json", ".xml", ".pdf"])
    {
      return false
    }
    if head.isEmpty { return DumpName.hasEnding(fileName, [".txt", ".md", ".rst", ".text"]) }
    if Payload.looksBinary(head) || head.starts(with: "%PDF") { return false }
    return UTF16Text.byteOrder(head) != nil
      || UTF8Text.isValid(head.extracting(0..<TextDecoding.characterEnd(head)))
      || DumpName.hasEnding(fileName, [".txt", ".md", ".rst", ".text"])
  }

  public static func canSplit(codec: DecodingReader.Codec) -> Bool { false }

  public func makeReader(_ input: InputFile, from: Int64, to: Int64?) throws(StorageError) -> any RecordReader
  {
    try TextReader(input, from: from, limits: options.limits)
  }

  public func makeParser() -> any RecordParser {
    TextParser(source: options.source ?? TextSource.name)
  }
}

/// Cuts a text file into pieces of at most `pieceBytes`, at empty lines where there are some, else at line ends.
///
/// The place of a piece is its offset in the decoded text.
final class TextReader: RecordReader {
  /// A larger file becomes several documents.
  static let pieceBytes = 1 << 20

  private let file: InputFile
  private let reader: DecodingReader
  private var pending: [UInt8] = []
  private var position: Int64 = 0
  private var isEnded = false
  private var mark: String?
  private(set) var endOffset: Int64

  init(_ file: InputFile, from: Int64, limits: Limits) throws(StorageError) {
    self.file = file
    reader = try DecodingReader(file, from: from, limits: limits)
    endOffset = from
    isEnded = from > 0
  }

  func next(_ chunk: inout RecordChunk) throws(StorageError) -> Bool {
    chunk.removeAll()
    chunk.file = file.name
    try fill(&chunk)
    guard !pending.isEmpty else {
      endOffset = reader.encodedOffset
      return false
    }
    let isWhole = isEnded && pending.count <= TextReader.pieceBytes
    let end = isWhole ? pending.count : cut()
    chunk.bytes.append(contentsOf: pending[..<end])
    // A whole file has no piece mark; its parts have.
    let isPart = position > 0 || !isWhole
    chunk.records.append(
      RecordChunk.Record(range: 0..<end, offset: position, ordinal: 0, mark: mark ?? (isPart ? "part" : nil)))
    pending.removeSubrange(..<end)
    position += Int64(end)
    return true
  }

  private func fill(_ chunk: inout RecordChunk) throws(StorageError) {
    while !isEnded, pending.count <= TextReader.pieceBytes {
      switch try reader.read(into: &pending, upTo: 1 << 20) {
      case .bytes, .memberEnd: continue
      case .end: isEnded = true
      case .truncated:
        isEnded = true
        mark = "truncated-file"
        chunk.defects.append(
          Defect(
            kind: "truncated-file", file: file.name, offset: reader.memberOffset,
            message: "The file ends inside a compressed member.", losesRecord: pending.isEmpty))
      case .corrupt(let reason):
        isEnded = true
        mark = "corrupt-member"
        chunk.defects.append(
          Defect(
            kind: "corrupt-member", file: file.name, offset: reader.memberOffset,
            message: "\(reason). The rest of the file was skipped.", losesRecord: pending.isEmpty))
      }
    }
  }

  /// Where the first piece ends: behind the last empty line within `pieceBytes`, else the last line, else a character.
  private func cut() -> Int {
    let most = min(TextReader.pieceBytes, pending.count)
    var line = 0
    var index = most - 1
    while index > 0 {
      if pending[index] == 10 {
        if line == 0 { line = index + 1 }
        if pending[index - 1] == 10 || (index > 1 && pending[index - 1] == 13 && pending[index - 2] == 10) {
          return index + 1
        }
      }
      index -= 1
    }
    if line > 0 { return line }
    let bytes = pending
    return max(1, TextDecoding.characterEnd(bytes.span.extracting(0..<most)))
  }
}

/// Makes documents of pieces of text. The id is the dump name, for parts with `/` and the offset in the decoded text.
final class TextParser: RecordParser {
  private let source: [UInt8]
  private var sink = DocumentSink()
  private let decoding = TextDecoding()
  private var document = Document()
  private var decoded: [UInt8] = []

  init(source: String) { self.source = Array(source.utf8) }

  func parse(
    _ chunk: borrowing RecordChunk, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger
  ) {
    sink.count(chunk.defects, &ledger)
    for record in chunk.records {
      document.removeAll()
      document.source.append(contentsOf: source)
      document.id.append(contentsOf: chunk.file.utf8)
      if record.mark == "part" { document.id.append(contentsOf: "/\(record.offset)".utf8) }
      document.addMetadata("dump", string: chunk.file)
      document.addMetadata("offset", int: Int(record.offset))
      decoded.removeAll(keepingCapacity: true)
      let body = chunk.bytes.span.extracting(record.range)
      let outcome = decoding.decode(
        body, label: nil, isHTML: false, isCut: record.mark != nil, into: &decoded)
      document.addMetadata("charset", string: outcome.charset)
      if let mark = record.mark {
        document.addMetadata("marks", raw: JSONValue.array([.string(mark)]).serialized())
      }
      if outcome.replaced * 100 > UTF8Text.scalarCount(decoded.span) {
        sink.drop(document, "encoding-garbage", value: .int(outcome.replaced), &dropped, &ledger)
        continue
      }
      sink.clean(decoded.span, into: &document.text, &ledger)
      if document.text.isEmpty {
        sink.drop(document, "empty", value: .int(0), &dropped, &ledger)
      } else {
        sink.keep(document, language: nil, &kept, &ledger)
      }
    }
  }
}
