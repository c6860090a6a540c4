/// Turns text into ids. One per worker: it owns a cache of bounded size and scratch memory.
public final class Encoder {
  /// What happens where the text of a special token stands in the text.
  public enum SpecialText: Sendable {
    /// It is ordinary text, cut and merged like all text. The default everywhere: a corpus must not be able to end
    /// its own documents.
    case ordinary
    /// It becomes the special token's id; the longest match at the leftmost place wins, and each ends the text for
    /// the pattern.
    case matched
  }

  public let tokenizer: Tokenizer
  private var cache: EncoderCache
  private var merger = PretokenMerger()
  private let output: UnsafeMutablePointer<UInt32>
  private static let outputCapacity = 1 << 14
  private var specials: SpecialMatcher?

  /// - Parameter cacheBytes: about what the cache may take; with 0 it is tiny. Ids do not depend on it.
  public init(_ tokenizer: Tokenizer, cacheBytes: Int = 8 << 20) {
    self.tokenizer = tokenizer
    cache = EncoderCache(memoryBytes: cacheBytes)
    output = .allocate(capacity: Self.outputCapacity)
  }

  deinit { output.deallocate() }

  /// Appends the ids of a text, which may be any bytes. Without matched special tokens, decoding gives the text again.
  public func encode(
    _ text: borrowing Span<UInt8>, specialText: SpecialText = .ordinary, into ids: inout [UInt32]
  ) {
    text.withUnsafeBufferPointer { buffer in
      guard specialText == .matched, !tokenizer.specialTokens.isEmpty else {
        encodeOrdinary(buffer, &ids)
        return
      }
      let matcher = specials ?? SpecialMatcher(tokenizer.specialTokens)
      specials = matcher
      var start = 0
      while let match = matcher.first(in: buffer, from: start) {
        encodeOrdinary(UnsafeBufferPointer(rebasing: buffer[start..<match.range.lowerBound]), &ids)
        ids.append(match.id)
        start = match.range.upperBound
      }
      encodeOrdinary(UnsafeBufferPointer(rebasing: buffer[start...]), &ids)
    }
  }

  /// The ids of a text, for edges and tests.
  public func encode(_ text: String, specialText: SpecialText = .ordinary) -> [UInt32] {
    var ids: [UInt32] = []
    encode(Array(text.utf8).span, specialText: specialText, into: &ids)
    return ids
  }

  private func encodeOrdinary(_ text: UnsafeBufferPointer<UInt8>, _ ids: inout [UInt32]) {
    guard let base = text.baseAddress, text.count > 0 else { return }
    let total = text.count
    let output = output
    var filled = 0
    tokenizer.mergeTable.withView { merges in
      tokenizer.wholeTokens.withView(tokenizer.tokens) { whole in
        tokenizer.byteIDs.withUnsafeBufferPointer { byteIDs in
          PretokenScanner.scan(tokenizer.pattern, text) { start, end in
            if filled + 4 > Self.outputCapacity {
              ids.append(contentsOf: UnsafeBufferPointer(start: output, count: filled))
              filled = 0
            }
            let length = end - start
            let pretoken = base + start
            if length <= InlineKey.lengthMax {
              let key = InlineKey(pretoken, length, left: total - start)
              let hash = key.hash
              let found = cache.findShort(key, hash, output + filled)
              if found > 0 {
                filled += found
                return
              }
              if let id = whole.find(pretoken, length) {
                output[filled] = id
                cache.addShort(key, hash, output + filled, 1)
                filled += 1
                return
              }
              let bytes = UnsafeBufferPointer(start: pretoken, count: length)
              let count = merger.merge(bytes, byteIDs.baseAddress!, merges)
              ids.append(contentsOf: UnsafeBufferPointer(start: output, count: filled))
              filled = 0
              cache.addShort(key, hash, merger.ids, count)
              ids.append(contentsOf: merger.tokens(count))
              return
            }
            let hash = foldedHash(pretoken, length)
            let known = cache.findLong(pretoken, length, hash)
            ids.append(contentsOf: UnsafeBufferPointer(start: output, count: filled))
            filled = 0
            if known.count > 0 {
              ids.append(contentsOf: known)
            } else if let id = whole.find(pretoken, length) {
              ids.append(id)
              withUnsafePointer(to: id) { cache.addLong(pretoken, length, hash, $0, 1) }
            } else {
              for part in stride(from: 0, to: length, by: PretokenMerger.lengthMax) {
                let bytes = UnsafeBufferPointer(
                  start: pretoken + part, count: min(PretokenMerger.lengthMax, length - part))
                let count = merger.merge(bytes, byteIDs.baseAddress!, merges)
                cache.addLong(pretoken, length, hash, merger.ids, count)
                ids.append(contentsOf: merger.tokens(count))
              }
            }
          }
        }
      }
    }
    ids.append(contentsOf: UnsafeBufferPointer(start: output, count: filled))
  }
}
