import Bytes
import Documents
import Extraction
import Storage

/// The inputs of a stage that reads documents: stage folders (their parts, checked against the manifest), JSON-lines files,
/// folders of them, or standard input.
public struct DocumentInputs: Sendable {
  public var files: [InputFile]
  /// Name, size and hash of each, for the manifest; empty for standard input.
  public var entries: [StageManifest.Entry]
  /// True if all are parts that sluice wrote: damage is then an error, not a defect.
  public var isStrict: Bool
  /// False if a stage folder among them was made of a stream that could not tell whether it was whole.
  public var isComplete: Bool

  public var isStream: Bool { files.first?.path == "-" }

  /// - Throws: input errors that name the folder and what to do, e.g. for a stage that is not finished.
  public init(_ arguments: [String], filesFrom: String? = nil, hashing: Bool = true) throws(StorageError) {
    files = []
    entries = []
    isStrict = true
    isComplete = true
    var others: [String] = []
    var folders: [String] = []
    for argument in arguments {
      if argument != "-", FileSystem.isFolder(argument) {
        if try RunManifest.stageNames(argument) != nil {
          let stages = try CorpusFolders(argument).stages
          guard let last = stages.last(where: { DocumentInputs.hasParts($0.manifest) }) else {
            throw .input(path: argument, reason: "the run holds no documents")
          }
          folders.append(last.path)
          continue
        }
        if let manifest = try StageManifest.read(argument) {
          guard DocumentInputs.hasParts(manifest) else {
            throw .input(path: argument, reason: "a folder of the stage \(manifest.stage) holds no documents")
          }
          folders.append(argument)
          continue
        }
        if FileSystem.exists(Path.join(argument, "journal")) {
          throw .input(
            path: argument,
            reason: "the stage there is not finished (no manifest.json). Finish it with --resume first")
        }
      }
      others.append(argument)
    }
    if !folders.isEmpty, others.contains("-") {
      throw .usage("\"-\" (standard input) cannot be mixed with other inputs.")
    }
    // Parts of several folders are told apart by the folders' names.
    folders = InputList.onePathEach(folders)
    for (folder, tail) in zip(folders, InputList.shortestTails(folders)) {
      if let manifest = try StageManifest.read(folder) {
        try add(folder: folder, manifest, prefix: folders.count > 1 ? tail + "/" : "")
      }
    }
    if !others.isEmpty || filesFrom != nil || arguments.isEmpty {
      let expanded = try InputList.expand(others, filesFrom: filesFrom)
      isStrict = false
      for file in expanded where file.path != "-" { try DocumentInputs.refuseDump(file) }
      files += expanded
      if hashing {
        for file in expanded where file.path != "-" {
          let (hex, bytes) = try SHA256.hexOfFile(file.path)
          entries.append(StageManifest.Entry(name: file.name, bytes: bytes, sha256: hex))
        }
      }
    }
    // The order in which the user named them does not matter.
    func precedes(_ a: String, _ b: String) -> Bool {
      Array(a.utf8).lexicographicallyPrecedes(Array(b.utf8))
    }
    files.sort { precedes($0.name, $1.name) }
    entries.sort { precedes($0.name, $1.name) }
  }

  /// Is this the folder of a stage or of a run?
  static func isStageFolder(_ path: String) throws(StorageError) -> Bool {
    guard path != "-", FileSystem.isFolder(path) else { return false }
    if try RunManifest.stageNames(path) != nil { return true }
    return try StageManifest.read(path) != nil
  }

  /// A dump is no document: reading it line by line would only give defects.
  private static func refuseDump(_ file: InputFile) throws(StorageError) {
    let head = try DecodingReader.head(of: file, count: 4096).bytes
    guard let source = SourceRegistry.detect(head: head.span, fileName: file.name),
      ["warc", "wiki"].contains(source.name)
    else { return }
    throw .input(
      path: file.path,
      reason: "is a dump (\(source.name)), not JSON lines. Extract it first: sluice extract \(file.path)")
  }

  private static func hasParts(_ manifest: StageManifest) -> Bool {
    manifest.outputs.contains { $0.name.hasPrefix("part-") }
  }

  private mutating func add(folder: String, _ manifest: StageManifest, prefix: String) throws(StorageError) {
    isComplete = isComplete && manifest.isComplete
    for output in manifest.outputs where output.name.hasPrefix("part-") {
      let path = Path.join(folder, output.name)
      guard FileSystem.exists(path) else {
        throw .input(
          path: path, reason: "is named in the manifest but missing. Restore it, or run the stage again")
      }
      let size = try FileSystem.size(of: path)
      guard size == output.bytes else {
        throw .input(
          path: path,
          reason:
            "has \(size) bytes, the manifest says \(output.bytes). Run the stage again, or see: sluice verify"
        )
      }
      var entry = output
      entry.name = prefix + output.name
      files.append(InputFile(path: path, name: entry.name, size: size))
      entries.append(entry)
    }
  }

  /// Opens one unit of these inputs.
  func open(_ unit: Unit, from: Int64, options: RunOptions) throws(StorageError) -> any RecordReader {
    try JSONLinesReader(
      unit.input, from: from, to: unit.to, limits: options.limits, isStrict: isStrict,
      refusesCut: !options.acceptsCut)
  }

  public func plan(_ options: RunOptions) -> UnitPlan {
    UnitPlan(files, unitBytes: options.unitBytes) { _ in true }
  }
}
