/// One merge of a vocabulary: two adjacent tokens become one.
public struct Merge: Equatable, Sendable {
  public var left: UInt32
  public var right: UInt32
  public var result: UInt32

  public init(left: UInt32, right: UInt32, result: UInt32) {
    self.left = left
    self.right = right
    self.result = result
  }
}

/// Merges by pair: open addressing, at most half full.
struct MergeTable: Sendable {
  struct Entry: Sendable {
    /// `left << 32 | right`; all ones: free.
    var pair: UInt64
    /// Position of the merge in the list: lower goes first.
    var rank: UInt32
    var result: UInt32
  }
  static let noRank = UInt32.max
  private static let free = Entry(pair: .max, rank: noRank, result: 0)

  private(set) var count = 0
  private var entries: [Entry]

  init(capacity: Int = 0) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    entries = Array(repeating: Self.free, count: size)
  }

  /// Adds a merge at the next rank; false, and no change, if the pair is there already.
  mutating func append(_ merge: Merge) -> Bool {
    if count * 2 >= entries.count { grow() }
    let pair = UInt64(merge.left) << 32 | UInt64(merge.right)
    let slot = Self.slot(of: pair, in: entries)
    if entries[slot].pair == pair { return false }
    entries[slot] = Entry(pair: pair, rank: UInt32(count), result: merge.result)
    count += 1
    return true
  }

  private mutating func grow() {
    var larger = Array(repeating: Self.free, count: entries.count * 2)
    for entry in entries where entry.pair != .max { larger[Self.slot(of: entry.pair, in: larger)] = entry }
    entries = larger
  }

  private static func slot(of pair: UInt64, in entries: [Entry]) -> Int {
    var slot = View.slot(pair, entries.count - 1)
    while entries[slot].pair != .max, entries[slot].pair != pair { slot = (slot + 1) & (entries.count - 1) }
    return slot
  }

  /// The table as a loop reads it.
  struct View {
    let entries: UnsafePointer<Entry>
    let mask: Int

    @inline(__always) static func slot(_ pair: UInt64, _ mask: Int) -> Int {
      Int(truncatingIfNeeded: (pair &* 0x9E37_79B1_85EB_CA87) >> 32) & mask
    }

    /// The merge of a pair, or one with `noRank`.
    @inline(__always) func find(_ left: UInt32, _ right: UInt32) -> Entry {
      let pair = UInt64(left) << 32 | UInt64(right)
      var slot = Self.slot(pair, mask)
      while true {
        let entry = entries[slot]
        if entry.pair == pair || entry.pair == .max { return entry }
        slot = (slot + 1) & mask
      }
    }
  }

  @inline(__always) func withView<R>(_ body: (View) throws -> R) rethrows -> R {
    try entries.withUnsafeBufferPointer { try body(View(entries: $0.baseAddress!, mask: $0.count - 1)) }
  }
}
