import Bytes
import Storage

/// A pipeline file: the stages of a run in their order, every key checked before anything starts.
///
/// Shape (YAML): `pipeline: 1` and `stages:`, a list of mappings with `stage:` (its kind), `name:` (its folder; default: the kind) and
/// the stage's options, named as on the command line. Unknown keys are errors with line and suggestion.
public struct PipelineFile: Sendable {
  public struct Stage: Sendable {
    public var kind: Kind
    public var name: String
    public var line: Int
    /// Options as written, for the plan and the manifest.
    public var options: [JSONValue.Member]
    let node: YAMLNode

    func option(_ key: String) -> YAMLNode? { node.mapping?.first { $0.key == key }?.node }
  }

  public enum Kind: String, Sendable, CaseIterable {
    case extract, filter, dedup, train, tokenize, shard

    /// Keys of the stage, with what their values must be.
    var keys: [String: ValueKind] {
      switch self {
      case .extract: ["from": .text, "source": .text]
      case .filter: ["recipe": .text]
      case .dedup: ["method": .text, "threshold": .number, "keep": .text]
      case .train:
        [
          "vocab-size": .integer, "pattern": .text, "min-frequency": .integer, "max-token-length": .integer,
          "special-tokens": .list,
        ]
      case .tokenize:
        [
          "tokenizer": .text, "pattern": .text, "split": .text, "seed": .integer, "order": .text,
          "eos": .text,
          "segment-bytes": .integer,
        ]
      case .shard:
        [
          "gpus": .integer, "nodes": .integer, "context": .integer, "tensor-parallel": .integer,
          "pipeline-parallel": .integer, "context-parallel": .integer, "expert-parallel": .integer,
          "framework": .text,
          "rank-order": .text, "global-batch": .integer, "micro-batch": .integer, "seed": .integer,
          "packing": .text, "overlap": .integer, "shuffle": .text, "epochs": .integer, "mixture": .text,
          "mixture-by": .text, "repeat": .text, "split": .text,
        ]
      }
    }
  }

  enum ValueKind { case text, integer, number, list }

  public static let version = 1
  public var path: String
  public var stages: [Stage]

  /// Reads and checks a file.
  ///
  /// - Throws: usage errors `path:line: what is wrong. What is allowed.`
  public init(path: String) throws(StorageError) {
    let bytes: [UInt8]
    do throws(StorageError) {
      bytes = try FileSystem.readAll(path, limit: Limits.standard.pipelineFileBytes)
    } catch {
      throw .usage("pipeline file \(error.message)")
    }
    try self.init(parsing: bytes, path: path)
  }

  init(parsing bytes: [UInt8], path: String) throws(StorageError) {
    self.path = path
    stages = []
    let root = try YAMLNode(parsing: bytes, path: path)
    func failure(_ line: Int, _ text: String) -> StorageError { .usage("\(path):\(line): \(text)") }
    guard let members = root.mapping else {
      throw failure(root.line, "a mapping with pipeline: and stages: was expected.")
    }
    guard members.contains(where: { $0.key == "pipeline" }) else {
      throw failure(
        root.line, "the key pipeline: \(PipelineFile.version) is missing, which tells the file's version.")
    }
    var list: [YAMLNode]?
    for member in members {
      switch member.key {
      case "pipeline":
        guard member.node.int == PipelineFile.version else {
          throw failure(member.line, "this program knows pipeline: \(PipelineFile.version) only.")
        }
      case "stages": list = member.node.sequence
      default:
        throw failure(
          member.line,
          YAMLNode.unknownKey(member.key, allowed: ["pipeline", "stages"], kind: "key of the pipeline"))
      }
    }
    guard let list, !list.isEmpty else { throw failure(root.line, "stages: a list of stages was expected.") }
    for node in list { stages.append(try PipelineFile.stage(node, path)) }
    try checkOrder()
  }

  private static func stage(_ node: YAMLNode, _ path: String) throws(StorageError) -> Stage {
    func failure(_ line: Int, _ text: String) -> StorageError { .usage("\(path):\(line): \(text)") }
    guard let members = node.mapping else {
      throw failure(node.line, "a stage is a mapping: - stage: filter")
    }
    let names = Kind.allCases.map(\.rawValue)
    guard let kindName = members.first(where: { $0.key == "stage" })?.node, let text = kindName.string else {
      throw failure(node.line, "a stage needs the key stage: \(names.joined(separator: ", ")).")
    }
    guard let kind = Kind(rawValue: text) else {
      throw failure(kindName.line, "unknown stage \"\(text)\"; there are \(names.joined(separator: ", ")).")
    }
    var name = text
    var options: [JSONValue.Member] = []
    for member in members where member.key != "stage" {
      if member.key == "name" {
        guard let given = member.node.string, !given.isEmpty, !given.contains("/"), !given.hasPrefix(".")
        else {
          throw failure(member.line, "name: a folder name was expected.")
        }
        name = given
        continue
      }
      guard let expected = kind.keys[member.key] else {
        throw failure(
          member.line,
          YAMLNode.unknownKey(
            member.key, allowed: ["stage", "name"] + kind.keys.keys.sorted(), kind: "key of stage \(text)"))
      }
      guard let value = value(member.node, expected) else {
        throw failure(member.line, "\(member.key): \(expected.words) was expected.")
      }
      options.append(.init(member.key, value))
    }
    return Stage(kind: kind, name: name, line: node.line, options: options, node: node)
  }

  private static func value(_ node: YAMLNode, _ kind: ValueKind) -> JSONValue? {
    switch kind {
    case .text: node.string.map { .string($0) }
    case .integer: node.int.map { .int($0) }
    case .number: node.double.map { JSONValue.double($0) }
    case .list:
      node.sequence.flatMap { nodes in
        let texts = nodes.compactMap(\.string)
        return texts.count == nodes.count ? .array(texts.map { .string($0) }) : nil
      }
    }
  }

  /// Stages come in the order of the pipeline, each kind at most once (filter and dedup may repeat under other names).
  private func checkOrder() throws(StorageError) {
    func failure(_ stage: Stage, _ text: String) -> StorageError { .usage("\(path):\(stage.line): \(text)") }
    var seen: Set<String> = []
    var rank = 0
    for stage in stages {
      if !seen.insert(stage.name).inserted {
        throw failure(stage, "two stages are named \"\(stage.name)\"; give one of them a name:.")
      }
      let own =
        switch stage.kind {
        case .extract: 0
        case .filter, .dedup: 1
        case .train: 2
        case .tokenize: 3
        case .shard: 4
        }
      if own < rank || (own == rank && own != 1 && seen.count > 1) {
        throw failure(
          stage,
          "\(stage.kind.rawValue) cannot stand here; the order is extract, filter and dedup, train, tokenize, shard."
        )
      }
      rank = own
    }
    for stage in stages where stage.kind == .tokenize && stage.option("tokenizer") == nil {
      if !stages.contains(where: { $0.kind == .train }) {
        throw failure(stage, "tokenize needs a tokenizer: path, or a train stage before it.")
      }
    }
    if let shard = stages.first(where: { $0.kind == .shard }),
      !stages.contains(where: { $0.kind == .tokenize })
    {
      throw failure(shard, "shard needs a tokenize stage before it.")
    }
  }
}

extension PipelineFile.ValueKind {
  var words: String {
    switch self {
    case .text: "a text"
    case .integer: "a whole number"
    case .number: "a number"
    case .list: "a list of texts"
    }
  }
}
