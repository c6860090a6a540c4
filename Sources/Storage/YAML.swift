import Bytes
import CYaml

/// A node of a small YAML file (pipeline, recipe) with its place, so that every complaint can name a line.
///
/// Shape: one YAML document of mappings, sequences and scalars in UTF-8. Anchors, aliases and tags are refused: these
/// files are read by people, and aliases can make a small file huge. Keys are scalars and occur once per mapping.
///
/// - Throws: `StorageError.usage("path:line: what")` for everything that is wrong with the file.
/// - Limits: `pipelineFileBytes`; mappings and sequences nest at most `depthMax` deep.
/// - Source: YAML 1.1 as libyaml reads it; of its plain scalars only decimal numbers, `true`, `false` and `null` mean
///   something else than their text.
public struct YAMLNode: Sendable {
  public enum Kind: Sendable {
    /// A scalar's text; `isPlain` if it stood without quotes, so that it may mean a number, a truth value or null.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    case mapping([Entry])
  }

  /// One member of a mapping, in the order of the file. `line` is the key's, counted from 1.
  public struct Entry: Sendable {
    public var key: String
    public var line: Int
    public var node: YAMLNode
  }

  public static let depthMax = 32

  public let kind: Kind
  /// The file's path as messages show it.
  public let path: String
  /// Counted from 1.
  public let line: Int
  /// Counted from 1, in scalars.
  public let column: Int

  /// Reads a whole file that is already in memory.
  public init(parsing bytes: [UInt8], path: String) throws(StorageError) {
    self = try YAMLReader(bytes, path: path).document()
  }

  init(_ kind: Kind, path: String, line: Int, column: Int) {
    self.kind = kind
    self.path = path
    self.line = line
    self.column = column
  }

  /// Members of a mapping, or nil.
  public var mapping: [Entry]? { if case .mapping(let entries) = kind { entries } else { nil } }

  /// Elements of a sequence, or nil.
  public var sequence: [YAMLNode]? { if case .sequence(let nodes) = kind { nodes } else { nil } }

  /// A scalar's text, or nil; nil for a plain `null`, `~` or nothing at all.
  public var string: String? {
    guard case .scalar(let text, _) = kind, !isNull else { return nil }
    return text
  }

  /// A plain scalar that is a decimal integer; `_` may group digits.
  public var int: Int? { plain.flatMap { Int(YAMLNode.ungrouped($0)) } }

  /// A plain scalar that is a finite decimal number.
  public var double: Double? {
    guard let text = plain, text.utf8.allSatisfy({ $0.isASCIIDigit || "+-.eE_".utf8.contains($0) }) else {
      return nil
    }
    return Double(YAMLNode.ungrouped(text)).flatMap { $0.isFinite ? $0 : nil }
  }

  /// A plain `true` or `false`.
  public var bool: Bool? { plain == "true" ? true : plain == "false" ? false : nil }

  /// True for a plain `null`, `~` or an empty value.
  public var isNull: Bool {
    guard case .scalar(let text, true) = kind else { return false }
    return text.isEmpty || text == "~" || text == "null"
  }

  /// The value of `key` in a mapping, or nil.
  public subscript(_ key: String) -> YAMLNode? { mapping?.first { $0.key == key }?.node }

  /// What is wrong at this node, as an error with its place.
  public func failure(_ what: String) -> StorageError { YAMLNode.failure(path, line, what) }

  /// What is wrong with a key of this mapping: it is none of `allowed`.
  public func unknownKey(_ entry: Entry, allowed: [String]) -> StorageError {
    YAMLNode.failure(path, entry.line, YAMLNode.unknownKey(entry.key, allowed: allowed))
  }

  /// The sentence for a name that is none of `allowed`, with the nearest one if it is near enough to be meant.
  public static func unknownKey(_ key: String, allowed: [String], kind: String = "key") -> String {
    let start = "unknown \(kind) \"\(key)\"."
    let distances = allowed.map { (name: $0, distance: EditDistance.between(key, $0)) }
    if let best = distances.min(by: { $0.distance < $1.distance }),
      best.distance <= max(2, best.name.count / 3)
    {
      return "\(start) Did you mean \"\(best.name)\"?"
    }
    return "\(start) Known: \(allowed.sorted().joined(separator: ", "))."
  }

  static func failure(_ path: String, _ line: Int, _ what: String) -> StorageError {
    .usage("\(path):\(line): \(what)")
  }

  private var plain: String? { if case .scalar(let text, true) = kind { text } else { nil } }

  private static func ungrouped(_ text: String) -> String {
    text.contains("_") ? text.filter { $0 != "_" } : text
  }
}

/// Insertions, deletions and replacements of scalars between two short names.
enum EditDistance {
  static func between(_ first: String, _ second: String) -> Int {
    let a = Array(first.unicodeScalars.prefix(64))
    let b = Array(second.unicodeScalars.prefix(64))
    var row = Array(0...b.count)
    for i in 0..<a.count {
      var diagonal = row[0]
      row[0] = i + 1
      for j in 0..<b.count {
        let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, min(row[j], row[j + 1]) + 1)
      }
    }
    return row[b.count]
  }
}
