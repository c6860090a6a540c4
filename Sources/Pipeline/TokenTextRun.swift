import Bytes
import Documents
import Storage
import Tokenization

/// The map stages `encode` and `decode`: text to ids and back, as a member of the JSON lines.
public struct TokenTextRun: Sendable {
  public enum Direction: Sendable {
    case encode(specialText: Encoder.SpecialText)
    case decode
  }

  let inputs: DocumentInputs
  let tokenizer: Tokenizer
  let direction: Direction
  let folder: String?
  let writesStandardOutput: Bool
  let options: RunOptions

  /// - Parameter folder: the stage folder, or where the report of a stage goes that writes to a pipe.
  public init(
    inputs: DocumentInputs, tokenizer: Tokenizer, direction: Direction, folder: String?,
    writesStandardOutput: Bool,
    options: RunOptions
  ) {
    self.inputs = inputs
    self.tokenizer = tokenizer
    self.direction = direction
    self.folder = folder
    self.writesStandardOutput = writesStandardOutput
    self.options = options
  }

  public func run() throws(StorageError) -> [StageOutcome] {
    let tokenizer = tokenizer
    let inputs = inputs
    let options = options
    let step: MapStep
    var settings: [JSONValue.Member] = [
      .init("tokenizer", .string(tokenizer.name)), .init("tokenizer_sha256", .string(tokenizer.sha256)),
    ]
    switch direction {
    case .encode(let specialText):
      settings.append(.init("special_text", specialText == .matched ? "matched" : "ordinary"))
      step = MapStep(name: "encode", folder: folder, options: .object(settings)) {
        EncodeTransform(tokenizer, specialText: specialText)
      }
    case .decode:
      step = MapStep(name: "decode", folder: folder, options: .object(settings)) {
        DecodeTransform(tokenizer)
      }
    }
    let input = MapInput(
      plan: inputs.plan(options), entries: inputs.entries, isComplete: inputs.isComplete,
      open: { (unit, from) throws(StorageError) in try inputs.open(unit, from: from, options: options) },
      // Lines that hold tokens need no text.
      makeParser: { JSONLinesParser(requiresText: step.name == "encode") })
    return try MapRun(
      input: input, steps: [step], writesStandardOutput: writesStandardOutput, options: options
    ).run()
  }
}
