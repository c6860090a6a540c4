import Bytes
import Storage

/// A byte-level BPE tokenizer: an immutable model that all workers share. Each worker encodes with its own `Encoder`.
///
/// Ids are 0..<`vocabularySize`; some may have no token (the published vocabularies have gaps). Special tokens are apart
/// from the others: ordinary text never gives their ids.
public final class Tokenizer: Sendable {
  /// A token that stands for a mark, not for text.
  public struct SpecialToken: Equatable, Sendable {
    public var id: UInt32
    public var text: String
    public init(id: UInt32, text: String) {
      self.id = id
      self.text = text
    }
  }

  /// Largest id that is accepted: 21 bits, above any vocabulary that is in use.
  static let idMax = 1 << 21 - 1

  /// For people: the name of the folder or file that it came from.
  public let name: String
  public let pattern: PretokenPattern
  /// By id.
  public let specialTokens: [SpecialToken]
  /// In order of rank.
  public let merges: [Merge]
  /// Largest id + 1, special tokens included.
  public let vocabularySize: Int
  /// The token that ends a document, or nil.
  public let endOfText: UInt32?
  /// Hash of pattern, tokens, merges and special tokens, whatever file they came from; hexadecimal.
  public let sha256: String

  /// Ordinary tokens; those of special tokens are empty here.
  let tokens: TokenBytes
  let byteIDs: [UInt32]
  let mergeTable: MergeTable
  let wholeTokens: WholeTokens
  /// The whole pretoken is looked up before merging, as the file asks (`ignore_merges`).
  let ignoresMerges: Bool

  /// - Parameters:
  ///   - tokens: the ordinary tokens' bytes by id; a gap is empty. Every byte must be among them.
  ///   - merges: in order of rank; every result is the token of both parts' bytes.
  ///   - areReachable: merging the bytes of every token is known to give it.
  /// - Throws: `TokenizerError` if a byte has no token, or a merge does not fit.
  init(
    name: String, pattern: PretokenPattern, tokens: TokenBytes, merges: [Merge],
    specialTokens: [SpecialToken],
    endOfText: UInt32? = nil, ignoresMerges: Bool = false, areReachable: Bool = false
  ) throws(TokenizerError) {
    self.name = name
    self.pattern = pattern
    self.tokens = tokens
    self.merges = merges
    self.specialTokens = specialTokens.sorted { $0.id < $1.id }
    self.ignoresMerges = ignoresMerges
    vocabularySize = max(tokens.count, specialTokens.map { Int($0.id) + 1 }.max() ?? 0)
    self.endOfText = endOfText ?? Self.endOfText(in: specialTokens)

    guard vocabularySize <= Self.idMax + 1 else {
      throw TokenizerError("\(vocabularySize) ids are more than the \(Self.idMax + 1) that are supported.")
    }
    byteIDs = try Self.byteIDs(tokens)
    var table = MergeTable(capacity: merges.count, byteIDs: byteIDs)
    for (rank, merge) in merges.enumerated() {
      guard tokens.joins(merge) else {
        throw TokenizerError("merge \(rank) does not give the token that its parts make.")
      }
      guard table.append(merge) else { throw TokenizerError("merge \(rank) stands there twice.") }
    }
    mergeTable = table
    wholeTokens = WholeTokens(tokens, byteIDs, table, includesAll: ignoresMerges || areReachable)
    sha256 = Self.fingerprint(pattern, tokens, merges, self.specialTokens, ignoresMerges)
  }

  /// Appends the bytes of `ids` to `output`; a special token gives its text.
  ///
  /// - Throws: `TokenizerError` at the first id that the vocabulary does not have.
  public func decode(_ ids: some Sequence<UInt32>, into output: inout [UInt8]) throws(TokenizerError) {
    for id in ids {
      let range = id < tokens.count ? tokens.range(id) : 0..<0
      if !range.isEmpty {
        output.append(contentsOf: tokens.bytes[range])
      } else if let special = specialTokens.first(where: { $0.id == id }) {
        output.append(contentsOf: special.text.utf8)
      } else {
        throw TokenizerError("id \(id) is not in the vocabulary of \(name) (\(vocabularySize) ids).")
      }
    }
  }

  public func decode(_ ids: some Sequence<UInt32>) throws(TokenizerError) -> [UInt8] {
    var output: [UInt8] = []
    try decode(ids, into: &output)
    return output
  }

  /// The bytes of a token: its text for a special one, empty for an id without a token.
  public func bytes(of id: UInt32) -> [UInt8] {
    if let special = specialTokens.first(where: { $0.id == id }) { return Array(special.text.utf8) }
    return id < tokens.count ? tokens.token(id) : []
  }

  /// The same tokenizer with other special tokens.
  public func with(specialTokens: [SpecialToken], endOfText: UInt32?) throws(TokenizerError) -> Tokenizer {
    try Tokenizer(
      name: name, pattern: pattern, tokens: tokens, merges: merges, specialTokens: specialTokens,
      endOfText: endOfText, ignoresMerges: ignoresMerges)
  }

  private static func byteIDs(_ tokens: TokenBytes) throws(TokenizerError) -> [UInt32] {
    var ids = [UInt32?](repeating: nil, count: 256)
    for id in 0..<UInt32(tokens.count) {
      let range = tokens.range(id)
      if range.count == 1 { ids[Int(tokens.bytes[range.lowerBound])] = id }
    }
    if let missing = ids.firstIndex(of: nil) {
      let byte = UInt8(missing)
      throw TokenizerError(
        "byte 0x\(Hex.string([byte])) has no token; text that holds it could not be encoded. "
          + "A byte-level vocabulary has all 256.")
    }
    return ids.compactMap { $0 }
  }

  /// What tokenizers call the end of a document, the commonest first.
  static func endOfText(in specials: [SpecialToken]) -> UInt32? {
    for text in ["<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"] {
      if let special = specials.first(where: { $0.text == text }) { return special.id }
    }
    return nil
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)

  /// A line per fact, hashed: equal tokenizers agree whatever file they were read from.
  private static func fingerprint(
    _ pattern: PretokenPattern, _ tokens: TokenBytes, _ merges: [Merge], _ specials: [SpecialToken],
    _ ignoresMerges: Bool
  ) -> String {
    var lines: [UInt8] = []
    lines.append("sluice tokenizer 1\npattern ")
    lines.append(contentsOf: pattern.name.utf8)
    lines.append(ignoresMerges ? "\nwhole first\n" : "\n")
    for id in 0..<UInt32(tokens.count) where !tokens.range(id).isEmpty {
      lines.append(decimal: UInt(id))
      lines.append(UInt8(ascii: " "))
      for byte in tokens.bytes[tokens.range(id)] {
        lines.append(Self.hexDigits[Int(byte >> 4)])
        lines.append(Self.hexDigits[Int(byte & 15)])
      }
      lines.append(10)
    }
    for merge in merges {
      lines.append("merge ")
      lines.append(decimal: UInt(merge.left))
      lines.append(UInt8(ascii: " "))
      lines.append(decimal: UInt(merge.right))
      lines.append(10)
    }
    for special in specials {
      lines.append("special ")
      lines.append(decimal: UInt(special.id))
      lines.append(UInt8(ascii: " "))
      lines.append(contentsOf: Hex.string(Array(special.text.utf8)).utf8)
      lines.append(10)
    }
    return SHA256.hex(lines.span)
  }
}
