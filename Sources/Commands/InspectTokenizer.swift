import Bytes
import Pipeline
import Sharding
import Storage
import Tokenization

/// Finds the tokenizer whose ids a store holds. A store names it by content, not by its folder.
enum InspectTokenizer {
  /// The tokenizer that the user names, else one with the hash that the store records in its folder, in the folders beside
  /// it, or near the view.
  ///
  /// - Returns: nil if none was found.
  /// - Throws: `.usage` if the named one is another.
  static func find(
    for split: StoreSplit, named path: String?, near viewPath: String?
  ) throws(StorageError) -> Tokenizer? {
    let wanted = split.tokenizer
    if let path {
      let tokenizer = try Tokenizer.load(path: path)
      guard tokenizer.sha256 == wanted.sha256 else {
        throw .usage(
          "--tokenizer \(path): its ids are not those of the store, which was made with \(wanted.name) "
            + "(SHA-256 \(wanted.sha256.prefix(16))…, not \(tokenizer.sha256.prefix(16))…).")
      }
      return tokenizer
    }
    for folder in candidates(split, viewPath) {
      let file = Path.join(folder, "tokenizer.json")
      guard FileSystem.isRegularFile(file) else { continue }
      // The report names the hash, which saves reading every tokenizer near by; what it names is checked.
      if let report = try? JSONValue.parse(
        FileSystem.readAll(Path.join(folder, "report.json"), limit: 1 << 24)),
        let hash = report["tokenizer_sha256"]?.string, hash != wanted.sha256
      {
        continue
      }
      if let tokenizer = try? Tokenizer.load(path: folder), tokenizer.sha256 == wanted.sha256 {
        return tokenizer
      }
    }
    return nil
  }

  private static func candidates(_ split: StoreSplit, _ viewPath: String?) -> [String] {
    var places: [String] = []
    var roots = split.stores.map(\.folder)
    if let viewPath {
      let parent = Path.parent(viewPath)
      roots.append(parent.isEmpty ? "." : parent)
    }
    for root in roots {
      let above = Path.join(root, "..")
      for place in [root] + ((try? FileSystem.list(above)) ?? []).map({ Path.join(above, $0) })
      where !places.contains(place) {
        places.append(place)
      }
    }
    return places
  }

  /// The text of ids; bytes that are not UTF-8 (a piece may begin inside a character) become U+FFFD.
  static func text(_ ids: [UInt32], _ tokenizer: Tokenizer) -> String {
    var bytes: [UInt8] = []
    for id in ids { bytes.append(contentsOf: tokenizer.bytes(of: id)) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
