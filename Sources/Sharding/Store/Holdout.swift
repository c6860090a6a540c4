import Bytes
import Storage

/// Which documents are held out: decided per document by a hash of its id, when the store is built.
///
/// Stable when the corpus grows, unbiased, and physical: a held-out document lies in another folder, so that no linked
/// export can leak it.
public struct Holdout: Equatable, Sendable {
  public struct Split: Equatable, Sendable {
    public var name: String
    /// Share of the documents, in parts per million.
    public var ppm: Int
    public init(name: String, ppm: Int) {
      self.name = name
      self.ppm = ppm
    }
  }

  public static let train = "train"
  /// Splits with `train`: their numbers are one byte in the shuffle's key.
  public static let splitsMax = 256

  public let seed: UInt64
  /// The held-out splits in their order; what is in none is in `train`.
  public let splits: [Split]
  private let bounds: [UInt64]

  /// No held-out split.
  public init(seed: UInt64 = 0) {
    self.seed = seed
    splits = []
    bounds = []
  }

  /// - Throws: `.usage` for a name that is no folder name, twice the same, or shares that leave nothing for `train`.
  public init(seed: UInt64, splits: [Split]) throws(StorageError) {
    var sum: UInt64 = 0
    var bounds: [UInt64] = []
    guard splits.count < Holdout.splitsMax else {
      throw .usage("--split: at most \(Holdout.splitsMax - 1) splits.")
    }
    for (position, split) in splits.enumerated() {
      guard Holdout.isName(split.name) else {
        throw .usage("--split: “\(split.name)” is no name; use letters, digits, “-” and “_”, at most 64.")
      }
      guard split.name != Holdout.train, !splits[..<position].contains(where: { $0.name == split.name })
      else {
        throw .usage("--split: “\(split.name)” is named twice (“train” is what remains).")
      }
      guard split.ppm > 0, split.ppm < 1_000_000 else {
        throw .usage("--split: the share of “\(split.name)” must lie between 0.0001% and 99.9999%.")
      }
      sum += UInt64(split.ppm)
      guard sum < 1_000_000 else { throw .usage("--split: the shares leave nothing for “train”.") }
      // ppm * 2^64 / 10^6, exactly: the quotient of a 128-bit product, floored.
      bounds.append(UInt64(1_000_000).dividingFullWidth((sum, 0)).quotient)
    }
    self.seed = seed
    self.splits = splits
    self.bounds = bounds
  }

  /// Reads `valid=0.5%,test=0.5%` (up to four decimals); the empty text is no split.
  ///
  /// - Throws: `.usage`.
  public init(seed: UInt64, parsing text: String) throws(StorageError) {
    var splits: [Split] = []
    for item in text.utf8.split(separator: UInt8(ascii: ",")) {
      let parts = item.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let ppm = Holdout.ppm(Array(parts[1])) else {
        throw .usage(
          "--split: “\(String(decoding: item, as: UTF8.self))” should be NAME=PERCENT%, such as valid=0.5%.")
      }
      splits.append(Split(name: String(decoding: parts[0], as: UTF8.self), ppm: ppm))
    }
    try self.init(seed: seed, splits: splits)
  }

  /// Names of all splits by number: `train`, then the held-out ones.
  public var names: [String] { [Holdout.train] + splits.map(\.name) }

  /// Number of the split that the document belongs to: 0 = train, 1 = the first held-out split …
  public func split(ofID id: borrowing Span<UInt8>) -> Int {
    guard !bounds.isEmpty else { return 0 }
    let value = hash(ofID: id)
    for (position, bound) in bounds.enumerated() where value < bound { return position + 1 }
    return 0
  }

  /// The first eight bytes (little-endian) of SHA-256 over `sluice holdout 1`, a line feed, the seed and the id.
  func hash(ofID id: borrowing Span<UInt8>) -> UInt64 {
    var message = Array("sluice holdout 1\n".utf8)
    message.append(littleEndian: seed)
    message.append(id)
    return SHA256.hash(message.span).littleEndianWord(at: 0)
  }

  private static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 64
      && name.utf8.allSatisfy {
        $0.isASCIIDigit || $0.isASCIILetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
      }
  }

  /// `0.5%` in parts per million, in integers: 5000.
  private static func ppm(_ text: [UInt8]) -> Int? {
    guard text.last == UInt8(ascii: "%"), text.count > 1, text.count < 12 else { return nil }
    let parts = text.dropLast().split(
      separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = Int(String(decoding: parts[0], as: UTF8.self)), whole >= 0, whole <= 100 else {
      return nil
    }
    guard parts.count == 2 else { return whole * 10_000 }
    guard (1...4).contains(parts[1].count), parts[1].allSatisfy(\.isASCIIDigit) else { return nil }
    let digits = String(decoding: parts[1], as: UTF8.self)
    guard let fraction = Int(digits + String(repeating: "0", count: 4 - digits.utf8.count)) else {
      return nil
    }
    return whole * 10_000 + fraction
  }
}
