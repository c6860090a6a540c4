import Text

/// Which runs of n words occur more than once in a text, for n = 2, 3, … in turn.
///
/// A run of n words is the pair (its first n − 1 words, its last word), and a run that repeats has first words that
/// repeat. So each step looks only at the places where the step before found repeats: time is linear for each n and shrinks
/// fast, and equality is exact, without hashes of text.
struct RepeatedGrams: ~Copyable {
  /// Where a run of the current length starts whose words occur at least twice.
  private(set) var places: [UInt32] = []
  /// Number of the run at `places[i]`; equal runs have equal numbers.
  private(set) var numbers: [UInt32] = []
  /// How often each number occurs, and where first.
  private(set) var counts: [UInt32] = []
  private(set) var firsts: [UInt32] = []
  private(set) var length = 1

  private var slots: [UInt32] = []
  private var keys: [UInt64] = []

  init() {}

  /// Starts with single words: `words[i]` is the number of word i, `wordCounts` how often each occurs.
  mutating func start(words: [UInt32], wordCounts: [UInt32]) {
    length = 1
    places.removeAll(keepingCapacity: true)
    numbers.removeAll(keepingCapacity: true)
    for index in 0..<words.count where wordCounts[Int(words[index])] > 1 {
      places.append(UInt32(index))
      numbers.append(words[index])
    }
  }

  /// Goes on to runs that are one word longer.
  mutating func lengthen(words: [UInt32]) {
    length += 1
    counts.removeAll(keepingCapacity: true)
    firsts.removeAll(keepingCapacity: true)
    keys.removeAll(keepingCapacity: true)
    let wanted = WordNumbers.slotCount(for: places.count)
    if slots.count < wanted || slots.count > wanted * 8 {
      slots = [UInt32](repeating: 0, count: wanted)
    } else {
      for index in slots.indices { slots[index] = 0 }
    }
    let mask = slots.count - 1
    var kept = 0
    for index in 0..<places.count {
      let last = Int(places[index]) + length - 1
      guard last < words.count else { continue }
      let key = UInt64(numbers[index]) << 32 | UInt64(words[last])
      var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 24) & mask
      while slots[slot] != 0, keys[Int(slots[slot] - 1)] != key { slot = (slot + 1) & mask }
      if slots[slot] == 0 {
        keys.append(key)
        counts.append(0)
        firsts.append(places[index])
        slots[slot] = UInt32(keys.count)
      }
      let number = slots[slot] - 1
      counts[Int(number)] += 1
      places[kept] = places[index]
      numbers[kept] = number
      kept += 1
    }
    places.removeLast(places.count - kept)
    numbers.removeLast(numbers.count - kept)
    dropSingles()
  }

  private mutating func dropSingles() {
    var kept = 0
    for index in 0..<places.count where counts[Int(numbers[index])] > 1 {
      places[kept] = places[index]
      numbers[kept] = numbers[index]
      kept += 1
    }
    places.removeLast(places.count - kept)
    numbers.removeLast(numbers.count - kept)
  }
}
