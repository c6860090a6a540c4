import Storage

/// The plain trainer: before each merge, all pairs of all pretokens are counted anew. What `BPETrainer` is compared with.
enum BPETrainerReference {
  static func train(
    _ options: BPETrainer.Options, _ counts: some PretokenCountSource
  ) throws(StorageError) -> BPETrainer.Vocabulary {
    let alphabet = try TrainingAlphabet(options, counts)
    var tokens = alphabet.tokens
    var ids = alphabet.ids
    var lengths = tokens.map { _ in 1 }
    var isMade = tokens.map { _ in false }
    var words: [(symbols: [UInt32], count: Int64)] = []
    try counts.forEach { pretoken, count in
      let symbols = pretoken.map { alphabet.idOfByte[Int($0)] }.filter { $0 != TrainingAlphabet.dropped }
      words.append((symbols, count))
    }
    var merges: [Merge] = []
    while tokens.count < options.vocabularySize {
      var sums: [UInt64: Int64] = [:]
      for word in words {
        for (a, b) in zip(word.symbols, word.symbols.dropFirst()) {
          let isTooLong = lengths[Int(a)] + lengths[Int(b)] >= options.maxTokenLength ?? .max
          if isTooLong, isMade[Int(a)] || isMade[Int(b)] { continue }
          sums[UInt64(a) << 32 | UInt64(b), default: 0] += word.count
        }
      }
      let best = sums.max { $0.value != $1.value ? $0.value < $1.value : $0.key > $1.key }
      guard let best, best.value >= max(1, options.minFrequency) else { break }
      let (left, right) = (UInt32(best.key >> 32), UInt32(truncatingIfNeeded: best.key))
      let text = tokens[Int(left)] + tokens[Int(right)]
      let result = ids[text] ?? UInt32(tokens.count)
      let length = lengths[Int(left)] + lengths[Int(right)]
      if result == tokens.count {
        ids[text] = result
        tokens.append(text)
        lengths.append(length)
        isMade.append(true)
      } else {
        lengths[Int(result)] = length
        isMade[Int(result)] = true
      }
      merges.append(Merge(left: left, right: right, result: result))
      for index in words.indices { words[index].symbols = applied(left, right, result, words[index].symbols) }
    }
    return BPETrainer.Vocabulary(tokens: tokens, merges: merges, specialTokenCount: alphabet.specialCount)
  }

  private static func applied(_ left: UInt32, _ right: UInt32, _ result: UInt32, _ symbols: [UInt32])
    -> [UInt32]
  {
    var output: [UInt32] = []
    var index = 0
    while index < symbols.count {
      if index + 1 < symbols.count, symbols[index] == left, symbols[index + 1] == right {
        output.append(result)
        index += 2
      } else {
        output.append(symbols[index])
        index += 1
      }
    }
    return output
  }
}
