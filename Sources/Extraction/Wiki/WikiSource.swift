import Bytes
import Documents
import Storage

/// MediaWiki XML dumps: plain, gzip, zstd, bzip2 (single stream and multistream).
public struct WikiSource: DumpSource {
  public static let name = "wiki"
  private let options: ExtractionOptions

  public init(options: ExtractionOptions) { self.options = options }

  public static func recognises(_ head: borrowing Span<UInt8>, fileName: String) -> Bool {
    if head.firstIndex(of: Array("<mediawiki".utf8)) != nil { return true }
    if head.firstIndex(of: Array("<\0m\0e\0d\0i\0a\0w\0i\0k\0i\0".utf8)) != nil { return true }
    // An export without its root: a page with its title.
    let start = head.trimmedRange(0..<head.count).lowerBound
    return head.starts(with: "<page>", at: start, ignoringCase: false)
      && head.firstIndex(of: Array("<title>".utf8)) != nil
  }

  /// A single stream has no place to start inside it, but then its one unit takes all.
  public static func canSplit(codec: DecodingReader.Codec) -> Bool { true }

  public func makeReader(_ input: InputFile, from: Int64, to: Int64?) throws(StorageError) -> any RecordReader
  {
    try WikiReader(input, from: from, to: to, limits: options.limits)
  }

  public func makeParser() -> any RecordParser {
    WikiParser(source: options.source ?? WikiSource.name, limits: options.limits)
  }
}
