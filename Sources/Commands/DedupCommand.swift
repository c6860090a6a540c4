import ArgumentParser
import Deduplication
import Documents
import Pipeline
import Storage

/// `sluice dedup`: one document of each cluster of copies stays.
struct DedupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dedup",
    abstract: "Drop exact and near copies; one document of each cluster stays.",
    discussion: """
      Exact: equal texts. Near: MinHash-LSH, 14 buckets of 8, over shingles of 5
      words; each candidate pair is verified by the true Jaccard similarity of its
      shingle sets. Both are done unless one is named.

      Examples:
        sluice dedup filtered -o clean
        sluice extract crawl/*.warc.gz | sluice filter --recipe web |
          sluice dedup -o clean
      """)

  @OptionGroup var input: InputArguments
  @Flag(name: .long, help: "Only exact copies.")
  var exact = false
  @Flag(name: .long, help: "Only MinHash (equal texts of five words and more are found too).")
  var minhash = false
  @Option(
    name: .long, help: ArgumentHelp("Least Jaccard similarity of copies.", valueName: "share"))
  var threshold = 0.8
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Who stays: first (in input order), longest or newest.", valueName: "policy"))
  var keep = "first"
  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Stage folder. Default: JSON lines on standard output.", valueName: "folder"))
  var output: String?
  @Flag(name: .long, help: "Do not keep the dropped documents.")
  var noDropped = false
  @Flag(name: .long, help: "Take a cut stream as it is.")
  var acceptCut = false
  @OptionGroup var work: WorkOptions

  func run() throws {
    try input.check()
    var options = work.runOptions
    options.keepsDropped = !noDropped
    options.acceptsCut = acceptCut
    let settings = try DedupRun.Settings(
      method: exact == minhash ? "both" : exact ? "exact" : "minhash", threshold: threshold, keep: keep)
    if output == nil, !work.dryRun {
      if work.json { throw StorageError.usage("--json needs -o: standard output carries the documents.") }
      if StandardStreams.outputIsTerminal {
        throw StorageError.usage(
          "The output is a terminal. Give -o FOLDER, or pipe it into the next stage or a file.")
      }
    }
    let inputs = try DocumentInputs(input.inputs, filesFrom: input.filesFrom)
    if work.dryRun { return try DryRun.show(inputs.plan(options), stage: "dedup", options: options) }
    if let output {
      let outcome = try DedupRun(inputs: inputs, settings: settings, folder: output, options: options).run()
      return try work.conclude([outcome], report: output)
    }
    let outcome = try DedupRun.toStandardOutput(inputs: inputs, settings: settings, options: options)
    try work.conclude([outcome], report: nil)
  }
}
