import Bytes
import Storage

/// Trains a byte-level BPE vocabulary from pretoken counts: the same merges, in the same order, with the same ids as
/// Hugging Face's `BpeTrainer`, wherever its 32-bit counts do not overflow. Counts here have 64 bits.
///
/// - Source: huggingface/tokenizers 0.23.3, `models/bpe/trainer.rs` and `word.rs`, as rules:
///   ids are special tokens, alphabet by code point of the mapped character, merges in order; the pair of highest count
///   wins, ties by the smaller left id, then the smaller right id; overlapping windows count each; merging goes from
///   left to right. Where Hugging Face's result depends on its hash seed (`limitAlphabet` with equal counts at the
///   cut), characters of higher code points stay.
public enum BPETrainer {
  public struct Options: Equatable, Sendable {
    /// Special tokens, alphabet and merges together. Below the first two, there are no merges.
    public var vocabularySize: Int
    /// A pair that occurs less often is not merged; 0 counts as 1.
    public var minFrequency: Int64 = 0
    /// A pair with a merged token is not counted if its length in bytes is not below this; nil: no limit.
    public var maxTokenLength: Int?
    /// First ids, in this order, duplicates once. A merge that makes the same string gets the special token's id.
    public var specialTokens: [String] = []
    /// Characters (of the byte-level alphabet) that have ids whether they occur or not.
    public var initialAlphabet = Alphabet.bytes
    /// Most frequent characters that stay, the initial alphabet first; others are taken out of the pretokens.
    public var limitAlphabet: Int?

    public enum Alphabet: Equatable, Sendable {
      /// All 256: every text can be encoded.
      case bytes
      /// Only those that occur.
      case seen
      case characters(String)
    }

    public init(vocabularySize: Int) { self.vocabularySize = vocabularySize }
  }

  /// What training gives.
  public struct Vocabulary: Equatable, Sendable {
    /// Tokens by id, in the byte-level alphabet; special tokens as they were given.
    public var tokens: [String]
    /// In order of creation.
    public var merges: [Merge]
    /// Ids of the special tokens are those below.
    public var specialTokenCount: Int
  }

  /// Resident bytes that merging needs: what a command compares with `--memory` before it starts.
  ///
  /// - Parameters:
  ///   - uniqueBytes: sum of the lengths of the different pretokens.
  ///   - unique: different pretokens.
  ///
  /// 18 bytes a symbol: four for the symbol, four for the pair that starts at it, up to eight for the pairs of what it
  /// merges to, the rest for the tables; measured on crawled text in 40 languages: 8 to 16. A vocabulary that is large for
  /// its corpus comes down to pairs that occur once, each of which has its own entry: up to 50, measured on random words.
  public static func memoryNeeded(uniqueBytes: Int64, unique: Int64, vocabularySize: Int) -> Int64 {
    let symbols = uniqueBytes + unique
    let bytesPerSymbol: Int64 = Int64(vocabularySize) > symbols / 64 ? 50 : 18
    return bytesPerSymbol * symbols + 400 * Int64(vocabularySize) + 8 << 20
  }

  /// - Throws: what the source throws; `.usage` for counts that are too many for 32-bit positions or 64-bit sums.
  public static func train(_ options: Options, _ counts: some PretokenCountSource) throws(StorageError)
    -> Vocabulary
  {
    try train(options, counts, tableEntries: nil)
  }

  /// - Parameter tableEntries: different pairs that are counted at once; nil: as many as the memory allows.
  static func train(
    _ options: Options, _ counts: some PretokenCountSource, tableEntries: Int?
  ) throws(StorageError) -> Vocabulary {
    let alphabet = try TrainingAlphabet(options, counts)
    let words = try TrainingWords(counts, alphabet.idOfByte)
    var state = TrainingState(consume words, alphabet, options, tableEntries: tableEntries)
    state.run()
    return Vocabulary(tokens: state.tokens, merges: state.merges, specialTokenCount: alphabet.specialCount)
  }
}

/// The first ids of a vocabulary: special tokens, then characters.
struct TrainingAlphabet {
  var tokens: [String] = []
  /// Ids of `tokens`.
  var ids: [String: UInt32] = [:]
  /// Symbol of each byte; `dropped` for bytes that `limitAlphabet` takes out.
  var idOfByte = [UInt32](repeating: TrainingAlphabet.dropped, count: 256)
  let specialCount: Int

  static let dropped = UInt32.max

  init(_ options: BPETrainer.Options, _ counts: some PretokenCountSource) throws(StorageError) {
    for token in options.specialTokens where ids[token] == nil {
      ids[token] = UInt32(tokens.count)
      tokens.append(token)
    }
    specialCount = tokens.count
    for (scalar, _) in try Self.characters(options, counts) {
      let text = String(Character(scalar))
      if ids[text] == nil {
        ids[text] = UInt32(tokens.count)
        tokens.append(text)
      }
      if let byte = ByteAlphabet.byte(of: scalar.value) { idOfByte[Int(byte)] = ids[text] ?? Self.dropped }
    }
    // A special token may be a letter: then the letter has an id even where the alphabet leaves it out.
    for byte in 0..<256 where idOfByte[byte] == Self.dropped {
      let text = ByteAlphabet.text([UInt8(byte)].span)
      idOfByte[byte] = ids[text] ?? Self.dropped
    }
  }

  /// The alphabet with its counts, by code point. Given characters count as more frequent than all others.
  private static func characters(
    _ options: BPETrainer.Options, _ counts: some PretokenCountSource
  ) throws(StorageError) -> [(Unicode.Scalar, UInt64)] {
    var occurrences = [UInt64](repeating: 0, count: 256)
    var overflows = false
    try counts.forEach { pretoken, count in
      for byte in pretoken {
        let sum = occurrences[Int(byte)].addingReportingOverflow(UInt64(count))
        overflows = overflows || sum.overflow
        occurrences[Int(byte)] = sum.partialValue
      }
    }
    // Each pair of a pretoken occurs at most as often as its first byte, so sums of pairs stay below this too.
    let total = occurrences.reduce(into: UInt64(0)) { sum, next in
      let added = sum.addingReportingOverflow(next)
      overflows = overflows || added.overflow || added.partialValue > UInt64(Int64.max)
      sum = added.partialValue
    }
    guard !overflows else {
      throw .usage("the pretoken counts add up to more than 2^63 (\(total)); divide them first.")
    }
    var seen: [UInt32: UInt64] = [:]
    for byte in 0..<256 where occurrences[byte] > 0 { seen[ByteAlphabet.scalars[byte]] = occurrences[byte] }
    switch options.initialAlphabet {
    case .bytes: for scalar in ByteAlphabet.scalars { seen[scalar] = .max }
    case .seen: break
    case .characters(let text): for scalar in text.unicodeScalars { seen[scalar.value] = .max }
    }
    var ranked = seen.sorted { $0.key < $1.key }
    if let limit = options.limitAlphabet, ranked.count > limit {
      ranked.sort { $0.value != $1.value ? $0.value > $1.value : $0.key > $1.key }
      ranked.removeLast(ranked.count - max(0, limit))
      ranked.sort { $0.key < $1.key }
    }
    return ranked.compactMap { entry in Unicode.Scalar(entry.key).map { ($0, entry.value) } }
  }
}
