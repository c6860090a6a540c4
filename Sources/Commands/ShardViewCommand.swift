import ArgumentParser
import Bytes
import Pipeline
import Sharding
import Storage

/// `sluice shard STORE…`: the view of one or more stores for a number of GPUs. Writes about 1 KB and rewrites no token.
struct ShardViewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "view",
    abstract: "Decide which GPU rank reads which tokens, for any number of GPUs.",
    discussion: """
      The view says what is read (seed, context, packing, mixture) and who reads it
      (GPUs, shape, batch). It holds 1 KB, and no token is rewritten: another GPU
      count is another view of the same order. Each sequence is read exactly once
      per epoch, and ranks differ by at most one sequence. Several stores of one
      tokenizer are read as one.

      Packing best-fit cuts only documents that are longer than a sequence; the
      first view of a length makes an index in the store, which later ones share.
      Packing concat cuts the stream of all documents every --context ids.

      Examples:
        sluice shard store --gpus 8 --context 2048 -o view.json
        sluice shard store --gpus 1024 --tensor-parallel 8 --pipeline-parallel 8 \\
          --context 4096 --packing concat --global-batch 1536 -o big.json
        sluice shard store --gpus 16 --context 2048 --ranks
        sluice shard store --gpus 16 --rank 3 --json
        sluice shard store --gpus 8 --context 128 --mixture-by language \\
          --mixture en=70%,de=30% --repeat 4

      With --without it makes a store instead: the same one without some documents.
      Segments that hold none of them are linked, not copied.
        sluice shard store --without ids.txt -o store-3
      """)

  @Argument(help: "Folders of token stores.")
  var stores: [String]

  @OptionGroup var what: OrderArguments
  @OptionGroup var who: TopologyArguments

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Go on where a run stopped: the state that its reader saved. Refuses another order.",
      valueName: "file"))
  var state: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Make the store without these documents (a list of ids, one a line) in the folder -o, instead of a view.",
      valueName: "ids"))
  var without: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("File of the view. Default: standard output.", valueName: "file"))
  var output: String?

  @Flag(name: .long, help: "Print the table of all ranks (with --json as JSON) on standard output.")
  var ranks = false

  @Option(name: .long, help: ArgumentHelp("Print what one rank is and reads.", valueName: "n"))
  var rank: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Worker threads that make a pack index. Default: the processors.", valueName: "n"))
  var workers: Int?

  @Flag(name: .long, help: "With --without: go on with an interrupted run in the output folder.")
  var resume = false

  @Flag(name: .long, help: "With --without: empty the output folder first.")
  var restart = false

  @Flag(name: .long, help: "Machine output for --ranks, --rank and --without.")
  var json = false

  @Flag(name: [.long, .customShort("q")], help: "Say nothing but errors.")
  var quiet = false

  func validate() throws {
    if without == nil, who.gpus == nil {
      throw ValidationError("Missing expected argument '--gpus <n>'. For how many GPUs is the view?")
    }
    if without == nil, resume || restart {
      throw ValidationError("--resume and --restart belong to --without; a view is made in milliseconds.")
    }
    if resume, restart { throw ValidationError("--resume and --restart exclude each other.") }
    if without != nil {
      if stores.count != 1 {
        throw ValidationError("--without takes one store; `sluice shard merge` makes one of several.")
      }
      if output == nil { throw ValidationError("--without needs -o: the folder of the new store.") }
      if who.gpus != nil || ranks || rank != nil || state != nil {
        throw ValidationError(
          "--without makes a store, not a view: leave --gpus, --ranks, --rank and --state.")
      }
    }
  }

  func run() throws {
    if let without { return try takedown(without) }
    var options = ViewOptions()
    try what.apply(to: &options)
    try who.apply(to: &options)
    if let state { options.resume = try ResumeState(bytes: try FileSystem.readAll(state), path: state) }
    if let output { try check(output) }
    var run = RunOptions()
    if let workers { run.workers = workers }
    run.isQuiet = quiet
    let (view, split) = try ShardRun.view(of: stores, options, run)
    let table = try RankTable(view)
    if let output {
      _ = try OutputFile.write(view.bytes, path: output)
    } else if !ranks, rank == nil {
      try StandardStreams.write(view.bytes)
    }
    if let rank { try printRank(rank, table) }
    if ranks { try printRanks(table) }
    if !quiet { summarize(view, split, table) }
  }

  private func takedown(_ ids: String) throws(StorageError) {
    var run = RunOptions()
    if let workers { run.workers = workers }
    run.mode = resume ? .resume : restart ? .restart : .fresh
    let outcome = try StoreTakedown.run(store: stores[0], without: ids, output: output ?? "", options: run)
    if !quiet { StandardStreams.message(outcome.text) }
    if json { try StandardStreams.write(outcome.json.serialized() + [10]) }
  }

  /// A view may be made anew; any other file is not ours to replace.
  private func check(_ path: String) throws(StorageError) {
    guard FileSystem.exists(path) else { return }
    guard !FileSystem.isFolder(path), View.isView(try FileSystem.readAll(path, limit: 1 << 20)) else {
      throw .output(path: path, reason: "exists and is no view; nothing was written. Give another file")
    }
  }

  private func printRank(_ rank: Int, _ table: RankTable) throws(StorageError) {
    guard rank >= 0, rank < table.count else {
      throw .usage("--rank must lie between 0 and \(table.count - 1).")
    }
    let row = table.row(rank)
    if json { return try StandardStreams.write(RankTable.json(row).serialized() + [10]) }
    try StandardStreams.write(Format.table([RankTable.cells(row)], header: RankTable.columns))
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

  /// The tail of a stream, or the padding of packed sequences; of a part of the classes padding is not counted.
  private func notTrained(_ order: View.Order) -> String {
    if order.packing.index == nil { return "\(Format.count(order.tailTokens)) tail" }
    if order.mixture != nil, order.paddingTokens == 0 { return "padding not counted" }
    return "\(Format.count(order.paddingTokens)) padding, "
      + Format.percent(order.paddingTokens, of: order.sequences * order.tokens)
  }

  private func summarize(_ view: View, _ split: StoreSplit, _ table: RankTable) {
    let balance = table.balance
    let order = view.order
    let lost = notTrained(order)
    StandardStreams.message(
      Format.table(
        [
          [
            Format.count(view.topology.gpus), Format.count(view.topology.data), Format.count(order.sequences),
            Format.count(balance.least), Format.count(balance.most), Format.count(view.globalBatch),
            Format.count(table.positions / view.globalBatch), lost,
          ]
        ],
        header: [
          "GPUs", "replicas", "sequences", "least of a rank", "most of a rank", "batch", "full steps",
          "tokens not trained on",
        ]))
    if let mixture = view.order.mixture {
      StandardStreams.message(Format.table(MixtureTable.rows(mixture, view), header: MixtureTable.columns))
      let read = mixture.classes.reduce(0) { $0 + $1.sequences }
      StandardStreams.message(
        "\(Format.count(read)) sequences of \(mixture.classes.count) of "
          + "\(mixture.by == .source ? split.sources.count : split.languages.count) names are read.\n")
    }
    if view.start > 0 {
      StandardStreams.message(
        "sluice: goes on at position \(view.start): step 0 of this view is that of the saved state.\n")
    }
    if order.sequences < view.globalBatch {
      StandardStreams.message(
        "sluice: an epoch has fewer sequences than one batch; some ranks read nothing in it. Use a smaller --context or batch.\n"
      )
    }
  }
}

/// What of a mixture was asked, and what it achieves.
enum MixtureTable {
  static let columns = ["name", "asked", "achieved", "sequences", "times read", "at most"]

  static func rows(_ mixture: View.Mixture, _ view: View) -> [[String]] {
    mixture.classes.indices.map { index in
      let kind = mixture.classes[index]
      let times = mixture.repetitions(of: index, positions: view.positions)
      return [
        kind.name, Format.percent(kind.weightPPM, of: 1_000_000),
        Format.percent(kind.share, of: mixture.block),
        Format.count(kind.sequences), Format.fixed(times, 2), kind.repetitionsMax.map { "\($0)" } ?? "any",
      ]
    }
  }
}

/// What is read, and in which order.
struct OrderArguments: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Ids per sequence.", valueName: "ids"))
  var context = 2048

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How sequences are made of documents: best-fit or concat. Default: best-fit; with --overlap 1 concat.",
      valueName: "policy"))
  var packing: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Ids that a sequence shares with the next, 0 or 1 (concat).", valueName: "ids"))
  var overlap = 0

  @Option(name: .long, help: ArgumentHelp("Split of the stores.", valueName: "name"))
  var split = Holdout.train

  @Option(name: .long, help: ArgumentHelp("Seed of the order.", valueName: "n"))
  var seed = 0

  @Option(
    name: .long,
    help: ArgumentHelp("Epochs of the run: what tables count and repetition limits bound.", valueName: "n"))
  var epochs = 1

  @Option(
    name: .long,
    help: ArgumentHelp(
      "permutation (of all sequences), or blocks=B,W: blocks of B sequences in random order, mixed within windows of W, for slow stores.",
      valueName: "kind"))
  var shuffle = "permutation"

  @Option(
    name: .long,
    help: ArgumentHelp("Weights by source, e.g. web=70%,wiki=30%. Others are not read.", valueName: "weights")
  )
  var mixture: String?

  @Option(
    name: .long, help: ArgumentHelp("What --mixture names: source or language.", valueName: "class"))
  var mixtureBy: String?

  @Option(
    name: .customLong("repeat"),
    help: ArgumentHelp(
      "Times that a class of the mixture may be read at most, e.g. 4 or wiki=4,web=1; the others then get more.",
      valueName: "limits"))
  var repeats: String?

  func apply(to options: inout ViewOptions) throws(StorageError) {
    options.sequenceTokens = context
    options.overlap = overlap
    options.split = split
    options.seed = seed
    options.epochs = epochs
    try ViewTexts(
      packing: packing, shuffle: shuffle, mixture: mixture, mixtureBy: mixtureBy, repeats: repeats
    ).apply(to: &options)
  }
}

/// Who reads: the cluster's shape and the batch.
struct TopologyArguments: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("GPUs in all.", valueName: "n"))
  var gpus: Int?

  @Option(name: .long, help: ArgumentHelp("Nodes. Default: 8 GPUs per node.", valueName: "n"))
  var nodes: Int?

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

  func apply(to options: inout ViewOptions) throws(StorageError) {
    guard let framework = Framework(rawValue: framework) else {
      throw .usage(
        "--framework: there is no \"\(framework)\"; there are "
          + Framework.allCases.map(\.rawValue).joined(separator: ", ") + ".")
    }
    options.framework = framework
    options.gpus = gpus ?? options.gpus
    options.nodes = nodes
    options.tensor = tensorParallel
    options.pipeline = pipelineParallel
    options.context = contextParallel
    options.expert = expertParallel
    options.globalBatch = globalBatch
    options.microBatch = microBatch
    options.rankOrder = rankOrder
  }
}
