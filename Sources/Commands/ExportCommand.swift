import ArgumentParser
import Pipeline
import Sharding
import Storage

/// `sluice export`: a store in the form that another trainer reads, as hard links where the bytes are the same.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Give a store the files that other trainers read, as links if it can.",
    discussion: """
      Formats:
      \(Exporters.all.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))

      Examples:
        sluice export store --format megatron -o megatron
        sluice export store --format datatrove --split train -o datatrove
        sluice export --view view.json --format mds --shards 4 -o mds
      """)

  @Argument(help: ArgumentHelp("Folder of a token store.", valueName: "store"))
  var input: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Instead of a store: the sequences of a view, as they are read.", valueName: "file"))
  var view: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The view's store, once for each. Default: found by its fingerprint beside the view.",
      valueName: "folder"))
  var store: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("\(Exporters.all.map(\.name).joined(separator: ", ")).", valueName: "name"))
  var format: String

  @Option(name: [.short, .long], help: ArgumentHelp("Folder of the export.", valueName: "folder"))
  var output: String

  @Option(name: .long, help: ArgumentHelp("Split of the store. Default: train.", valueName: "name"))
  var split: String?

  @Option(name: .long, help: ArgumentHelp("Output shards, equal in number of records.", valueName: "n"))
  var shards: Int?

  @Option(
    name: .long, help: ArgumentHelp("Token bytes of an output shard, e.g. 64MiB.", valueName: "bytes"))
  var shardBytes: ByteSize?

  @Option(
    name: .long,
    help: ArgumentHelp("Ids that the trainer reads at once, for readers that cut windows.", valueName: "t"))
  var window: Int?

  @Option(name: .long, help: ArgumentHelp("mds: zstd or none.", valueName: "codec"))
  var compression = "none"

  @Option(name: .long, help: ArgumentHelp("With --view: the epoch, counted from 0.", valueName: "e"))
  var epoch = 0

  @Flag(name: .long, help: "With --view: one shard for each data-parallel rank.")
  var perRank = false

  @OptionGroup var work: WorkOptions

  func validate() throws {
    if (input == nil) == (view == nil) {
      throw ValidationError("Give the folder of a store, or --view with the file of a view.")
    }
    if view == nil, perRank || epoch != 0 || !store.isEmpty {
      throw ValidationError("--per-rank, --epoch and --store go with --view.")
    }
    if view != nil, split != nil { throw ValidationError("--split is the view's own; leave it out.") }
    if let shards, shards < 1 { throw ValidationError("--shards must be at least 1.") }
    if shards != nil, shardBytes != nil {
      throw ValidationError("--shards and --shard-bytes exclude each other.")
    }
    if let shardBytes, shardBytes.bytes < 1 << 10 {
      throw ValidationError("--shard-bytes must be at least 1KiB.")
    }
    if !["none", "zstd"].contains(compression) {
      throw ValidationError("--compression is zstd or none, not \"\(compression)\".")
    }
  }

  func run() throws {
    let exporter = try Exporters.named(format)
    var options = ExportOptions()
    options.shards = shards
    options.shardBytes = shardBytes?.bytes
    options.window = window
    options.isCompressed = compression == "zstd"
    options.epoch = epoch
    options.isPerRank = perRank
    let job = try job(exporter, options)
    if work.dryRun { return try show(job) }
    let report = try ExportRun(job, folder: output, options: work.runOptions).run()
    if work.json { try StandardStreams.write(report.json.serialized(indent: 2) + [10]) }
    guard !work.quiet else { return }
    let rows = ExportMethod.allCases.map { method in
      let files = report.files(method)
      return [
        method.rawValue, Format.count(files.count), Format.bytes(Int(files.reduce(0) { $0 + $1.bytes })),
      ]
    }
    StandardStreams.message(Format.table(rows.filter { $0[1] != "0" }, header: ["files", "count", "bytes"]))
    StandardStreams.message(
      "\(Format.count(report.documents)) \(report.records.rawValue), \(Format.count(report.tokens)) tokens of \(report.split); read back and equal.\n"
    )
    if format == "nanogpt", report.files(.hardLink).count + report.files(.reflink).count > 1 {
      StandardStreams.message(
        "nanoGPT's train.py maps one file: read these in the order of their names, or export again with --shards 1.\n"
      )
    }
    if report.tailTokens > 0 {
      StandardStreams.message(
        "\(Format.count(report.tailTokens)) ids at the end fill no window; the reader leaves them out.\n")
    }
  }

  private func job(_ exporter: any Exporter, _ options: ExportOptions) throws(StorageError) -> ExportJob {
    guard let path = view else {
      return try ExportJob(
        try TokenStore(input ?? "."), split: split ?? Holdout.train, as: exporter, options)
    }
    let view = try View(bytes: try FileSystem.readAll(path, limit: 1 << 20), path: path)
    guard let stores = try StoreSplit.find(for: view, viewPath: path, stores: store) else {
      throw .usage("\(path): its store was not found beside it. Give --store FOLDER.")
    }
    return try ExportJob(view, stores, as: exporter, options)
  }

  /// `--dry-run`: the shards, and how their files come about.
  private func show(_ job: ExportJob) throws(StorageError) {
    let plan = job.plan
    let bytes = plan.tokens * plan.width.bytes
    var text = "export   \(plan.format) of \(plan.split)\n"
    text +=
      "records  \(Format.count(plan.recordCount)) \(plan.records.rawValue), \(Format.count(plan.tokens)) tokens\n"
    text += "shards   \(Format.count(plan.shards.count)), \(job.isLinked ? "linked" : "written")\n"
    text += "space    about \(Format.bytes(job.isLinked ? 20 * plan.recordCount : bytes))\n"
    try StandardStreams.write(text)
  }
}
