import Bytes
import CEmbedded
import Storage

/// A named, versioned list of rules with their thresholds. A recipe is data: `web-1` never changes its verdicts; `web` means
/// the newest of its line, and reports print what a name resolved to.
///
/// Shape: YAML with the keys `recipe` (the name) and `rules`, a list in the order of judgement. Each has `rule` (a name of
/// `RuleRegistry`) and `min` and/or `max` (drop below, above), or `threshold` and `compare` (drop if `value compare threshold`,
/// one of `<`, `<=`, `>`, `>=`); optionally `scripts` (`spaced`, `unspaced`, `all`), `english-only`, `from-words` (shorter
/// texts are not judged by it) and `off`.
///
/// - Throws: `StorageError.usage` with file and line; unknown keys are errors. `.input` if the file cannot be read.
/// - Limits: `pipelineFileBytes`.
public struct Recipe: Sendable {
  public let name: String
  /// The active entries, in order.
  public let entries: [RecipeEntry]
  /// SHA-256 of the recipe's bytes, in hexadecimal: for manifests.
  public let sha256: String

  /// Names that `load` knows without a file: versions, and aliases of the newest.
  public static let names = ["web", "web-1"]

  /// An embedded recipe, or the file at a path that ends with `.yaml` or `.yml`.
  public static func load(nameOrPath: String) throws(StorageError) -> Recipe {
    switch nameOrPath {
    case "web", "web-1": return try Recipe(yaml: embeddedWeb1, path: "recipe web-1")
    case let path where path.hasSuffix(".yaml") || path.hasSuffix(".yml"):
      return try Recipe(
        yaml: try FileSystem.readAll(path, limit: Limits.standard.pipelineFileBytes), path: path)
    default:
      let message = YAMLNode.unknownKey(nameOrPath, allowed: names, kind: "recipe")
      throw .usage("--recipe \(nameOrPath): \(message) A recipe of your own is a path that ends with .yaml.")
    }
  }

  public init(yaml bytes: [UInt8], path: String) throws(StorageError) {
    let root = try YAMLNode(parsing: bytes, path: path)
    guard let members = root.mapping else {
      throw root.failure("a recipe is a mapping with the keys recipe and rules.")
    }
    var name: String?
    var entries: [RecipeEntry]?
    for member in members {
      switch member.key {
      case "recipe": name = member.node.string
      case "rules":
        guard let list = member.node.sequence, !list.isEmpty else {
          throw member.node.failure("rules must be a list with at least one rule.")
        }
        var found: [RecipeEntry] = []
        for node in list {
          let entry = try RecipeEntry(node)
          if !entry.isOff { found.append(entry) }
        }
        entries = found
      default: throw root.unknownKey(member, allowed: ["recipe", "rules"])
      }
    }
    guard let name, !name.isEmpty else {
      throw root.failure("the key recipe, the recipe's name, is missing.")
    }
    guard let entries else { throw root.failure("the key rules is missing.") }
    self.name = name
    self.entries = entries
    sha256 = SHA256.hex(bytes.span)
  }

  private static var embeddedWeb1: [UInt8] {
    // SAFETY: the embedded bytes are a constant of the program.
    [UInt8](UnsafeBufferPointer(start: sluice_recipe_web_1_bytes(), count: sluice_recipe_web_1_size))
  }
}
