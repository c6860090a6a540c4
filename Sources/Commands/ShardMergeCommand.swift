import ArgumentParser
import Pipeline
import Storage

/// `sluice shard merge`: several stores become one.
struct ShardMergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Make one token store out of several.",
    discussion: """
      The stores must be of one tokenizer, with the same held-out splits and the
      same end-of-text policy. By default all documents are shuffled again, over
      all stores. --order input puts the segments one after the other instead:
      token files are linked, not copied. Sources, languages and input parts are
      united. A document that two stores hold is kept twice: run `sluice dedup`
      before `tokenize` where that matters. A view can also read several stores
      without a merge.

      Examples:
        sluice shard merge store store-2 -o merged
        sluice shard merge store store-2 --order input -o joined
      """)

  @Argument(help: ArgumentHelp("Folders of token stores, in their order.", valueName: "stores"))
  var stores: [String]
  @Option(name: [.short, .long], help: ArgumentHelp("Folder of the new store.", valueName: "folder"))
  var output: String
  @Option(
    name: .long,
    help: ArgumentHelp("shuffled (by document, over all stores) or input.", valueName: "order"))
  var order = "shuffled"
  @Option(name: .long, help: ArgumentHelp("Seed of the shuffle.", valueName: "n"))
  var seed = 0
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Largest token file of a shuffled store, at most 2GiB - 1. Default: 1GiB.", valueName: "bytes"))
  var segmentBytes: ByteSize?
  @OptionGroup var work: StoreWorkOptions

  func run() throws {
    let outcome = try StoreMergeRun.run(
      stores, order: order, seed: seed, segmentBytes: segmentBytes?.bytes, output: output,
      options: work.runOptions)
    if !work.quiet { StandardStreams.message(outcome.text) }
    if work.json { try StandardStreams.write(outcome.json.serialized() + [10]) }
  }
}

/// Options of commands that make a store out of stores.
struct StoreWorkOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Resident memory that is not passed, e.g. 512MiB. Default: 512MiB.", valueName: "bytes"))
  var memory: ByteSize?
  @Option(
    name: .long,
    help: ArgumentHelp("Folder for spilled data. Default: .tmp in the output.", valueName: "folder"))
  var temp: String?
  @Flag(name: .long, help: "Go on with an interrupted run in the output folder; starts if there is none.")
  var resume = false
  @Flag(name: .long, help: "Empty the output folder first.")
  var restart = false
  @Flag(name: .long, help: "Machine output.")
  var json = false
  @Flag(name: [.long, .customShort("q")], help: "Say nothing but errors.")
  var quiet = false

  func validate() throws {
    if let memory, memory.bytes < 64 << 20 { throw ValidationError("--memory must be at least 64MiB.") }
    if resume, restart { throw ValidationError("--resume and --restart exclude each other.") }
  }

  var runOptions: RunOptions {
    var options = RunOptions()
    // One thread writes: a shuffle is bound by the disk and by one hash.
    options.workers = 1
    options.memory = memory?.bytes ?? 512 << 20
    options.temporaryFolder = temp
    options.mode = resume ? .resume : restart ? .restart : .fresh
    options.isQuiet = quiet
    return options
  }
}
