import Bytes
import Sharding
import Storage
import Tokenization

/// Options of a token store as users write them, on the command line or in a pipeline file.
public struct StoreSettings: Sendable {
  public var split: String
  public var seed: Int
  public var order: String
  public var segmentBytes: Int?
  public var eos: String

  public init(split: String, seed: Int, order: String, segmentBytes: Int?, eos: String) {
    self.split = split
    self.seed = seed
    self.order = order
    self.segmentBytes = segmentBytes
    self.eos = eos
  }

  public func options(_ tokenizer: Tokenizer) throws(StorageError) -> StoreOptions {
    guard let policy = TokenizerIdentity.Policy(rawValue: eos) else {
      throw .usage("--eos: there is no \"\(eos)\"; there are \(TokenizerIdentity.Policy.names).")
    }
    var options = StoreOptions(
      tokenizer: TokenizerIdentity(
        // Not the tokenizer's own name: that is its folder's, and equal tokenizers give equal stores.
        name: "bpe-\(tokenizer.pattern.name)-\(tokenizer.vocabularySize)", sha256: tokenizer.sha256,
        vocabulary: tokenizer.vocabularySize,
        eos: tokenizer.endOfText.map { Int($0) },
        bos: policy.startsWithBOS ? Self.beginOfText(tokenizer).map { Int($0) } : nil, policy: policy))
    options.order = try Self.order(order, seed: seed)
    options.holdout = try Holdout(seed: UInt64(seed), parsing: split == "none" ? "" : split)
    if let segmentBytes { options.segmentBytes = segmentBytes }
    try options.validate()
    return options
  }

  static func order(_ name: String, seed: Int) throws(StorageError) -> StoreOrder {
    guard seed >= 0 else { throw .usage("--seed must not be negative.") }
    switch name {
    case "shuffled": return .shuffled(seed: seed)
    case "input": return .input
    default: throw .usage("--order is shuffled or input, not \"\(name)\".")
    }
  }

  /// How plans and `build.json` name an order.
  static func json(_ order: StoreOrder) -> JSONValue {
    switch order {
    case .input: "input"
    case .shuffled(let seed): ["shuffled_seed": .int(seed)]
    }
  }

  /// The token that starts a document: one of the names that tokenizers give it, the commonest first; without one the
  /// end-of-text token, which then parts documents from both sides.
  ///
  /// - Source: modded-nanogpt writes GPT-2's end-of-text id 50256 before each document (`data/fineweb.py`).
  static func beginOfText(_ tokenizer: Tokenizer) -> UInt32? {
    for text in ["<|begin_of_text|>", "<|startoftext|>", "<s>", "<bos>", "[BOS]"] {
      if let special = tokenizer.specialTokens.first(where: { $0.text == text }) { return special.id }
    }
    return tokenizer.endOfText
  }
}
