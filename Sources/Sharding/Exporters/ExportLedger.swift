import Bytes
import Storage

/// Remembers what went into a shard in 16 bytes per thousand records, so that what is read back can be compared.
///
/// With boundaries, a record counts by its length, its XXH64 and its id; without, the ids count as one stream of bytes.
struct ExportLedger {
  /// Records, or tokens of a stream, that share one hash: a difference is told to this precision.
  static let blockRecords = 1024
  static let blockBytes = 1 << 20

  private(set) var records = 0
  private(set) var tokens = 0
  private(set) var blocks: [UInt64] = []
  private let hasBoundaries: Bool
  private let width: TokenWidth
  private var hash = XXH64()
  private var inBlock = 0

  init(_ width: TokenWidth, hasBoundaries: Bool) {
    self.width = width
    self.hasBoundaries = hasBoundaries
  }

  /// - Parameter contents: XXH64 of `bytes`, where it is known already.
  mutating func add(id: [UInt8]?, _ bytes: UnsafeRawBufferPointer, contents: UInt64? = nil) {
    records += 1
    tokens += bytes.count / width.bytes
    guard hasBoundaries else {
      var rest = bytes
      while !rest.isEmpty {
        let taken = min(Self.blockBytes - inBlock, rest.count)
        hash.update(UnsafeRawBufferPointer(rebasing: rest[..<taken]))
        inBlock += taken
        rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
        if inBlock == Self.blockBytes { endBlock() }
      }
      return
    }
    var name: UInt64 = 0
    if let id { name = XXH64.hash(id.span) }
    let own: UInt64
    if let contents { own = contents } else { own = XXH64.hash(bytes) }
    withUnsafeBytes(of: (UInt64(bytes.count), own, name)) { hash.update($0) }
    inBlock += 1
    if inBlock == Self.blockRecords { endBlock() }
  }

  mutating func finish() { if inBlock > 0 { endBlock() } }

  private mutating func endBlock() {
    blocks.append(hash.finalize())
    hash = XXH64()
    inBlock = 0
  }

  /// Where `other` differs from this one, in words; nil if they are equal. Both are finished.
  func difference(_ other: ExportLedger) -> String? {
    let common = zip(blocks, other.blocks).enumerated().first { $0.element.0 != $0.element.1 }
    if let number = common?.offset {
      return hasBoundaries
        ? "a record among \(number * Self.blockRecords) to \(min(records, (number + 1) * Self.blockRecords) - 1) of the shard does not read back equal"
        : "a token in bytes \(number * Self.blockBytes) to \((number + 1) * Self.blockBytes - 1) of the shard's ids does not read back equal"
    }
    if hasBoundaries, records != other.records {
      return "\(other.records) records read back, \(records) were written"
    }
    guard tokens == other.tokens, blocks == other.blocks else {
      return "\(other.tokens) tokens read back, \(tokens) were written"
    }
    return nil
  }
}
