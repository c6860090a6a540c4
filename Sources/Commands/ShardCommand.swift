import ArgumentParser
import Bytes
import Pipeline
import Sharding
import Storage

/// `sluice shard`: the view of a store for a number of GPUs. Writes about 1 KB and rewrites no token.
struct ShardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shard",
    abstract: "Decide which GPU rank reads which tokens, for any number of GPUs.",
    discussion: """
      The view says what is read (seed, context, packing) and who reads it (GPUs,
      shape, batch). It holds 1 KB, and no token is rewritten: another GPU count
      is another view of the same order. Each sequence is read exactly once per
      epoch, and ranks differ by at most one sequence.

      Examples:
        sluice shard store --gpus 8 --context 2048 -o view.json
        sluice shard store --gpus 1024 --tensor-parallel 8 --pipeline-parallel 8 \\
          --context 4096 --global-batch 1536 -o big.json
        sluice shard store --gpus 16 --context 2048 --ranks
      """)

  @Argument(help: "Folder of a token store.")
  var store: String

  @Option(name: .long, help: ArgumentHelp("GPUs in all.", valueName: "n"))
  var gpus: Int

  @Option(name: .long, help: ArgumentHelp("Nodes. Default: 8 GPUs per node.", valueName: "n"))
  var nodes: Int?

  @Option(name: .long, help: ArgumentHelp("Ids per sequence.", valueName: "ids"))
  var context = 2048

  @Option(
    name: .long,
    help: ArgumentHelp("Ids that a sequence shares with the next, 0 or 1.", valueName: "ids"))
  var overlap = 0

  @Option(name: .long, help: ArgumentHelp("Split of the store.", valueName: "name"))
  var split = Holdout.train

  @Option(name: .long, help: ArgumentHelp("Seed of the order.", valueName: "n"))
  var seed = 0

  @Option(
    name: .long,
    help: ArgumentHelp("Epochs that the tables count; the view holds for any.", valueName: "n"))
  var epochs = 1

  @Option(
    name: .long,
    help: ArgumentHelp("How sequences are made of documents: concat.", valueName: "policy"))
  var packing = View.Packing.concat.rawValue

  @Option(name: .long, help: ArgumentHelp("Tensor parallel size.", valueName: "n"))
  var tensorParallel = 1

  @Option(name: .long, help: ArgumentHelp("Pipeline parallel size.", valueName: "n"))
  var pipelineParallel = 1

  @Option(name: .long, help: ArgumentHelp("Context parallel size.", valueName: "n"))
  var contextParallel = 1

  @Option(
    name: .long, help: ArgumentHelp("Expert parallel size; it changes no data.", valueName: "n"))
  var expertParallel = 1

  @Option(
    name: .long,
    help: ArgumentHelp("Sequences per step. Default: micro-batch times replicas.", valueName: "sequences"))
  var globalBatch: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Sequences per forward pass of a rank.", valueName: "sequences"))
  var microBatch = 1

  @Option(
    name: .long,
    help: ArgumentHelp(
      "\(Framework.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "name"))
  var framework = Framework.megatron.rawValue

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Axes of the ranks, innermost first. Default: the framework's, tp-cp-ep-dp-pp.", valueName: "order"))
  var rankOrder: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("File of the view. Default: standard output.", valueName: "file"))
  var output: String?

  @Flag(name: .long, help: "Print the table of all ranks (with --json as JSON) on standard output.")
  var ranks = false

  @Flag(name: .long, help: "Machine output for --ranks.")
  var json = false

  @Flag(name: [.long, .customShort("q")], help: "Say nothing but errors.")
  var quiet = false

  func run() throws {
    guard packing == View.Packing.concat.rawValue else {
      throw StorageError.usage("--packing: there is no \"\(packing)\"; there is concat.")
    }
    guard let framework = Framework(rawValue: framework) else {
      throw StorageError.usage(
        "--framework: there is no \"\(framework)\"; there are "
          + Framework.allCases.map(\.rawValue).joined(separator: ", ") + ".")
    }
    let tokens = try TokenStore(store)
    let view = try View(of: tokens.manifest, fingerprint: tokens.fingerprint, options(framework))
    let table = try RankTable(view, epochs: epochs)
    if let output {
      try check(output)
      _ = try OutputFile.write(view.bytes, path: output)
    } else if !ranks {
      try StandardStreams.write(view.bytes)
    }
    if ranks { try printRanks(table) }
    if !quiet { summarize(view, table) }
  }

  private func options(_ framework: Framework) -> ViewOptions {
    var options = ViewOptions()
    options.gpus = gpus
    options.nodes = nodes
    options.tensor = tensorParallel
    options.pipeline = pipelineParallel
    options.context = contextParallel
    options.expert = expertParallel
    options.sequenceTokens = context
    options.overlap = overlap
    options.split = split
    options.seed = seed
    options.globalBatch = globalBatch
    options.microBatch = microBatch
    options.framework = framework
    options.rankOrder = rankOrder
    return options
  }

  /// A view may be made anew; any other file is not ours to replace.
  private func check(_ path: String) throws(StorageError) {
    guard FileSystem.exists(path) else { return }
    guard !FileSystem.isFolder(path), View.isView(try FileSystem.readAll(path, limit: 1 << 20)) else {
      throw .output(path: path, reason: "exists and is no view; nothing was written. Give another file")
    }
  }

  private func printRanks(_ table: RankTable) throws(StorageError) {
    if json {
      return try table.writeJSON { (bytes) throws(StorageError) in try StandardStreams.write(bytes) }
    }
    // Blocks of rows, so that memory does not grow with the ranks; widths may differ between blocks.
    let step = 4096
    for first in stride(from: 0, to: table.count, by: step) {
      let rows = (first..<min(first + step, table.count)).map { RankTable.cells(table.row($0)) }
      try StandardStreams.write(Format.table(rows, header: RankTable.columns))
    }
  }

  private func summarize(_ view: View, _ table: RankTable) {
    let balance = table.balance
    let topology = view.topology
    StandardStreams.message(
      Format.table(
        [
          [
            Format.count(topology.gpus), Format.count(topology.data), Format.count(view.order.sequences),
            Format.count(balance.least), Format.count(balance.most), Format.count(view.globalBatch),
            Format.count(epochs * view.order.sequences / view.globalBatch),
            Format.count(view.order.tailTokens),
          ]
        ],
        header: [
          "GPUs", "replicas", "sequences", "least of a rank", "most of a rank", "batch", "full steps",
          "tail tokens",
        ]))
    if view.order.sequences < view.globalBatch {
      StandardStreams.message(
        "sluice: an epoch has fewer sequences than one batch; some ranks read nothing in it. Use a smaller --context or batch.\n"
      )
    }
  }
}
