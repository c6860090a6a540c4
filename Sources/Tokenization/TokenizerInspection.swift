import Bytes
import Storage

/// What `inspect` shows of a tokenizer.
public struct TokenizerInspection: Sendable {
  public let json: JSONValue
  /// Rows for people: a name and a value.
  public let rows: [(name: String, value: String)]

  public init(_ tokenizer: Tokenizer) {
    var lengths = [Int](repeating: 0, count: 17)
    var longest: [UInt8] = []
    var ordinary = 0
    var partial = 0
    for id in 0..<UInt32(tokenizer.tokens.count) where !tokenizer.tokens.range(id).isEmpty {
      let token = tokenizer.tokens.token(id)
      ordinary += 1
      lengths[min(token.count, 17) - 1] += 1
      if token.count > longest.count { longest = token }
      if !UTF8Text.isValid(token.span) { partial += 1 }
    }
    let specials = tokenizer.specialTokens
    let gaps = tokenizer.vocabularySize - ordinary - specials.filter { tokenizer.isSpecialOnly($0.id) }.count
    json = [
      "kind": "tokenizer", "name": .string(tokenizer.name), "pattern": .string(tokenizer.pattern.name),
      "unicode": .string(UnicodeTables.version), "vocab_size": .int(tokenizer.vocabularySize),
      "tokens": .int(ordinary), "merges": .int(tokenizer.merges.count), "unused_ids": .int(gaps),
      "special_tokens": .object(specials.map { .init($0.text, .int(Int($0.id))) }),
      "end_of_text": tokenizer.endOfText.map { .int(Int($0)) } ?? .null,
      "partial_utf8_tokens": .int(partial), "reachable_tokens": .int(tokenizer.wholeTokens.count),
      "longest_token": .string(ByteAlphabet.text(longest.span)), "longest_token_bytes": .int(longest.count),
      "token_lengths": .array(lengths.map { .int($0) }), "sha256": .string(tokenizer.sha256),
    ]
    var rows = [
      ("tokenizer", tokenizer.name),
      ("pattern", "\(tokenizer.pattern.name), Unicode \(UnicodeTables.version)"),
      (
        "vocabulary",
        "\(tokenizer.vocabularySize) ids: \(ordinary) tokens, \(specials.count) special, \(gaps) unused"
      ),
      ("merges", String(tokenizer.merges.count)),
      ("id width", tokenizer.vocabularySize <= 1 << 16 ? "2 bytes" : "4 bytes"),
      ("parts of characters", "\(partial) tokens are no UTF-8 by themselves"),
      ("longest token", "\(longest.count) bytes: \(String(ByteAlphabet.text(longest.span).prefix(60)))"),
    ]
    for special in specials.prefix(20) {
      let mark = special.id == tokenizer.endOfText ? ", ends documents" : ""
      rows.append(("special \(special.id)", special.text + mark))
    }
    rows.append(("sha256", tokenizer.sha256))
    self.rows = rows.map { (name: $0.0, value: $0.1) }
  }
}

extension Tokenizer {
  /// True if no ordinary token shares the id of this special one.
  func isSpecialOnly(_ id: UInt32) -> Bool { id >= tokens.count || tokens.range(id).isEmpty }
}
