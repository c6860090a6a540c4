import Bytes
import Storage

/// The lists of several stores as one: sources, languages and input parts, and where each store's numbers went.
struct StoreLists {
  /// Numbers of one store's entries in the united lists.
  struct Numbers {
    var sources: [UInt32]
    var languages: [UInt16]
    var parts: [UInt64]

    /// Nothing moved: document records stay as they are.
    var areUnchanged: Bool {
      !sources.enumerated().contains { $0.offset != Int($0.element) }
        && !languages.enumerated().contains { $0.offset != Int($0.element) }
        && !parts.enumerated().contains { $0.offset != Int($0.element) }
    }

    /// The record's numbers in the united lists; nil if it names what its own store does not have.
    func stored(_ document: SegmentReader.Document) -> StoredDocument? {
      guard document.source < sources.count, document.language < languages.count, document.part < parts.count
      else { return nil }
      return StoredDocument(
        origin: parts[document.part] << 40 | UInt64(document.numberInPart), source: sources[document.source],
        language: languages[document.language])
    }
  }

  let sources: [String]
  let languages: [String]
  let parts: [StorePart]
  /// By store.
  let numbers: [Numbers]

  /// - Parameters:
  ///   - sources: all names, sorted; `languages`: `unknown`, then the others, sorted.
  /// - Throws: `.usage` for more than a store can number.
  init(_ stores: [TokenStore], sources: [String], languages: [String]) throws(StorageError) {
    guard sources.count <= StoreOptions.sourcesMax, languages.count <= StoreOptions.languagesMax else {
      throw .usage(
        "Together the stores name \(sources.count) sources and \(languages.count) languages; a store can number "
          + "\(StoreOptions.sourcesMax) of each.")
    }
    var sourceNumbers: [String: UInt32] = [:]
    for (number, name) in sources.enumerated() { sourceNumbers[name] = UInt32(number) }
    var languageNumbers: [String: UInt16] = [:]
    for (number, name) in languages.enumerated() { languageNumbers[name] = UInt16(number) }
    // A part that two stores have in common is one part: the same file, wherever it was read.
    var partNumbers: [String: UInt64] = [:]
    var parts: [StorePart] = []
    var numbers: [Numbers] = []
    for store in stores {
      var mine: [UInt64] = []
      // Within a store two parts stay two, even if they are equal.
      let known = partNumbers
      for part in store.manifest.parts {
        let key = "\(part.sha256)/\(part.bytes)/\(part.name)"
        if let number = known[key] {
          mine.append(number)
          continue
        }
        partNumbers[key] = UInt64(parts.count)
        mine.append(UInt64(parts.count))
        parts.append(part)
      }
      numbers.append(
        Numbers(
          sources: store.manifest.sources.map { sourceNumbers[$0] ?? 0 },
          languages: store.manifest.languages.map { languageNumbers[$0] ?? 0 }, parts: mine))
    }
    guard parts.count <= StoreOptions.partsMax else {
      throw .usage("Together the stores name more than \(StoreOptions.partsMax) input parts.")
    }
    self.sources = sources
    self.languages = languages
    self.parts = parts
    self.numbers = numbers
  }
}
