import Storage

/// Thrift's compact protocol, as far as Parquet's footer and page headers need it.
///
/// A field: its type in the low four bits, the distance from the field before in the high four (0: a zigzag number follows).
/// Integers are zigzag base-128, binary is a length and bytes, a list is `size << 4 | type` (15: the size follows), a
/// struct ends with 0.
///
/// - Source: Apache Thrift, doc/specs/thrift-compact-protocol.md.
enum ThriftType: UInt8 {
  case yes = 1
  case no = 2
  case int8 = 3
  case int16 = 4
  case int32 = 5
  case int64 = 6
  case double = 7
  case binary = 8
  case list = 9
  case set = 10
  case structure = 12
}

/// Appends one struct's fields, in growing order of their numbers.
struct ThriftWriter {
  private(set) var bytes: [UInt8] = []
  private var last = 0

  /// The bytes of a struct.
  static func structure(_ body: (inout ThriftWriter) -> Void) -> [UInt8] {
    var writer = ThriftWriter()
    writer.content(body)
    return writer.bytes
  }

  /// One byte, not a zigzag number.
  mutating func int8(_ field: Int, _ value: Int) {
    head(field, .int8)
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  mutating func int16(_ field: Int, _ value: Int) { integer(field, .int16, value) }
  mutating func int32(_ field: Int, _ value: Int) { integer(field, .int32, value) }
  mutating func int64(_ field: Int, _ value: Int) { integer(field, .int64, value) }

  mutating func bool(_ field: Int, _ value: Bool) { head(field, value ? .yes : .no) }

  mutating func binary(_ field: Int, _ value: [UInt8]) {
    head(field, .binary)
    element(value)
  }

  mutating func structure(_ field: Int, _ body: (inout ThriftWriter) -> Void) {
    head(field, .structure)
    content(body)
  }

  /// A list; `body` appends its elements with `element`.
  mutating func list(_ field: Int, _ type: ThriftType, count: Int, _ body: (inout ThriftWriter) -> Void) {
    head(field, .list)
    bytes.append(UInt8(min(count, 15)) << 4 | type.rawValue)
    if count >= 15 { bytes.append(varint: UInt64(count)) }
    body(&self)
  }

  mutating func element(_ value: Int) { bytes.append(varint: Self.zigzag(value)) }

  mutating func element(_ value: [UInt8]) {
    bytes.append(varint: UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func element(_ body: (inout ThriftWriter) -> Void) { content(body) }

  private mutating func integer(_ field: Int, _ type: ThriftType, _ value: Int) {
    head(field, type)
    element(value)
  }

  private mutating func content(_ body: (inout ThriftWriter) -> Void) {
    let outer = last
    last = 0
    body(&self)
    last = outer
    bytes.append(0)
  }

  private mutating func head(_ field: Int, _ type: ThriftType) {
    let step = field - last
    if (1...15).contains(step) {
      bytes.append(UInt8(step) << 4 | type.rawValue)
    } else {
      bytes.append(type.rawValue)
      element(field)
    }
    last = field
  }

  static func zigzag(_ value: Int) -> UInt64 { UInt64(bitPattern: Int64(value << 1 ^ value >> 63)) }
}

/// What a struct of an untrusted file holds.
indirect enum ThriftValue: Equatable {
  case bool(Bool)
  case int(Int)
  case binary([UInt8])
  case list([ThriftValue])
  case structure([Int: ThriftValue])

  var int: Int? { if case .int(let value) = self { value } else { nil } }
  var binary: [UInt8]? { if case .binary(let value) = self { value } else { nil } }
  var list: [ThriftValue]? { if case .list(let value) = self { value } else { nil } }

  /// A struct's field.
  subscript(_ field: Int) -> ThriftValue? {
    if case .structure(let fields) = self { fields[field] } else { nil }
  }

  /// Structs and lists in one another; Parquet's own footers reach 6.
  static let depthMax = 16

  /// Reads a struct.
  ///
  /// - Throws: `.input`: cut, nested too deeply, or of a type that Parquet does not use.
  static func structure(_ cursor: inout ByteCursor, depth: Int = 0) throws(StorageError) -> ThriftValue {
    guard depth < depthMax else { throw cursor.damage("structs nested too deeply") }
    var fields: [Int: ThriftValue] = [:]
    var last = 0
    while true {
      let head = try cursor.byte()
      if head == 0 { return .structure(fields) }
      let step = Int(head >> 4)
      let number = step == 0 ? try integer(&cursor) : last + step
      guard (1...Int(Int16.max)).contains(number) else {
        throw cursor.damage("a field with number \(number)")
      }
      let type = try type(head & 15, &cursor)
      switch type {
      case .yes: fields[number] = .bool(true)
      case .no: fields[number] = .bool(false)
      default: fields[number] = try value(type, &cursor, depth: depth + 1)
      }
      last = number
    }
  }

  private static func type(_ code: UInt8, _ cursor: inout ByteCursor) throws(StorageError) -> ThriftType {
    guard let type = ThriftType(rawValue: code) else {
      throw cursor.damage("a field of unknown type \(code)")
    }
    return type
  }

  private static func value(
    _ type: ThriftType, _ cursor: inout ByteCursor, depth: Int
  ) throws(StorageError) -> ThriftValue {
    switch type {
    case .yes, .no: return .bool(try cursor.byte() == 1)
    case .int8: return .int(Int(Int8(bitPattern: try cursor.byte())))
    case .int16, .int32, .int64: return .int(try integer(&cursor))
    // No number of Parquet's is a double; its bits are kept.
    case .double: return .int(Int(truncatingIfNeeded: try cursor.integer(UInt64.self)))
    case .binary:
      let range = try cursor.take(try cursor.length(try cursor.varint()))
      return .binary(Array(cursor.bytes[range]))
    case .list, .set: return try list(&cursor, depth: depth)
    case .structure: return try structure(&cursor, depth: depth)
    }
  }

  private static func list(_ cursor: inout ByteCursor, depth: Int) throws(StorageError) -> ThriftValue {
    guard depth < depthMax else { throw cursor.damage("lists nested too deeply") }
    let head = try cursor.byte()
    let type = try type(head & 15, &cursor)
    // An element has one byte or more, so the list's memory is bounded by the bytes that are there.
    let count = head >> 4 == 15 ? try cursor.length(try cursor.varint()) : Int(head >> 4)
    var elements: [ThriftValue] = []
    for _ in 0..<count { elements.append(try value(type, &cursor, depth: depth + 1)) }
    return .list(elements)
  }

  private static func integer(_ cursor: inout ByteCursor) throws(StorageError) -> Int {
    let bits = try cursor.varint()
    return Int(truncatingIfNeeded: Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1))
  }
}
