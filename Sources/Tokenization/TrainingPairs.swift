/// A pair of adjacent tokens: how often it occurs, and where it did when it was counted.
struct TrainingPair {
  /// `left << 32 | right`.
  var key: UInt64
  /// Now; less than when it was made. -1: merged.
  var count: Int64
  /// Ascending positions of the left token. Stale ones are told by the symbols there.
  var positions: UnsafeMutablePointer<UInt32>
  var positionCount: Int

  var left: UInt32 { UInt32(key >> 32) }
  var right: UInt32 { UInt32(truncatingIfNeeded: key) }
}

/// The pairs that occur at least `floor` times: found by key, and the best one by count.
///
/// A pair is made with its highest count, when its newer token is made; afterwards it only falls. So one that starts below
/// the floor never reaches it and is not kept: most pairs of a corpus are rare, and never merged.
struct TrainingPairs: ~Copyable {
  private struct Candidate {
    var count: Int64
    var key: UInt64
    var index: Int

    @inline(__always) func precedes(_ other: Candidate) -> Bool {
      count != other.count ? count > other.count : key < other.key
    }
  }

  let floor: Int64
  private var pairs: [TrainingPair] = []
  private var slots: [UInt32]
  private var heap: [Candidate] = []
  private var blocks: [UnsafeMutablePointer<UInt32>] = []

  private static let free = UInt32.max

  init(floor: Int64) {
    self.floor = floor
    slots = Array(repeating: Self.free, count: 1 << 12)
  }

  deinit { for block in blocks { block.deallocate() } }

  /// Memory for positions, which lives as long as the pairs.
  mutating func allocate(_ count: Int) -> UnsafeMutablePointer<UInt32> {
    let block = UnsafeMutablePointer<UInt32>.allocate(capacity: max(count, 1))
    blocks.append(block)
    return block
  }

  /// Adds a new pair, whose count is at least `floor`.
  mutating func add(_ pair: TrainingPair) {
    if (pairs.count + 1) * 2 > slots.count { grow() }
    var slot = Self.slot(pair.key, slots.count - 1)
    while slots[slot] != Self.free { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = UInt32(pairs.count)
    pairs.append(pair)
    push(Candidate(count: pair.count, key: pair.key, index: pairs.count - 1))
  }

  /// Takes `weight` occurrences from a pair, if it is kept.
  mutating func subtract(_ key: UInt64, _ weight: Int64) {
    var slot = Self.slot(key, slots.count - 1)
    while slots[slot] != Self.free {
      let index = Int(slots[slot])
      if pairs[index].key == key {
        if pairs[index].count >= 0 { pairs[index].count -= weight }
        return
      }
      slot = (slot + 1) & (slots.count - 1)
    }
  }

  /// Takes the pair of highest count (ties: smallest left, then smallest right id), or nil if none reaches the floor.
  mutating func takeBest() -> TrainingPair? {
    while let top = heap.first {
      let current = pairs[top.index].count
      if current == top.count {
        removeTop()
        pairs[top.index].count = -1
        return pairs[top.index]
      }
      if current >= floor {
        heap[0].count = current
        siftDown(0)
      } else {
        removeTop()
      }
    }
    return nil
  }

  private mutating func push(_ candidate: Candidate) {
    heap.append(candidate)
    var child = heap.count - 1
    while child > 0, candidate.precedes(heap[(child - 1) / 2]) {
      heap[child] = heap[(child - 1) / 2]
      child = (child - 1) / 2
    }
    heap[child] = candidate
  }

  private mutating func removeTop() {
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown(0)
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    let moving = heap[parent]
    while true {
      var child = parent * 2 + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
      guard heap[child].precedes(moving) else { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = moving
  }

  @inline(__always) private static func slot(_ key: UInt64, _ mask: Int) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9E37_79B1_85EB_CA87) >> 32) & mask
  }

  private mutating func grow() {
    var larger = [UInt32](repeating: Self.free, count: slots.count * 2)
    for index in pairs.indices {
      var slot = Self.slot(pairs[index].key, larger.count - 1)
      while larger[slot] != Self.free { slot = (slot + 1) & (larger.count - 1) }
      larger[slot] = UInt32(index)
    }
    slots = larger
  }
}
