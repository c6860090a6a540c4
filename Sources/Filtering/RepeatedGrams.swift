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
  private(set) var length = 1
  /// Numbers given in the last step: 0 ..< distinctCount.
  private(set) var distinctCount = 0
  /// How often each number occurs, and where first.
  private(set) var counts: UnsafeMutablePointer<UInt32> = .allocate(capacity: 1)
  private(set) var firsts: UnsafeMutablePointer<UInt32> = .allocate(capacity: 1)

  private var slots: [UInt32] = []
  private var keys: UnsafeMutablePointer<UInt64> = .allocate(capacity: 1)
  private var capacity = 1

  init() {}

  deinit {
    counts.deallocate()
    firsts.deallocate()
    keys.deallocate()
  }

  /// Starts with single words: `words[i]` is the number of word i, `table` knows how often each occurs.
  mutating func start(words: [UInt32], _ table: borrowing WordNumbers) {
    length = 1
    places.removeAll(keepingCapacity: true)
    numbers.removeAll(keepingCapacity: true)
    let counts = table.counts
    for index in 0..<words.count where counts[Int(words[index])] > 1 {
      places.append(UInt32(truncatingIfNeeded: index))
      numbers.append(words[index])
    }
  }

  /// Goes on to runs that are one word longer.
  mutating func lengthen(words: [UInt32]) {
    length += 1
    prepare()
    let last = length - 1
    var found = 0
    var kept = 0
    let mask = slots.count - 1
    let wordCount = words.count
    // SAFETY: `places` and `numbers` have one length, `keys`, `counts` and `firsts` room for as many entries as there are
    // places, `slots` mask + 1; a slot holds an index below `found`, plus 1.
    words.withUnsafeBufferPointer { words in
      places.withUnsafeMutableBufferPointer { places in
        numbers.withUnsafeMutableBufferPointer { numbers in
          slots.withUnsafeMutableBufferPointer { slots in
            for index in 0..<places.count {
              let place = places[index]
              guard Int(place) + last < wordCount else { continue }
              let key = UInt64(numbers[index]) << 32 | UInt64(words[Int(place) + last])
              var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 24) & mask
              while slots[slot] != 0, keys[Int(slots[slot] &- 1)] != key { slot = (slot &+ 1) & mask }
              if slots[slot] == 0 {
                keys[found] = key
                counts[found] = 0
                firsts[found] = place
                found += 1
                slots[slot] = UInt32(truncatingIfNeeded: found)
              }
              let number = slots[slot] &- 1
              counts[Int(number)] &+= 1
              places[kept] = place
              numbers[kept] = number
              kept += 1
            }
          }
          // Runs that stand once are of no use for longer ones.
          let all = kept
          kept = 0
          for index in 0..<all where counts[Int(numbers[index])] > 1 {
            places[kept] = places[index]
            numbers[kept] = numbers[index]
            kept += 1
          }
        }
      }
    }
    distinctCount = found
    places.removeLast(places.count - kept)
    numbers.removeLast(numbers.count - kept)
  }

  /// Empties the table and makes room for one entry per place.
  private mutating func prepare() {
    let room = places.count
    if capacity < room {
      capacity = max(room, capacity * 2, 1024)
      keys.deallocate()
      counts.deallocate()
      firsts.deallocate()
      keys = .allocate(capacity: capacity)
      counts = .allocate(capacity: capacity)
      firsts = .allocate(capacity: capacity)
    }
    let wanted = WordNumbers.slotCount(for: room)
    if slots.count < wanted || slots.count > wanted * 8 {
      slots = [UInt32](repeating: 0, count: wanted)
    } else {
      slots.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    }
  }
}
