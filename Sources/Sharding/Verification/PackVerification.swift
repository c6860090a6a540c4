import Bytes
import Storage

/// Verifies a pack index against its store; each level includes those before it.
///
/// | level | checks |
/// |---|---|
/// | 0 | manifest of this store and key; size and head of each file; the table of first pieces grows from 0 to all pieces |
/// | 1 | SHA-256 of every file |
/// | 3 | meaning: every token of every document in exactly one piece, no bin over its length, none of two classes, padding and bins by class as the manifest says; with best-fit no document cut that fits a sequence |
///
/// A damaged index is a list of findings, not an error: it is derived, and removing its folder is the remedy. Memory at
/// level 3: 10 bytes per document of a unit.
public struct PackVerification {
  private let store: TokenStore
  private let split: StoreManifest.Split
  private let manifest: PackManifest
  private let key: PackKey
  private let level: Int
  private let tick: () throws(StorageError) -> Void
  private var result: Verification

  /// - Parameter tick: called now and then; what it throws ends the work.
  /// - Throws: `.usage` for a split that the store does not have; what `tick` throws.
  public static func run(
    _ store: TokenStore, split name: String, _ manifest: PackManifest, key: PackKey, level: Int,
    tick: @escaping () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> Verification {
    let split = try store.manifest.split(name)
    var work = PackVerification(
      store: store, split: split, manifest: manifest, key: key, level: level, tick: tick,
      result: Verification(kind: "pack index", level: level))
    if let problem = manifest.problem(store: store, split: split, key) {
      work.note(0, PackManifest.fileName, problem)
      return work.result
    }
    for number in manifest.units.indices {
      try tick()
      try work.verify(number)
    }
    return work.result
  }

  private func place(_ file: String) -> String { "\(split.name)/\(key.folderName)/\(file)" }

  private mutating func note(_ level: Int, _ file: String, _ what: String) {
    result.note(
      Finding(
        level: level, place: place(file),
        message: "\(what). Remove the folder \(split.name)/\(key.folderName); `sluice shard` makes it again"))
  }

  private mutating func verify(_ number: Int) throws(StorageError) {
    let unit = manifest.units[number]
    result.count("units", 1)
    result.count("sequences", unit.bins)
    result.count("pieces", unit.pieces)
    var problem: (level: Int, message: String)?
    do throws(StorageError) {
      let reader = try PackReader(store, split: split, manifest, unit: number)
      if let message = try tableProblem(reader) {
        problem = (0, message)
      } else if level >= 1, try SHA256.hexOfFile(reader.path).hex != unit.sha256 {
        problem = (1, "its SHA-256 is not the manifest's: the bytes have changed")
      }
      if level >= 1 { result.count("bytes", Int(unit.bytes)) }
      if problem == nil, level >= 3, let message = try meaningProblem(reader) { problem = (3, message) }
    } catch {
      guard case .input(let path, let reason) = error else { throw error }
      if Path.name(path) != unit.fileName {
        // The store's records: there is nothing to compare the index with.
        let message = "cannot be compared with \(Path.name(path)): \(reason)"
        return result.note(Finding(level: 3, place: place(unit.fileName), message: message))
      }
      problem = (0, reason)
    }
    if let problem { note(problem.level, unit.fileName, problem.message) }
  }

  /// What is wrong with the first pieces of the bins, or nil: each bin has at least one piece.
  private func tableProblem(_ reader: PackReader) throws(StorageError) -> String? {
    let unit = reader.unit
    var words = try WordInput(reader.path, at: 16)
    var last = try words.next()
    if last != 0 { return "its first bin begins with piece \(last)" }
    for bin in 0..<unit.bins {
      let next = try words.next()
      if next <= last { return "bin \(bin) ends at piece \(next), and begins at piece \(last)" }
      last = next
      if bin % (1 << 20) == 0 { try tick() }
    }
    return Int(last) == unit.pieces ? nil : "its bins end at piece \(last) of \(unit.pieces)"
  }

  /// What is wrong with the pieces, or nil.
  ///
  /// The pieces of a document come in the order of its tokens, in either policy. So each has to begin where the one
  /// before it ended: then no token is read twice, and none is left out if all documents are covered to their end.
  private mutating func meaningProblem(_ reader: PackReader) throws(StorageError) -> String? {
    let unit = reader.unit
    let records = try UnitRecords(
      store, split: split, key.grouping, segments: unit.segmentRange, tick: tick)
    let context = key.context
    let lengths = records.lengths
    var covered = [UInt32](repeating: 0, count: lengths.count)
    var table = try WordInput(reader.path, at: 20)
    var pieces = try WordInput(
      reader.path, at: PackManifest.Unit.fileBytes(bins: unit.bins, pieces: 0))
    var padding = 0
    var piece = 0
    var kind = 0
    var classEnd = unit.classBins[0]
    for bin in 0..<unit.bins {
      while bin == classEnd {
        kind += 1
        classEnd += unit.classBins[kind]
      }
      let end = Int(try table.next())
      var left = context
      while piece < end {
        let document = Int(try pieces.next())
        let offset = try pieces.next()
        let length = try pieces.next()
        guard document < lengths.count, length > 0, Int(length) <= left else {
          return "bin \(bin) holds more than \(context) ids or a document that is not there"
        }
        guard offset == covered[document], length <= lengths[document] - offset else {
          return "bin \(bin) reads document \(document) from token \(offset), "
            + "and \(covered[document]) of its \(lengths[document]) tokens came before"
        }
        if key.policy == .bestFit, lengths[document] <= context, length != lengths[document] {
          return "document \(document) fits a sequence and is cut"
        }
        if !records.classes.isEmpty, Int(records.classes[document]) != kind {
          return
            "bin \(bin) of class \(kind) holds document \(document) of class \(records.classes[document])"
        }
        covered[document] = offset + length
        left -= Int(length)
        piece += 1
      }
      padding += left
      if bin % (1 << 16) == 0 { try tick() }
    }
    if let document = covered.indices.first(where: { covered[$0] != lengths[$0] }) {
      return "document \(document) is read to token \(covered[document]) of \(lengths[document])"
    }
    result.count("documents", lengths.count)
    return padding == unit.padding
      ? nil : "its bins have \(padding) ids of padding, and the manifest says \(unit.padding)"
  }
}

/// Little-endian u32 of a file, front to back.
private struct WordInput {
  private let file: RandomAccessFile
  private var offset: Int64
  private var buffer: [UInt8] = []
  private var position = 0

  init(_ path: String, at offset: Int) throws(StorageError) {
    file = try RandomAccessFile(path)
    self.offset = Int64(offset)
  }

  @inline(__always)
  mutating func next() throws(StorageError) -> UInt32 {
    if position == buffer.count { try fill() }
    let word = buffer.withUnsafeBytes { $0.integer(at: position, as: UInt32.self) }
    position += 4
    return word
  }

  private mutating func fill() throws(StorageError) {
    buffer = try file.read(at: offset, count: 1 << 18)
    buffer.removeLast(buffer.count % 4)
    guard !buffer.isEmpty else { throw .input(path: file.path, reason: "the file is cut") }
    offset += Int64(buffer.count)
    position = 0
  }
}
