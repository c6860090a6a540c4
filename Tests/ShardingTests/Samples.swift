import Bytes
import Documents
import Storage
import TestSupport

@testable import Sharding

/// Generated corpora and stores for the tests of this room.
enum Samples {
  static func tokenizer(vocabulary: Int, policy: TokenizerIdentity.Policy = .appendEOS) -> TokenizerIdentity {
    TokenizerIdentity(
      name: "sample", sha256: String(repeating: "ab", count: 32), vocabulary: vocabulary, eos: vocabulary - 1,
      policy: policy)
  }

  /// A document of the corpus before it is stored.
  struct Encoded: Equatable {
    var id: String
    var source: String
    var language: String?
    var tokens: [UInt32]
  }

  /// Documents of 0 to about 120 tokens below `vocabulary - 1` (the last id is end of text).
  static func corpus(_ count: Int, vocabulary: Int, seed: UInt64 = 1) -> [Encoded] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { number in
      let length = Int.random(in: 0..<12, using: &random) == 0 ? 0 : Int.random(in: 1..<120, using: &random)
      return Encoded(
        id: "dump-\(number % 3)/\(number * 1000)", source: ["web", "wiki", "code"][number % 3],
        language: [nil, "en", "ja", "de"][number % 4],
        tokens: (0..<length).map { _ in UInt32.random(in: 0..<UInt32(vocabulary - 1), using: &random) })
    }
  }

  static func document(_ encoded: Encoded, number: Int) -> Document {
    var document = Document(
      id: encoded.id, text: "text", source: encoded.source, url: "https://example.org/\(number)?q=\"ü\"")
    if let language = encoded.language { document.addMetadata("language", string: language) }
    document.addMetadata("dump", string: "crawl/\(encoded.id.split(separator: "/")[0]).warc.gz")
    document.addMetadata("offset", int: number * 1000)
    document.addMetadata("record_id", string: "<urn:\(number)>")
    return document
  }

  /// Encodes `corpus` in `parts` units and gives them as the builder wants them.
  static func units(
    _ corpus: [Encoded], parts: Int, options: StoreOptions, in folder: String
  ) throws -> [StoreBuilder.Unit] {
    var units: [StoreBuilder.Unit] = []
    for part in 0..<parts {
      let name = "unit-\(part)"
      let writer = try EncodedUnitWriter(folder: folder, name: name, options: options)
      for number in corpus.count * part / parts..<corpus.count * (part + 1) / parts {
        var batch = DocumentBatch()
        batch.append(document(corpus[number], number: number))
        let tokens = corpus[number].tokens
        try writer.add(batch, 0, tokens: tokens.span)
      }
      _ = try writer.commit()
      units.append(
        StoreBuilder.Unit(
          path: folder + "/" + name, part: StorePart(name: "part-\(part).jsonl", bytes: 10, sha256: "00")))
    }
    return units
  }

  /// A whole store in `folder/store`.
  @discardableResult
  static func store(
    _ corpus: [Encoded], options: StoreOptions, in folder: String, parts: Int = 3, memory: Int = 1 << 20,
    name: String = "store"
  ) throws -> StoreBuilder.Summary {
    let units = try units(corpus, parts: parts, options: options, in: folder + "/units-\(name)")
    let builder = try StoreBuilder(
      folder: folder + "/" + name, units: units, options: options, memoryBytes: memory,
      temporaryFolder: folder + "/temp-\(name)")
    return try builder.build()
  }

  /// A manifest over segments of these token counts, without files.
  static func manifest(segmentTokens: [Int], vocabulary: Int = 50_000) -> StoreManifest {
    let file = StoreManifest.File(
      bytes: 2_000_000, sha256: String(repeating: "0", count: 64), xxh64: String(repeating: "0", count: 16))
    let segments = segmentTokens.enumerated().map { number, tokens in
      StoreManifest.Segment(
        name: StoreManifest.segmentName(number), tokens: tokens, documents: 1, minID: 0,
        maxID: vocabulary - 1,
        tok: file, doc: file, originIndex: file, originFrames: file, sourceTokens: [tokens],
        lengthHistogram: Array(repeating: 0, count: 20))
    }
    return StoreManifest(
      tokenizer: tokenizer(vocabulary: vocabulary), width: TokenWidth(vocabulary: vocabulary),
      order: .shuffled(seed: 0), sources: ["web"], languages: ["unknown"], parts: [], holdout: Holdout(),
      splits: [
        StoreManifest.Split(
          name: "train", tokens: segmentTokens.reduce(0, +), documents: segmentTokens.count,
          segments: segments)
      ])
  }

  static func view(_ manifest: StoreManifest, _ change: (inout ViewOptions) -> Void) throws -> View {
    var options = ViewOptions()
    change(&options)
    return try View(of: manifest, fingerprint: StoreManifest.fingerprint(of: manifest.bytes), options)
  }
}
