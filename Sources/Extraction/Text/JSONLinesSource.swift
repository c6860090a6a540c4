import Bytes
import Documents
import Storage

/// JSON lines of other projects: datatrove, Dolma, and plain `{"text": …}` files.
public struct JSONLinesSource: DumpSource {
  public static let name = "jsonl"
  private let options: ExtractionOptions

  public init(options: ExtractionOptions) { self.options = options }

  public static func recognises(_ head: borrowing Span<UInt8>, fileName: String) -> Bool {
    var index = head.starts(with: "\u{FEFF}") ? 3 : 0
    while index < head.count, head[index].isASCIISpace { index += 1 }
    if index == head.count { return DumpName.hasEnding(fileName, [".jsonl", ".ndjson"]) }
    guard head[index] == UInt8(ascii: "{") else { return false }
    if DumpName.hasEnding(fileName, [".jsonl", ".ndjson", ".json"]) { return true }
    index += 1
    while index < head.count, head[index].isASCIISpace { index += 1 }
    return index < head.count && (head[index] == UInt8(ascii: "\"") || head[index] == UInt8(ascii: "}"))
  }

  public static func canSplit(codec: DecodingReader.Codec) -> Bool { true }

  public func makeReader(_ input: InputFile, from: Int64, to: Int64?) throws(StorageError) -> any RecordReader
  {
    try JSONLinesReader(input, from: from, to: to, limits: options.limits)
  }

  /// `text` may be called `content` (Dolma's code sets, C4 variants) or `raw_content` (CCNet, RedPajama); `id` as `_id`,
  /// `doc_id` or `docid`.
  public func makeParser() -> any RecordParser {
    var fields = JSONLinesParser.FieldNames()
    fields.text = ["text", "content", "raw_content"]
    fields.id = ["id", "doc_id", "docid", "_id"]
    return JSONLinesExtractor(
      JSONLinesParser(fields: fields, defaultSource: options.source ?? JSONLinesSource.name))
  }
}
