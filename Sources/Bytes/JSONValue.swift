/// A JSON document as a value: for manifests, reports, views and tokenizer files, never for documents of a corpus.
public enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case array([JSONValue])
  /// Members in the order of the file, or of the program.
  case object([Member])

  public struct Member: Equatable, Sendable {
    public var key: String
    public var value: JSONValue
    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// Parses one JSON text; white space may surround it.
  public static func parse(_ bytes: borrowing Span<UInt8>) throws(JSONScanner.Failure) -> JSONValue {
    let start = JSONScanner.skipSpace(bytes, 0)
    let end = try JSONScanner.valueEnd(bytes, start, Limits.standard.jsonDepth)
    guard JSONScanner.skipSpace(bytes, end) == bytes.count else { throw .malformed(at: end) }
    return try value(bytes, start..<end)
  }

  public static func parse(_ bytes: [UInt8]) throws(JSONScanner.Failure) -> JSONValue {
    try parse(bytes.span)
  }

  private static func value(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) throws(JSONScanner.Failure)
    -> JSONValue
  {
    switch bytes[range.lowerBound] {
    case UInt8(ascii: "{"):
      var members: [Member] = []
      // The closures of the scanner may not capture a span: collect the ranges first.
      var ranges: [(key: Range<Int>, value: Range<Int>)] = []
      _ = try JSONScanner.members(of: bytes, from: range.lowerBound) {
        (key, value) throws(JSONScanner.Failure) in
        ranges.append((key, value))
      }
      members.reserveCapacity(ranges.count)
      for member in ranges { members.append(Member(text(bytes, member.key), try value(bytes, member.value))) }
      return .object(members)
    case UInt8(ascii: "["):
      var ranges: [Range<Int>] = []
      _ = try JSONScanner.elements(of: bytes, from: range.lowerBound) {
        (element) throws(JSONScanner.Failure) in
        ranges.append(element)
      }
      var values: [JSONValue] = []
      values.reserveCapacity(ranges.count)
      for element in ranges { values.append(try value(bytes, element)) }
      return .array(values)
    case UInt8(ascii: "\""): return .string(text(bytes, range.lowerBound + 1..<range.upperBound - 1))
    case UInt8(ascii: "t"): return .bool(true)
    case UInt8(ascii: "f"): return .bool(false)
    case UInt8(ascii: "n"): return .null
    default:
      let number = bytes.extracting(range).string()
      if let int = Int(number) { return .int(int) }
      return .double(Double(number) ?? 0)
    }
  }

  private static func text(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> String {
    var out: [UInt8] = []
    JSONText.appendUnescaped(bytes.extracting(range), to: &out)
    return out.string
  }

  /// The member of an object, or nil.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  public var int: Int? { if case .int(let value) = self { value } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var double: Double? {
    switch self {
    case .double(let value): value
    case .int(let value): Double(value)
    default: nil
    }
  }
  public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
  public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

  /// The text with members in their order. `indent` nil: no white space at all.
  public func serialized(indent: Int? = nil) -> [UInt8] {
    var out: [UInt8] = []
    write(to: &out, indent: indent, level: 0, sorted: false)
    return out
  }

  /// Canonical form: UTF-8, members sorted by the bytes of their keys, no white space. What fingerprints are taken of.
  public func canonical() -> [UInt8] {
    var out: [UInt8] = []
    write(to: &out, indent: nil, level: 0, sorted: true)
    return out
  }

  private func write(to out: inout [UInt8], indent: Int?, level: Int, sorted: Bool) {
    switch self {
    case .null: out.append("null")
    case .bool(let value): out.append(value ? "true" : "false")
    case .int(let value): out.append(decimal: value)
    case .double(let value): out.append(contentsOf: JSONValue.number(value).utf8)
    case .string(let value): JSONText.append(string: value, to: &out)
    case .array(let values):
      out.append(UInt8(ascii: "["))
      for (position, value) in values.enumerated() {
        if position > 0 { out.append(UInt8(ascii: ",")) }
        JSONValue.newline(&out, indent, level + 1)
        value.write(to: &out, indent: indent, level: level + 1, sorted: sorted)
      }
      if !values.isEmpty { JSONValue.newline(&out, indent, level) }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      let ordered =
        sorted ? members.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) } : members
      for (position, member) in ordered.enumerated() {
        if position > 0 { out.append(UInt8(ascii: ",")) }
        JSONValue.newline(&out, indent, level + 1)
        JSONText.append(string: member.key, to: &out)
        out.append(UInt8(ascii: ":"))
        if indent != nil { out.append(32) }
        member.value.write(to: &out, indent: indent, level: level + 1, sorted: sorted)
      }
      if !members.isEmpty { JSONValue.newline(&out, indent, level) }
      out.append(UInt8(ascii: "}"))
    }
  }

  private static func newline(_ out: inout [UInt8], _ indent: Int?, _ level: Int) {
    guard let indent else { return }
    out.append(10)
    out.append(contentsOf: repeatElement(32, count: indent * level))
  }

  /// The shortest decimal that reads back as the same double; JSON has no infinities, they become null.
  public static func number(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// Keeps the order of the literal.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
}
