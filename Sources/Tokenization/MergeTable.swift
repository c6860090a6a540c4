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

/// Ranks of merges by pair: open addressing, at most half full, eight bytes an entry (`left:21 right:21 rank:21`); and a
/// dense table for pairs of single bytes, with which every pretoken begins.
struct MergeTable: Sendable {
  /// Bits of an id and of a rank.
  static let idBits: UInt64 = 21
  static let noRank = UInt32.max
  private static let free = UInt64.max
  private static let rankMask: UInt64 = (1 << idBits) - 1

  private(set) var count = 0
  private var entries: [UInt64]
  private var results: [UInt32] = []
  /// Rank by two bytes.
  private var bytePairs = [UInt32](repeating: MergeTable.noRank, count: 1 << 16)
  /// The byte of an id, for ids below; -1 where it is no byte.
  private let byteOfID: [Int16]

  /// - Parameter byteIDs: the ids of the 256 bytes.
  init(capacity: Int, byteIDs: [UInt32]) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    entries = Array(repeating: Self.free, count: size)
    var bytes = [Int16](repeating: -1, count: Int(byteIDs.max() ?? 0) + 1)
    for (byte, id) in byteIDs.enumerated() { bytes[Int(id)] = Int16(byte) }
    byteOfID = bytes
  }

  /// Adds a merge at the next rank, ids below 2^21; false, and no change, if the pair is there already.
  mutating func append(_ merge: Merge) -> Bool {
    if count * 2 >= entries.count { grow() }
    let pair = UInt64(merge.left) << Self.idBits | UInt64(merge.right)
    let slot = Self.slot(of: pair, in: entries)
    if entries[slot] != Self.free { return false }
    entries[slot] = pair << Self.idBits | UInt64(count)
    results.append(merge.result)
    if merge.left < byteOfID.count, merge.right < byteOfID.count {
      let (a, b) = (byteOfID[Int(merge.left)], byteOfID[Int(merge.right)])
      if a >= 0, b >= 0 { bytePairs[Int(a) << 8 | Int(b)] = UInt32(count) }
    }
    count += 1
    return true
  }

  private mutating func grow() {
    var larger = Array(repeating: Self.free, count: entries.count * 2)
    for entry in entries where entry != Self.free {
      larger[Self.slot(of: entry >> Self.idBits, in: larger)] = entry
    }
    entries = larger
  }

  private static func slot(of pair: UInt64, in entries: [UInt64]) -> Int {
    var slot = View.slot(pair, entries.count - 1)
    while entries[slot] != free, entries[slot] >> idBits != pair { slot = (slot + 1) & (entries.count - 1) }
    return slot
  }

  /// The table as a loop reads it.
  struct View {
    let entries: UnsafePointer<UInt64>
    let mask: Int
    let results: UnsafePointer<UInt32>
    let bytePairs: UnsafePointer<UInt32>

    @inline(__always) static func slot(_ pair: UInt64, _ mask: Int) -> Int {
      Int(truncatingIfNeeded: (pair &* 0x9E37_79B1_85EB_CA87) >> 32) & mask
    }

    /// The rank of a pair, or `noRank`: lower goes first.
    @inline(__always) func rank(_ left: UInt32, _ right: UInt32) -> UInt32 {
      let pair = UInt64(left) << MergeTable.idBits | UInt64(right)
      var slot = Self.slot(pair, mask)
      while true {
        let entry = entries[slot]
        if entry >> MergeTable.idBits == pair {
          return UInt32(truncatingIfNeeded: entry & MergeTable.rankMask)
        }
        if entry == MergeTable.free { return MergeTable.noRank }
        slot = (slot + 1) & mask
      }
    }

    /// The rank of the pair of two bytes.
    @inline(__always) func rank(bytes left: UInt8, _ right: UInt8) -> UInt32 {
      bytePairs[Int(left) << 8 | Int(right)]
    }

    /// What the merge of a rank makes.
    @inline(__always) func result(_ rank: UInt32) -> UInt32 { results[Int(rank)] }
  }

  @inline(__always) func withView<R>(_ body: (View) throws -> R) rethrows -> R {
    try entries.withUnsafeBufferPointer { entries in
      try bytePairs.withUnsafeBufferPointer { pairs in
        try results.withUnsafeBufferPointer { results in
          // Without merges no rank is found, so `results` is not read; the other table stands for it.
          let base = results.baseAddress ?? pairs.baseAddress!
          return try body(
            View(
              entries: entries.baseAddress!, mask: entries.count - 1, results: base,
              bytePairs: pairs.baseAddress!))
        }
      }
    }
  }
}
