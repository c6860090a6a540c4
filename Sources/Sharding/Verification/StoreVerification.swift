import Bytes
import Storage

/// Verifies a token store; each level includes those before it.
///
/// | level | checks |
/// |---|---|
/// | 0 | names and sizes of files, `.doc` grows strictly and ends at the token count, sums equal the manifest, origin offsets, last id of each segment |
/// | 1 | XXH64 of every file |
/// | 2 | SHA-256 of every file, the fingerprint in `build.json`, every document's hash and end-of-text id, every id below the vocabulary |
///
/// A damaged store is a list of findings, not an error.
public struct StoreVerification {
  private let store: TokenStore
  private let level: Int
  private var result: Verification
  private let tick: () throws(StorageError) -> Void

  /// - Parameter tick: called now and then; what it throws ends the work.
  /// - Throws: what `tick` throws.
  public static func run(
    _ store: TokenStore, level: Int, tick: @escaping () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> Verification {
    var work = StoreVerification(
      store: store, level: level, result: Verification(kind: "token store", level: level), tick: tick)
    try work.verify()
    return work.result
  }

  private mutating func verify() throws(StorageError) {
    for split in store.manifest.splits {
      checkSums(split)
      checkNames(split)
      for segment in split.segments {
        try tick()
        try verify(segment, of: split)
      }
    }
    if level >= 2 { checkFingerprint() }
  }

  /// Sums of the manifest, and of its lists.
  private mutating func checkSums(_ split: StoreManifest.Split) {
    let tokens = split.segments.reduce(0) { $0 + $1.tokens }
    let documents = split.segments.reduce(0) { $0 + $1.documents }
    if tokens != split.tokens || documents != split.documents {
      result.note(
        Finding(
          level: 0, place: "manifest.json",
          message:
            "the segments of \(split.name) add up to \(documents) documents and \(tokens) tokens, not to "
            + "\(split.documents) and \(split.tokens)"))
    }
    for segment in split.segments {
      let isWhole =
        segment.sourceTokens.reduce(0, +) == segment.tokens
        && segment.lengthHistogram.reduce(0, +) == segment.documents && segment.minID <= segment.maxID
        && segment.maxID < store.manifest.tokenizer.vocabulary
      if !isWhole {
        result.note(
          Finding(
            level: 0, place: "manifest.json",
            message: "the entry of \(split.name)/\(segment.name) contradicts itself (sources, lengths or ids)"
          ))
      }
    }
  }

  /// Files that the manifest does not name.
  private mutating func checkNames(_ split: StoreManifest.Split) {
    guard let found = try? FileSystem.list(Path.join(store.folder, split.name)) else { return }
    var known: Set<String> = []
    for segment in split.segments {
      for (suffix, _) in segment.files { known.insert("\(segment.name).\(suffix)") }
      known.insert("\(segment.name).\(SegmentSums.suffix)")
    }
    for name in found where !known.contains(name) && !name.hasPrefix(PackKey.folderPrefix) {
      result.note(
        Finding(level: 0, place: "\(split.name)/\(name)", message: "is not in the manifest; remove it"))
    }
  }

  private mutating func checkFingerprint() {
    let path = Path.join(store.folder, "build.json")
    guard let bytes = try? FileSystem.readAll(path), let json = try? JSONValue.parse(bytes),
      let recorded = json["fingerprint"]?.string
    else {
      result.note(
        Finding(
          level: 2, place: "build.json", message: "is missing or damaged: the fingerprint cannot be compared")
      )
      return
    }
    if recorded != store.fingerprint {
      result.note(
        Finding(
          level: 2, place: "manifest.json",
          message: "its fingerprint is \(store.fingerprint), and build.json recorded \(recorded)"))
    }
  }

  private mutating func verify(
    _ segment: StoreManifest.Segment, of split: StoreManifest.Split
  ) throws(StorageError) {
    let place = "\(split.name)/\(segment.name)"
    var problems: [(level: Int, file: String, message: String)] = []
    for (suffix, file) in segment.files {
      let path = store.path(split, segment, suffix)
      if let problem = try checkFile(path, file) {
        problems.append((problem.level, "\(place).\(suffix)", problem.message))
      }
    }
    do throws(StorageError) {
      let reader = try store.open(split, segment: split.segments.firstIndex { $0.name == segment.name } ?? 0)
      if let problem = try checkDocuments(reader) { problems.append((problem.level, place, problem.message)) }
    } catch {
      guard case .input(let path, let reason) = error else { throw error }
      problems.append((0, "\(split.name)/\(Path.name(path))", reason))
    }
    result.count("segments", 1)
    result.count("documents", segment.documents)
    result.count("tokens", segment.tokens)
    guard !problems.isEmpty else { return }
    let parts = partNames(split, segment)
    for problem in problems {
      result.note(Finding(level: problem.level, place: problem.file, message: problem.message, parts: parts))
    }
  }

  /// Size; from level 1 its XXH64, from level 2 its SHA-256, in one pass.
  private mutating func checkFile(
    _ path: String, _ file: StoreManifest.File
  ) throws(StorageError) -> (level: Int, message: String)? {
    guard let input = try? RandomAccessFile(path) else { return (0, "is missing or cannot be read") }
    guard input.size == file.bytes else {
      return (0, "\(input.size) bytes, and the manifest says \(file.bytes)")
    }
    guard level >= 1 else { return nil }
    var fast = XXH64()
    var strong = SHA256()
    var offset: Int64 = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    while offset < input.size {
      guard let count = try? input.read(at: offset, into: buffer), count > 0 else {
        return (1, "cannot be read at byte \(offset)")
      }
      let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      fast.update(bytes)
      if level >= 2 { strong.update(bytes) }
      offset += Int64(count)
      if offset % (64 << 20) == 0 { try tick() }
    }
    result.count("bytes", Int(input.size))
    if Hex.string(fast.finalize()) != file.xxh64 {
      return (1, "its XXH64 is not the manifest's: the bytes have changed")
    }
    if level >= 2, Hex.string(strong.finalize()) != file.sha256 {
      return (2, "its SHA-256 is not the manifest's: the bytes have changed")
    }
    return nil
  }

  /// The first thing that is wrong with the documents of a segment, or nil.
  private func checkDocuments(_ reader: SegmentReader) throws(StorageError) -> (level: Int, message: String)?
  {
    if let message = try reader.originIndexProblem() { return (0, message) }
    var last = 0
    var problem: (level: Int, message: String)?
    var window = TokenWindow(reader)
    let manifest = store.manifest
    do throws(StorageError) {
      try reader.forEachDocument { (number, start, document) throws(StorageError) in
        last = document.end
        guard problem == nil else { return }
        if document.source >= manifest.sources.count || document.language >= manifest.languages.count
          || document.part >= manifest.parts.count
        {
          problem = (0, "document \(number) names a source, language or part that the manifest does not have")
        } else if level >= 2 {
          let bytes = try window.bytes(start..<document.end)
          if let message = bytes.withUnsafeBytes({
            Self.problem($0, document, reader.width, manifest.tokenizer)
          }) {
            problem = (2, "document \(number): \(message)")
          }
        }
      }
    } catch {
      guard case .input(_, let reason) = error else { throw error }
      return (0, reason)
    }
    if let problem { return problem }
    if last != reader.segment.tokens {
      return (0, "the documents end at token \(last), and the segment has \(reader.segment.tokens)")
    }
    let end = try reader.tokens(reader.segment.tokens - 1..<reader.segment.tokens).first.map(Int.init) ?? -1
    if end >= manifest.tokenizer.vocabulary { return (0, "its last id \(end) is not below the vocabulary") }
    if let last = manifest.tokenizer.lastID, end != last {
      return (0, "its last id is \(end), not the end-of-text id \(last)")
    }
    if let first = manifest.tokenizer.firstID, let start = try reader.tokens(0..<1).first, Int(start) != first
    {
      return (0, "its first id is \(start), not the begin-of-text id \(first)")
    }
    return nil
  }

  private static func problem(
    _ bytes: UnsafeRawBufferPointer, _ document: SegmentReader.Document, _ width: TokenWidth,
    _ tokenizer: TokenizerIdentity
  ) -> String? {
    if XXH64.hash(bytes) != document.hash { return "its hash is not the recorded one" }
    let ids = SegmentWriter.bounds(bytes, width)
    if ids.max >= tokenizer.vocabulary {
      return "id \(ids.max) is not below the vocabulary of \(tokenizer.vocabulary)"
    }
    func id(at offset: Int) -> Int {
      width == .u16
        ? Int(bytes.integer(at: offset, as: UInt16.self)) : Int(bytes.integer(at: offset, as: UInt32.self))
    }
    if let first = tokenizer.firstID, id(at: 0) != first {
      return "it starts with id \(id(at: 0)), not with the begin-of-text id \(first)"
    }
    let last = id(at: bytes.count - width.bytes)
    guard let eos = tokenizer.lastID, last != eos else { return nil }
    return "it ends with id \(last), not with the end-of-text id \(eos)"
  }

  /// Names of the input parts whose documents a segment holds; empty if its records cannot be read.
  private func partNames(_ split: StoreManifest.Split, _ segment: StoreManifest.Segment) -> [String] {
    let size = SegmentWriter.documentRecordBytes
    guard let file = try? RandomAccessFile(store.path(split, segment, "doc")) else { return [] }
    var numbers: Set<Int> = []
    var offset: Int64 = 0
    while offset + Int64(size) <= file.size, let bytes = try? file.read(at: offset, count: size * 4096),
      bytes.count >= size
    {
      bytes.withUnsafeBytes { buffer in
        for index in 0..<buffer.count / size {
          numbers.insert(
            SegmentReader.Document(
              UnsafeRawBufferPointer(rebasing: buffer[index * size..<(index + 1) * size])
            ).part)
        }
      }
      offset += Int64(bytes.count / size * size)
    }
    return numbers.sorted().filter { $0 < store.manifest.parts.count }.map { store.manifest.parts[$0].name }
  }
}

/// Token bytes of consecutive documents, read a megabyte at a time.
struct TokenWindow {
  private let reader: SegmentReader
  private var start = 0
  private var window: [UInt8] = []
  private static let windowBytes = 1 << 20

  init(_ reader: SegmentReader) { self.reader = reader }

  /// Bytes of a range of tokens that lies in the segment.
  mutating func bytes(_ range: Range<Int>) throws(StorageError) -> ArraySlice<UInt8> {
    let width = reader.width.bytes
    let wanted = range.lowerBound * width..<range.upperBound * width
    if wanted.lowerBound < start || wanted.upperBound > start + window.count {
      start = wanted.lowerBound
      window = try reader.tok.read(at: Int64(start), count: max(wanted.count, Self.windowBytes))
    }
    guard wanted.upperBound <= start + window.count else {
      throw .input(path: reader.tok.path, reason: "the file is cut")
    }
    return window[wanted.lowerBound - start..<wanted.upperBound - start]
  }
}
