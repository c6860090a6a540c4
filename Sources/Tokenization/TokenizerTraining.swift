import Bytes
import Storage

/// What a user asks of `train`, and the tokenizer that comes of it.
///
/// Bytes have the ids 0–255, merges the next, special tokens the last: so all files of the tokenizer share their ids.
/// Without `specialTokens` there is one, `<|endoftext|>`, on top of the vocabulary size; with it the size includes them.
public struct TokenizerTraining: Equatable, Sendable {
  public static let endOfText = "<|endoftext|>"

  /// 256 bytes and the merges, and `specialTokens` where they are given.
  public var vocabularySize: Int
  public var pattern: PretokenPattern
  /// nil: `<|endoftext|>`, on top.
  public var specialTokens: [String]?
  /// Special tokens get the first ids, as Hugging Face's trainer does it.
  public var specialFirst = false
  public var minFrequency = 0
  public var maxTokenLength: Int?

  public init(vocabularySize: Int, pattern: PretokenPattern) {
    self.vocabularySize = vocabularySize
    self.pattern = pattern
  }

  /// - Throws: `StorageError.usage` for what cannot be trained. Call it before counting.
  public func check() throws(StorageError) {
    let specials = specialTokens ?? []
    guard Set(specials).count == specials.count, !specials.contains("") else {
      throw .usage("--special-tokens: each token must be named once, and none may be empty.")
    }
    guard vocabularySize >= 256 else {
      throw .usage(
        "vocabulary size \(vocabularySize) is below 256: every byte needs an id. "
          + "Give --vocab-size 256 (bytes only) or more; 32000 is common.")
    }
    guard vocabularySize - specials.count >= 256 else {
      throw .usage(
        "vocabulary size \(vocabularySize) is below 256 bytes and \(specials.count) special tokens together: every byte "
          + "needs an id. Give --vocab-size \(256 + specials.count) or more.")
    }
    guard vocabularySize <= Tokenizer.idMax else {
      throw .usage("vocabulary size \(vocabularySize) is above \(Tokenizer.idMax).")
    }
    if let maxTokenLength, maxTokenLength < 1 { throw .usage("--max-token-length must be at least 1 byte.") }
  }

  /// Everything that can change the tokenizer, for plans, manifests and reports.
  public var json: JSONValue {
    [
      "vocab_size": .int(vocabularySize), "pattern": .string(pattern.name),
      "unicode": .string(UnicodeTables.version),
      "special_tokens": specialTokens.map { .array($0.map { .string($0) }) } ?? .null,
      "special_first": .bool(specialFirst), "min_frequency": .int(minFrequency),
      "max_token_length": maxTokenLength.map { .int($0) } ?? .null,
      "cut_bytes": .int(Limits.standard.trainingPretokenBytes),
    ]
  }

  /// Trains on counts.
  ///
  /// - Throws: what the source throws; `.usage` if a special token is also what merges make.
  public func train(_ counts: some PretokenCountSource, name: String) throws(StorageError) -> Tokenizer {
    try check()
    var options = BPETrainer.Options(vocabularySize: vocabularySize)
    options.minFrequency = Int64(minFrequency)
    options.maxTokenLength = maxTokenLength
    let specials = specialTokens ?? [Self.endOfText]
    let areOnTop = specialTokens == nil
    if specialFirst {
      options.specialTokens = specials
      if areOnTop { options.vocabularySize += specials.count }
    } else if !areOnTop {
      options.vocabularySize -= specials.count
    }
    let vocabulary = try BPETrainer.train(options, counts)
    do throws(TokenizerError) {
      return try Tokenizer(vocabulary, name: name, pattern: pattern, appending: specialFirst ? [] : specials)
    } catch {
      throw .usage(error.message)
    }
  }
}

extension Tokenizer {
  /// A tokenizer of a trained vocabulary: its special tokens, if it has any, stand first; `specials` follow the merges.
  ///
  /// - Throws: if bytes are missing, or a special token is also what merges make.
  public convenience init(
    _ vocabulary: BPETrainer.Vocabulary, name: String, pattern: PretokenPattern,
    appending specials: [String] = []
  ) throws(TokenizerError) {
    var tokens = TokenBytes()
    var specialTokens: [SpecialToken] = []
    for (id, text) in vocabulary.tokens.enumerated() {
      if id < vocabulary.specialTokenCount {
        specialTokens.append(SpecialToken(id: UInt32(id), text: text))
        tokens.append([])
      } else {
        tokens.append(ByteAlphabet.raw(text) ?? [])
      }
    }
    // A merge that gives a special token's id, or a special token that is a byte, cannot be told from text.
    if let merge = vocabulary.merges.first(where: { $0.result < vocabulary.specialTokenCount }) {
      throw Tokenizer.collision(vocabulary.tokens[Int(merge.result)])
    }
    let existing = Set(vocabulary.tokens)
    for text in specials {
      if existing.contains(text) { throw Tokenizer.collision(text) }
      specialTokens.append(
        SpecialToken(id: UInt32(vocabulary.tokens.count + specialTokens.count), text: text))
    }
    if let special = specialTokens.first(where: { ByteAlphabet.raw($0.text)?.count == 1 }) {
      throw Tokenizer.collision(special.text)
    }
    try self.init(
      name: name, pattern: pattern, tokens: tokens, merges: vocabulary.merges, specialTokens: specialTokens,
      endOfText: Tokenizer.endOfText(in: specialTokens) ?? specialTokens.first?.id)
  }

  private static func collision(_ text: String) -> TokenizerError {
    TokenizerError(
      "the special token \"\(text)\" is also a token of text. Choose one that text does not hold.")
  }
}
