/// Bins of pieces, one after the other: bin b holds the pieces from the end of bin b - 1 to its own.
struct PieceBins {
  /// End of each bin in `documents`.
  var ends: [UInt32] = []
  /// The document of each piece.
  var documents: [UInt32] = []
}

/// Best-fit decreasing: the rests of documents, each shorter than a sequence, into as few sequences as it finds.
///
/// Rests go from long to short (equal ones by document) into the open bin with the smallest remaining capacity that holds
/// them, among equal bins into the one that reached this capacity last; if there is none, into a new bin. Bins are numbered
/// by creation.
///
/// State: per remaining capacity a stack of bins (a head each, and per bin the one below it), and a bitmap of the capacities
/// whose stack is not empty, with a summary that has a bit per word: a few steps a piece, however many bins are open.
/// Memory: 20 bytes per document, 8 per id of the context.
///
/// - Source: token-store reference, "Packing"; the rule is best-fit decreasing (Johnson, "Near-optimal bin packing
///   algorithms", 1973), proposed for training data by Ding et al., "Fewer Truncations Improve Language Modeling" (2024).
struct BestFit {
  private let context: Int
  /// Per remaining capacity: the bin on top of its stack and one, 0 for an empty stack.
  private var heads: [UInt32]
  /// Rests of each length.
  private var counts: [UInt32]
  private var words: [UInt64]
  private var summary: [UInt64]
  /// Per bin: as in `heads`, the bin below it on its stack.
  private var below: [UInt32] = []
  private var sorted: [UInt32] = []
  private var binOfPiece: [UInt32] = []

  init(context: Int) {
    self.context = context
    heads = Array(repeating: 0, count: context + 1)
    counts = Array(repeating: 0, count: context + 1)
    words = Array(repeating: 0, count: context / 64 + 1)
    summary = Array(repeating: 0, count: context / 4096 + 1)
  }

  /// Packs the rests of `members` and appends the bins to `bins`.
  ///
  /// - Parameters:
  ///   - members: documents, ascending.
  ///   - lengths: of all documents, in tokens; the rest of a document is its length mod the context.
  mutating func pack(
    _ members: borrowing Span<UInt32>, lengths: borrowing Span<UInt32>, into bins: inout PieceBins
  ) {
    sort(members, lengths: lengths)
    binOfPiece.removeAll(keepingCapacity: true)
    binOfPiece.reserveCapacity(sorted.count)
    below.removeAll(keepingCapacity: true)
    below.reserveCapacity(sorted.count)
    // Pieces of each bin; later their ends.
    let firstBin = bins.ends.count
    for length in stride(from: context - 1, to: 0, by: -1) {
      for _ in 0..<counts[length] {
        let bin: UInt32
        let left: Int
        if let capacity = smallestCapacity(atLeast: length) {
          bin = pop(capacity)
          left = capacity - length
          bins.ends[firstBin + Int(bin)] += 1
        } else {
          bin = UInt32(below.count)
          below.append(0)
          bins.ends.append(1)
          left = context - length
        }
        if left > 0 { push(bin, left) }
        binOfPiece.append(bin)
      }
      counts[length] = 0
    }
    collect(firstBin, into: &bins)
    clear()
  }

  /// Members with a rest, by its length descending, then by number: a counting sort. Leaves the counts in `counts`.
  private mutating func sort(_ members: borrowing Span<UInt32>, lengths: borrowing Span<UInt32>) {
    let divisor = UInt32(context)
    var total: UInt32 = 0
    for index in 0..<members.count {
      let rest = lengths[Int(members[index])] % divisor
      if rest > 0 {
        counts[Int(rest)] += 1
        total += 1
      }
    }
    // `heads` is not in use yet: where the next rest of each length goes.
    var start: UInt32 = 0
    for length in stride(from: context - 1, to: 0, by: -1) {
      heads[length] = start
      start += counts[length]
    }
    sorted = [UInt32](unsafeUninitializedCapacity: Int(total)) { buffer, initialized in
      for index in 0..<members.count {
        let document = members[index]
        let rest = Int(lengths[Int(document)] % divisor)
        guard rest > 0 else { continue }
        buffer[Int(heads[rest])] = document
        heads[rest] += 1
      }
      initialized = Int(total)
    }
    for length in 1..<max(context, 2) { heads[length] = 0 }
  }

  /// Puts the pieces in the order of their bins; within a bin they stay in the order in which they came.
  private mutating func collect(_ firstBin: Int, into bins: inout PieceBins) {
    let start = UInt32(bins.documents.count)
    // First a bin's place of its next piece, which runs from its first piece to its end.
    var next = start
    for bin in firstBin..<bins.ends.count {
      let count = bins.ends[bin]
      bins.ends[bin] = next
      next += count
    }
    bins.documents.append(contentsOf: repeatElement(0, count: sorted.count))
    for (index, bin) in binOfPiece.enumerated() {
      let place = Int(bins.ends[firstBin + Int(bin)])
      bins.documents[place] = sorted[index]
      bins.ends[firstBin + Int(bin)] += 1
    }
  }

  /// Empties the stacks that bins with room left behind.
  private mutating func clear() {
    for index in words.indices where words[index] != 0 {
      var word = words[index]
      while word != 0 {
        heads[index * 64 + word.trailingZeroBitCount] = 0
        word &= word - 1
      }
      words[index] = 0
    }
    for index in summary.indices { summary[index] = 0 }
  }

  /// The smallest capacity of an open bin that is at least `length`.
  private func smallestCapacity(atLeast length: Int) -> Int? {
    let word = length >> 6
    let here = words[word] & (~0 << UInt64(length & 63))
    if here != 0 { return word << 6 + here.trailingZeroBitCount }
    // The first word behind it that is not empty.
    var block = (word + 1) >> 6
    guard block < summary.count else { return nil }
    var found = summary[block] & (~0 << UInt64((word + 1) & 63))
    while found == 0 {
      block += 1
      guard block < summary.count else { return nil }
      found = summary[block]
    }
    let next = block << 6 + found.trailingZeroBitCount
    return next << 6 + words[next].trailingZeroBitCount
  }

  private mutating func push(_ bin: UInt32, _ capacity: Int) {
    below[Int(bin)] = heads[capacity]
    heads[capacity] = bin + 1
    words[capacity >> 6] |= 1 << UInt64(capacity & 63)
    summary[capacity >> 12] |= 1 << UInt64(capacity >> 6 & 63)
  }

  private mutating func pop(_ capacity: Int) -> UInt32 {
    let bin = heads[capacity] - 1
    heads[capacity] = below[Int(bin)]
    if heads[capacity] == 0 {
      words[capacity >> 6] &= ~(1 << UInt64(capacity & 63))
      if words[capacity >> 6] == 0 { summary[capacity >> 12] &= ~(1 << UInt64(capacity >> 6 & 63)) }
    }
    return bin
  }
}
