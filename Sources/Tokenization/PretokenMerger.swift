/// Merges one pretoken to tokens: again and again the pair of lowest rank, the leftmost first. Owns its scratch memory.
///
/// Short pretokens by scanning for the lowest rank; long ones by a heap over a linked list, O(n log n). Both and
/// `reference` give the same tokens.
///
/// - Source: Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units"; order of ties as in
///   Hugging Face tokenizers (`models/bpe/word.rs`: by rank, then position).
struct PretokenMerger: ~Copyable {
  /// Longest pretoken, in bytes, that is merged by scanning (measured: the heap is faster from about 30 on).
  static let scanMax = 32
  /// Longest pretoken that can be merged at all: positions have 32 bits. Callers cut there.
  static let lengthMax = 1 << 30
  /// Scratch memory above this many bytes of pretoken is given back.
  private static let keptMax = 1 << 16

  /// The tokens of the last pretoken.
  private(set) var ids: UnsafeMutablePointer<UInt32>
  private var ranks: UnsafeMutablePointer<UInt32>
  private var next: UnsafeMutablePointer<UInt32>
  private var previous: UnsafeMutablePointer<UInt32>
  /// Candidates, `rank << 32 | position`: each position is pushed again at most twice for each merge.
  private var heap: UnsafeMutablePointer<UInt64>
  private var heapCount = 0
  private var capacity = 256

  init() {
    ids = .allocate(capacity: capacity)
    ranks = .allocate(capacity: capacity)
    next = .allocate(capacity: capacity)
    previous = .allocate(capacity: capacity)
    heap = .allocate(capacity: capacity * 3)
  }

  deinit { deallocate() }

  private func deallocate() {
    ids.deallocate()
    ranks.deallocate()
    next.deallocate()
    previous.deallocate()
    heap.deallocate()
  }

  /// The tokens of the last pretoken, of which there are `count`.
  func tokens(_ count: Int) -> UnsafeBufferPointer<UInt32> { UnsafeBufferPointer(start: ids, count: count) }

  /// Merges `bytes`, at most `lengthMax`; returns the number of tokens, which stand in `ids`.
  mutating func merge(
    _ bytes: UnsafeBufferPointer<UInt8>, _ byteIDs: UnsafePointer<UInt32>, _ merges: MergeTable.View
  ) -> Int {
    let length = bytes.count
    guard let base = bytes.baseAddress, length > 0 else { return 0 }
    if length > capacity || (capacity > Self.keptMax && length <= Self.keptMax) { resize(length) }
    for index in 0..<length { ids[index] = byteIDs[Int(base[index])] }
    for index in 0..<length - 1 { ranks[index] = merges.rank(bytes: base[index], base[index + 1]) }
    ranks[length - 1] = MergeTable.noRank
    return length <= Self.scanMax ? mergeShort(length, merges) : mergeLong(length, merges)
  }

  private mutating func resize(_ length: Int) {
    deallocate()
    capacity = max(256, length)
    ids = .allocate(capacity: capacity)
    ranks = .allocate(capacity: capacity)
    next = .allocate(capacity: capacity)
    previous = .allocate(capacity: capacity)
    heap = .allocate(capacity: capacity * 3)
  }

  private func mergeShort(_ length: Int, _ merges: MergeTable.View) -> Int {
    let ids = ids
    let ranks = ranks
    var count = length
    while count > 1 {
      var best = MergeTable.noRank
      for index in 0..<count - 1 { best = min(best, ranks[index]) }
      if best == MergeTable.noRank { break }
      var position = 0
      while ranks[position] != best { position += 1 }
      ids[position] = merges.result(best)
      count -= 1
      var index = position + 1
      while index < count {
        ids[index] = ids[index + 1]
        ranks[index] = ranks[index + 1]
        index += 1
      }
      if position > 0 { ranks[position - 1] = merges.rank(ids[position - 1], ids[position]) }
      if position + 1 < count { ranks[position] = merges.rank(ids[position], ids[position + 1]) }
    }
    return count
  }

  private mutating func mergeLong(_ length: Int, _ merges: MergeTable.View) -> Int {
    let ids = ids
    let ranks = ranks
    let next = next
    let previous = previous
    // The end of the list, and what stands before its start.
    let none = UInt32.max
    heapCount = 0
    for index in 0..<length {
      next[index] = index + 1 < length ? UInt32(index + 1) : none
      previous[index] = index > 0 ? UInt32(index - 1) : none
      if ranks[index] != MergeTable.noRank {
        heap[heapCount] = UInt64(ranks[index]) << 32 | UInt64(index)
        heapCount += 1
      }
    }
    for index in stride(from: heapCount / 2 - 1, through: 0, by: -1) { siftDown(index) }
    while heapCount > 0 {
      let top = heap[0]
      heapCount -= 1
      if heapCount > 0 {
        heap[0] = heap[heapCount]
        siftDown(0)
      }
      let position = Int(top & 0xFFFF_FFFF)
      let rank = UInt32(top >> 32)
      // Stale: the pair here has changed since, or its left token is gone (then its rank is "none").
      guard ranks[position] == rank else { continue }
      let right = Int(next[position])
      ids[position] = merges.result(rank)
      ranks[right] = MergeTable.noRank
      let after = next[right]
      next[position] = after
      ranks[position] = MergeTable.noRank
      if after != none {
        previous[Int(after)] = UInt32(position)
        push(position, merges.rank(ids[position], ids[Int(after)]))
      }
      let before = previous[position]
      if before != none { push(Int(before), merges.rank(ids[Int(before)], ids[position])) }
    }
    var count = 0
    var index: UInt32 = 0
    while index != none {
      ids[count] = ids[Int(index)]
      count += 1
      index = next[Int(index)]
    }
    return count
  }

  /// Sets the rank of the pair at `position`, and makes it a candidate.
  ///
  /// At most n - 1 merges push two candidates each, on top of n - 1 at the start, so the heap never outgrows 3n.
  @inline(__always) private mutating func push(_ position: Int, _ rank: UInt32) {
    ranks[position] = rank
    guard rank != MergeTable.noRank else { return }
    let candidate = UInt64(rank) << 32 | UInt64(position)
    var child = heapCount
    heapCount += 1
    while child > 0, candidate < heap[(child - 1) / 2] {
      heap[child] = heap[(child - 1) / 2]
      child = (child - 1) / 2
    }
    heap[child] = candidate
  }

  @inline(__always) private func siftDown(_ start: Int) {
    let heap = heap
    let count = heapCount
    var parent = start
    let moving = heap[parent]
    while true {
      var child = parent * 2 + 1
      guard child < count else { break }
      if child + 1 < count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < moving else { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = moving
  }

  /// The plain merge: all pairs are looked at before each step.
  static func reference(_ bytes: [UInt8], _ byteIDs: [UInt32], _ merges: MergeTable) -> [UInt32] {
    var ids = bytes.map { byteIDs[Int($0)] }
    merges.withView { view in
      while ids.count > 1 {
        let ranks = ids.indices.dropLast().map { view.rank(ids[$0], ids[$0 + 1]) }
        guard let position = ranks.indices.min(by: { ranks[$0] < ranks[$1] }),
          ranks[position] != MergeTable.noRank
        else { break }
        ids[position] = view.result(ranks[position])
        ids.remove(at: position + 1)
      }
    }
    return ids
  }
}
