import Glibc

/// Byte classes that every parser needs; all are plain comparisons, so they inline across modules.
extension UInt8 {
  /// Space, tab, LF, FF, CR: the white space of HTML and HTTP. Vertical tab is not in it.
  @inlinable public var isASCIISpace: Bool { self == 32 || (self >= 9 && self <= 13 && self != 11) }
  @inlinable public var isASCIIDigit: Bool { self &- 48 < 10 }
  @inlinable public var isASCIILetter: Bool { (self | 0x20) &- 97 < 26 }
  @inlinable public var isASCIIUpper: Bool { self &- 65 < 26 }
  @inlinable public var asciiLowercased: UInt8 { isASCIIUpper ? self | 0x20 : self }
  /// 0…9 for `0`…`9`, otherwise nil.
  @inlinable public var decimalDigit: Int? { isASCIIDigit ? Int(self &- 48) : nil }
  /// 0…15 for hexadecimal digits of either case, otherwise nil.
  @inlinable public var hexDigit: Int? {
    if isASCIIDigit { return Int(self &- 48) }
    let lower = self | 0x20
    return lower >= 97 && lower <= 102 ? Int(lower &- 87) : nil
  }
}

extension Span where Element == UInt8 {
  /// True if the span begins with the ASCII of `prefix`, compared exactly.
  public func starts(with prefix: StaticString) -> Bool {
    starts(with: prefix, at: 0, ignoringCase: false)
  }

  /// True if `prefix` (lower case where case is ignored) stands at `index`.
  public func starts(with prefix: StaticString, at index: Int, ignoringCase: Bool) -> Bool {
    let length = prefix.utf8CodeUnitCount
    guard index >= 0, count - index >= length else { return false }
    return prefix.withUTF8Buffer { wanted in
      for offset in 0..<length {
        let byte = self[index + offset]
        if (ignoringCase ? byte.asciiLowercased : byte) != wanted[offset] { return false }
      }
      return true
    }
  }

  /// Index of the first `byte` at or after `start`, or nil.
  public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    guard start < count else { return nil }
    return withUnsafeBufferPointer { buffer in
      guard let found = memchr(buffer.baseAddress! + start, Int32(byte), buffer.count - start) else {
        return nil
      }
      return UnsafeRawPointer(found) - UnsafeRawPointer(buffer.baseAddress!)
    }
  }

  /// Index of the first occurrence of `needle` (not empty) at or after `start`, or nil.
  public func firstIndex(of needle: [UInt8], from start: Int = 0) -> Int? {
    withUnsafeBufferPointer { buffer in
      needle.withUnsafeBufferPointer { wanted in
        var index = start
        while buffer.count - index >= wanted.count, wanted.count > 0 {
          let room = buffer.count - index - wanted.count + 1
          guard let found = memchr(buffer.baseAddress! + index, Int32(wanted[0]), room) else { return nil }
          index = UnsafeRawPointer(found) - UnsafeRawPointer(buffer.baseAddress!)
          if memcmp(buffer.baseAddress! + index, wanted.baseAddress!, wanted.count) == 0 { return index }
          index += 1
        }
        return nil
      }
    }
  }

  /// The range without leading and trailing ASCII white space.
  public func trimmedRange(_ range: Range<Int>) -> Range<Int> {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high, self[low].isASCIISpace { low += 1 }
    while high > low, self[high - 1].isASCIISpace { high -= 1 }
    return low..<high
  }

  /// A copy as an array: for the edges, not for loops.
  public func array() -> [UInt8] { withUnsafeBufferPointer { [UInt8]($0) } }

  /// The text, ill-formed parts replaced: for messages and other edges.
  public func string() -> String { withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) } }

  public func equals(_ other: [UInt8]) -> Bool { equals(other.span) }

  public func equals(_ other: borrowing Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    return withUnsafeBufferPointer { a in
      other.withUnsafeBufferPointer { b in a.isEmpty || memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0 }
    }
  }
}

extension Array where Element == UInt8 {
  /// Appends the bytes of a span with one copy.
  @inlinable public mutating func append(_ span: borrowing Span<UInt8>) {
    span.withUnsafeBufferPointer { append(contentsOf: $0) }
  }
  /// Appends ASCII or UTF-8 text of the program.
  @inlinable public mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { append(contentsOf: $0) }
  }
  /// Appends an integer in decimal.
  public mutating func append(decimal value: Int) {
    if value < 0 {
      append(45)
      append(decimal: value.magnitude)
    } else {
      append(decimal: UInt(value))
    }
  }
  public mutating func append(decimal value: UInt) {
    var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
    Swift.withUnsafeMutableBytes(of: &digits) { buffer in
      var position = buffer.count
      var rest = value
      repeat {
        position -= 1
        buffer[position] = UInt8(48 + rest % 10)
        rest /= 10
      } while rest > 0
      append(contentsOf: buffer[position...])
    }
  }
  /// The text, ill-formed parts replaced.
  public var string: String { String(decoding: self, as: UTF8.self) }
}
