/// Merges one pretoken to tokens: again and again the pair of lowest rank, the leftmost first. Owns its scratch memory.
///
/// Short pretokens by scanning for the lowest rank; long ones by a heap over a linked list, O(n log n). Both and
/// `reference` give the same tokens.
///
/// - Source: Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units"; order of ties as in
///   Hugging Face tokenizers (`models/bpe/word.rs`: by rank, then position).
struct PretokenMerger {
  /// Longest pretoken, in bytes, that is merged by scanning.
  static let scanMax = 40

  private struct Candidate {
    var rank: UInt32
    var position: Int

    @inline(__always) func precedes(_ other: Candidate) -> Bool {
      rank != other.rank ? rank < other.rank : position < other.position
    }
  }

  /// The tokens of the last pretoken: `ids[..<count]`.
  private(set) var ids: [UInt32] = []
  private var ranks: [UInt32] = []
  private var next: [Int] = []
  private var previous: [Int] = []
  private var heap: [Candidate] = []

  /// Merges `bytes`; the tokens are `ids[..<result]`.
  mutating func merge(
    _ bytes: UnsafeBufferPointer<UInt8>, _ byteIDs: UnsafePointer<UInt32>, _ merges: MergeTable.View
  ) -> Int {
    if ids.count < bytes.count {
      ids = Array(repeating: 0, count: max(bytes.count, 64))
      ranks = Array(repeating: 0, count: ids.count)
    }
    for index in bytes.indices { ids[index] = byteIDs[Int(bytes[index])] }
    if bytes.count <= Self.scanMax { return mergeShort(bytes.count, merges) }
    let count = mergeLong(bytes.count, merges)
    // One huge pretoken must not keep its memory for ever.
    if heap.capacity > 1 << 20 {
      heap = []
      next = []
      previous = []
    }
    return count
  }

  private mutating func mergeShort(_ length: Int, _ merges: MergeTable.View) -> Int {
    ids.withUnsafeMutableBufferPointer { ids in
      ranks.withUnsafeMutableBufferPointer { ranks in
        var count = length
        for index in 0..<max(0, count - 1) { ranks[index] = merges.find(ids[index], ids[index + 1]).rank }
        while count > 1 {
          var best = MergeTable.noRank
          var position = 0
          for index in 0..<count - 1 where ranks[index] < best {
            best = ranks[index]
            position = index
          }
          if best == MergeTable.noRank { break }
          ids[position] = merges.find(ids[position], ids[position + 1]).result
          count -= 1
          for index in position + 1..<max(count, position + 1) {
            ids[index] = ids[index + 1]
            ranks[index] = ranks[index + 1]
          }
          if position > 0 { ranks[position - 1] = merges.find(ids[position - 1], ids[position]).rank }
          if position + 1 < count {
            ranks[position] = merges.find(ids[position], ids[position + 1]).rank
          }
        }
        return count
      }
    }
  }

  private mutating func mergeLong(_ length: Int, _ merges: MergeTable.View) -> Int {
    if next.count < length {
      next = Array(repeating: 0, count: length)
      previous = Array(repeating: 0, count: length)
    }
    heap.removeAll(keepingCapacity: true)
    for index in 0..<length {
      next[index] = index + 1
      previous[index] = index - 1
      ranks[index] = index + 1 < length ? merges.find(ids[index], ids[index + 1]).rank : MergeTable.noRank
      if ranks[index] != MergeTable.noRank { heap.append(Candidate(rank: ranks[index], position: index)) }
    }
    for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
    while let top = heap.first {
      let last = heap.removeLast()
      if !heap.isEmpty {
        heap[0] = last
        siftDown(0)
      }
      let position = top.position
      // Stale: the pair here has changed since, or its left token is gone (then its rank is "none").
      guard ranks[position] == top.rank else { continue }
      let right = next[position]
      ids[position] = merges.find(ids[position], ids[right]).result
      ranks[right] = MergeTable.noRank
      let after = next[right]
      next[position] = after
      if after < length { previous[after] = position }
      rank(position, after < length ? after : nil, merges)
      if previous[position] >= 0 { rank(previous[position], position, merges) }
    }
    var count = 0
    var index = 0
    while index < length {
      ids[count] = ids[index]
      count += 1
      index = next[index]
    }
    return count
  }

  /// Sets the rank of the pair at `left`, and makes it a candidate.
  private mutating func rank(_ left: Int, _ right: Int?, _ merges: MergeTable.View) {
    let rank = right.map { merges.find(ids[left], ids[$0]).rank } ?? MergeTable.noRank
    ranks[left] = rank
    guard rank != MergeTable.noRank else { return }
    heap.append(Candidate(rank: rank, position: left))
    var child = heap.count - 1
    while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
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

  /// The plain merge: all pairs are looked at before each step.
  static func reference(_ bytes: [UInt8], _ byteIDs: [UInt32], _ merges: MergeTable) -> [UInt32] {
    var ids = bytes.map { byteIDs[Int($0)] }
    merges.withView { view in
      while ids.count > 1 {
        let ranked = ids.indices.dropLast().map { view.find(ids[$0], ids[$0 + 1]) }
        guard let position = ranked.indices.min(by: { ranked[$0].rank < ranked[$1].rank }),
          ranked[position].rank != MergeTable.noRank
        else { break }
        ids[position] = ranked[position].result
        ids.remove(at: position + 1)
      }
    }
    return ids
  }
}
