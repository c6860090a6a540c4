import Bytes
import Documents
import Storage

/// Web archives: WARC and WET.
public struct WARCSource: DumpSource {
  public static let name = "warc"
  private let options: ExtractionOptions

  public init(options: ExtractionOptions) { self.options = options }

  public static func recognises(_ head: borrowing Span<UInt8>, fileName: String) -> Bool {
    var index = 0
    while index < head.count, head[index] == 10 || head[index] == 13 { index += 1 }
    if WARCHeader.begins(head, at: index) { return true }
    if head.isEmpty { return DumpName.hasEnding(fileName, [".warc", ".wet", ".wat"]) }
    // The first record may be damaged.
    var from = 0
    while let found = head.firstIndex(of: Array("\nWARC/".utf8), from: from) {
      if WARCHeader.begins(head, at: found + 1) { return true }
      from = found + 1
    }
    return false
  }

  public static func canSplit(codec: DecodingReader.Codec) -> Bool { true }

  public func makeReader(_ input: InputFile, from: Int64, to: Int64?) throws(StorageError) -> any RecordReader
  {
    try WARCReader(input, from: from, to: to, limits: options.limits)
  }

  public func makeParser() -> any RecordParser {
    WARCParser(source: options.source ?? WARCSource.name, limits: options.limits)
  }
}
