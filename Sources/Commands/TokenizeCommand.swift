import ArgumentParser
import Documents
import Pipeline
import Sharding
import Storage
import Tokenization

/// `sluice tokenize`: documents become a token store.
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Tokenize documents into a token store: shuffled segments with provenance, split by document.",
    discussion: """
      Examples:
        sluice tokenize clean --tokenizer tok -o store
        sluice tokenize clean --tokenizer tok --split valid=0.5%,test=0.5% -o store
      """)

  @OptionGroup var input: InputArguments
  @Option(
    name: .long,
    help: ArgumentHelp("Tokenizer folder, tokenizer.json or .tiktoken file.", valueName: "path"))
  var tokenizer: String
  @Option(
    name: .long, help: ArgumentHelp("Pattern of a .tiktoken file: \(PretokenPattern.names).", valueName: "name"))
  var pattern: String?
  @Option(name: [.short, .long], help: ArgumentHelp("Folder of the token store.", valueName: "folder"))
  var output: String
  @OptionGroup var store: StoreArguments
  @Flag(name: .long, help: "Take a cut stream as it is.")
  var acceptCut = false
  @OptionGroup var work: WorkOptions

  func run() throws {
    try input.check()
    var options = work.runOptions
    options.acceptsCut = acceptCut
    let inputs = try DocumentInputs(input.inputs, filesFrom: input.filesFrom)
    let tokenizer = try TokenizerArgument.load(self.tokenizer, pattern: pattern)
    let settings = TokenizeRun.Settings(tokenizer: tokenizer, store: try store.options(tokenizer))
    if work.dryRun { return try DryRun.show(inputs.plan(options), stage: "tokenize", options: options) }
    let outcome = try TokenizeRun(inputs: inputs, settings: settings, folder: output, options: options).run()
    try work.conclude([outcome], report: output)
  }
}

/// Loads the tokenizer that a command names.
enum TokenizerArgument {
  static func load(_ path: String, pattern: String?) throws(StorageError) -> Tokenizer {
    var preset: PretokenPattern?
    if let pattern {
      guard let known = PretokenPattern(name: pattern) else {
        throw .usage("unknown pattern \"\(pattern)\"; there are \(PretokenPattern.names).")
      }
      preset = known
    }
    return try Tokenizer.load(path: path, pattern: preset)
  }
}

/// Options of a token store.
struct StoreArguments: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Held-out splits by hash of the document's id, e.g. valid=0.5%,test=0.5%. Default: valid=0.5%; none for none.",
      valueName: "splits"))
  var split = "valid=0.5%"
  @Option(name: .long, help: ArgumentHelp("Seed of the physical shuffle and of the splits. Default: 0.", valueName: "n"))
  var seed = 0
  @Option(
    name: .long,
    help: ArgumentHelp("shuffled (by document, over the whole corpus) or input. Default: shuffled.", valueName: "order"))
  var order = "shuffled"
  @Option(name: .long, help: ArgumentHelp("Largest token file, at most 2GiB - 1. Default: 1GiB.", valueName: "bytes"))
  var segmentBytes: ByteSize?
  @Option(
    name: .long,
    help: ArgumentHelp("append-eos (an end-of-text id after each document) or none. Default: append-eos.", valueName: "policy"))
  var eos = "append-eos"

  func options(_ tokenizer: Tokenizer) throws(StorageError) -> StoreOptions {
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
    options.holdout = try Holdout(seed: UInt64(seed), splits: try StoreArguments.splits(split))
    if let segmentBytes { options.segmentBytes = segmentBytes.bytes }
    try options.validate()
    return options
  }

  /// `valid=0.5%,test=0.25%` → parts per million, exactly.
  static func splits(_ text: String) throws(StorageError) -> [Holdout.Split] {
    if text == "none" || text.isEmpty { return [] }
    var result: [Holdout.Split] = []
    for part in text.split(separator: ",") {
      let halves = part.split(separator: "=", maxSplits: 1)
      guard halves.count == 2, halves[1].hasSuffix("%"), let ppm = partsPerMillion(halves[1].dropLast()) else {
        throw .usage("--split is written name=share%, e.g. valid=0.5%; \"\(part)\" is not.")
      }
      result.append(Holdout.Split(name: String(halves[0]), ppm: ppm))
    }
    return result
  }

  private static func partsPerMillion(_ percent: Substring) -> Int? {
    let halves = percent.split(separator: ".", omittingEmptySubsequences: false)
    guard halves.count <= 2, let whole = Int(halves[0].isEmpty ? "0" : halves[0]), whole >= 0, whole < 100 else {
      return nil
    }
    var ppm = whole * 10_000
    if halves.count == 2 {
      guard halves[1].count <= 4, let fraction = Int(halves[1] + String(repeating: "0", count: 4 - halves[1].count)),
        fraction >= 0
      else { return nil }
      ppm += fraction
    }
    return ppm
  }
}
