import Bytes
import Storage

/// The `.tiktoken` format: a line `base64(token) SPACE rank LF` for each token; a token's rank is its id and its merge's
/// priority. No special tokens, no pattern.
///
/// Also read: a missing last line end, white space before it, CRLF, gaps in the ranks.
enum TiktokenFile {
  /// A vocabulary that OpenAI publishes, told by the digest of its file.
  struct Published {
    var pattern: PretokenPattern
    var specialTokens: [Tokenizer.SpecialToken]
  }

  /// - Source: `tiktoken_ext/openai_public.py` of openai/tiktoken 0.14.0 (digests, special tokens).
  static func published(sha256: String) -> Published? {
    func specials(_ list: [(UInt32, String)]) -> [Tokenizer.SpecialToken] {
      list.map { Tokenizer.SpecialToken(id: $0.0, text: $0.1) }
    }
    switch sha256 {
    case "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930":
      return Published(pattern: .gpt2, specialTokens: specials([(50256, "<|endoftext|>")]))
    case "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7":
      return Published(
        pattern: .cl100k,
        specialTokens: specials([
          (100257, "<|endoftext|>"), (100258, "<|fim_prefix|>"), (100259, "<|fim_middle|>"),
          (100260, "<|fim_suffix|>"), (100276, "<|endofprompt|>"),
        ]))
    case "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d":
      return Published(
        pattern: .o200k, specialTokens: specials([(199999, "<|endoftext|>"), (200018, "<|endofprompt|>")]))
    default: return nil
    }
  }

  /// Tokens by rank, and the line of each (0: a gap).
  struct Ranks {
    var tokens: TokenBytes
    var lines: [Int]
  }

  /// - Throws: at a line that is not one, a token or rank that stands there twice, a rank over the limit.
  static func parse(_ bytes: borrowing Span<UInt8>) throws(TokenizerError) -> Ranks {
    var found = TokenBytes()
    var places: [(rank: UInt32, line: Int)] = []
    var start = 0
    var line = 0
    while start < bytes.count {
      line += 1
      let end = bytes.firstIndex(of: 10, from: start) ?? bytes.count
      let content = bytes.trimmedRange(start..<end)
      start = end + 1
      if content.isEmpty { continue }
      guard let space = bytes.firstIndex(of: 32, from: content.lowerBound), space < content.upperBound else {
        throw TokenizerError("not a line of a .tiktoken file (base64, space, rank).", line: line)
      }
      let encoded = bytes.extracting(content.lowerBound..<space)
      guard let token = Base64.decode(encoded), !token.isEmpty else {
        throw TokenizerError("the token is not Base64.", line: line)
      }
      let digits = bytes.trimmedRange(space..<content.upperBound)
      let number = bytes.extracting(digits).string()
      guard let rank = UInt32(number), rank <= Tokenizer.idMax else {
        throw TokenizerError("the rank is not a number from 0 to \(Tokenizer.idMax).", line: line)
      }
      found.append(token)
      places.append((rank, line))
    }
    guard let last = places.map(\.rank).max() else {
      throw TokenizerError("no tokens; not a .tiktoken file.")
    }
    var lines = [Int](repeating: 0, count: Int(last) + 1)
    var order = [UInt32](repeating: .max, count: Int(last) + 1)
    for (index, place) in places.enumerated() {
      let other = lines[Int(place.rank)]
      guard other == 0 else {
        throw TokenizerError("rank \(place.rank) stands on line \(other) too.", line: place.line)
      }
      lines[Int(place.rank)] = place.line
      order[Int(place.rank)] = UInt32(index)
    }
    if let (first, second) = found.firstDuplicate() {
      throw TokenizerError(
        "the same token stands on line \(places[first].line) too.", line: places[second].line)
    }
    var tokens = TokenBytes()
    for index in order { tokens.append(index == .max ? [] : found.bytes[found.range(index)]) }
    return Ranks(tokens: tokens, lines: lines)
  }

  /// The merges behind the ranks: each token of two bytes or more, merged with lower ranks only, must come down to
  /// exactly two parts.
  static func merges(_ ranks: Ranks) throws(TokenizerError) -> [Merge] {
    let tokens = ranks.tokens
    var byteIDs = [UInt32](repeating: .max, count: 256)
    for rank in 0..<UInt32(tokens.count) where tokens.range(rank).count == 1 {
      byteIDs[Int(tokens.bytes[tokens.range(rank).lowerBound])] = rank
    }
    if let missing = byteIDs.firstIndex(of: .max) {
      throw TokenizerError("byte 0x\(Hex.string([UInt8(missing)])) has no token. A vocabulary has all 256.")
    }
    var merges: [Merge] = []
    var table = MergeTable(capacity: tokens.count, byteIDs: byteIDs)
    var merger = PretokenMerger()
    for rank in 0..<UInt32(tokens.count) where tokens.range(rank).count >= 2 {
      let token = tokens.token(rank)
      let count = token.withUnsafeBufferPointer { token in
        byteIDs.withUnsafeBufferPointer { ids in
          table.withView { merger.merge(token, ids.baseAddress!, $0) }
        }
      }
      guard count == 2 else {
        throw TokenizerError(
          "lower ranks merge this token to \(count) parts, not to two; a vocabulary that was not made by merging "
            + "bytes is not supported.", line: ranks.lines[Int(rank)])
      }
      let merge = Merge(left: merger.ids[0], right: merger.ids[1], result: rank)
      merges.append(merge)
      _ = table.append(merge)
    }
    return merges
  }

  /// The lines of a tokenizer's ordinary tokens, by id.
  static func write(_ tokenizer: Tokenizer) -> [UInt8] {
    var output: [UInt8] = []
    for id in 0..<UInt32(tokenizer.tokens.count) where !tokenizer.tokens.range(id).isEmpty {
      let token = tokenizer.tokens.token(id)
      Base64.encode(token.span, into: &output)
      output.append(UInt8(ascii: " "))
      output.append(decimal: UInt(id))
      output.append(10)
    }
    return output
  }
}
