import Bytes
import Storage

/// How the bytes of a file came into an export.
public enum ExportMethod: String, CaseIterable, Sendable {
  /// A second name of the store's file: no byte was copied.
  case hardLink = "hard-link"
  /// A file of its own that shares the store's blocks on disk (copy on write).
  case reflink
  /// The file system refused both, or the format wants one file of several segments.
  case copy
  case written
}

/// What an export wrote, in sum: its `manifest.json`.
public struct ExportReport: Equatable, Sendable {
  public struct File: Equatable, Sendable {
    public var name: String
    public var bytes: Int64
    public var sha256: String
    public var method: ExportMethod

    public var json: JSONValue {
      [
        "name": .string(name), "bytes": .int(Int(bytes)), "sha256": .string(sha256),
        "method": .string(method.rawValue),
      ]
    }
  }

  public var format: String
  /// Fingerprints, joined by a space if a view reads several stores.
  public var store: String
  public var split: String
  /// What a record is, and how many there are.
  public var records: ExportPlan.Records
  public var documents: Int
  public var tokens: Int
  /// Ids at the end that fill no window.
  public var tailTokens: Int
  /// Hash of the view's order, and the epoch, for an export in a view's order.
  public var view: String?
  public var epoch: Int?
  public var files: [File]

  public static let format = "sluice-export/1"

  /// Is it what `job` would write, as far as the manifest tells?
  public func matches(_ job: ExportJob) -> Bool {
    format == job.plan.format && store == job.source.store && split == job.plan.split
      && view == job.source.view && records == job.plan.records && tokens == job.plan.tokens
      && (epoch == nil || epoch == job.plan.options.epoch)
  }

  public func files(_ method: ExportMethod) -> [File] { files.filter { $0.method == method } }

  public var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("format", .string(Self.format)), .init("export", .string(format)), .init("store", .string(store)),
      .init("split", .string(split)), .init("records", .string(records.rawValue)),
      .init("documents", .int(documents)), .init("tokens", .int(tokens)),
    ]
    if records == .windows { members.append(.init("tail_tokens", .int(tailTokens))) }
    if let view { members.append(.init("view", .string(view))) }
    if let epoch { members.append(.init("epoch", .int(epoch))) }
    members.append(.init("files", .array(files.map(\.json))))
    return .object(members)
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
    records = root.value["records"]?.string.flatMap { ExportPlan.Records(rawValue: $0) } ?? .documents
    documents = try root.int("documents", in: 0...Int.max)
    tokens = try root.int("tokens", in: 0...Int.max)
    tailTokens = root.value["tail_tokens"]?.int ?? 0
    view = root.value["view"]?.string
    epoch = root.value["epoch"]?.int
    files = []
    for file in try root.objects("files") {
      let name = try file.string("name")
      guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), name != "..", name != "." else {
        throw .input(path: path, reason: "\(file.place)name: no plain file name")
      }
      files.append(
        File(
          name: name, bytes: Int64(try file.int("bytes", in: 0...Int.max)), sha256: try file.string("sha256"),
          method: ExportMethod(rawValue: try file.string("method")) ?? .written))
    }
  }

  init(_ plan: ExportPlan, store: String, view: String?, files: [File]) {
    format = plan.format
    self.store = store
    split = plan.split
    records = plan.records
    documents = plan.recordCount
    tokens = plan.tokens
    tailTokens = plan.tailTokens
    self.view = view
    epoch = view == nil ? nil : plan.options.epoch
    self.files = files.sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
  }
}
