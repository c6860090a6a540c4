import Glibc

/// Tokens by their bytes, for pretokens that are one token: nine of ten. Open addressing over ids.
///
/// A token is in the table only if merging its bytes gives it, so that a look-up never changes a result; with
/// `includesAll` every token is, as files with `ignore_merges` ask.
struct WholeTokens: Sendable {
  private static let free = UInt32.max
  private var slots: [UInt32]

  init(_ tokens: TokenBytes, _ byteIDs: [UInt32], _ merges: MergeTable, includesAll: Bool) {
    var size = 16
    while size < tokens.count * 2 { size *= 2 }
    slots = Array(repeating: Self.free, count: size)
    var merger = PretokenMerger()
    tokens.bytes.withUnsafeBufferPointer { bytes in
      merges.withView { view in
        byteIDs.withUnsafeBufferPointer { byteIDs in
          for id in 0..<UInt32(tokens.count) where !tokens.range(id).isEmpty {
            let token = UnsafeBufferPointer(rebasing: bytes[tokens.range(id)])
            if !includesAll {
              let count = merger.merge(token, byteIDs.baseAddress!, view)
              guard count == 1, merger.ids[0] == id else { continue }
            }
            var slot = Int(truncatingIfNeeded: foldedHash(token.baseAddress!, token.count)) & (size - 1)
            while slots[slot] != Self.free { slot = (slot + 1) & (size - 1) }
            slots[slot] = id
          }
        }
      }
    }
  }

  /// Number of tokens that text can give as a whole pretoken.
  var count: Int { slots.reduce(0) { $0 + ($1 == Self.free ? 0 : 1) } }

  /// The table as a loop reads it.
  struct View {
    let slots: UnsafePointer<UInt32>
    let mask: Int
    let bytes: UnsafePointer<UInt8>
    let offsets: UnsafePointer<Int>

    /// The token of exactly these bytes, or nil.
    @inline(__always) func find(_ start: UnsafePointer<UInt8>, _ length: Int) -> UInt32? {
      var slot = Int(truncatingIfNeeded: foldedHash(start, length)) & mask
      while true {
        let id = slots[slot]
        if id == WholeTokens.free { return nil }
        let offset = offsets[Int(id)]
        if offsets[Int(id) + 1] - offset == length, memcmp(bytes + offset, start, length) == 0 { return id }
        slot = (slot + 1) & mask
      }
    }
  }

  @inline(__always) func withView<R>(_ tokens: TokenBytes, _ body: (View) -> R) -> R {
    slots.withUnsafeBufferPointer { slots in
      tokens.bytes.withUnsafeBufferPointer { bytes in
        tokens.offsets.withUnsafeBufferPointer { offsets in
          // A vocabulary holds at least the 256 bytes, so no buffer is empty.
          body(
            View(
              slots: slots.baseAddress!, mask: slots.count - 1, bytes: bytes.baseAddress!,
              offsets: offsets.baseAddress!))
        }
      }
    }
  }
}
