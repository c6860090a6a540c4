import Bytes
import Storage

/// How a vocabulary fits the corpus that was counted: each different pretoken is merged once and weighted by its count,
/// so the figures are exact without reading the corpus again.
public struct TokenStatistics: Equatable, Sendable {
  /// Tokens that the corpus becomes.
  public var tokens: Int64 = 0
  /// Bytes of the corpus.
  public var bytes: Int64 = 0
  public var pretokens: Int64 = 0
  public var unique: Int64 = 0
  public var longestPretokenBytes = 0
  /// Tokens of one byte among `tokens`.
  public var singleByteTokens: Int64 = 0
  /// Ids that do not occur, special tokens left out.
  public var unusedIDs = 0
  /// Ordinary tokens whose bytes are no UTF-8 by themselves.
  public var partialTextIDs = 0
  /// The longest token; of several the first id.
  public var longestToken: [UInt8] = []

  public init(_ tokenizer: Tokenizer, _ counts: some PretokenCountSource) throws(StorageError) {
    var uses = [Int64](repeating: 0, count: tokenizer.tokens.count)
    var merger = PretokenMerger()
    var statistics = TokenStatistics()
    try counts.forEach { pretoken, count in
      let text = pretoken.assumingMemoryBound(to: UInt8.self)
      let length = tokenizer.byteIDs.withUnsafeBufferPointer { byteIDs in
        tokenizer.mergeTable.withView { merger.merge(text, byteIDs.baseAddress!, $0) }
      }
      // Sums of counts were checked when they were trained on; a file that was not is at worst wrong here.
      for id in merger.tokens(length) { uses[Int(id)] &+= count }
      statistics.pretokens &+= count
      statistics.bytes &+= count &* Int64(pretoken.count)
      statistics.unique += 1
      statistics.longestPretokenBytes = max(statistics.longestPretokenBytes, pretoken.count)
    }
    for id in 0..<UInt32(uses.count) where !tokenizer.tokens.range(id).isEmpty {
      let token = tokenizer.tokens.token(id)
      statistics.tokens &+= uses[Int(id)]
      if token.count == 1 { statistics.singleByteTokens &+= uses[Int(id)] }
      if uses[Int(id)] == 0 { statistics.unusedIDs += 1 }
      if !UTF8Text.isValid(token.span) { statistics.partialTextIDs += 1 }
      if token.count > statistics.longestToken.count { statistics.longestToken = token }
    }
    self = statistics
  }

  private init() {}

  public var bytesPerToken: Double { Self.ratio(bytes, tokens) }
  public var singleByteShare: Double { Self.ratio(singleByteTokens, tokens) }

  /// Rounded to four digits, so that reports stay readable.
  private static func ratio(_ part: Int64, _ whole: Int64) -> Double {
    whole == 0 ? 0 : (Double(part) / Double(whole) * 10_000).rounded() / 10_000
  }

  /// Members of `report.json`.
  public var members: [JSONValue.Member] {
    [
      .init("bytes", .int(Int(bytes))), .init("pretokens", .int(Int(pretokens))),
      .init("unique_pretokens", .int(Int(unique))),
      .init("longest_pretoken_bytes", .int(longestPretokenBytes)),
      .init("tokens", .int(Int(tokens))), .init("bytes_per_token", .double(bytesPerToken)),
      .init("single_byte_share", .double(singleByteShare)), .init("unused_ids", .int(unusedIDs)),
      .init("partial_utf8_ids", .int(partialTextIDs)),
      .init("longest_token", .string(ByteAlphabet.text(longestToken.span))),
      .init("longest_token_bytes", .int(longestToken.count)),
    ]
  }
}
