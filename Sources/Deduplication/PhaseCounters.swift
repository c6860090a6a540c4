import Bytes
import Storage

/// Counts of a phase for the report, by name. As a file: `counters.json`, members sorted.
public struct PhaseCounters: Equatable, Sendable {
  static let fileName = "counters.json"
  private var values: [String: Int] = [:]

  init() {}

  subscript(name: String) -> Int {
    get { values[name] ?? 0 }
    set { values[name] = newValue }
  }

  /// Names and counts, sorted by name.
  public var sorted: [(name: String, count: Int)] {
    values.map { (name: $0.key, count: $0.value) }
      .sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
  }

  var serialized: [UInt8] {
    JSONValue.object(sorted.map { JSONValue.Member($0.name, .int($0.count)) }).serialized(indent: 2) + [10]
  }

  /// Reads the counts that a phase wrote into its folder.
  public init(phaseFolder folder: String) throws(StorageError) {
    let path = Path.join(folder, Self.fileName)
    let bytes = try FileSystem.readAll(path, limit: 1 << 20)
    guard let json = try? JSONValue.parse(bytes) else { throw .input(path: path, reason: "is no JSON") }
    for member in json.members ?? [] { values[member.key] = member.value.int ?? 0 }
  }
}
