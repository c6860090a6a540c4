import ArgumentParser
import Documents
import Filtering
import Pipeline
import Storage

/// `sluice filter`: poor documents go, each with the rule, the value and the threshold.
struct FilterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "filter",
    abstract: "Normalise documents and drop those that fail a recipe's rules.",
    discussion: """
      Examples:
        sluice filter extracted --recipe web -o filtered
        sluice extract crawl/*.warc.gz | sluice filter --record filter-record |
          sluice dedup -o clean
      """)

  @OptionGroup var input: InputArguments
  @Option(
    name: .long,
    help: ArgumentHelp(
      "A recipe's name (see --list) or a YAML file. web is the newest web recipe.", valueName: "name"))
  var recipe = "web"
  @Flag(name: .long, help: "List the recipes and end.")
  var list = false
  @OptionGroup var output: OutputArguments
  @Flag(name: .long, help: "Take a cut stream as it is.")
  var acceptCut = false
  @OptionGroup var work: WorkOptions

  func run() throws {
    if list { return try StandardStreams.write(Recipe.names.joined(separator: "\n") + "\n") }
    let loaded = try Recipe.load(nameOrPath: recipe)
    try input.check()
    if !work.dryRun { try output.check(json: work.json) }
    var options = work.runOptions
    options.keepsDropped = !output.noDropped
    options.acceptsCut = acceptCut
    let inputs = try DocumentInputs(input.inputs, filesFrom: input.filesFrom)
    if work.dryRun { return try DryRun.show(inputs.plan(options), stage: "filter", options: options) }
    let folder = output.output ?? output.record
    let run = MapRun(
      input: MapInput(documents: inputs, options: options),
      steps: [FilterSettings.step(loaded, folder: folder)],
      writesStandardOutput: output.output == nil, options: options)
    try work.conclude(try run.run(), report: folder)
  }
}
