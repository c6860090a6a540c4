import Bytes
import Storage

/// A format that other training code reads: one file of this folder and one line of `Exporters.all` each.
///
/// A format is given records (documents of a store, sequences of a view) shard by shard and writes files; afterwards it reads its
/// own files back into the same stream, which is compared with what went in. Formats whose token file is a segment of the
/// store are `LinkingExporter`s as well.
public protocol Exporter: Sendable {
  /// What `--format` says.
  var name: String { get }
  /// One line for `--help`.
  var summary: String { get }
  /// Does it write the records' ids? Where not, they are not looked up, and `ExportRecord.id` is empty.
  var carriesIDs: Bool { get }
  /// The id as the format can hold it.
  func storedID(_ id: [UInt8]) -> [UInt8]
  /// Do its files say where records end? Where not, `readBack` may give the ids in pieces of any size.
  var hasBoundaries: Bool { get }
  /// Does its reader cut windows of `--window` ids, so that a shard must hold whole ones?
  var cutsWindows: Bool { get }
  /// Token bytes of a shard if neither `--shards` nor `--shard-bytes` is given; nil: one shard.
  var shardBytesDefault: Int? { get }

  /// Refuses what the format cannot hold, before anything is written.
  ///
  /// - Throws: `.usage` that says why and which option helps.
  func check(_ plan: ExportPlan) throws(StorageError)

  /// Opens the files of a shard.
  func makeWriter(
    _ plan: ExportPlan, shard: Int, folder: ExportFolder
  ) throws(StorageError) -> any ExportWriter

  /// Reads the files of a shard back and gives its records in order. Bytes of files are not trusted: lengths are checked.
  ///
  /// - Parameter body: the record's id (nil if the format carries none) and its ids as stored, little-endian in `plan.width`.
  /// - Throws: `.output` that names the file and what is wrong; what `body` throws.
  func readBack(
    _ plan: ExportPlan, shard: Int, folder: String,
    _ body: (_ id: [UInt8]?, _ tokens: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError)

  /// Writes what needs all shards (an index), after the last of them.
  ///
  /// - Parameter notes: per shard, what its writer's `finish` returned.
  func finish(_ plan: ExportPlan, notes: [JSONValue], folder: ExportFolder) throws(StorageError)
}

extension Exporter {
  public var carriesIDs: Bool { false }
  public func storedID(_ id: [UInt8]) -> [UInt8] { id }
  public var hasBoundaries: Bool { true }
  public var cutsWindows: Bool { false }
  public var shardBytesDefault: Int? { nil }
  public func check(_ plan: ExportPlan) throws(StorageError) {}
  public func finish(_ plan: ExportPlan, notes: [JSONValue], folder: ExportFolder) throws(StorageError) {}
}

/// Writes one shard.
public protocol ExportWriter: AnyObject {
  /// Called once, before the first record: for formats that begin with a table of all lengths.
  func begin(_ lengths: ShardLengths) throws(StorageError)
  func add(_ record: ExportRecord) throws(StorageError)
  /// Ends the files and gives them to the folder (`ExportFolder.write`, `record`).
  ///
  /// - Returns: what `Exporter.finish` needs of this shard, small; `.null` if nothing.
  func finish() throws(StorageError) -> JSONValue
}

extension ExportWriter {
  public func begin(_ lengths: ShardLengths) throws(StorageError) {}
}

/// The lengths of a shard's records in tokens, told without reading a token.
public struct ShardLengths {
  /// Calls the closure with each length, in order.
  public let forEach: ((Int) throws(StorageError) -> Void) throws(StorageError) -> Void
}

/// A format whose token file is the store's segment, byte for byte: it is linked, and only sidecars are written.
public protocol LinkingExporter: Exporter {
  /// Why the segments of this split cannot be linked (then they are rewritten), or nil.
  func reasonToRewrite(_ split: StoreManifest.Split, of store: TokenStore) -> String?
  /// Refuses what the format cannot hold of linked segments.
  func checkLinks(_ split: StoreManifest.Split, of store: TokenStore) throws(StorageError)
  /// Links a segment and writes its sidecars.
  func link(
    _ segment: SegmentReader, number: Int, of split: StoreManifest.Split, in store: TokenStore,
    into folder: ExportFolder
  ) throws(StorageError)
  /// Reads the sidecars of a segment back, and checks that its token file is the store's.
  func compareLinks(
    _ segment: SegmentReader, number: Int, of split: StoreManifest.Split, in store: TokenStore,
    folder: ExportFolder
  ) throws(StorageError)
}

extension LinkingExporter {
  public func reasonToRewrite(_ split: StoreManifest.Split, of store: TokenStore) -> String? { nil }
  public func checkLinks(_ split: StoreManifest.Split, of store: TokenStore) throws(StorageError) {}
}

/// All formats, sorted by name.
public enum Exporters {
  public static let all: [any Exporter] = [
    ArrayRecordExporter(), DatatroveExporter(), JSONLExporter(), LitdataExporter(), LLMCExporter(.llmc),
    MDSExporter(), MegatronExporter(), LLMCExporter(.moddedNanoGPT), NanoGPTExporter(), OLMoExporter(),
    ParquetExporter(), WebDatasetExporter(),
  ]

  /// - Throws: `.usage` that names the formats there are.
  public static func named(_ name: String) throws(StorageError) -> any Exporter {
    if let exporter = all.first(where: { $0.name == name }) { return exporter }
    throw .usage("--format: there is no “\(name)”; there are \(all.map(\.name).joined(separator: ", ")).")
  }
}
