import ArgumentParser
import Documents
import Pipeline
import Storage

/// `sluice run`: a whole pipeline.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a pipeline file: every stage, one folder each, one report.",
    discussion: """
      Every key of the file is checked before anything starts. Map stages are
      fused into one pass.

      Examples:
        sluice run pipelines/web.yaml --input 'crawl/*.warc.gz' -o corpus --gpus 8
        sluice run pipelines/web.yaml --input 'crawl/*.warc.gz' -o corpus \\
          --gpus 8 --resume
      """)

  @Argument(help: "The pipeline file (YAML).")
  var pipeline: String
  @Option(
    name: .long,
    help: ArgumentHelp(
      "A file, folder or glob; may be given more than once. Default: standard input.", valueName: "path"))
  var input: [String] = []
  @Option(
    name: .long, help: ArgumentHelp("A file with one input a line (- for standard input).", valueName: "list")
  )
  var filesFrom: String?
  @Option(name: [.short, .long], help: ArgumentHelp("Folder of the run.", valueName: "folder"))
  var output: String
  @Option(name: .long, help: ArgumentHelp("GPUs of the view, over the file's.", valueName: "n"))
  var gpus: Int?
  @Option(
    name: .long, help: ArgumentHelp("Tokens per sequence of the view, over the file's.", valueName: "n"))
  var context: Int?
  @Flag(name: .long, help: "Do not keep the dropped documents.")
  var noDropped = false
  @OptionGroup var work: WorkOptions

  func run() throws {
    var options = work.runOptions
    options.keepsDropped = !noDropped
    let file = try PipelineFile(path: pipeline)
    if input.isEmpty, filesFrom == nil, StandardStreams.inputIsTerminal {
      throw StorageError.usage("No input: give --input, or pipe a dump in. See --help for examples.")
    }
    let run = try PipelineRun(
      file, inputs: input, filesFrom: filesFrom, folder: output,
      overrides: .init(gpus: gpus, context: context),
      options: options)
    if work.dryRun { return try DryRun.show(run.firstPlan, stage: run.firstStage, options: options) }
    try work.conclude(try run.run(), report: output)
  }
}
