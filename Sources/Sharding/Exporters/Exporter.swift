import Bytes
import Storage

/// A format that other training code reads: one file of this folder and one line of `Exporters.all` each.
public protocol Exporter: Sendable {
  /// What `--format` says.
  var name: String { get }
  /// One line for `--help`.
  var summary: String { get }

  /// Refuses what the format cannot hold, before anything is written.
  ///
  /// - Throws: `.usage` that says why and what to do.
  func check(_ store: TokenStore, _ split: StoreManifest.Split) throws(StorageError)

  /// Writes the files of a split into the folder, segment by segment.
  func export(_ split: StoreManifest.Split, of store: TokenStore, into folder: ExportFolder)
    throws(StorageError)

  /// Reads the files back and compares them with the store.
  ///
  /// - Throws: `.output` that names the file and the difference.
  func compare(_ split: StoreManifest.Split, of store: TokenStore, in folder: String) throws(StorageError)
}

/// All formats, sorted by name.
public enum Exporters {
  public static let all: [any Exporter] = [DatatroveExporter(), JSONLExporter(), MegatronExporter()]

  /// - Throws: `.usage` that names the formats there are.
  public static func named(_ name: String) throws(StorageError) -> any Exporter {
    if let exporter = all.first(where: { $0.name == name }) { return exporter }
    throw .usage("--format: there is no “\(name)”; there are \(all.map(\.name).joined(separator: ", ")).")
  }
}

/// How the bytes of a file came into an export.
public enum ExportMethod: String, Sendable {
  /// A second name of the store's file: no byte was copied.
  case hardLink = "hard-link"
  /// The file system refused a link (another device, or no links there).
  case copy
  case written
}

/// What an export wrote, in sum.
public struct ExportReport: Equatable, Sendable {
  public struct File: Equatable, Sendable {
    public var name: String
    public var bytes: Int64
    public var sha256: String
    public var method: ExportMethod
  }

  public var format: String
  public var store: String
  public var split: String
  public var documents: Int
  public var tokens: Int
  public var files: [File]

  public static let format = "sluice-export/1"

  public func files(_ method: ExportMethod) -> [File] { files.filter { $0.method == method } }

  public var json: JSONValue {
    [
      "format": .string(Self.format), "export": .string(format), "store": .string(store),
      "split": .string(split),
      "documents": .int(documents), "tokens": .int(tokens),
      "files": .array(
        files.map {
          [
            "name": .string($0.name), "bytes": .int(Int($0.bytes)), "sha256": .string($0.sha256),
            "method": .string($0.method.rawValue),
          ]
        }),
    ]
  }

  /// Reads an export's `manifest.json`.
  ///
  /// - Throws: `.input`.
  public init(bytes: [UInt8], path: String) throws(StorageError) {
    let root = try JSONFields(parsing: bytes, path: path)
    guard try root.string("format") == Self.format else {
      throw .input(path: path, reason: "not an export's manifest")
    }
    format = try root.string("export")
    store = try root.string("store")
    split = try root.string("split")
    documents = try root.int("documents", in: 0...Int.max)
    tokens = try root.int("tokens", in: 0...Int.max)
    files = []
    for file in try root.objects("files") {
      let name = try file.string("name")
      guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), name != ".." else {
        throw .input(path: path, reason: "\(file.place)name: no plain file name")
      }
      files.append(
        File(
          name: name, bytes: Int64(try file.int("bytes", in: 0...Int.max)), sha256: try file.string("sha256"),
          method: ExportMethod(rawValue: try file.string("method")) ?? .written))
    }
  }

  init(format: String, store: String, split: String, documents: Int, tokens: Int, files: [File]) {
    self.format = format
    self.store = store
    self.split = split
    self.documents = documents
    self.tokens = tokens
    self.files = files
  }
}

/// The folder that an exporter writes to; records each file and how it came there.
public final class ExportFolder {
  public let path: String
  public private(set) var files: [ExportReport.File] = []

  public init(_ path: String) throws(StorageError) {
    self.path = path
    try FileSystem.makeFolder(path)
  }

  /// Gives a file of the store a second name here; where the file system cannot link, copies it.
  func link(_ file: StoreManifest.File, at source: String, as name: String) throws(StorageError) {
    let target = Path.join(path, name)
    if FileSystem.exists(target) { try FileSystem.removeFile(target) }
    do throws(StorageError) {
      try FileSystem.hardLink(from: source, to: target)
      files.append(.init(name: name, bytes: file.bytes, sha256: file.sha256, method: .hardLink))
    } catch {
      try copy(file, at: source, as: name)
    }
  }

  private func copy(_ file: StoreManifest.File, at source: String, as name: String) throws(StorageError) {
    let input = try RandomAccessFile(source)
    let output = try OutputFile(folder: path, name: name)
    var offset: Int64 = 0
    while offset < input.size {
      let bytes = try input.read(at: offset, count: Int(min(1 << 20, input.size - offset)))
      if bytes.isEmpty { break }
      try output.write(bytes)
      offset += Int64(bytes.count)
    }
    let summary = try output.commit()
    guard summary.sha256 == file.sha256 else {
      throw .input(
        path: source, reason: "its SHA-256 is not the manifest's. Run `sluice verify` on the store.")
    }
    files.append(.init(name: name, bytes: summary.bytes, sha256: summary.sha256, method: .copy))
  }

  /// Writes a file of the export's own, piece by piece.
  func write(
    _ name: String, _ body: (OutputFile) throws(StorageError) -> Void
  ) throws(StorageError) {
    let output = try OutputFile(folder: path, name: name)
    try body(output)
    record(try output.commit())
  }

  func record(_ summary: FileSummary) {
    files.append(.init(name: summary.name, bytes: summary.bytes, sha256: summary.sha256, method: .written))
  }
}

/// Exports one split of a store and reads it back.
public enum StoreExport {
  /// - Parameter tick: called between writing and reading back; what it throws ends the work.
  /// - Throws: `.usage` for what the format cannot hold, `.output` if what was written does not read back equal.
  public static func run(
    _ store: TokenStore, split name: String, as exporter: any Exporter, into path: String,
    tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> ExportReport {
    let split = try store.manifest.split(name)
    guard split.documents > 0 else {
      throw .usage("The split “\(name)” holds no document: nothing to export.")
    }
    try exporter.check(store, split)
    let folder = try ExportFolder(path)
    try exporter.export(split, of: store, into: folder)
    try tick()
    try exporter.compare(split, of: store, in: path)
    let report = ExportReport(
      format: exporter.name, store: store.fingerprint, split: name, documents: split.documents,
      tokens: split.tokens,
      files: folder.files.sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) })
    _ = try OutputFile.write(
      report.json.serialized(indent: 1) + [10], folder: path, name: StoreManifest.fileName)
    return report
  }

  /// `train-00000`: the stem of a segment's files in an export.
  static func stem(_ split: StoreManifest.Split, _ number: Int) -> String {
    split.name + "-" + Path.padded(number, digits: 5)
  }

  /// Checks that a token file of an export is the store's: the same inode, or a copy of the recorded hash.
  static func compareTokens(
    _ name: String, _ segment: SegmentReader, in folder: String
  ) throws(StorageError) {
    let path = Path.join(folder, name)
    let mine = try FileSystem.identity(of: path)
    let theirs = try FileSystem.identity(of: segment.tok.path)
    if mine.inode == theirs.inode, mine.device == theirs.device { return }
    let found = try SHA256.hexOfFile(path)
    guard found.hex == segment.segment.tok.sha256 else {
      throw .output(
        path: path,
        reason: "its SHA-256 is \(found.hex), the store's segment has \(segment.segment.tok.sha256)")
    }
  }
}
