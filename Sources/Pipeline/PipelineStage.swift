import Bytes
import Deduplication
import Documents
import Extraction
import Filtering
import Sharding
import Storage
import Tokenization

/// A stage of a pipeline file, resolved: recipes loaded, names checked, defaults filled in.
struct PipelineStage: Sendable {
  enum Settings: Sendable {
    case extract(ExtractSettings)
    case filter(Recipe)
    case dedup(DedupRun.Settings)
    case train(TokenizerTraining)
    case tokenize(TokenizeSettings)
    case shard(ViewOptions)
  }

  /// Options of `tokenize` that need the tokenizer before they are whole.
  struct TokenizeSettings: Sendable {
    var tokenizer: String?
    var pattern: PretokenPattern?
    var split = "valid=0.5%"
    var seed = 0
    var order = "shuffled"
    var eos = "append-eos"
    var segmentBytes: Int?

    func store(_ tokenizer: Tokenizer) throws(StorageError) -> StoreOptions {
      try StoreSettings(split: split, seed: seed, order: order, segmentBytes: segmentBytes, eos: eos).options(
        tokenizer)
    }
  }

  var kind: PipelineFile.Kind
  var name: String
  var options: JSONValue
  var settings: Settings

  var isMap: Bool { kind == .extract || kind == .filter }

  static func resolve(
    _ file: PipelineFile, _ overrides: PipelineRun.Overrides
  ) throws(StorageError) -> [PipelineStage] {
    var result: [PipelineStage] = []
    for stage in file.stages {
      do throws(StorageError) {
        result.append(try resolve(stage, overrides))
      } catch {
        guard case .usage(let text) = error, !text.hasPrefix("\(file.path):") else { throw error }
        throw .usage("\(file.path):\(stage.line): \(text)")
      }
    }
    return result
  }

  private static func resolve(
    _ stage: PipelineFile.Stage, _ overrides: PipelineRun.Overrides
  ) throws(StorageError) -> PipelineStage {
    func text(_ key: String) -> String? { stage.option(key)?.string }
    func int(_ key: String) -> Int? { stage.option(key)?.int }
    var options = stage.options
    let settings: Settings
    switch stage.kind {
    case .extract:
      let extract = try ExtractSettings(from: text("from"), source: text("source"))
      settings = .extract(extract)
      options = extract.json.members ?? []
    case .filter:
      let recipe = try Recipe.load(nameOrPath: text("recipe") ?? "web")
      settings = .filter(recipe)
      options = FilterSettings.json(recipe).members ?? []
    case .dedup:
      let dedup = try DedupRun.Settings(
        method: text("method"), threshold: stage.option("threshold")?.double, keep: text("keep"))
      settings = .dedup(dedup)
      options = dedup.json.members ?? []
    case .train:
      let training = try train(stage)
      settings = .train(training)
      options = training.json.members ?? []
    case .tokenize:
      settings = .tokenize(try tokenize(stage))
    case .shard:
      let view = try view(stage, overrides)
      settings = .shard(view)
      if let gpus = overrides.gpus { options = set("gpus", gpus, options) }
      if let context = overrides.context { options = set("context", context, options) }
    }
    return PipelineStage(kind: stage.kind, name: stage.name, options: .object(options), settings: settings)
  }

  private static func set(_ key: String, _ value: Int, _ members: [JSONValue.Member]) -> [JSONValue.Member] {
    members.filter { $0.key != key } + [.init(key, .int(value))]
  }

  private static func train(_ stage: PipelineFile.Stage) throws(StorageError) -> TokenizerTraining {
    let name = stage.option("pattern")?.string ?? "cl100k"
    guard let pattern = PretokenPattern(name: name) else {
      throw .usage("unknown pattern \"\(name)\"; there are \(PretokenPattern.names).")
    }
    var training = TokenizerTraining(
      vocabularySize: stage.option("vocab-size")?.int ?? 32_000, pattern: pattern)
    training.minFrequency = stage.option("min-frequency")?.int ?? 0
    training.maxTokenLength = stage.option("max-token-length")?.int
    training.specialTokens = stage.option("special-tokens")?.sequence?.compactMap(\.string)
    try training.check()
    return training
  }

  private static func tokenize(_ stage: PipelineFile.Stage) throws(StorageError) -> TokenizeSettings {
    var settings = TokenizeSettings()
    settings.tokenizer = stage.option("tokenizer")?.string
    if let name = stage.option("pattern")?.string {
      guard let pattern = PretokenPattern(name: name) else {
        throw .usage("unknown pattern \"\(name)\"; there are \(PretokenPattern.names).")
      }
      settings.pattern = pattern
    }
    settings.split = stage.option("split")?.string ?? settings.split
    settings.seed = stage.option("seed")?.int ?? settings.seed
    settings.order = stage.option("order")?.string ?? settings.order
    settings.eos = stage.option("eos")?.string ?? settings.eos
    settings.segmentBytes = stage.option("segment-bytes")?.int
    return settings
  }

  private static func view(
    _ stage: PipelineFile.Stage, _ overrides: PipelineRun.Overrides
  ) throws(StorageError) -> ViewOptions {
    func int(_ key: String) -> Int? { stage.option(key)?.int }
    var view = ViewOptions()
    view.gpus = overrides.gpus ?? int("gpus") ?? 1
    view.nodes = int("nodes")
    view.tensor = int("tensor-parallel") ?? 1
    view.pipeline = int("pipeline-parallel") ?? 1
    view.context = int("context-parallel") ?? 1
    view.expert = int("expert-parallel") ?? 1
    view.sequenceTokens = overrides.context ?? int("context") ?? 2048
    view.overlap = int("overlap") ?? 0
    view.globalBatch = int("global-batch")
    view.microBatch = int("micro-batch") ?? 1
    view.seed = int("seed") ?? 0
    view.epochs = int("epochs") ?? 1
    view.split = stage.option("split")?.string ?? view.split
    view.rankOrder = stage.option("rank-order")?.string
    if let name = stage.option("framework")?.string {
      guard let framework = Framework(rawValue: name) else {
        let names = Framework.allCases.map(\.rawValue).joined(separator: ", ")
        throw .usage("unknown framework \"\(name)\"; there are \(names).")
      }
      view.framework = framework
    }
    let texts = ViewTexts(
      packing: stage.option("packing")?.string, shuffle: stage.option("shuffle")?.string,
      mixture: stage.option("mixture")?.string, mixtureBy: stage.option("mixture-by")?.string,
      repeats: stage.option("repeat")?.string ?? int("repeat").map { "\($0)" })
    try texts.apply(to: &view)
    return view
  }

  /// This map stage as a step of a fused chain.
  func mapStep(folder: String) throws(StorageError) -> MapStep {
    switch settings {
    case .extract(let settings): settings.step(folder: folder)
    case .filter(let recipe): FilterSettings.step(recipe, name: name, folder: folder)
    default: throw .bug("the stage \(name) is no map stage")
    }
  }
}
