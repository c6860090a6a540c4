/// Counts all pairs of the symbols as they stand, and keeps those that reach the floor: at the start, and whenever the
/// floor falls because no kept pair is left.
///
/// Memory: the table holds a limited number of different pairs (a sixteenth of the symbols); where there are more, they are
/// counted in several passes, each over a share of the pairs by their hash.
struct TrainingRecount {
  private struct Entry {
    var key: UInt64
    var weight: Int64
    var count: UInt32
    /// Where its next position is written; `unkept`: it stays below the floor.
    var cursor: UInt32
  }
  private static let free = UInt64.max
  private static let unkept = UInt32.max
  /// More shares than this would not make them smaller where it matters.
  private static let passesMax = 1 << 12

  private let lengths: [Int]
  private let maxTokenLength: Int
  private let entriesMax: Int
  private var entries: [Entry] = []
  private var used = 0
  /// Highest count of any pair.
  private(set) var highest: Int64 = 0

  /// - Parameters:
  ///   - lengths: bytes of each token.
  ///   - entriesMax: different pairs that are counted in one pass.
  init(lengths: [Int], maxTokenLength: Int, entriesMax: Int) {
    self.lengths = lengths
    self.maxTokenLength = maxTokenLength
    self.entriesMax = max(1, entriesMax)
  }

  /// The pairs that reach a floor, which follows from the highest count.
  mutating func pairs(
    _ symbols: [UInt32], _ runs: [TrainingWords.Run], floor: (_ highest: Int64) -> Int64
  ) -> TrainingPairs {
    var passes = 1
    while true {
      // The highest count decides the floor, so with several passes all are counted before the first is kept.
      highest = 0
      var fits = true
      for pass in 0..<passes where fits {
        fits = count(symbols, runs, pass, passes)
        for entry in entries where entry.key != Self.free { highest = max(highest, entry.weight) }
      }
      if fits { break }
      passes *= 2
    }
    var pairs = TrainingPairs(floor: floor(highest))
    for pass in 0..<passes {
      if passes > 1 { _ = count(symbols, runs, pass, passes) }
      keep(&pairs, symbols, runs, pass, passes)
    }
    entries = []
    return pairs
  }

  /// Counts the pairs of one share; false if they are too many for the table.
  private mutating func count(
    _ symbols: [UInt32], _ runs: [TrainingWords.Run], _ pass: Int, _ passes: Int
  ) -> Bool {
    entries = Array(repeating: Entry(key: Self.free, weight: 0, count: 0, cursor: 0), count: 1 << 10)
    used = 0
    var fits = true
    Self.forEachPair(symbols, runs, lengths, maxTokenLength) { key, weight, _ in
      guard fits, Self.share(key, passes) == pass else { return }
      let slot = find(key)
      if entries[slot].key == Self.free {
        entries[slot].key = key
        used += 1
      }
      entries[slot].weight += weight
      entries[slot].count += 1
      fits = used <= entriesMax || passes == Self.passesMax
      if fits, used * 2 > entries.count { grow() }
    }
    return fits
  }

  /// Adds the counted pairs that reach the floor, with their positions.
  private mutating func keep(
    _ pairs: inout TrainingPairs, _ symbols: [UInt32], _ runs: [TrainingWords.Run], _ pass: Int, _ passes: Int
  ) {
    var total: UInt32 = 0
    for index in entries.indices where entries[index].key != Self.free {
      let isKept = entries[index].weight >= pairs.floor
      entries[index].cursor = isKept ? total : Self.unkept
      if isKept { total += entries[index].count }
    }
    let block = pairs.allocate(Int(total))
    for entry in entries where entry.key != Self.free && entry.cursor != Self.unkept {
      pairs.add(
        TrainingPair(
          key: entry.key, count: entry.weight, positions: block + Int(entry.cursor),
          positionCount: Int(entry.count)))
    }
    Self.forEachPair(symbols, runs, lengths, maxTokenLength) { key, _, position in
      guard Self.share(key, passes) == pass else { return }
      let slot = find(key)
      if entries[slot].cursor == Self.unkept { return }
      block[Int(entries[slot].cursor)] = UInt32(position)
      entries[slot].cursor += 1
    }
  }

  /// All pairs that count, with the weight of their pretoken, in the order of positions. Pairs of two alphabet symbols
  /// always count; others only if both tokens together are short enough.
  @inline(__always) private static func forEachPair(
    _ symbols: [UInt32], _ runs: [TrainingWords.Run], _ lengths: [Int], _ limit: Int,
    _ body: (_ key: UInt64, _ weight: Int64, _ position: Int) -> Void
  ) {
    symbols.withUnsafeBufferPointer { symbols in
      lengths.withUnsafeBufferPointer { lengths in
        for index in 0..<max(0, runs.count - 1) {
          var position = runs[index].start
          let end = runs[index + 1].start
          while position < end {
            let token = symbols[position]
            if token == TrainingWords.separator {
              position += 1
              continue
            }
            let length = lengths[Int(token)]
            let next = symbols[position + length]
            if next != TrainingWords.separator {
              let nextLength = lengths[Int(next)]
              if length + nextLength < limit || (length == 1 && nextLength == 1) {
                body(UInt64(token) << 32 | UInt64(next), runs[index].weight, position)
              }
            }
            position += length
          }
        }
      }
    }
  }

  @inline(__always) private static func share(_ key: UInt64, _ passes: Int) -> Int {
    passes == 1 ? 0 : Int(truncatingIfNeeded: (key &* 0xC2B2_AE3D_27D4_EB4F) >> 40) & (passes - 1)
  }

  @inline(__always) private func find(_ key: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B1_85EB_CA87) >> 32) & (entries.count - 1)
    while entries[slot].key != key, entries[slot].key != Self.free { slot = (slot + 1) & (entries.count - 1) }
    return slot
  }

  private mutating func grow() {
    let old = entries
    entries = Array(repeating: Entry(key: Self.free, weight: 0, count: 0, cursor: 0), count: old.count * 2)
    for entry in old where entry.key != Self.free { entries[find(entry.key)] = entry }
  }
}
