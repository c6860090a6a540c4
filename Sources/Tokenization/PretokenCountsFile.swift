import Bytes
import Storage

/// Writes a file of pretoken counts: the artefact that lets another vocabulary size be trained without the corpus.
///
/// Shape, in zstd frames of 1 MiB: a JSON line (`format`, `version`, `pattern`, `unicode`); then for each pretoken, in
/// the order of bytes, its length, its bytes and its count; a zero; a JSON line (`documents`, `bytes`, `pretokens`,
/// `cut`, `unique`, `xxh64`). Numbers are LEB128. The hash is XXH64 of all between the two lines, the zero included.
public final class PretokenCountsWriter {
  static let format = "sluice-pretoken-counts"
  private static let frameBytes = 1 << 20

  private let output: OutputFile
  private var pending: [UInt8] = []
  private var compressed: [UInt8] = []
  private var hash = XXH64()
  private var hashed = 0
  private var unique: Int64 = 0

  public init(folder: String, name: String, pattern: PretokenPattern) throws(StorageError) {
    output = try OutputFile(folder: folder, name: name)
    let header: JSONValue = [
      "format": .string(Self.format), "version": 1, "pattern": .string(pattern.name),
      "unicode": .string(UnicodeTables.version),
    ]
    pending = header.serialized() + [10]
    hashed = pending.count
  }

  /// Adds the next pretoken: after the last one in the order of bytes, its count at least 1.
  public func add(_ pretoken: UnsafeRawBufferPointer, _ count: Int64) throws(StorageError) {
    Self.append(UInt64(pretoken.count), to: &pending)
    pending.append(contentsOf: pretoken)
    Self.append(UInt64(count), to: &pending)
    unique += 1
    if pending.count >= Self.frameBytes { try flush() }
  }

  /// Ends the file and gives it its name.
  public func finish(_ totals: PretokenTotals) throws(StorageError) -> FileSummary {
    pending.append(0)
    updateHash()
    let trailer: JSONValue = [
      "documents": .int(Int(totals.documents)), "bytes": .int(Int(totals.bytes)),
      "pretokens": .int(Int(totals.pretokens)), "cut": .int(Int(totals.cut)), "unique": .int(Int(unique)),
      "xxh64": .string(Hex.string(hash.finalize())),
    ]
    pending.append(contentsOf: trailer.serialized() + [10])
    hashed = pending.count
    try flush()
    return try output.commit()
  }

  private func updateHash() {
    pending.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[hashed...])) }
    hashed = pending.count
  }

  private func flush() throws(StorageError) {
    updateHash()
    compressed.removeAll(keepingCapacity: true)
    Zstd.compressFrame(pending.span, into: &compressed)
    try output.write(compressed)
    pending.removeAll(keepingCapacity: true)
    hashed = 0
  }

  private static func append(_ value: UInt64, to output: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(rest))
  }
}

/// Reads a file of pretoken counts, one after another, and checks it: order, lengths, hash.
public final class PretokenCountsReader {
  public let path: String
  public let pattern: PretokenPattern
  /// The pretoken that `next` reached, and its count.
  public private(set) var pretoken: [UInt8] = []
  public private(set) var count: Int64 = 0
  /// Known after the last pretoken.
  public private(set) var totals = PretokenTotals()
  public private(set) var unique: Int64 = 0
  /// XXH64 of the counts, as in the file; known after the last pretoken.
  public private(set) var xxh64 = ""

  /// Longest pretoken that is accepted: far above the limit at which training cuts.
  private static let lengthMax = 1 << 28
  private let decoder: DecodingReader
  private var buffer: [UInt8] = []
  private var position = 0
  private var hash = XXH64()
  private var hashed = 0
  private var isAtEnd = false

  public init(path: String) throws(StorageError) {
    self.path = path
    decoder = try DecodingReader(InputFile(path: path, name: Path.name(path)))
    var content: [UInt8] = []
    while true {
      if let newline = content.firstIndex(of: 10) {
        position = newline + 1
        break
      }
      guard content.count < 4096, try Self.fill(decoder, path, &content) else {
        throw .input(path: path, reason: "not a file of pretoken counts.")
      }
    }
    guard let header = try? JSONValue.parse(Array(content[..<(position - 1)])),
      header["format"]?.string == PretokenCountsWriter.format, header["version"]?.int == 1,
      let pattern = header["pattern"]?.string.flatMap({ PretokenPattern(name: $0) })
    else { throw .input(path: path, reason: "not a file of pretoken counts.") }
    guard header["unicode"]?.string == UnicodeTables.version else {
      throw .input(
        path: path,
        reason:
          "counted with Unicode \(header["unicode"]?.string ?? "?"), not \(UnicodeTables.version). Count again."
      )
    }
    self.pattern = pattern
    buffer = content
    hashed = position
  }

  /// Goes to the next pretoken; false after the last one.
  ///
  /// - Throws: `StorageError.input` where the file is cut or damaged.
  public func next() throws(StorageError) -> Bool {
    if isAtEnd { return false }
    let length = try number()
    if length == 0 {
      try readTrailer()
      isAtEnd = true
      return false
    }
    guard length <= UInt64(Self.lengthMax) else { throw damaged("a pretoken of \(length) bytes") }
    try need(Int(length))
    let range = position..<position + Int(length)
    guard unique == 0 || pretoken.lexicographicallyPrecedes(buffer[range]) else {
      throw damaged("the pretokens are not in order")
    }
    pretoken.removeAll(keepingCapacity: true)
    pretoken.append(contentsOf: buffer[range])
    position = range.upperBound
    let value = try number()
    guard value >= 1, value <= UInt64(Int64.max) else { throw damaged("a count of \(value)") }
    count = Int64(value)
    unique += 1
    return true
  }

  private func readTrailer() throws(StorageError) {
    updateHash()
    var line: [UInt8] = []
    while true {
      try need(1)
      position += 1
      if buffer[position - 1] == 10 { break }
      line.append(buffer[position - 1])
      guard line.count < 4096 else { throw damaged("no totals at its end") }
    }
    xxh64 = Hex.string(hash.finalize())
    guard let trailer = try? JSONValue.parse(line), trailer["xxh64"]?.string == xxh64,
      trailer["unique"]?.int == Int(unique)
    else { throw damaged("its hash is not that of its counts") }
    totals.documents = Int64(trailer["documents"]?.int ?? 0)
    totals.bytes = Int64(trailer["bytes"]?.int ?? 0)
    totals.pretokens = Int64(trailer["pretokens"]?.int ?? 0)
    totals.cut = Int64(trailer["cut"]?.int ?? 0)
  }

  private func number() throws(StorageError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      try need(1)
      let byte = buffer[position]
      position += 1
      guard shift < 63 || byte < 2 else { throw damaged("a number of more than 64 bits") }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
      guard shift < 64 else { throw damaged("a number of more than 64 bits") }
    }
  }

  private func updateHash() {
    buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[hashed..<position])) }
    hashed = position
  }

  /// Makes at least `bytes` bytes readable at `position`.
  private func need(_ bytes: Int) throws(StorageError) {
    guard buffer.count - position < bytes else { return }
    updateHash()
    buffer.removeSubrange(..<position)
    position = 0
    hashed = 0
    while buffer.count < bytes {
      guard try Self.fill(decoder, path, &buffer) else { throw damaged("it ends in the middle") }
    }
  }

  private static func fill(_ decoder: DecodingReader, _ path: String, _ buffer: inout [UInt8])
    throws(StorageError) -> Bool
  {
    while true {
      switch try decoder.read(into: &buffer, upTo: 256 << 10) {
      case .bytes: return true
      case .memberEnd: continue
      case .end: return false
      case .corrupt(let reason): throw .input(path: path, reason: "damaged pretoken counts: \(reason)")
      case .truncated: throw .input(path: path, reason: "damaged pretoken counts: the file is cut.")
      }
    }
  }

  private func damaged(_ what: String) -> StorageError {
    .input(
      path: path, reason: "damaged pretoken counts: \(what). Remove the file and train from the corpus again."
    )
  }
}
