import ArgumentParser
import Documents
import Pipeline
import Storage

/// `sluice extract`: dumps become documents.
struct ExtractCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Extract documents from WARC, WET, MediaWiki XML, text and JSON lines.",
    discussion: """
      The format of each file is told by its first bytes, compression too (gzip,
      zstd, bzip2).

      Examples:
        sluice extract crawl/*.warc.gz -o extracted
        sluice extract crawl/*.warc.gz | sluice filter --recipe web -o filtered
      """)

  @OptionGroup var input: InputArguments
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Format of all inputs: jsonl, text, warc or wiki. Default: by content.", valueName: "name"))
  var from: String?
  @Option(
    name: .long, help: ArgumentHelp("The documents' source. Default: the format's name.", valueName: "name"))
  var source: String?
  @OptionGroup var output: OutputArguments
  @OptionGroup var work: WorkOptions

  func run() throws {
    try input.check()
    if !work.dryRun { try output.check(json: work.json) }
    var options = work.runOptions
    options.keepsDropped = !output.noDropped
    let settings = try ExtractSettings(from: from, source: source)
    let inputs = try ExtractInputs(input.inputs, filesFrom: input.filesFrom, settings: settings)
    if work.dryRun { return try DryRun.show(inputs.plan(options), stage: "extract", options: options) }
    let folder = output.output ?? output.record
    let run = MapRun(
      input: inputs.mapInput(options), steps: [settings.step(folder: folder)],
      writesStandardOutput: output.output == nil, options: options)
    try work.conclude(try run.run(), report: folder)
  }
}
