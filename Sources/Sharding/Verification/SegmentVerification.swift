import Bytes
import Storage

/// Verifies one segment of a store: its four files, its documents, and its sums. See `StoreVerification`.
struct SegmentVerification {
  let store: TokenStore
  let split: StoreManifest.Split
  let number: Int
  let level: Int
  let tick: () throws(StorageError) -> Void

  private(set) var findings: [Finding] = []
  /// Bytes that were read.
  private(set) var bytes = 0
  private var sums: SegmentSums?

  init(
    _ store: TokenStore, _ split: StoreManifest.Split, _ number: Int, level: Int,
    tick: @escaping () throws(StorageError) -> Void
  ) {
    self.store = store
    self.split = split
    self.number = number
    self.level = level
    self.tick = tick
  }

  private var segment: StoreManifest.Segment { split.segments[number] }
  private var place: String { "\(split.name)/\(segment.name)" }

  mutating func verify() throws(StorageError) {
    readSums()
    var reader: SegmentReader?
    do throws(StorageError) { reader = try store.open(split, segment: number) } catch {
      guard case .input(let path, let reason) = error else { throw error }
      // A file that is missing or of another size is named below, with more of it.
      if !segment.files.contains(where: { path.hasSuffix("." + $0.extension) }) {
        note(0, "\(split.name)/\(Path.name(path))", reason)
      }
    }
    var isIntact = true
    for (index, (suffix, file)) in segment.files.enumerated() {
      try tick()
      if try !check(suffix, file, index, suffix == "tok" ? reader : nil) { isIntact = false }
    }
    if let reader, let problem = try documentsProblem(reader) { note(problem.level, place, problem.message) }
    if isIntact, findings.isEmpty { try compareSums() }
  }

  // MARK: Sums

  private mutating func readSums() {
    let path = store.path(split, segment, SegmentSums.suffix)
    guard FileSystem.exists(path) else { return }
    let size = (try? FileSystem.size(of: path)).map(Int.init) ?? 0
    guard let bytes = try? FileSystem.readAll(path), let read = SegmentSums(bytes: bytes) else {
      noteSums("is damaged", size)
      return
    }
    guard read.files.map(\.bytes) == segment.files.map({ Int($0.file.bytes) }) else {
      noteSums("belongs to another segment", size)
      return
    }
    sums = read
  }

  private mutating func noteSums(_ what: String, _ size: Int) {
    findings.append(
      Finding(
        level: 0, place: "\(place).\(SegmentSums.suffix)",
        message:
          "\(what). No token is concerned: remove it; damage is then told per file instead of per block",
        ranges: [0..<max(size, 1)]))
  }

  /// All files are what the manifest says: sums that say otherwise are those of another segment.
  private mutating func compareSums() throws(StorageError) {
    guard level >= 1, staleSums, sums != nil else { return }
    noteSums("is not that of this segment's files", SegmentSums(files: sums?.files ?? []).bytes.count)
  }

  private var staleSums = false

  // MARK: Files

  /// Size; from level 1 the hashes; of the token file, at level 2, the documents too. False if anything is wrong.
  private mutating func check(
    _ suffix: String, _ file: StoreManifest.File, _ index: Int, _ reader: SegmentReader?
  ) throws(StorageError) -> Bool {
    let name = "\(place).\(suffix)"
    guard let input = try? RandomAccessFile(store.path(split, segment, suffix)) else {
      findings.append(
        Finding(
          level: 0, place: name, message: "is missing or cannot be read", parts: parts(nil),
          ranges: [0..<max(1, Int(file.bytes))]))
      return false
    }
    // Where a file was cut or grew is worth reading it at any level.
    guard level >= 1 || input.size != file.bytes else { return true }
    var check = FileCheck(input, file, sums?.files[index], level: level)
    var documents: DocumentCheck?
    if level >= 2, let reader, suffix == "tok", input.size == file.bytes {
      documents = try DocumentCheck(reader, store.manifest.tokenizer)
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileCheck.chunkBytes, alignment: 64)
    defer { buffer.deallocate() }
    var chunks = 0
    do throws(StorageError) {
      while true {
        let count = try check.next(into: buffer)
        if count == 0 { break }
        bytes += count
        try documents?.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        chunks += 1
        if chunks % 64 == 0 { try tick() }
      }
    } catch {
      guard case .input(_, let reason) = error else { throw error }
      note(1, name, "cannot be read: \(reason)")
      return false
    }
    let problem = check.problem()
    if problem == nil, !check.changed.isEmpty { staleSums = true }
    report(problem, name, suffix, check.hasSums, check.changed, documents?.findings ?? [])
    return problem == nil
  }

  private mutating func report(
    _ problem: (level: Int, message: String)?, _ name: String, _ suffix: String, _ hasSums: Bool,
    _ changed: [Range<Int>], _ wrong: [(number: Int, bytes: Range<Int>, message: String)]
  ) {
    if let problem {
      // Without sums the documents whose hashes are wrong tell where; without those it may be anywhere.
      var ranges = hasSums || problem.level == 0 ? changed : wrong.map(\.bytes)
      if ranges.isEmpty {
        ranges = [
          0..<max(1, (segment.files.first { $0.extension == suffix }.map { Int($0.file.bytes) } ?? 1))
        ]
      }
      let documents = documents(in: ranges, of: suffix)
      var message = problem.message + ": the bytes \(Self.text(ranges)) have changed"
      if let documents { message += " (\(Self.text(documents, "document")))" }
      findings.append(
        Finding(level: problem.level, place: name, message: message, parts: parts(documents), ranges: ranges))
    }
    for document in wrong {
      findings.append(
        Finding(
          level: 2, place: place, message: "document \(document.number): \(document.message)",
          parts: parts([document.number..<document.number + 1]), ranges: [document.bytes]))
    }
  }

  static func text(_ ranges: [Range<Int>]) -> String {
    ranges.prefix(4).map { "\($0.lowerBound) to \($0.upperBound - 1)" }.joined(separator: ", ")
      + (ranges.count > 4 ? " and \(ranges.count - 4) more ranges" : "")
  }

  private static func text(_ ranges: [Range<Int>], _ what: String) -> String {
    let list = ranges.prefix(4).map {
      $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound) to \($0.upperBound - 1)"
    }.joined(separator: ", ")
    return "\(what)\(ranges.count == 1 && ranges[0].count == 1 ? "" : "s") \(list)"
      + (ranges.count > 4 ? " and more" : "")
  }

  // MARK: Documents

  /// The documents of byte ranges of a file; nil if they cannot be told.
  private func documents(in ranges: [Range<Int>], of suffix: String) -> [Range<Int>]? {
    let size = SegmentWriter.documentRecordBytes
    if suffix == "doc" {
      let numbers = ranges.map {
        $0.lowerBound / size..<min(segment.documents, ($0.upperBound - 1) / size + 1)
      }
      return numbers.contains { $0.isEmpty } ? nil : numbers
    }
    guard suffix == "tok", let reader = try? store.open(split, segment: number) else { return nil }
    var numbers: [Range<Int>] = []
    for range in ranges {
      let (first, last) = (range.lowerBound / reader.width.bytes, (range.upperBound - 1) / reader.width.bytes)
      guard last < segment.tokens, let low = try? reader.document(atToken: first),
        let high = try? reader.document(atToken: last), low <= high
      else { return nil }
      numbers.append(low..<high + 1)
    }
    return numbers
  }

  /// The first thing that is wrong with the document records of a segment, or nil.
  private func documentsProblem(_ reader: SegmentReader) throws(StorageError) -> (
    level: Int, message: String
  )? {
    let manifest = store.manifest
    var last = 0
    var problem: String?
    do throws(StorageError) {
      if let message = try reader.originIndexProblem() { return (0, message) }
      try reader.forEachDocument { (number, _, document) throws(StorageError) in
        last = document.end
        if problem == nil,
          document.source >= manifest.sources.count || document.language >= manifest.languages.count
            || document.part >= manifest.parts.count
        {
          problem = "document \(number) names a source, language or part that the manifest does not have"
        }
      }
    } catch {
      guard case .input(_, let reason) = error else { throw error }
      return (0, reason)
    }
    if let problem { return (0, problem) }
    if last != segment.tokens {
      return (0, "the documents end at token \(last), and the segment has \(segment.tokens)")
    }
    let end = try reader.tokens(segment.tokens - 1..<segment.tokens).first.map(Int.init) ?? -1
    if end >= manifest.tokenizer.vocabulary { return (0, "its last id \(end) is not below the vocabulary") }
    if let eos = manifest.tokenizer.lastID, end != eos {
      return (0, "its last id is \(end), not the end-of-text id \(eos)")
    }
    if let bos = manifest.tokenizer.firstID, let start = try reader.tokens(0..<1).first, Int(start) != bos {
      return (0, "its first id is \(start), not the begin-of-text id \(bos)")
    }
    return nil
  }

  private mutating func note(_ level: Int, _ place: String, _ message: String) {
    findings.append(Finding(level: level, place: place, message: message, parts: parts(nil)))
  }

  /// Names of the input parts of some documents, nil: of all; empty if the records cannot be read.
  private func parts(_ documents: [Range<Int>]?) -> [String] {
    let size = SegmentWriter.documentRecordBytes
    guard let file = try? RandomAccessFile(store.path(split, segment, "doc")) else { return [] }
    var numbers: Set<Int> = []
    for range in documents ?? [0..<Int(file.size) / size] {
      var number = range.lowerBound
      while number < range.upperBound,
        let bytes = try? file.read(
          at: Int64(number * size), count: size * min(4096, range.upperBound - number)),
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
        number += bytes.count / size
      }
    }
    return numbers.sorted().filter { $0 < store.manifest.parts.count }.map { store.manifest.parts[$0].name }
  }
}
