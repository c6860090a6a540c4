import Text

/// How much of a text repeated runs of words are, by length of the run.
///
/// - Source: Rae et al. 2021 (Gopher), appendix A.1, in the reading of datatrove 0.10.1: `most` is its top n-gram, but a run
///   that occurs once counts nothing (as in dclm); `again` is its greedy walk. Lengths are scalars of words without the
///   spaces between them.
struct GramMeasures: Equatable {
  struct Length: Equatable {
    /// Scalars of the run that covers most when it occurs at least twice, times its count; the earliest of equals.
    var most = 0
    var mostSpan: Range<Int>?
    /// Scalars of runs that stood before, walking from the start and jumping over each found.
    var again = 0
    var againSpan: Range<Int>?
    /// Pairs of equal runs.
    var equalPairs = 0
  }

  static let lengthMax = 20
  /// Runs shorter than this are not walked: their `again` stays 0.
  static let walkMin = 5
  private var lengths = [Length?](repeating: nil, count: lengthMax + 1)

  /// What was measured for a length; nil if nothing was.
  subscript(_ length: Int) -> Length? { lengths.indices.contains(length) ? lengths[length] : nil }

  mutating func add(_ grams: borrowing RepeatedGrams, words: [Word], wordEnds: [UInt32], seen: inout [Bool]) {
    let length = grams.length
    var found = Length()
    let counts = grams.counts
    for number in 0..<grams.distinctCount where counts[number] > 1 {
      let first = Int(grams.firsts[number])
      found.equalPairs += Int(counts[number]) * Int(counts[number] - 1) / 2
      let covered = Int(counts[number]) * Int(wordEnds[first + length] - wordEnds[first])
      if covered > found.most {
        found.most = covered
        found.mostSpan = Int(words[first].start)..<Int(words[first + length - 1].end)
      }
    }
    lengths[length] = found
    // Shorter runs recur in any text; no recipe asks for their walk.
    if length < GramMeasures.walkMin { return }
    seen.removeAll(keepingCapacity: true)
    seen.append(contentsOf: repeatElement(false, count: grams.distinctCount))
    var next = 0
    for index in 0..<grams.places.count {
      let place = Int(grams.places[index])
      if place < next { continue }
      let number = Int(grams.numbers[index])
      if !seen[number] {
        seen[number] = true
        continue
      }
      found.again += Int(wordEnds[place + length] - wordEnds[place])
      if found.againSpan == nil {
        found.againSpan = Int(words[place].start)..<Int(words[place + length - 1].end)
      }
      next = place + length
    }
    lengths[length] = found
  }
}
