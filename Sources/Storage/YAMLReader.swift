import Bytes
import CYaml

/// Turns libyaml's events into a `YAMLNode`.
///
/// libyaml keeps its own stack; ours is bounded by `YAMLNode.depthMax`, so that a file of brackets ends in a message.
struct YAMLReader {
  private let bytes: [UInt8]
  private let path: String

  init(_ bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  /// The file's only document.
  func document() throws(StorageError) -> YAMLNode {
    let limit = Limits.standard.pipelineFileBytes
    guard bytes.count <= limit else {
      throw YAMLNode.failure(path, 1, "\(bytes.count) bytes are over the limit of \(limit) for such a file.")
    }
    if bytes.isEmpty { throw YAMLNode.failure(path, 1, "the file is empty.") }
    if !UTF8Text.isValid(bytes.span) { throw YAMLNode.failure(path, 1, "the file is not UTF-8 text.") }
    let outcome: Result<YAMLNode, StorageError> = bytes.withUnsafeBufferPointer { input in
      var parser = yaml_parser_t()
      guard yaml_parser_initialize(&parser) == 1 else { return .failure(.bug("libyaml did not start")) }
      defer { yaml_parser_delete(&parser) }
      yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
      // SAFETY: `input` outlives the parser, which is deleted at the end of this closure.
      yaml_parser_set_input_string(&parser, input.baseAddress, input.count)
      do throws(StorageError) {
        return .success(try stream(&parser))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }

  /// What of an event is kept after libyaml's memory is freed.
  private struct Event {
    var type: yaml_event_type_t
    var text = ""
    var isPlain = false
    var line: Int
    var column: Int
  }

  private func stream(_ parser: inout yaml_parser_t) throws(StorageError) -> YAMLNode {
    _ = try next(&parser)
    let start = try next(&parser)
    guard start.type == YAML_DOCUMENT_START_EVENT else {
      throw YAMLNode.failure(path, 1, "the file is empty.")
    }
    let root = try node(try next(&parser), &parser, depth: 0)
    _ = try next(&parser)
    let end = try next(&parser)
    guard end.type == YAML_STREAM_END_EVENT else {
      throw YAMLNode.failure(path, end.line, "a second document starts here; only one is allowed.")
    }
    return root
  }

  private func node(_ event: Event, _ parser: inout yaml_parser_t, depth: Int) throws(StorageError)
    -> YAMLNode
  {
    guard depth <= YAMLNode.depthMax else {
      throw YAMLNode.failure(path, event.line, "nested deeper than \(YAMLNode.depthMax) levels.")
    }
    switch event.type {
    case YAML_SCALAR_EVENT: return made(.scalar(event.text, isPlain: event.isPlain), at: event)
    case YAML_SEQUENCE_START_EVENT:
      var elements: [YAMLNode] = []
      var element = try next(&parser)
      while element.type != YAML_SEQUENCE_END_EVENT {
        elements.append(try node(element, &parser, depth: depth + 1))
        element = try next(&parser)
      }
      return made(.sequence(elements), at: event)
    case YAML_MAPPING_START_EVENT: return made(.mapping(try entries(&parser, depth: depth)), at: event)
    default: throw YAMLNode.failure(path, event.line, "not a mapping, list or value.")
    }
  }

  private func entries(_ parser: inout yaml_parser_t, depth: Int) throws(StorageError) -> [YAMLNode.Entry] {
    var entries: [YAMLNode.Entry] = []
    var lines: [String: Int] = [:]
    var key = try next(&parser)
    while key.type != YAML_MAPPING_END_EVENT {
      guard key.type == YAML_SCALAR_EVENT else {
        throw YAMLNode.failure(path, key.line, "a key must be a plain name, not a list or mapping.")
      }
      if let first = lines.updateValue(key.line, forKey: key.text) {
        throw YAMLNode.failure(path, key.line, "key \"\(key.text)\" stands already on line \(first).")
      }
      let value = try node(try next(&parser), &parser, depth: depth + 1)
      entries.append(YAMLNode.Entry(key: key.text, line: key.line, node: value))
      key = try next(&parser)
    }
    return entries
  }

  private func made(_ kind: YAMLNode.Kind, at event: Event) -> YAMLNode {
    YAMLNode(kind, path: path, line: event.line, column: event.column)
  }

  private func next(_ parser: inout yaml_parser_t) throws(StorageError) -> Event {
    var raw = yaml_event_t()
    guard yaml_parser_parse(&parser, &raw) == 1 else {
      let problem = parser.problem.map { String(cString: $0) } ?? "not YAML"
      let line =
        max(Int(parser.problem_mark.line), parser.context == nil ? 0 : Int(parser.context_mark.line)) + 1
      throw YAMLNode.failure(path, line, "\(problem).")
    }
    defer { yaml_event_delete(&raw) }
    var event = Event(
      type: raw.type, line: Int(raw.start_mark.line) + 1, column: Int(raw.start_mark.column) + 1)
    var hasAnchor = false
    var hasTag = false
    switch raw.type {
    case YAML_ALIAS_EVENT: hasAnchor = true
    case YAML_SCALAR_EVENT:
      let scalar = raw.data.scalar
      if let value = scalar.value {
        // SAFETY: libyaml gives `length` bytes at `value` until the event is deleted.
        event.text = String(decoding: UnsafeBufferPointer(start: value, count: scalar.length), as: UTF8.self)
      }
      event.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
      hasAnchor = scalar.anchor != nil
      hasTag = scalar.tag != nil
    case YAML_SEQUENCE_START_EVENT:
      hasAnchor = raw.data.sequence_start.anchor != nil
      hasTag = raw.data.sequence_start.tag != nil
    case YAML_MAPPING_START_EVENT:
      hasAnchor = raw.data.mapping_start.anchor != nil
      hasTag = raw.data.mapping_start.tag != nil
    default: break
    }
    if hasAnchor { throw YAMLNode.failure(path, event.line, "anchors and aliases are not allowed here.") }
    if hasTag { throw YAMLNode.failure(path, event.line, "tags are not allowed here.") }
    return event
  }
}
