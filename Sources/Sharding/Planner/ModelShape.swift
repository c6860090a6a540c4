import Glibc
import Storage

/// The shape of a dense decoder: enough for its number of parameters and for the memory of its activations.
public struct ModelShape: Equatable, Sendable {
  public var layers: Int
  public var hidden: Int
  public var heads: Int
  /// Heads of keys and values: fewer than `heads` in grouped-query attention.
  public var keyValueHeads: Int
  public var ffn: Int
  /// Three matrices in the feed-forward part (SwiGLU and its kin) instead of two.
  public var isGated: Bool
  public var vocabulary: Int
  /// Input and output embedding are two matrices.
  public var isUntied: Bool

  /// - Throws: `.usage` for sizes that are none, or heads that do not divide.
  public init(
    layers: Int, hidden: Int, heads: Int, keyValueHeads: Int? = nil, ffn: Int? = nil, isGated: Bool = false,
    vocabulary: Int, isUntied: Bool = false
  ) throws(StorageError) {
    self.layers = layers
    self.hidden = hidden
    self.heads = heads
    self.keyValueHeads = keyValueHeads ?? heads
    self.ffn = ffn ?? (hidden <= Self.sizeMax ? 4 * hidden : 0)
    self.isGated = isGated
    self.vocabulary = vocabulary
    self.isUntied = isUntied
    for (option, size) in [
      ("--layers", layers), ("--hidden", hidden), ("--heads", heads), ("--kv-heads", self.keyValueHeads),
      ("--ffn", self.ffn), ("--vocab", vocabulary),
    ] where !(1...Self.sizeMax).contains(size) {
      throw .usage("\(option) must lie between 1 and \(Self.sizeMax), not \(size).")
    }
    guard hidden % heads == 0 else {
      throw .usage("--hidden \(hidden) is no multiple of --heads \(heads).")
    }
    guard heads % self.keyValueHeads == 0 else {
      throw .usage("--heads \(heads) is no multiple of --kv-heads \(self.keyValueHeads).")
    }
  }

  static let sizeMax = 10_000_000

  /// Attention 2h²(1 + kv/a), feed-forward 2 or 3 times h·f, two norms per layer; the embedding once or twice.
  ///
  /// GPT-3 (96 layers, 12,288 wide, 50,257 ids) gives 174.6 B; LLaMA 7B (32, 4,096, gated 11,008, 32,000 untied) 6.74 B. Learned
  /// positions and biases are left out: less than 0.1 %.
  public var parameters: Double {
    let h = Double(hidden)
    let attention = 2 * h * h * (1 + Double(keyValueHeads) / Double(heads))
    let feedForward = (isGated ? 3 : 2) * h * Double(ffn)
    let embedding = Double(vocabulary) * h * (isUntied ? 2 : 1)
    return Double(layers) * (attention + feedForward + 2 * h) + h + embedding
  }

  /// FLOP per token of attention over the sequence, which 6·P leaves out: scores and their use are 2·s·h each, three times with
  /// the backward pass, and half of it is masked in a causal model.
  public func attentionFlopsPerToken(sequence: Int) -> Double {
    6 * Double(layers) * Double(hidden) * Double(sequence)
  }

  /// A shape that a model of this size could have, when none was given: P = 12·l·h², h = 128·l as in GPT-3 (96 layers, 12,288 wide), heads of
  /// 128. Loss depends little on the shape (Kaplan et al. 2020, section 3.1), memory somewhat.
  public static func typical(parameters: Double, vocabulary: Int) throws(StorageError) -> ModelShape {
    let layers = max(1, cbrt(parameters / (12 * 128 * 128)).rounded())
    let hidden = max(1, ((parameters / (12 * layers)).squareRoot() / 128).rounded()) * 128
    return try ModelShape(
      layers: Int(layers), hidden: Int(hidden), heads: Int(hidden) / 128, vocabulary: vocabulary)
  }
}
