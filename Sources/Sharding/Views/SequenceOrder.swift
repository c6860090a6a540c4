/// In which order the sequences of one class are read in one epoch: a bijection of 0..<count by arithmetic.
///
/// - `permutation`: one keyed permutation of all sequences.
/// - `blocks`: blocks of `block` consecutive sequence numbers are permuted, and each window of `window` consecutive blocks of
///   that order is permuted inside. Reads stay within a window's blocks for a while, which slow stores like; the price is
///   less mixing. The last block may be short.
public struct SequenceOrder: Sendable {
  /// Streams of a class start this far apart.
  static let classStride: UInt64 = 1 << 40
  static let blockStream: UInt64 = 1
  static let windowStream: UInt64 = 1 << 32

  public let count: Int
  public let epoch: Int
  private let seed: UInt64
  private let stream: UInt64
  private let shuffle: View.Shuffle
  private let sequences: KeyedPermutation
  private let blocks: KeyedPermutation
  /// Where the short block stands in the order of blocks, or the number of blocks if none is short.
  private let shortSlot: Int
  /// What the short block lacks.
  private let missing: Int
  private var window: (number: Int, KeyedPermutation)?

  public init(count: Int, seed: Int, epoch: Int, class number: Int = 0, shuffle: View.Shuffle) {
    self.count = max(1, count)
    self.epoch = epoch
    self.seed = UInt64(seed)
    self.shuffle = shuffle
    stream = UInt64(number) * Self.classStride
    func permutation(_ count: Int, _ offset: UInt64) -> KeyedPermutation {
      KeyedPermutation(
        count: UInt64(count), seed: UInt64(seed), epoch: UInt64(epoch),
        stream: UInt64(number) * Self.classStride + offset)
    }
    switch shuffle {
    case .permutation:
      sequences = permutation(self.count, 0)
      blocks = KeyedPermutation(count: 1, key: 0)
      (shortSlot, missing) = (0, 0)
    case .blocks(let block, _):
      let blockCount = (self.count - 1) / block + 1
      sequences = KeyedPermutation(count: 1, key: 0)
      blocks = permutation(blockCount, Self.blockStream)
      missing = blockCount * block - self.count
      shortSlot = missing == 0 ? blockCount : Int(blocks.inverse(UInt64(blockCount - 1)))
    }
  }

  /// The sequences that are read at a range of indices (below `count`), in order.
  public mutating func map(_ indices: Range<Int>, into values: inout [UInt64]) {
    if case .permutation = shuffle {
      return sequences.map(UInt64(indices.lowerBound)..<UInt64(indices.upperBound), into: &values)
    }
    values.removeAll(keepingCapacity: true)
    for index in indices { values.append(UInt64(map(index))) }
  }

  /// The sequence that is read at `index` (below `count`).
  public mutating func map(_ index: Int) -> Int {
    guard case .blocks(let block, let width) = shuffle else { return Int(sequences.map(UInt64(index))) }
    // Until the end of the short block's window all places are where they would be without it.
    let number =
      index < start(ofWindow: shortSlot / width + 1, block, width)
      ? index / (width * block) : (index + missing) / (width * block)
    let start = start(ofWindow: number, block, width)
    let size = self.start(ofWindow: number + 1, block, width) - start
    let inside = Int(permutation(ofWindow: number, size: size).map(UInt64(index - start)))
    // From the place in the window to the block and the place in it.
    let short = shortSlot - number * width
    let behind = short >= 0 && short < width && inside >= (short + 1) * block - missing
    let (slot, rest) = (inside + (behind ? missing : 0)).quotientAndRemainder(dividingBy: block)
    return Int(blocks.map(UInt64(number * width + slot))) * block + rest
  }

  /// The index at which `sequence` is read.
  public mutating func inverse(_ sequence: Int) -> Int {
    guard case .blocks(let block, let width) = shuffle else {
      return Int(sequences.inverse(UInt64(sequence)))
    }
    let slot = Int(blocks.inverse(UInt64(sequence / block)))
    let number = slot / width
    let start = start(ofWindow: number, block, width)
    let size = self.start(ofWindow: number + 1, block, width) - start
    let isBehindShort = shortSlot / width == number && slot > shortSlot
    let inside = (slot - number * width) * block + sequence % block - (isBehindShort ? missing : 0)
    return start + Int(permutation(ofWindow: number, size: size).inverse(UInt64(inside)))
  }

  /// Index of the first sequence of a window; of the one behind the last: `count`.
  private func start(ofWindow number: Int, _ block: Int, _ width: Int) -> Int {
    let nominal = number * width * block
    return min(count, nominal - (shortSlot < number * width ? missing : 0))
  }

  private mutating func permutation(ofWindow number: Int, size: Int) -> KeyedPermutation {
    if let window, window.number == number { return window.1 }
    let made = KeyedPermutation(
      count: UInt64(size), seed: seed, epoch: UInt64(epoch),
      stream: stream + Self.windowStream + UInt64(number))
    window = (number, made)
    return made
  }
}
