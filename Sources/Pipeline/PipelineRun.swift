import Bytes
import Documents
import Sharding
import Storage
import Tokenization

/// Runs a pipeline file: checks every stage before the first starts, fuses map stages into one pass, skips what is done, and
/// writes one report for the whole.
///
/// The folder holds one stage folder per stage, named as in the file, `report.json`, `run.json` and, last, `manifest.json`.
public struct PipelineRun: Sendable {
  /// What the command line sets over the file.
  public struct Overrides: Sendable {
    public var gpus: Int?
    public var context: Int?
    public init(gpus: Int? = nil, context: Int? = nil) {
      self.gpus = gpus
      self.context = context
    }
  }

  public let file: PipelineFile
  public let folder: String
  public let options: RunOptions
  let stages: [PipelineStage]
  let source: PipelineSource

  /// Expands and hashes the inputs, loads recipes and tokenizers, checks shapes.
  ///
  /// - Throws: usage and input errors; nothing is written.
  public init(
    _ file: PipelineFile, inputs: [String], filesFrom: String?, folder: String, overrides: Overrides,
    options: RunOptions
  ) throws(StorageError) {
    self.file = file
    self.folder = folder
    self.options = options
    stages = try PipelineStage.resolve(file, overrides)
    source = try PipelineSource(file, inputs: inputs, filesFrom: filesFrom, options: options)
  }

  var planJSON: JSONValue {
    [
      "format": .string(RunManifest.format), "version": .string(Version.number),
      "stages": .array(
        stages.map { ["name": .string($0.name), "stage": .string($0.kind.rawValue), "options": $0.options] }),
      "unit_bytes": .int(Int(options.unitBytes)), "keep_dropped": .bool(options.keepsDropped),
      "inputs": .array(source.entries.map(\.json)),
    ]
  }

  /// Units of the first pass, for `--dry-run`.
  public var firstPlan: UnitPlan { source.plan(options) }
  public var firstStage: String { stages.first?.kind.rawValue ?? "" }

  public func run() throws(StorageError) -> [StageOutcome] {
    let clock = RunClock()
    let plan = planJSON
    let whole = try StageFolder(folder, plan: plan, mode: options.mode, isStream: source.isStream) {
      (path) throws(StorageError) in
      let manifest = Path.join(path, StageManifest.fileName)
      guard FileSystem.exists(manifest) else { return nil }
      let json = try? JSONValue.parse(try FileSystem.readAll(manifest))
      return json?["plan"]
    }
    var inner = options
    inner.mode = .resume
    inner.temporaryFolder = whole.temporaryFolder(options)
    let outcomes = try runStages(inner)
    if whole.opening != .complete {
      try publish(whole, plan, clock)
    } else {
      try whole.close()
    }
    return outcomes
  }

  private func runStages(_ options: RunOptions) throws(StorageError) -> [StageOutcome] {
    var outcomes: [StageOutcome] = []
    var documents: String?
    var tokenizerPath: String?
    var store: String?
    var index = 0
    while index < stages.count {
      if Interruption.isRequested { throw .interrupted }
      let stage = stages[index]
      let path = Path.join(folder, stage.name)
      switch stage.settings {
      case .extract, .filter:
        let end = stages[index...].firstIndex { !$0.isMap } ?? stages.endIndex
        let steps = try stages[index..<end].map { (stage) throws(StorageError) in
          try stage.mapStep(folder: Path.join(folder, stage.name))
        }
        var input = source.mapInput(options)
        if let documents { input = MapInput(documents: try DocumentInputs([documents]), options: options) }
        outcomes += try MapRun(input: input, steps: steps, writesStandardOutput: false, options: options)
          .run()
        documents = Path.join(folder, stages[end - 1].name)
        index = end
        continue
      case .dedup(let settings):
        let inputs = try inputDocuments(documents)
        outcomes.append(
          try DedupRun(inputs: inputs, settings: settings, folder: path, options: options).run())
        documents = path
      case .train(let training):
        let inputs = try inputDocuments(documents)
        outcomes.append(
          try TrainRun(source: .documents(inputs), training: training, folder: path, options: options).run())
        tokenizerPath = path
      case .tokenize(let settings):
        let inputs = try inputDocuments(documents)
        let tokenizer = try Tokenizer.load(
          path: settings.tokenizer ?? tokenizerPath ?? "", pattern: settings.pattern)
        let run = TokenizeRun(
          inputs: inputs, settings: .init(tokenizer: tokenizer, store: try settings.store(tokenizer)),
          folder: path,
          options: options)
        outcomes.append(try run.run())
        store = path
      case .shard(let view):
        try ShardRun.writeView(of: store ?? "", view, folder: path, name: "view.json", options)
      }
      index += 1
    }
    return outcomes
  }

  /// The folder of the stage before, or the run's own input.
  private func inputDocuments(_ folder: String?) throws(StorageError) -> DocumentInputs {
    if let folder { return try DocumentInputs([folder]) }
    return try source.documents()
  }

  private func publish(_ whole: StageFolder, _ plan: JSONValue, _ clock: RunClock) throws(StorageError) {
    var reports: [JSONValue.Member] = []
    var list: [JSONValue] = []
    for stage in stages {
      let path = Path.join(folder, stage.name)
      if case .shard = stage.settings {
        list.append(try entry(stage, Path.join(path, "view.json")))
      } else {
        reports.append(.init(stage.name, try StageReport.read(path)))
        list.append(try entry(stage, Path.join(path, StageManifest.fileName)))
      }
    }
    let report: JSONValue = .object([
      .init("format", "sluice-run-report/1"), .init("version", .string(Version.number)),
      .init("stages", .object(reports)),
    ])
    _ = try OutputFile.write(report.serialized(indent: 2) + [10], folder: folder, name: "report.json")
    _ = try OutputFile.write(
      clock.json(options).serialized(indent: 2) + [10], folder: folder, name: "run.json")
    let manifest: JSONValue = [
      "format": .string(RunManifest.format), "version": .string(Version.number), "stages": .array(list),
      "plan": plan,
    ]
    _ = try OutputFile.write(
      manifest.serialized(indent: 2) + [10], folder: folder, name: StageManifest.fileName)
    try whole.close()
  }

  private func entry(_ stage: PipelineStage, _ path: String) throws(StorageError) -> JSONValue {
    let hash = try SHA256.hexOfFile(path).hex
    return ["name": .string(stage.name), "stage": .string(stage.kind.rawValue), "sha256": .string(hash)]
  }
}
