import Bytes
import Documents
import Storage

/// A document's record in an encoded unit and in the shuffle: 24 bytes, then its origin line, then its token bytes.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u64 | in a unit: number of the document in it; in the shuffle: `origin` of the store's document record |
/// | 8 | u32 | source |
/// | 12 | u16 | language |
/// | 14 | u8 | split; then one zero byte |
/// | 16 | u32 | tokens |
/// | 20 | u32 | bytes of the origin line |
struct EncodedRecord: Equatable {
  static let headerBytes = 24

  var origin: UInt64
  var source: UInt32
  var language: UInt16
  var split: UInt8
  var tokens: UInt32
  var originBytes: UInt32

  init(origin: UInt64, source: UInt32, language: UInt16, split: UInt8, tokens: UInt32, originBytes: UInt32) {
    self.origin = origin
    self.source = source
    self.language = language
    self.split = split
    self.tokens = tokens
    self.originBytes = originBytes
  }

  /// - Parameter header: at least `headerBytes`.
  init(_ header: UnsafeRawBufferPointer) {
    origin = header.integer(at: 0, as: UInt64.self)
    source = header.integer(at: 8, as: UInt32.self)
    language = header.integer(at: 12, as: UInt16.self)
    split = header.integer(at: 14, as: UInt8.self)
    tokens = header.integer(at: 16, as: UInt32.self)
    originBytes = header.integer(at: 20, as: UInt32.self)
  }

  /// The header's bytes, as three little-endian words.
  var words: (UInt64, UInt64, UInt64) {
    (
      origin.littleEndian, (UInt64(source) | UInt64(language) << 32 | UInt64(split) << 48).littleEndian,
      (UInt64(tokens) | UInt64(originBytes) << 32).littleEndian
    )
  }

  func append(to bytes: inout [UInt8]) { withUnsafeBytes(of: words) { bytes.append(contentsOf: $0) } }

  var stored: StoredDocument { StoredDocument(origin: origin, source: source, language: language) }

  func bodyBytes(_ width: TokenWidth) -> Int { Int(originBytes) + Int(tokens) * width.bytes }
}

/// What an encoded unit holds, in sum: its footer, and what a journal keeps of it.
public struct EncodedUnitSummary: Equatable, Sendable {
  public static let format = "sluice-encoded/1"

  public struct Share: Equatable, Sendable {
    public var documents = 0
    public var tokens = 0
    public init() {}
  }

  /// Documents that came in.
  public var documents = 0
  /// Of them without a token: counted, not stored.
  public var empty = 0
  /// By number of split; documents of all shares + `empty` = `documents`.
  public var splits: [Share]
  /// By their number in this unit, in order of appearance.
  public var sources: [String] = []
  public var languages: [String] = []
  public var width: TokenWidth
  public var vocabulary: Int
  public var tokenizer: String
  public var holdout: Holdout

  public var tokens: Int { splits.reduce(0) { $0 + $1.tokens } }

  init(_ options: StoreOptions) {
    splits = Array(repeating: Share(), count: options.holdout.names.count)
    width = options.width
    vocabulary = options.tokenizer.vocabulary
    tokenizer = options.tokenizer.sha256
    holdout = options.holdout
  }

  public var json: JSONValue {
    [
      "format": .string(Self.format), "documents": .int(documents), "empty": .int(empty),
      "splits": .array(splits.map { ["documents": .int($0.documents), "tokens": .int($0.tokens)] }),
      "sources": .array(sources.map { .string($0) }), "languages": .array(languages.map { .string($0) }),
      "dtype": .string(width.rawValue), "vocabulary": .int(vocabulary), "tokenizer": .string(tokenizer),
      "holdout": holdout.json,
    ]
  }

  public init(json value: JSONValue, path: String) throws(StorageError) {
    let json = JSONFields(value, path: path)
    guard try json.string("format") == Self.format else {
      throw .input(path: path, reason: "not an encoded unit of format \(Self.format)")
    }
    let counts = 0...StoreOptions.partDocumentsMax
    documents = try json.int("documents", in: counts)
    empty = try json.int("empty", in: counts)
    splits = []
    for object in try json.objects("splits") {
      var share = Share()
      share.documents = try object.int("documents", in: counts)
      share.tokens = try object.int("tokens", in: 0...ViewOptions.tokensMax)
      splits.append(share)
    }
    sources = try json.strings("sources")
    languages = try json.strings("languages")
    width = try json.string("dtype") == TokenWidth.u16.rawValue ? .u16 : .u32
    vocabulary = try json.int("vocabulary", in: 1...1 << 31)
    tokenizer = try json.string("tokenizer")
    holdout = try Holdout(json: try json.object("holdout"))
    guard splits.count == holdout.names.count else {
      throw .input(path: path, reason: "splits: a count is missing")
    }
  }
}

/// Writes the encoded documents of one input unit, in input order: the phase before the shuffle.
///
/// File: the text `sluice-encoded/1` and a line feed; records (`EncodedRecord`); the footer as JSON; its length as
/// u64; the same text again. A file without its end was cut.
public final class EncodedUnitWriter {
  static let mark = Array("\(EncodedUnitSummary.format)\n".utf8)

  public private(set) var summary: EncodedUnitSummary
  private let file: OutputFile
  private let options: StoreOptions
  private var sources: [[UInt8]: UInt32] = [:]
  private var languages: [[UInt8]: UInt16] = [:]
  private var origin: [UInt8] = []
  private var record: [UInt8] = []

  /// - Throws: `.usage` for options that no store can have; `.output`.
  public init(folder: String, name: String, options: StoreOptions) throws(StorageError) {
    try options.validate()
    self.options = options
    summary = EncodedUnitSummary(options)
    file = try OutputFile(folder: folder, name: name)
    try file.write(EncodedUnitWriter.mark)
  }

  /// Adds document `index` of a batch. Begin- and end-of-text ids stand around its tokens where the options say so; a
  /// document without tokens is counted only.
  ///
  /// - Throws: `.input` for an id that is not below the vocabulary, or a document larger than a segment; `.usage` for
  ///   more sources or languages than a store can name.
  public func add(_ batch: borrowing DocumentBatch, _ index: Int, tokens: borrowing Span<UInt32>)
    throws(StorageError)
  {
    let entry = batch.entries[index]
    let number = summary.documents
    summary.documents += 1
    guard tokens.count > 0 else {
      summary.empty += 1
      return
    }
    let marks = (first: options.tokenizer.firstID, last: options.tokenizer.lastID)
    let count = tokens.count + (marks.first == nil ? 0 : 1) + (marks.last == nil ? 0 : 1)
    guard count <= options.segmentBytes / options.width.bytes else {
      throw .input(
        path: batch.bytes[entry.id].text,
        reason:
          "\(count) tokens, more than a segment of \(options.segmentBytes) bytes can hold; raise --segment-bytes"
      )
    }
    let split = options.holdout.split(ofID: batch.bytes.span.extracting(entry.id))
    DocumentOrigin.write(batch, index, to: &origin)
    let header = EncodedRecord(
      origin: UInt64(number), source: try sourceNumber(Array(batch.bytes[entry.source])),
      language: try languageNumber(Array((batch.language(at: index) ?? DocumentOrigin.unknownLanguage).utf8)),
      split: UInt8(split), tokens: UInt32(count), originBytes: UInt32(origin.count))
    record.removeAll(keepingCapacity: true)
    header.append(to: &record)
    record.append(contentsOf: origin)
    guard let badID = append(tokens, between: marks) else {
      try file.write(record)
      summary.splits[split].documents += 1
      summary.splits[split].tokens += count
      return
    }
    throw .input(
      path: batch.bytes[entry.id].text,
      reason: "token id \(badID) is not below the vocabulary of \(options.tokenizer.vocabulary) ids")
  }

  /// Ends the file.
  public func commit() throws(StorageError) -> (file: FileSummary, summary: EncodedUnitSummary) {
    var end = summary.json.canonical()
    end.append(littleEndian: UInt64(end.count))
    end.append(contentsOf: EncodedUnitWriter.mark)
    try file.write(end)
    return (try file.commit(), summary)
  }

  /// Appends the ids to the record; returns the first that is too large.
  private func append(_ tokens: borrowing Span<UInt32>, between marks: (first: Int?, last: Int?)) -> UInt32? {
    let limit = UInt32(options.tokenizer.vocabulary)
    for index in tokens.indices where tokens[index] >= limit { return tokens[index] }
    var bytes = record
    record = []
    switch options.width {
    case .u16:
      if let first = marks.first { bytes.append(littleEndian: UInt16(first)) }
      for index in tokens.indices { bytes.append(littleEndian: UInt16(truncatingIfNeeded: tokens[index])) }
      if let last = marks.last { bytes.append(littleEndian: UInt16(last)) }
    case .u32:
      if let first = marks.first { bytes.append(littleEndian: UInt32(first)) }
      for index in tokens.indices { bytes.append(littleEndian: tokens[index]) }
      if let last = marks.last { bytes.append(littleEndian: UInt32(last)) }
    }
    record = bytes
    return nil
  }

  private func sourceNumber(_ name: [UInt8]) throws(StorageError) -> UInt32 {
    if let number = sources[name] { return number }
    guard sources.count < StoreOptions.sourcesMax else {
      throw .usage(
        "More than \(StoreOptions.sourcesMax) names of sources; a source names a corpus. Set one with --source."
      )
    }
    let number = UInt32(sources.count)
    sources[name] = number
    summary.sources.append(name.string)
    return number
  }

  private func languageNumber(_ name: [UInt8]) throws(StorageError) -> UInt16 {
    if let number = languages[name] { return number }
    guard languages.count < StoreOptions.languagesMax - 1 else {
      throw .usage("More than \(StoreOptions.languagesMax - 1) names of languages.")
    }
    let number = UInt16(languages.count)
    languages[name] = number
    summary.languages.append(name.string)
    return number
  }
}

extension ArraySlice<UInt8> {
  /// For messages.
  var text: String { String(decoding: self, as: UTF8.self) }
}
