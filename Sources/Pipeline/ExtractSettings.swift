import Bytes
import Documents
import Extraction
import Storage

/// The `extract` stage: which source reads an input, and under which name its documents go on.
public struct ExtractSettings: Sendable {
  /// The format that the user named; nil: told by each input's first bytes.
  public var from: String?
  /// `source` of the documents; nil: the format's name.
  public var source: String?

  /// - Throws: usage error for a format that is not in the registry.
  public init(from: String? = nil, source: String? = nil) throws(StorageError) {
    self.from = from
    self.source = source
    if let from, SourceRegistry.named(from) == nil {
      let names = SourceRegistry.all.map { $0.name }.joined(separator: ", ")
      throw .usage("unknown format \"\(from)\"; there are \(names).")
    }
  }

  public var json: JSONValue {
    ["from": from.map { .string($0) } ?? "auto", "source": source.map { .string($0) } ?? "format"]
  }

  public func step(folder: String?) -> MapStep {
    MapStep(name: "extract", folder: folder, options: json, makeTransform: nil)
  }
}
