import Bytes
import Glibc

/// How well the documents of a split are mixed, as a reader meets them that goes front to back.
///
/// - Pairs of neighbours of one input part, source or language, against the number that a random order would have: for each
///   of the D - 1 pairs the chance is Σ n(n-1) / (D(D-1)).
/// - Pairs that were neighbours in the input too; a random order has about 2(D - parts)/D of them.
/// - Entropy of the source within windows of the store, against that of the whole: equal if mixed, 0 in a window of one.
struct ShuffleTally {
  /// Windows of the store, and documents that a window has at least: few have little entropy by chance.
  static let windowsMax = 64
  static let windowDocuments = 256

  /// Neighbours that share a property, and what decides how many a random order has.
  struct Pairs {
    var same = 0
    private(set) var counts: [Int]
    private var last = -1

    init(values: Int) { counts = Array(repeating: 0, count: values) }

    mutating func add(_ value: Int) {
      if value == last { same += 1 }
      last = value
      // Numbers that the manifest does not have are a matter for `verify`.
      if counts.indices.contains(value) { counts[value] += 1 }
    }

    /// Pairs that a random order of `documents` has.
    func expected(_ documents: Int) -> Double {
      guard documents > 1 else { return 0 }
      let all = counts.reduce(0.0) { $0 + Double($1) * Double($1 - 1) }
      return all / Double(documents)
    }
  }

  let documents: Int
  let windows: Int
  private(set) var parts: Pairs
  private(set) var sources: Pairs
  private(set) var languages: Pairs
  private(set) var inputNeighbours = 0
  private var last = (part: -1, number: -1)
  private var seen = 0
  private var window: [Int]
  private var windowNumber = 0
  /// The document at which the next window begins.
  private var windowEnd: Int
  private var windowBits = 0.0

  init(documents: Int, parts: Int, sources: Int, languages: Int) {
    self.documents = documents
    windows = max(1, min(Self.windowsMax, documents / Self.windowDocuments))
    self.parts = Pairs(values: parts)
    self.sources = Pairs(values: sources)
    self.languages = Pairs(values: languages)
    window = Array(repeating: 0, count: sources)
    windowEnd = (documents + windows - 1) / windows
  }

  mutating func add(_ document: SegmentReader.Document) {
    if seen >= windowEnd {
      closeWindow()
      windowNumber += 1
      windowEnd = ((windowNumber + 1) * documents + windows - 1) / windows
    }
    seen += 1
    parts.add(document.part)
    sources.add(document.source)
    languages.add(document.language)
    if document.part == last.part, abs(document.numberInPart - last.number) == 1 { inputNeighbours += 1 }
    last = (document.part, document.numberInPart)
    if window.indices.contains(document.source) { window[document.source] += 1 }
  }

  /// To be called once, after the last document.
  mutating func finish() { closeWindow() }

  private mutating func closeWindow() {
    let size = window.reduce(0, +)
    windowBits += Self.entropy(window) * Double(size) / Double(max(1, documents))
    for index in window.indices { window[index] = 0 }
  }

  /// Bits of a value drawn with these counts.
  static func entropy(_ counts: [Int]) -> Double {
    let all = Double(counts.reduce(0, +))
    var bits = 0.0
    for count in counts where count > 0 {
      let share = Double(count) / all
      bits -= share * log2(share)
    }
    return bits
  }

  /// Six decimals: enough, and the same on every machine's logarithm.
  private static func rounded(_ value: Double) -> JSONValue { .double((value * 1e6).rounded() / 1e6) }

  /// Pairs of the table by name.
  private var rows: [(key: String, name: String, same: Int, expected: Double)] {
    let inputs = Double(documents - parts.counts.reduce(0) { $0 + ($1 > 0 ? 1 : 0) })
    return [
      ("same_part", "of one input part", parts.same, parts.expected(documents)),
      ("same_source", "of one source", sources.same, sources.expected(documents)),
      ("same_language", "of one language", languages.same, languages.expected(documents)),
      (
        "next_in_input", "next to one another in the input", inputNeighbours,
        documents > 0 ? 2 * inputs / Double(documents) : 0
      ),
    ]
  }

  func json(_ order: StoreOrder) -> JSONValue {
    .object(
      [
        .init("order", order == .input ? "input" : "shuffled"), .init("pairs", .int(max(0, documents - 1))),
      ] + rows.map { .init($0.key, ["pairs": .int($0.same), "expected": Self.rounded($0.expected)]) } + [
        .init(
          "source_entropy",
          [
            "windows": .int(windows), "whole_bits": Self.rounded(Self.entropy(sources.counts)),
            "window_bits": Self.rounded(windowBits),
          ])
      ])
  }

  func table(_ title: String) -> Inspection.Table {
    var table = Inspection.Table(
      title: title, columns: ["neighbouring documents", "pairs", "in a random order", "ratio"])
    for row in rows {
      table.rows.append([
        row.name, "\(row.same)", StoreInspection.decimal(row.expected),
        row.expected > 0 ? StoreInspection.decimal(Double(row.same) / row.expected) + "×" : "-",
      ])
    }
    let whole = Self.entropy(sources.counts)
    table.rows.append([
      "bits of source in a window (1/\(windows) of the store), in the whole",
      StoreInspection.decimal(windowBits, 3),
      StoreInspection.decimal(whole, 3),
      whole > 0 ? StoreInspection.decimal(windowBits / whole, 3) + "×" : "-",
    ])
    return table
  }
}
