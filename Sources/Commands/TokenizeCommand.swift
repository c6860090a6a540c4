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
    abstract: "Tokenize documents into a store: shuffled, split, with provenance.",
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
    name: .long,
    help: ArgumentHelp("Pattern of a .tiktoken file: \(PretokenPattern.names).", valueName: "name"))
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
      "Held-out splits by hash of the document's id, e.g. valid=0.5%,test=0.5%. none for none.",
      valueName: "splits"))
  var split = "valid=0.5%"
  @Option(
    name: .long,
    help: ArgumentHelp("Seed of the physical shuffle and of the splits.", valueName: "n"))
  var seed = 0
  @Option(
    name: .long,
    help: ArgumentHelp(
      "shuffled (by document, over the whole corpus) or input.", valueName: "order"))
  var order = "shuffled"
  @Option(
    name: .long,
    help: ArgumentHelp("Largest token file, at most 2GiB - 1. Default: 1GiB.", valueName: "bytes"))
  var segmentBytes: ByteSize?
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Marks around each document: append-eos, prepend-bos, bos-eos or none. Without a begin-of-text token the "
        + "end-of-text id stands for it.", valueName: "policy")
  )
  var eos = "append-eos"

  func options(_ tokenizer: Tokenizer) throws(StorageError) -> StoreOptions {
    try StoreSettings(split: split, seed: seed, order: order, segmentBytes: segmentBytes?.bytes, eos: eos)
      .options(tokenizer)
  }
}
