import Bytes
import Documents
import Extraction
import Storage

/// Dumps as input of a chain of map stages: each file with the source that reads it, told by its first bytes.
public struct ExtractInputs: Sendable {
  public var files: [InputFile]
  public var entries: [StageManifest.Entry]
  /// False if a stage folder among them was made of a stream that could not tell whether it was whole.
  public var isComplete: Bool
  private var sources: [String: any DumpSource] = [:]
  private var codecs: [String: DecodingReader.Codec] = [:]

  public var isStream: Bool { files.first?.path == "-" }

  /// Expands the inputs, sniffs every file and hashes it.
  ///
  /// - Throws: input errors, also for a file that no source knows (with the names of those there are).
  public init(_ arguments: [String], filesFrom: String?, settings: ExtractSettings) throws(StorageError) {
    entries = []
    isComplete = true
    // A folder that a stage made is read by its manifest: its reports and its dropped documents are no dumps.
    var folders: [String] = []
    for argument in arguments where try DocumentInputs.isStageFolder(argument) { folders.append(argument) }
    if folders.isEmpty {
      files = try InputList.expand(arguments, filesFrom: filesFrom)
    } else {
      guard folders.count == arguments.count, filesFrom == nil else {
        throw .usage(
          "\(folders[0]) is the folder of a stage; it cannot be mixed with dumps. Extract them one by one.")
      }
      let documents = try DocumentInputs(folders, hashing: false)
      files = documents.files
      isComplete = documents.isComplete
    }
    let options = ExtractionOptions(source: settings.source, from: settings.from)
    for file in files {
      let (codec, head) = try DecodingReader.head(of: file, count: 4096)
      codecs[file.name] = codec
      let named = settings.from.flatMap { SourceRegistry.named($0) }
      guard let source = named ?? SourceRegistry.detect(head: head.span, fileName: file.name) else {
        let names = SourceRegistry.all.map { $0.name }.joined(separator: ", ")
        throw .input(
          path: file.path == "-" ? "standard input" : file.path,
          reason: "no source knows this format. Nothing was read. Name it with --from: \(names)")
      }
      sources[file.name] = source.init(options: options)
      if file.path != "-" {
        let (hash, bytes) = try SHA256.hexOfFile(file.path)
        entries.append(StageManifest.Entry(name: file.name, bytes: bytes, sha256: hash))
      }
    }
  }

  public func plan(_ options: RunOptions) -> UnitPlan {
    UnitPlan(files, unitBytes: options.unitBytes) { file in
      guard let source = sources[file.name], let codec = codecs[file.name] else { return false }
      return type(of: source).canSplit(codec: codec)
    }
  }

  public func mapInput(_ options: RunOptions) -> MapInput {
    let sources = sources
    return MapInput(
      plan: plan(options), entries: entries, isComplete: isComplete,
      open: { (unit, from) throws(StorageError) in
        guard let source = sources[unit.input.name] else { throw .bug("no source for \(unit.input.name)") }
        return try source.makeReader(unit.input, from: from, to: unit.to)
      }, makeParser: { SourceDispatch(sources) })
  }
}

/// Parses each chunk with the parser of its file's source.
final class SourceDispatch: RecordParser {
  private let sources: [String: any DumpSource]
  private var parsers: [String: any RecordParser] = [:]

  init(_ sources: [String: any DumpSource]) { self.sources = sources }

  func parse(
    _ chunk: borrowing RecordChunk, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger
  ) {
    guard let source = sources[chunk.file] else { return }
    let name = type(of: source).name
    let parser = parsers[name] ?? source.makeParser()
    parsers[name] = parser
    parser.parse(chunk, kept: &kept, dropped: &dropped, ledger: &ledger)
  }
}

/// What the first stage of a pipeline reads: dumps, or documents.
enum PipelineSource: Sendable {
  case dumps(ExtractInputs)
  case documents(DocumentInputs)

  init(
    _ file: PipelineFile, inputs: [String], filesFrom: String?, options: RunOptions
  ) throws(StorageError) {
    if let first = file.stages.first, first.kind == .extract {
      let settings = try ExtractSettings(
        from: first.option("from")?.string, source: first.option("source")?.string)
      self = .dumps(try ExtractInputs(inputs, filesFrom: filesFrom, settings: settings))
    } else {
      self = .documents(try DocumentInputs(inputs, filesFrom: filesFrom))
    }
  }

  var entries: [StageManifest.Entry] {
    switch self {
    case .dumps(let inputs): inputs.entries
    case .documents(let inputs): inputs.entries
    }
  }

  var isStream: Bool {
    switch self {
    case .dumps(let inputs): inputs.isStream
    case .documents(let inputs): inputs.isStream
    }
  }

  func plan(_ options: RunOptions) -> UnitPlan {
    switch self {
    case .dumps(let inputs): inputs.plan(options)
    case .documents(let inputs): inputs.plan(options)
    }
  }

  func mapInput(_ options: RunOptions) -> MapInput {
    switch self {
    case .dumps(let inputs): inputs.mapInput(options)
    case .documents(let inputs): MapInput(documents: inputs, options: options)
    }
  }

  func documents() throws(StorageError) -> DocumentInputs {
    switch self {
    case .documents(let inputs): inputs
    case .dumps: throw .bug("a stage that reads documents was given dumps")
    }
  }
}
