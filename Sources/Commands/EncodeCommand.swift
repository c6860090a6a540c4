import ArgumentParser
import Documents
import Pipeline
import Storage
import Tokenization

/// `sluice encode`: adds the ids of its text to every JSON line.
struct EncodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode",
    abstract: "Add \"tokens\":[…] to each document, as Hugging Face and tiktoken do.",
    discussion: """
      Examples:
        sluice encode clean --tokenizer tok -o encoded
        sluice encode clean --tokenizer tok/vocab.tiktoken --pattern cl100k |
          sluice decode --tokenizer tok > texts.jsonl

      The texts of special tokens are ordinary text, unless --match-special is given.
      """)

  @OptionGroup var input: InputArguments
  @OptionGroup var tokenizer: TokenizerOptions
  @Flag(name: .long, help: "Texts of special tokens become their ids.")
  var matchSpecial = false
  @OptionGroup var output: OutputArguments
  @Flag(name: .long, help: "Take a cut stream as it is.")
  var acceptCut = false
  @OptionGroup var work: WorkOptions

  func run() throws {
    try TokenTextCommand.run(
      "encode", .encode(specialText: matchSpecial ? .matched : .ordinary), input, tokenizer, output, work,
      acceptCut)
  }
}

/// `sluice decode`: turns the ids of every JSON line to text.
struct DecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Turn the \"tokens\":[…] of each document back into its text.",
    discussion: """
      Examples:
        sluice decode encoded --tokenizer tok -o decoded
        sluice encode clean --tokenizer tok |
          sluice decode --tokenizer tok > texts.jsonl

      Bytes that are no UTF-8 become U+FFFD; the report counts those documents.
      """)

  @OptionGroup var input: InputArguments
  @OptionGroup var tokenizer: TokenizerOptions
  @OptionGroup var output: OutputArguments
  @Flag(name: .long, help: "Take a cut stream as it is.")
  var acceptCut = false
  @OptionGroup var work: WorkOptions

  func run() throws { try TokenTextCommand.run("decode", .decode, input, tokenizer, output, work, acceptCut) }
}

/// Which tokenizer.
struct TokenizerOptions: ParsableArguments {
  @Option(
    name: .long, help: ArgumentHelp("Tokenizer folder, tokenizer.json or .tiktoken file.", valueName: "path"))
  var tokenizer: String
  @Option(
    name: .long,
    help: ArgumentHelp("Pattern of a .tiktoken file: \(PretokenPattern.names).", valueName: "name"))
  var pattern: String?
}

private enum TokenTextCommand {
  static func run(
    _ stage: String, _ direction: TokenTextRun.Direction, _ input: InputArguments,
    _ tokenizer: TokenizerOptions,
    _ output: OutputArguments, _ work: WorkOptions, _ acceptsCut: Bool
  ) throws {
    try input.check()
    var options = work.runOptions
    options.acceptsCut = acceptsCut
    options.keepsDropped = !output.noDropped
    let inputs = try DocumentInputs(input.inputs, filesFrom: input.filesFrom)
    let model = try TokenizerArgument.load(tokenizer.tokenizer, pattern: tokenizer.pattern)
    if work.dryRun { return try DryRun.show(inputs.plan(options), stage: stage, options: options) }
    try output.check(json: work.json)
    let run = TokenTextRun(
      inputs: inputs, tokenizer: model, direction: direction, folder: output.output ?? output.record,
      writesStandardOutput: output.output == nil, options: options)
    try work.conclude(try run.run(), report: output.output)
  }
}
