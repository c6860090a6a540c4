import ArgumentParser
import Documents
import Pipeline
import Storage
import Tokenization

/// `sluice train`: documents become a tokenizer.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a byte-level BPE tokenizer, merge for merge as Hugging Face.",
    discussion: """
      Examples:
        sluice train clean --vocab-size 1000 -o tok
        sluice train clean --vocab-size 2000 --pattern o200k -o tok-o200k
        sluice train --counts tok/pretokens.counts --vocab-size 500 -o tok-500

      The folder holds tokenizer.json (Hugging Face), vocab.tiktoken, tokenizer_config.json, report.json and the pretoken counts,
      from which another vocabulary size is trained without reading the corpus again.
      """)

  @OptionGroup var input: InputArguments
  @Option(
    name: .long,
    help: ArgumentHelp("256 bytes and the merges; <|endoftext|> gets the next id on top.", valueName: "n"))
  var vocabSize: Int
  @Option(
    name: .long,
    help: ArgumentHelp("How text is cut: \(PretokenPattern.names). Default: cl100k.", valueName: "name"))
  var pattern: String?
  @Option(name: [.short, .long], help: ArgumentHelp("Folder of the tokenizer.", valueName: "folder"))
  var output: String
  @Option(
    name: .long,
    help: ArgumentHelp("Train on these pretoken counts instead of documents.", valueName: "file"))
  var counts: String?
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Special tokens, separated by commas, instead of <|endoftext|>. The vocabulary size includes them.",
      valueName: "tokens"))
  var specialTokens: String?
  @Flag(name: .long, help: "Special tokens get the first ids instead of the last.")
  var specialFirst = false
  @Option(
    name: .long, help: ArgumentHelp("Merge no pair that occurs less often.", valueName: "n"))
  var minFrequency = 0
  @Option(
    name: .long,
    help: ArgumentHelp("A merged token is shorter than this. Default: no limit.", valueName: "bytes"))
  var maxTokenLength: Int?
  @Flag(name: .long, help: "Write merges as strings, for Hugging Face tokenizers older than 0.20.")
  var legacyMerges = false
  @Flag(name: .long, help: "Take a cut stream as it is.")
  var acceptCut = false
  @OptionGroup var work: WorkOptions

  func run() throws {
    var options = work.runOptions
    options.acceptsCut = acceptCut
    var training = TokenizerTraining(vocabularySize: vocabSize, pattern: try preset())
    training.specialTokens = specialTokens.map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    training.specialFirst = specialFirst
    training.minFrequency = minFrequency
    training.maxTokenLength = maxTokenLength
    try training.check()
    let source: TrainRun.Source
    if let counts {
      guard input.inputs.isEmpty, input.filesFrom == nil else {
        throw StorageError.usage("--counts takes the place of documents: name either.")
      }
      if work.dryRun {
        return try StandardStreams.write("train: one file of counts, no documents are read.\n")
      }
      source = try TrainRun.counts(counts)
    } else {
      try input.check()
      let inputs = try DocumentInputs(input.inputs, filesFrom: input.filesFrom)
      if work.dryRun { return try DryRun.show(inputs.plan(options), stage: "train", options: options) }
      source = .documents(inputs)
    }
    let run = TrainRun(
      source: source, training: training, legacyMerges: legacyMerges, folder: output, options: options)
    try work.conclude([try run.run()], report: output)
  }

  /// The pattern: the one that is named, else that of the counts, else cl100k.
  private func preset() throws(StorageError) -> PretokenPattern {
    if let pattern {
      guard let known = PretokenPattern(name: pattern) else {
        throw .usage("unknown pattern \"\(pattern)\"; there are \(PretokenPattern.names).")
      }
      return known
    }
    if let counts { return try PretokenCountsReader(path: counts).pattern }
    return .cl100k
  }
}
