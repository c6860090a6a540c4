import Bytes

/// All sources. A new one is its own file and one line here.
public enum SourceRegistry {
  /// Sorted by name.
  public static let all: [any DumpSource.Type] = [
    JSONLinesSource.self,
    TextSource.self,
    WARCSource.self,
    WikiSource.self,
  ]

  /// In the order of asking: `text` takes what nobody else wants.
  private static let asked: [any DumpSource.Type] = [
    WARCSource.self, WikiSource.self, JSONLinesSource.self, TextSource.self,
  ]

  /// The source that knows the file by its first decoded bytes (and its name, where they say nothing), or nil.
  public static func detect(head: borrowing Span<UInt8>, fileName: String) -> (any DumpSource.Type)? {
    for source in asked where source.recognises(head, fileName: fileName) { return source }
    return nil
  }

  /// The source of this name, or nil.
  public static func named(_ name: String) -> (any DumpSource.Type)? { all.first { $0.name == name } }
}

/// File names without the endings of compression.
enum DumpName {
  /// True if the name ends in one of `endings` (with dot), before `.gz`, `.zst`, `.bz2`.
  static func hasEnding(_ name: String, _ endings: [String]) -> Bool {
    var rest = name.lowercased()
    for packed in [".gz", ".zst", ".bz2"] where rest.hasSuffix(packed) { rest.removeLast(packed.utf8.count) }
    return endings.contains { rest.hasSuffix($0) }
  }
}
