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
      throw .usage("--eos is append-eos or none, not \"\(eos)\".")
    }
    guard seed >= 0 else { throw .usage("--seed must not be negative.") }
    var options = StoreOptions(
      tokenizer: TokenizerIdentity(
        name: tokenizer.name, sha256: tokenizer.sha256, vocabulary: tokenizer.vocabularySize,
        eos: tokenizer.endOfText.map { Int($0) }, policy: policy))
    switch order {
    case "shuffled": options.order = .shuffled(seed: seed)
    case "input": options.order = .input
    default: throw .usage("--order is shuffled or input, not \"\(order)\".")
    }
    options.holdout = try Holdout(seed: UInt64(seed), splits: try StoreSettings.splits(split))
    if let segmentBytes { options.segmentBytes = segmentBytes }
    try options.validate()
    return options
  }

  /// `valid=0.5%,test=0.25%` → parts per million, exactly; `none` → no split.
  static func splits(_ text: String) throws(StorageError) -> [Holdout.Split] {
    if text == "none" || text.isEmpty { return [] }
    var result: [Holdout.Split] = []
    for part in text.split(separator: ",") {
      let halves = part.split(separator: "=", maxSplits: 1)
      guard halves.count == 2, halves[1].hasSuffix("%"), let ppm = partsPerMillion(halves[1].dropLast())
      else {
        throw .usage("--split is written name=share%, e.g. valid=0.5%; \"\(part)\" is not.")
      }
      result.append(Holdout.Split(name: String(halves[0]), ppm: ppm))
    }
    return result
  }

  private static func partsPerMillion(_ percent: Substring) -> Int? {
    let halves = percent.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(halves.count), let whole = Int(halves[0].isEmpty ? "0" : halves[0]), whole >= 0,
      whole < 100
    else { return nil }
    guard halves.count == 2 else { return whole * 10_000 }
    guard halves[1].count <= 4,
      let fraction = Int(halves[1] + String(repeating: "0", count: 4 - halves[1].count)),
      fraction >= 0
    else { return nil }
    return whole * 10_000 + fraction
  }
}
