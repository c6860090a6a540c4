import Bytes
import Storage

/// Statistics of a token store: by split, by segment, by source and language, lengths, and what cutting at a context
/// length does to documents. Reads the manifest and the document records, no token.
public enum StoreInspection {
  static let percentiles = [5, 25, 50, 75, 95, 99]
  static let contexts = [1024, 2048, 4096, 8192, 16_384, 32_768]

  private struct Tally {
    var documents = 0
    var tokens = 0
    mutating func add(_ length: Int) {
      documents += 1
      tokens += length
    }
  }

  private struct SplitCounts {
    var segments: [LengthCounts] = []
    var all = LengthCounts()
    var languages: [Tally]
    var sources: [Tally]
    var cuts = contexts.map { Cut(context: $0) }
  }

  /// What `concat` does at one context length.
  struct Cut {
    var context: Int
    /// Documents in more than one sequence.
    var splitDocuments = 0
    /// Tokens whose document starts in another sequence.
    var severedTokens = 0

    /// - Parameter start: of the document in the stream of its split.
    mutating func add(_ start: Int, _ end: Int) {
      let firstEnd = (start / context + 1) * context
      guard end > firstEnd else { return }
      splitDocuments += 1
      severedTokens += end - firstEnd
    }
  }

  /// - Throws: `.input` if the document records cannot be read.
  public static func run(
    _ store: TokenStore, tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> Inspection {
    var splits: [JSONValue.Member] = []
    var tables = [overview(store)]
    for split in store.manifest.splits where split.documents > 0 {
      let counts = try count(split, store, tick)
      splits.append(.init(split.name, json(split, counts, store)))
      tables.append(segmentTable(split, counts))
      tables.append(
        shareTable("\(split.name): sources", store.manifest.sources, counts.sources, split.tokens))
      tables.append(
        shareTable("\(split.name): languages", store.manifest.languages, counts.languages, split.tokens))
      tables.append(lengthTable(split, counts))
      tables.append(cutTable(split, counts))
    }
    return Inspection(
      json: [
        "kind": "token store", "fingerprint": .string(store.fingerprint),
        "tokenizer": .string(store.manifest.tokenizer.name),
        "vocabulary": .int(store.manifest.tokenizer.vocabulary),
        "dtype": .string(store.manifest.width.rawValue),
        "documents": .int(store.manifest.splits.reduce(0) { $0 + $1.documents }),
        "tokens": .int(store.manifest.splits.reduce(0) { $0 + $1.tokens }), "splits": .object(splits),
      ], tables: tables)
  }

  private static func count(
    _ split: StoreManifest.Split, _ store: TokenStore, _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) -> SplitCounts {
    let manifest = store.manifest
    var counts = SplitCounts(
      languages: Array(repeating: Tally(), count: manifest.languages.count),
      sources: Array(repeating: Tally(), count: manifest.sources.count))
    var first = 0
    for number in split.segments.indices {
      try tick()
      let reader = try store.open(split, segment: number)
      var lengths = LengthCounts()
      try reader.forEachDocument { (_, start, document) throws(StorageError) in
        let length = document.end - start
        lengths.add(length)
        if counts.sources.indices.contains(document.source) { counts.sources[document.source].add(length) }
        if counts.languages.indices.contains(document.language) {
          counts.languages[document.language].add(length)
        }
        for index in counts.cuts.indices { counts.cuts[index].add(first + start, first + document.end) }
      }
      first += reader.segment.tokens
      counts.all.add(lengths)
      counts.segments.append(lengths)
    }
    return counts
  }

  private static func overview(_ store: TokenStore) -> Inspection.Table {
    let manifest = store.manifest
    let width = manifest.width.bytes
    return Inspection.Table(
      title:
        "token store, tokenizer \(manifest.tokenizer.name) (\(manifest.tokenizer.vocabulary) ids, \(manifest.width.rawValue))",
      columns: ["split", "documents", "tokens", "bytes", "segments", "mean"],
      rows: manifest.splits.map {
        [
          $0.name, "\($0.documents)", "\($0.tokens)", "\($0.tokens * width)", "\($0.segments.count)",
          decimal($0.documents == 0 ? 0 : Double($0.tokens) / Double($0.documents)),
        ]
      })
  }

  private static func segmentTable(_ split: StoreManifest.Split, _ counts: SplitCounts) -> Inspection.Table {
    var table = Inspection.Table(
      title: "\(split.name): segments",
      columns: ["segment", "documents", "tokens", "min", "mean", "max", "ids"])
    for (segment, lengths) in zip(split.segments, counts.segments) {
      table.rows.append([
        segment.name, "\(lengths.documents)", "\(lengths.tokens)", "\(lengths.least)", decimal(lengths.mean),
        "\(lengths.most)", "\(segment.minID)–\(segment.maxID)",
      ])
    }
    return table
  }

  private static func shareTable(
    _ title: String, _ names: [String], _ tallies: [Tally], _ tokens: Int
  ) -> Inspection.Table {
    var table = Inspection.Table(title: title, columns: ["name", "documents", "tokens", "share"])
    for (name, tally) in zip(names, tallies) where tally.documents > 0 {
      table.rows.append([name, "\(tally.documents)", "\(tally.tokens)", percent(tally.tokens, of: tokens)])
    }
    return table
  }

  private static func lengthTable(_ split: StoreManifest.Split, _ counts: SplitCounts) -> Inspection.Table {
    let all = counts.all
    return Inspection.Table(
      title: "\(split.name): tokens per document",
      columns: ["min"] + percentiles.map { "p\($0)" } + ["max", "mean"],
      rows: [
        ["\(all.least)"] + percentiles.map { "\(all.percentile($0))" } + ["\(all.most)", decimal(all.mean)]
      ])
  }

  private static func cutTable(_ split: StoreManifest.Split, _ counts: SplitCounts) -> Inspection.Table {
    var table = Inspection.Table(
      title: "\(split.name): cut by context length (packing concat)",
      columns: ["context", "sequences", "documents split", "tokens severed"])
    for cut in counts.cuts {
      table.rows.append([
        "\(cut.context)", "\(split.tokens / cut.context)", percent(cut.splitDocuments, of: split.documents),
        percent(cut.severedTokens, of: split.tokens),
      ])
    }
    return table
  }

  private static func json(_ split: StoreManifest.Split, _ counts: SplitCounts, _ store: TokenStore)
    -> JSONValue
  {
    func shares(_ names: [String], _ tallies: [Tally]) -> JSONValue {
      .object(
        zip(names, tallies).filter { $0.1.documents > 0 }.map {
          .init($0.0, ["documents": .int($0.1.documents), "tokens": .int($0.1.tokens)])
        })
    }
    return [
      "documents": .int(split.documents), "tokens": .int(split.tokens),
      "bytes": .int(split.tokens * store.manifest.width.bytes),
      "lengths": lengths(counts.all), "length_histogram": histogram(split),
      "sources": shares(store.manifest.sources, counts.sources),
      "languages": shares(store.manifest.languages, counts.languages),
      "segments": .array(
        zip(split.segments, counts.segments).map { segment, counts in
          [
            "name": .string(segment.name), "documents": .int(segment.documents),
            "tokens": .int(segment.tokens),
            "min_id": .int(segment.minID), "max_id": .int(segment.maxID), "lengths": lengths(counts),
            "sources": .object(
              zip(store.manifest.sources, segment.sourceTokens).filter { $0.1 > 0 }.map {
                .init($0.0, .int($0.1))
              }),
          ]
        }),
      "cuts": .array(
        counts.cuts.map {
          [
            "context": .int($0.context), "sequences": .int(split.tokens / $0.context),
            "documents_split": .int($0.splitDocuments), "tokens_severed": .int($0.severedTokens),
          ]
        }),
    ]
  }

  /// Documents by powers of two of their length, over all segments: element b counts 2^b to 2^(b+1) - 1 tokens.
  private static func histogram(_ split: StoreManifest.Split) -> JSONValue {
    var sums: [Int] = []
    for segment in split.segments {
      while sums.count < segment.lengthHistogram.count { sums.append(0) }
      for (bucket, count) in segment.lengthHistogram.enumerated() { sums[bucket] += count }
    }
    return .array(sums.map { .int($0) })
  }

  private static func lengths(_ counts: LengthCounts) -> JSONValue {
    .object(
      [
        .init("min", .int(counts.least)), .init("mean", .double(counts.mean)),
        .init("max", .int(counts.most)),
      ] + percentiles.map { .init("p\($0)", .int(counts.percentile($0))) })
  }

  /// One decimal, by integers: no locale, no library.
  static func decimal(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "0.0" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(abs(tenths % 10))"
  }

  static func percent(_ part: Int, of whole: Int) -> String {
    whole == 0 ? "0.0%" : decimal(100 * Double(part) / Double(whole)) + "%"
  }
}
