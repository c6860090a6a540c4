import Bytes
import Storage

/// What differs between two token stores: the same content, the same documents in another order, or other documents.
public enum StoreDifference {
  /// - Parameter tick: asked between segments; throws to stop.
  /// - Throws: `.input` if document records have to be compared and cannot be read.
  public static func run(
    _ first: TokenStore, _ second: TokenStore, tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> Difference {
    if first.fingerprint == second.fingerprint {
      return Difference(
        kind: "store", fields: [],
        conclusion: "The same store (\(first.fingerprint)): the same tokens in the same order.",
        claims: [("same_order", true), ("same_content", true), ("same_documents", true)])
    }
    let ones = first.manifest.json
    let twos = second.manifest.json
    var fields: [Difference.Field] = []
    for key in ["tokenizer", "dtype", "order", "holdout", "sources", "languages"] {
      fields += Difference.fields(ones[key] ?? .null, twos[key] ?? .null, key, meaning: meaning)
    }
    fields += parts(first.manifest, second.manifest)
    var areSameTokens = first.manifest.splits.map(\.name) == second.manifest.splits.map(\.name)
    var areSameDocuments =
      areSameTokens && first.manifest.tokenizer.sha256 == second.manifest.tokenizer.sha256
    for split in first.manifest.splits {
      guard let other = second.manifest.splits.first(where: { $0.name == split.name }) else { continue }
      let found = segments(split, other)
      fields += found
      if found.isEmpty { continue }
      areSameTokens = false
      guard areSameDocuments else { continue }
      let one = try documents(first, split, tick)
      let two = try documents(second, other, tick)
      areSameDocuments = one == two
      if one != two {
        fields.append(
          Difference.Field(
            name: "splits.\(split.name) documents by hash", first: one.text, second: two.text,
            meaning: "other documents"))
      }
    }
    return Difference(
      kind: "store", fields: fields, conclusion: conclusion(areSameTokens, areSameDocuments),
      claims: [
        ("same_order", areSameTokens), ("same_content", areSameTokens), ("same_documents", areSameDocuments),
      ])
  }

  private static func conclusion(_ tokens: Bool, _ documents: Bool) -> String {
    if tokens {
      return "The same tokens in the same order, but another fingerprint: their origins or names differ. "
        + "A view of one does not fit the other."
    }
    return documents
      ? "The same documents in another order: a view of one does not fit the other."
      : "Other documents or other ids: a view of one does not fit the other."
  }

  private static func meaning(_ name: String) -> String {
    switch name.split(separator: ".").first.map(String.init) ?? name {
    case "tokenizer": name.hasSuffix("name") ? "a name only" : "ids mean other things"
    case "dtype": "ids are stored in another width"
    case "order": "documents lie in another order"
    case "holdout": "other documents are held out"
    default: "other names, or the same ones numbered otherwise"
    }
  }

  private static func parts(_ first: StoreManifest, _ second: StoreManifest) -> [Difference.Field] {
    guard first.parts != second.parts else { return [] }
    let known = Set(second.parts.map(\.sha256))
    let mine = Set(first.parts.map(\.sha256))
    let shared = mine.intersection(known).count
    return [
      Difference.Field(
        name: "parts", first: "\(first.parts.count) parts", second: "\(second.parts.count) parts",
        meaning: "\(shared) of the parts that were tokenized are the same")
    ]
  }

  private static func segments(
    _ first: StoreManifest.Split, _ second: StoreManifest.Split
  ) -> [Difference.Field] {
    var fields: [Difference.Field] = []
    let name = "splits.\(first.name)"
    for (what, one, two) in [
      ("tokens", first.tokens, second.tokens), ("documents", first.documents, second.documents),
      ("segments", first.segments.count, second.segments.count),
    ] where one != two {
      fields.append(
        Difference.Field(
          name: "\(name).\(what)", first: "\(one)", second: "\(two)",
          meaning: what == "segments"
            ? "cut into other files" : one < two ? "the second has more" : "the first has more"
        ))
    }
    let pairs = zip(first.segments, second.segments)
    let changed = pairs.filter { $0.0.tok.sha256 != $0.1.tok.sha256 }.map(\.0.name)
    if !changed.isEmpty {
      let shown = changed.prefix(4).joined(separator: " ") + (changed.count > 4 ? " …" : "")
      fields.append(
        Difference.Field(
          name: "\(name) tokens of segments", first: shown,
          second: "\(changed.count) of \(second.segments.count)",
          meaning: "other tokens in these segments"))
    }
    return fields
  }

  /// A sum over all documents that does not depend on their order: the hash of each, mixed, modulo 2^64.
  private struct DocumentSum: Equatable {
    var count = 0
    var sum: UInt64 = 0
    var text: String {
      "\(count) documents, sum \(Hex.string(withUnsafeBytes(of: sum.bigEndian) { Array($0) }))"
    }
  }

  private static func documents(
    _ store: TokenStore, _ split: StoreManifest.Split, _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) -> DocumentSum {
    var result = DocumentSum()
    for number in split.segments.indices {
      try tick()
      try store.open(split, segment: number).forEachDocument { (_, _, document) throws(StorageError) in
        result.count += 1
        // The finisher of SplitMix64, so that sums of related hashes do not cancel out.
        var mixed = document.hash
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        result.sum &+= mixed ^ mixed >> 31
      }
    }
    return result
  }
}
