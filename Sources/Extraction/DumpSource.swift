import Bytes
import Documents
import Storage

/// What a user may choose about extraction.
public struct ExtractionOptions: Sendable {
  /// `source` of the documents; nil: the format's name.
  public var source: String?
  /// The format, when the user names it (`--from`); nil: told by the first bytes.
  public var from: String?
  public var limits = Limits.standard

  public init(source: String? = nil, from: String? = nil, limits: Limits = .standard) {
    self.source = source
    self.from = from
    self.limits = limits
  }
}

/// One kind of dump: how to know it, how to cut it into records, how to make documents of them.
///
/// A unit [from, to) of a file owns the records whose member (gzip member, zstd frame, bzip2 stream, or the plain record
/// itself) starts in it. The units of a file are read one after another, each from the `endOffset` of the one before, so
/// their documents joined are the same for any split.
public protocol DumpSource: Sendable {
  /// Name in `--from`, and the default `source` of its documents.
  static var name: String { get }
  /// - Parameters:
  ///   - head: the first decoded bytes of the file, at most 4 KiB.
  ///   - fileName: its name; decides only where the bytes do not.
  static func recognises(_ head: borrowing Span<UInt8>, fileName: String) -> Bool
  /// Whether units may start inside a file of this codec.
  static func canSplit(codec: DecodingReader.Codec) -> Bool
  init(options: ExtractionOptions)
  /// - Parameters:
  ///   - from: 0, or the `endOffset` of the reader of the unit before.
  ///   - to: offset where the next unit begins; nil: the end of the file.
  /// - Throws: `StorageError` if the input cannot be opened or read.
  func makeReader(_ input: InputFile, from: Int64, to: Int64?) throws(StorageError) -> any RecordReader
  /// A parser for one worker.
  func makeParser() -> any RecordParser
}

extension DumpSource {
  /// Bytes of a file's head that `recognises` wants.
  public static var headBytes: Int { 4096 }
}
