/// The merge phase: applies the best pair again and again.
///
/// A token of several bytes stands at the first and the last of its positions, so its neighbours are found without
/// links. A pair can gain occurrences only when the newer of its tokens is made, so its positions are written once, in
/// one piece. Work: each replacement removes a symbol and looks at a constant number of others.
///
/// - Source: the pair rules of `BPETrainer`; `BPETrainerReference` says the same by counting all pairs anew.
struct TrainingState: ~Copyable {
  /// What one merge does to the pairs with a neighbour, by the neighbour's token.
  private struct Change {
    var lost: Int64 = 0
    var gained: Int64 = 0
    var gainedCount = 0
    /// Where the next position of the new pair is written; -1: the pair is not kept.
    var cursor = -1
  }

  private(set) var tokens: [String]
  private(set) var merges: [Merge] = []
  /// Bytes of each token, as far as merges made it: an alphabet symbol has one.
  private var lengths: [Int]
  private let specialIDs: [String: UInt32]
  /// Different pairs that are counted at once.
  private let tableEntries: Int
  /// Pairs below it are never merged.
  private let minimum: Int64
  private let limit: Int
  private let maxTokenLength: Int
  private var symbols: [UInt32]
  private let runs: [TrainingWords.Run]
  private var pairs: TrainingPairs
  private var left: [Change]
  private var right: [Change]
  private var touchedLeft: [UInt32] = []
  private var touchedRight: [UInt32] = []

  init(
    _ words: consuming TrainingWords, _ alphabet: TrainingAlphabet, _ options: BPETrainer.Options,
    tableEntries: Int?
  ) {
    tokens = alphabet.tokens
    lengths = Array(repeating: 1, count: tokens.count)
    specialIDs = alphabet.ids
    minimum = max(1, options.minFrequency)
    limit = min(options.vocabularySize, Tokenizer.idMax + 1)
    maxTokenLength = options.maxTokenLength ?? .max
    runs = words.runs
    self.tableEntries = tableEntries ?? max(1 << 16, words.symbols.count / 16)
    symbols = words.symbols
    pairs = TrainingPairs(floor: .max)
    left = Array(repeating: Change(), count: tokens.count)
    right = left
  }

  mutating func run() {
    var isFirst = true
    while tokens.count < limit {
      if let best = pairs.takeBest() {
        apply(best)
      } else if pairs.floor > minimum {
        // The old pairs' memory goes before the new ones are counted.
        pairs = TrainingPairs(floor: .max)
        recount(isFirst: isFirst)
        isFirst = false
      } else {
        break
      }
    }
  }

  /// Counts all pairs anew, with a floor that is a share of the highest count: at first a small one, so that a small
  /// vocabulary is done with it; then steps of 16; among rare pairs, which are very many, steps of four. A training counts
  /// a handful of times.
  private mutating func recount(isFirst: Bool) {
    var counting = TrainingRecount(lengths: lengths, maxTokenLength: maxTokenLength, entriesMax: tableEntries)
    let minimum = minimum
    pairs = counting.pairs(symbols, runs) { highest in
      max(minimum, highest / (isFirst ? 256 : highest >= 64 ? 16 : 4))
    }
  }

  private mutating func apply(_ pair: TrainingPair) {
    let text = tokens[Int(pair.left)] + tokens[Int(pair.right)]
    let length = lengths[Int(pair.left)] + lengths[Int(pair.right)]
    let result = specialIDs[text] ?? UInt32(tokens.count)
    if result == tokens.count {
      tokens.append(text)
      lengths.append(length)
      left.append(Change())
      right.append(Change())
    } else {
      lengths[Int(result)] = length
    }
    merges.append(Merge(left: pair.left, right: pair.right, result: result))
    let replaced = replace(pair, result)
    for token in touchedLeft where left[Int(token)].lost > 0 {
      pairs.subtract(UInt64(token) << 32 | UInt64(pair.left), left[Int(token)].lost)
    }
    for token in touchedRight where right[Int(token)].lost > 0 {
      pairs.subtract(UInt64(pair.right) << 32 | UInt64(token), right[Int(token)].lost)
    }
    countGained(pair.positions, replaced, result)
    makePairs(pair.positions, replaced, result)
    for token in touchedLeft { left[Int(token)] = Change() }
    for token in touchedRight { right[Int(token)] = Change() }
    touchedLeft.removeAll(keepingCapacity: true)
    touchedRight.removeAll(keepingCapacity: true)
  }

  /// Replaces the pair wherever it still stands, from left to right; notes what its neighbours' old pairs lose.
  /// The positions that were replaced are moved to the front of its list; returns how many.
  private mutating func replace(_ pair: TrainingPair, _ result: UInt32) -> Int {
    let leftLength = lengths[Int(pair.left)]
    let length = leftLength + lengths[Int(pair.right)]
    let positions = pair.positions
    var replaced = 0
    var run = 0
    var runEnd = 0
    var weight: Int64 = 0
    symbols.withUnsafeMutableBufferPointer { symbols in
      runs.withUnsafeBufferPointer { runs in
        for index in 0..<pair.positionCount {
          let position = Int(positions[index])
          if symbols[position] != pair.left || symbols[position + leftLength] != pair.right { continue }
          if position >= runEnd {
            run = TrainingWords.run(at: position, runs.baseAddress!, runs.count)
            runEnd = runs[run + 1].start
            weight = runs[run].weight
          }
          // Left of a token made by this very merge stood this pair's right part: that window is counted there.
          let before = symbols[position - 1]
          if before != TrainingWords.separator, before != result {
            if left[Int(before)].lost == 0 { touchedLeft.append(before) }
            left[Int(before)].lost += weight
          }
          let after = symbols[position + length]
          if after != TrainingWords.separator {
            if right[Int(after)].lost == 0 { touchedRight.append(after) }
            right[Int(after)].lost += weight
          }
          symbols[position + leftLength] = TrainingWords.inside
          symbols[position] = result
          symbols[position + length - 1] = result
          positions[replaced] = UInt32(position)
          replaced += 1
        }
      }
    }
    return replaced
  }

  /// Counts the pairs of the new token with its neighbours, as they stand after all replacements.
  private mutating func countGained(_ positions: UnsafePointer<UInt32>, _ count: Int, _ result: UInt32) {
    let length = lengths[Int(result)]
    var runEnd = 0
    var weight: Int64 = 0
    symbols.withUnsafeBufferPointer { symbols in
      runs.withUnsafeBufferPointer { runs in
        for index in 0..<count {
          let position = Int(positions[index])
          if position >= runEnd {
            let run = TrainingWords.run(at: position, runs.baseAddress!, runs.count)
            runEnd = runs[run + 1].start
            weight = runs[run].weight
          }
          let before = symbols[position - 1]
          // A pair of two new tokens is counted once, at the left one.
          if before != TrainingWords.separator, before != result {
            if left[Int(before)].lost == 0, left[Int(before)].gained == 0 { touchedLeft.append(before) }
            left[Int(before)].gained += weight
            left[Int(before)].gainedCount += 1
          }
          let after = symbols[position + length]
          if after != TrainingWords.separator {
            if right[Int(after)].lost == 0, right[Int(after)].gained == 0 { touchedRight.append(after) }
            right[Int(after)].gained += weight
            right[Int(after)].gainedCount += 1
          }
        }
      }
    }
  }

  /// Adds the new pairs, those that are too long or too rare left out, with their positions.
  private mutating func makePairs(_ positions: UnsafePointer<UInt32>, _ count: Int, _ result: UInt32) {
    let length = lengths[Int(result)]
    let lengthMax = maxTokenLength == .max ? Int.max : maxTokenLength - 1 - length
    func isKept(_ change: Change, _ token: UInt32, _ lengths: [Int], _ floor: Int64) -> Bool {
      change.gained >= floor && lengths[Int(token)] <= lengthMax
    }
    var total = 0
    for token in touchedLeft where isKept(left[Int(token)], token, lengths, pairs.floor) {
      left[Int(token)].cursor = total
      total += left[Int(token)].gainedCount
    }
    for token in touchedRight where isKept(right[Int(token)], token, lengths, pairs.floor) {
      right[Int(token)].cursor = total
      total += right[Int(token)].gainedCount
    }
    guard total > 0 else { return }
    let block = pairs.allocate(total)
    for token in touchedLeft where left[Int(token)].cursor >= 0 {
      let change = left[Int(token)]
      pairs.add(
        TrainingPair(
          key: UInt64(token) << 32 | UInt64(result), count: change.gained, positions: block + change.cursor,
          positionCount: change.gainedCount))
    }
    for token in touchedRight where right[Int(token)].cursor >= 0 {
      let change = right[Int(token)]
      pairs.add(
        TrainingPair(
          key: UInt64(result) << 32 | UInt64(token), count: change.gained, positions: block + change.cursor,
          positionCount: change.gainedCount))
    }
    symbols.withUnsafeBufferPointer { symbols in
      for index in 0..<count {
        let position = Int(positions[index])
        let before = symbols[position - 1]
        if before != TrainingWords.separator, before != result, left[Int(before)].cursor >= 0 {
          block[left[Int(before)].cursor] = UInt32(position - lengths[Int(before)])
          left[Int(before)].cursor += 1
        }
        let after = symbols[position + length]
        if after != TrainingWords.separator, right[Int(after)].cursor >= 0 {
          block[right[Int(after)].cursor] = UInt32(position)
          right[Int(after)].cursor += 1
        }
      }
    }
  }
}
