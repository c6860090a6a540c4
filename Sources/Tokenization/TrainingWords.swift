import Storage

/// The pretokens as one array of symbols with separators, those of equal count together, the frequent ones first.
///
/// So the count of the pretoken at a position is found by a search among the different counts, of which there are few,
/// and a walk in the order of positions only steps forward.
struct TrainingWords {
  /// Between pretokens, before the first and after the last.
  static let separator = UInt32.max
  /// Inside a token of more than two bytes.
  static let inside = UInt32.max - 1

  /// Pretokens that have the same count: where their symbols start.
  struct Run {
    var start: Int
    var weight: Int64
  }

  var symbols: [UInt32]
  /// Ascending starts, and an end mark of weight 0 behind the last.
  let runs: [Run]

  init(_ counts: some PretokenCountSource, _ idOfByte: [UInt32]) throws(StorageError) {
    var lengths: [Int64: Int] = [:]
    // One symbol has no pair; its pretoken needs no place.
    try counts.forEach { pretoken, count in
      if pretoken.count > 1 { lengths[count, default: 0] += pretoken.count + 1 }
    }
    var runs: [Run] = []
    var end = 1
    for (weight, length) in lengths.sorted(by: { $0.key > $1.key }) {
      runs.append(Run(start: end, weight: weight))
      end += length
    }
    guard end < Int(Self.inside) else {
      throw .usage(
        "the different pretokens hold \(end) bytes; merging counts positions in 32 bits. Train on a part of the corpus."
      )
    }
    var next: [Int64: Int] = [:]
    for run in runs { next[run.weight] = run.start }
    var symbols = [UInt32](repeating: Self.separator, count: end + 1)
    try counts.forEach { pretoken, count in
      guard pretoken.count > 1, var position = next[count] else { return }
      for byte in pretoken where idOfByte[Int(byte)] != TrainingAlphabet.dropped {
        symbols[position] = idOfByte[Int(byte)]
        position += 1
      }
      next[count] = position + 1
    }
    runs.append(Run(start: end, weight: 0))
    self.runs = runs
    self.symbols = symbols
  }

  /// Index of the run that holds `position`.
  static func run(at position: Int, _ runs: UnsafePointer<Run>, _ count: Int) -> Int {
    var low = 0
    var high = count
    while high - low > 1 {
      let middle = (low + high) / 2
      if runs[middle].start <= position { low = middle } else { high = middle }
    }
    return low
  }
}
