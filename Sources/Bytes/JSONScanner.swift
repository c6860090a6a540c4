/// Scans JSON on bytes without building values: a parser asks for what it needs and keeps raw ranges of the rest.
///
/// - Source: RFC 8259. Depth is bounded by `Limits.jsonDepth`; duplicate keys are reported as they stand.
public struct JSONScanner {
  public enum Failure: Error, Equatable { case malformed(at: Int), tooDeep(at: Int) }

  /// Walks the members of the object that starts at or after `start` (white space allowed): the raw ranges of the key
  /// (without quotes, still escaped) and of the value. Returns the index after the closing brace.
  ///
  /// - Throws: `Failure` with the offset of the first byte that is not JSON.
  public static func members(
    of bytes: borrowing Span<UInt8>, from start: Int = 0, depth: Int = Limits.standard.jsonDepth,
    _ body: (_ key: Range<Int>, _ value: Range<Int>) throws(Failure) -> Void
  ) throws(Failure) -> Int {
    var index = skipSpace(bytes, start)
    guard index < bytes.count, bytes[index] == UInt8(ascii: "{") else { throw .malformed(at: index) }
    index = skipSpace(bytes, index + 1)
    if index < bytes.count, bytes[index] == UInt8(ascii: "}") { return index + 1 }
    while true {
      guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw .malformed(at: index) }
      let keyEnd = try stringEnd(bytes, index)
      let key = index + 1..<keyEnd - 1
      index = skipSpace(bytes, keyEnd)
      guard index < bytes.count, bytes[index] == UInt8(ascii: ":") else { throw .malformed(at: index) }
      index = skipSpace(bytes, index + 1)
      let valueEnd = try valueEnd(bytes, index, depth - 1)
      try body(key, index..<valueEnd)
      index = skipSpace(bytes, valueEnd)
      guard index < bytes.count else { throw .malformed(at: index) }
      if bytes[index] == UInt8(ascii: "}") { return index + 1 }
      guard bytes[index] == UInt8(ascii: ",") else { throw .malformed(at: index) }
      index = skipSpace(bytes, index + 1)
    }
  }

  /// Walks the elements of an array; as `members`.
  public static func elements(
    of bytes: borrowing Span<UInt8>, from start: Int = 0, depth: Int = Limits.standard.jsonDepth,
    _ body: (_ value: Range<Int>) throws(Failure) -> Void
  ) throws(Failure) -> Int {
    var index = skipSpace(bytes, start)
    guard index < bytes.count, bytes[index] == UInt8(ascii: "[") else { throw .malformed(at: index) }
    index = skipSpace(bytes, index + 1)
    if index < bytes.count, bytes[index] == UInt8(ascii: "]") { return index + 1 }
    while true {
      let end = try valueEnd(bytes, index, depth - 1)
      try body(index..<end)
      index = skipSpace(bytes, end)
      guard index < bytes.count else { throw .malformed(at: index) }
      if bytes[index] == UInt8(ascii: "]") { return index + 1 }
      guard bytes[index] == UInt8(ascii: ",") else { throw .malformed(at: index) }
      index = skipSpace(bytes, index + 1)
    }
  }

  /// Index after the value that starts at `start`. The whole value is validated.
  public static func valueEnd(_ bytes: borrowing Span<UInt8>, _ start: Int, _ depth: Int) throws(Failure)
    -> Int
  {
    guard start < bytes.count else { throw .malformed(at: start) }
    switch bytes[start] {
    case UInt8(ascii: "\""): return try stringEnd(bytes, start)
    case UInt8(ascii: "{"):
      guard depth > 0 else { throw .tooDeep(at: start) }
      return try members(of: bytes, from: start, depth: depth) { (_, _) throws(Failure) in }
    case UInt8(ascii: "["):
      guard depth > 0 else { throw .tooDeep(at: start) }
      return try elements(of: bytes, from: start, depth: depth) { (_) throws(Failure) in }
    case UInt8(ascii: "t"): return try literal(bytes, start, "true")
    case UInt8(ascii: "f"): return try literal(bytes, start, "false")
    case UInt8(ascii: "n"): return try literal(bytes, start, "null")
    default: return try numberEnd(bytes, start)
    }
  }

  public static func skipSpace(_ bytes: borrowing Span<UInt8>, _ start: Int) -> Int {
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      guard byte == 32 || byte == 10 || byte == 13 || byte == 9 else { break }
      index += 1
    }
    return index
  }

  private static func literal(_ bytes: borrowing Span<UInt8>, _ start: Int, _ text: StaticString)
    throws(Failure) -> Int
  {
    guard bytes.starts(with: text, at: start, ignoringCase: false) else { throw .malformed(at: start) }
    return start + text.utf8CodeUnitCount
  }

  private static func numberEnd(_ bytes: borrowing Span<UInt8>, _ start: Int) throws(Failure) -> Int {
    var index = start
    func digits(_ bytes: borrowing Span<UInt8>) -> Int {
      let first = index
      while index < bytes.count, bytes[index].isASCIIDigit { index += 1 }
      return index - first
    }
    if index < bytes.count, bytes[index] == UInt8(ascii: "-") { index += 1 }
    let firstDigit = index
    let whole = digits(bytes)
    guard whole > 0, whole == 1 || bytes[firstDigit] != UInt8(ascii: "0") else { throw .malformed(at: start) }
    if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
      index += 1
      guard digits(bytes) > 0 else { throw .malformed(at: start) }
    }
    if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
        index += 1
      }
      guard digits(bytes) > 0 else { throw .malformed(at: start) }
    }
    return index
  }

  /// Index after the closing quote of the string that starts at `start`.
  public static func stringEnd(_ bytes: borrowing Span<UInt8>, _ start: Int) throws(Failure) -> Int {
    var index = start + 1
    while true {
      index += JSONText.plainPrefix(bytes, index)
      guard index < bytes.count else { throw .malformed(at: index) }
      switch bytes[index] {
      case UInt8(ascii: "\""): return index + 1
      case UInt8(ascii: "\\"):
        guard index + 1 < bytes.count else { throw .malformed(at: index) }
        switch bytes[index + 1] {
        case UInt8(ascii: "u"):
          guard index + 6 <= bytes.count else { throw .malformed(at: index) }
          for offset in 2..<6 where bytes[index + offset].hexDigit == nil { throw .malformed(at: index) }
          index += 6
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
          UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
          index += 2
        default: throw .malformed(at: index)
        }
      default: throw .malformed(at: index)
      }
    }
  }
}
