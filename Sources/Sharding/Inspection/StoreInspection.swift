import Bytes
import Storage

/// Statistics of a token store: by split, by segment, by source and language, lengths, what packing does at each context
/// length, balance and shuffle. Reads the manifest and the document records once, no token.
///
/// Memory: some numbers per segment, source and language, and at most `PackingTally.sampleMax` lengths; time is linear in
/// the documents.
public enum StoreInspection {
  static let percentiles = [5, 25, 50, 75, 95, 99]

  private struct Tally {
    var documents = 0
    var tokens = 0
    mutating func add(_ length: Int) {
      documents += 1
      tokens += length
    }
  }

  /// What is kept of a segment's lengths: the counts themselves take half a megabyte.
  private struct SegmentLengths {
    var counts: JSONValue
    var least: Int
    var mean: Double
    var most: Int
  }

  private struct SplitCounts {
    var segments: [SegmentLengths] = []
    var all = LengthCounts()
    var languages: [Tally]
    var sources: [Tally]
    var packing: PackingTally
    var imbalance: ImbalanceTally
    var shuffle: ShuffleTally
  }

  /// - Parameter tick: asked between segments; throws to stop.
  /// - Throws: `.input` if the document records cannot be read.
  public static func run(
    _ store: TokenStore, tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> Inspection {
    var splits: [JSONValue.Member] = []
    var tables = [overview(store)]
    for split in store.manifest.splits where split.documents > 0 {
      let counts = try count(split, store, tick)
      let packing = counts.packing.rows(store, split)
      let imbalance = counts.imbalance.rows(split)
      var members = json(split, counts, store)
      members += [
        .init("packings", PackingTally.json(packing)), .init("imbalance", ImbalanceTally.json(imbalance)),
        .init("shuffle", counts.shuffle.json(store.manifest.order)),
      ]
      splits.append(.init(split.name, .object(members)))
      tables += [
        segmentTable(split, counts),
        shareTable("\(split.name): sources", store.manifest.sources, counts.sources, split.tokens),
        shareTable("\(split.name): languages", store.manifest.languages, counts.languages, split.tokens),
        lengthTable(split, counts), PackingTally.table(packing, split),
        ImbalanceTally.table(imbalance, split.name), counts.shuffle.table("\(split.name): order"),
      ]
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
      sources: Array(repeating: Tally(), count: manifest.sources.count), packing: PackingTally(split),
      imbalance: ImbalanceTally(documents: split.documents),
      shuffle: ShuffleTally(
        documents: split.documents, parts: manifest.parts.count, sources: manifest.sources.count,
        languages: manifest.languages.count))
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
        counts.packing.add(first + start, first + document.end)
        counts.imbalance.add(length)
        counts.shuffle.add(document)
      }
      first += reader.segment.tokens
      counts.all.add(lengths)
      counts.segments.append(
        SegmentLengths(
          counts: self.lengths(lengths), least: lengths.least, mean: lengths.mean, most: lengths.most))
    }
    counts.shuffle.finish()
    return counts
  }

  // MARK: Tables

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
        segment.name, "\(segment.documents)", "\(segment.tokens)", "\(lengths.least)", decimal(lengths.mean),
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

  // MARK: JSON

  private static func json(
    _ split: StoreManifest.Split, _ counts: SplitCounts, _ store: TokenStore
  ) -> [JSONValue.Member] {
    func shares(_ names: [String], _ tallies: [Tally]) -> JSONValue {
      .object(
        zip(names, tallies).filter { $0.1.documents > 0 }.map {
          .init($0.0, ["documents": .int($0.1.documents), "tokens": .int($0.1.tokens)])
        })
    }
    return [
      .init("documents", .int(split.documents)), .init("tokens", .int(split.tokens)),
      .init("bytes", .int(split.tokens * store.manifest.width.bytes)),
      .init("lengths", lengths(counts.all)), .init("length_histogram", histogram(split)),
      .init("sources", shares(store.manifest.sources, counts.sources)),
      .init("languages", shares(store.manifest.languages, counts.languages)),
      .init(
        "segments",
        .array(
          zip(split.segments, counts.segments).map { segment, lengths in
            [
              "name": .string(segment.name), "documents": .int(segment.documents),
              "tokens": .int(segment.tokens), "min_id": .int(segment.minID), "max_id": .int(segment.maxID),
              "lengths": lengths.counts,
              "sources": .object(
                zip(store.manifest.sources, segment.sourceTokens).filter { $0.1 > 0 }.map {
                  .init($0.0, .int($0.1))
                }),
            ]
          })),
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

  /// So many decimals, by integers: no locale, no library.
  static func decimal(_ value: Double, _ digits: Int = 1) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "0.0" }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let rest = String(scaled % scale)
    let zeros = String(repeating: "0", count: digits - rest.count)
    return (value < 0 && scaled > 0 ? "-" : "") + "\(scaled / scale).\(zeros)\(rest)"
  }

  static func percent(_ part: Int, of whole: Int, digits: Int = 1) -> String {
    (whole == 0 ? decimal(0, digits) : decimal(100 * Double(part) / Double(whole), digits)) + "%"
  }
}
