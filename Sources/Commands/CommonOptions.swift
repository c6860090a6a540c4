import ArgumentParser
import Documents
import Pipeline
import Storage

/// A size in bytes: `512MiB`, `2GB`, `64k` or a plain number.
struct ByteSize: ExpressibleByArgument {
  var bytes: Int

  init?(argument: String) {
    let digits = argument.prefix { $0.isNumber }
    guard let number = Int(digits), number >= 0 else { return nil }
    let factor: Int
    switch argument.dropFirst(digits.count).lowercased() {
    case "", "b": factor = 1
    case "k", "kb": factor = 1000
    case "kib": factor = 1 << 10
    case "m", "mb": factor = 1_000_000
    case "mib": factor = 1 << 20
    case "g", "gb": factor = 1_000_000_000
    case "gib": factor = 1 << 30
    case "t", "tb": factor = 1_000_000_000_000
    case "tib": factor = 1 << 40
    default: return nil
    }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    if overflow { return nil }
    bytes = product
  }
}

/// Options that mean the same in every command that does work.
struct WorkOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp("Worker threads. Default: the processors of this machine.", valueName: "n"))
  var workers: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Resident memory that is not passed, e.g. 512MiB. Default: 256MiB + 128MiB per worker.",
      valueName: "bytes"))
  var memory: ByteSize?

  @Option(
    name: .long,
    help: ArgumentHelp("Folder for spilled data. Default: .tmp in the output.", valueName: "folder"))
  var temp: String?

  @Flag(name: .long, help: "Go on with an interrupted run in the output folder; starts if there is none.")
  var resume = false

  @Flag(name: .long, help: "Empty the output folder first.")
  var restart = false

  @Flag(name: .long, help: "Print units, estimated bytes, memory and time; do nothing.")
  var dryRun = false

  @Flag(name: .long, help: "Print the report as JSON on standard output at the end.")
  var json = false

  @Flag(name: [.long, .customShort("q")], help: "Say nothing but errors.")
  var quiet = false

  @Flag(name: [.long, .customShort("v")], help: "Name the first defects with file and offset.")
  var verbose = false

  @Option(name: .long, help: ArgumentHelp("auto, plain or none.", valueName: "style"))
  var progress: String = "auto"

  @Option(
    name: .long,
    help: ArgumentHelp("Exit 1 when more records than this were lost. Default: no limit.", valueName: "n"))
  var maxDefects: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Size of a unit: larger files are split where they can be. Default: 256MiB.", valueName: "bytes"))
  var unitBytes: ByteSize?

  func validate() throws {
    if let workers, !(1...1024).contains(workers) {
      throw ValidationError("--workers must lie between 1 and 1024, not \(workers).")
    }
    if let memory, memory.bytes < 64 << 20 { throw ValidationError("--memory must be at least 64MiB.") }
    if resume, restart { throw ValidationError("--resume and --restart exclude each other.") }
    if RunOptions.ProgressStyle(rawValue: progress) == nil {
      throw ValidationError("--progress is auto, plain or none, not \"\(progress)\".")
    }
    if let unitBytes, unitBytes.bytes < 1 << 10 {
      throw ValidationError("--unit-bytes must be at least 1KiB.")
    }
  }

  var runOptions: RunOptions {
    var options = RunOptions()
    if let workers { options.workers = workers }
    options.memory = memory?.bytes
    options.temporaryFolder = temp
    options.mode = resume ? .resume : restart ? .restart : .fresh
    options.progress = RunOptions.ProgressStyle(rawValue: progress) ?? .auto
    options.isQuiet = quiet
    options.isVerbose = verbose
    options.maxDefects = maxDefects
    if let unitBytes { options.unitBytes = Int64(unitBytes.bytes) }
    return options
  }

  /// The table of what went in, out and away; then the exit code.
  func conclude(_ outcomes: [StageOutcome], report folder: String?) throws {
    if !quiet {
      StandardStreams.message(StageReport.summary(outcomes))
      if verbose { StandardStreams.message(StageReport.defectLines(outcomes)) }
    }
    if json, let folder { try StandardStreams.write(try StageReport.read(folder).serialized() + [10]) }
    let lost = outcomes.reduce(0) { $0 + $1.ledger.defectCount }
    if let maxDefects, lost > maxDefects {
      throw StageExit(
        code: 1, message: "\(lost) records were lost, more than --max-defects \(maxDefects). See report.json."
      )
    }
  }
}

/// Inputs that every stage takes.
struct InputArguments: ParsableArguments {
  @Argument(help: "Files, folders, globs or stage folders. Default: standard input.")
  var inputs: [String] = []

  @Option(
    name: .long, help: ArgumentHelp("A file with one input a line (- for standard input).", valueName: "list")
  )
  var filesFrom: String?

  /// A terminal gives no documents: waiting there would look like a hang.
  func check() throws {
    if inputs.isEmpty, filesFrom == nil, StandardStreams.inputIsTerminal {
      throw StorageError.usage(
        "No input: name files or folders, or pipe documents in. See --help for examples.")
    }
  }
}

/// Where a map stage writes.
struct OutputArguments: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Stage folder. Default: JSON lines on standard output.", valueName: "folder"))
  var output: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With output to a pipe: keep dropped documents and the report here.", valueName: "folder"))
  var record: String?

  @Flag(name: .long, help: "Do not keep the dropped documents.")
  var noDropped = false

  func validate() throws {
    if output != nil, record != nil {
      throw ValidationError("--record is for stages that write to a pipe; -o keeps the report by itself.")
    }
  }

  func check(json: Bool) throws {
    if output == nil, StandardStreams.outputIsTerminal {
      throw StorageError.usage(
        "The output is a terminal. Give -o FOLDER, or pipe it into the next stage or a file.")
    }
    if output == nil, json {
      throw StorageError.usage("--json needs -o: standard output carries the documents.")
    }
  }
}
