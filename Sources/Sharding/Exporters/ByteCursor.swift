import Storage

/// Reads the fields of a piece of an untrusted file one after the other; every length is checked before it is used.
struct ByteCursor {
  let bytes: [UInt8]
  private(set) var position: Int
  private let end: Int
  /// Names the piece in messages.
  private let path: String
  private let piece: String

  /// - Parameters:
  ///   - path: the file, for messages.
  ///   - piece: what of it these bytes are, for messages.
  init(_ bytes: [UInt8], from start: Int = 0, path: String, piece: String) {
    self.bytes = bytes
    self.path = path
    self.piece = piece
    position = min(start, bytes.count)
    end = bytes.count
  }

  var remaining: Int { end - position }
  var isAtEnd: Bool { position == end }

  func damage(_ reason: String) -> StorageError {
    .input(path: path, reason: "\(piece), byte \(position): \(reason)")
  }

  /// - Throws: `.input` at the end.
  mutating func byte() throws(StorageError) -> UInt8 {
    guard position < end else { throw damage("it ends too early") }
    defer { position += 1 }
    return bytes[position]
  }

  /// The range of the next `count` bytes, which are skipped.
  ///
  /// - Throws: `.input` if there are fewer.
  mutating func take(_ count: Int) throws(StorageError) -> Range<Int> {
    guard count >= 0, count <= remaining else { throw damage("it ends too early") }
    defer { position += count }
    return position..<position + count
  }

  /// A length from the file, as an `Int` that is not larger than what remains.
  mutating func length(_ value: UInt64) throws(StorageError) -> Int {
    guard value <= UInt64(remaining) else { throw damage("a length of \(value) bytes lies behind the end") }
    return Int(value)
  }

  /// Base-128 integer, lowest seven bits first, at most ten bytes.
  mutating func varint() throws(StorageError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      let next = try byte()
      // The tenth byte has room for one bit.
      guard shift < 63 || next <= 1 else { break }
      value |= UInt64(next & 0x7F) << UInt64(shift)
      if next < 0x80 { return value }
    }
    throw damage("a variable-length integer does not end")
  }

  mutating func integer<Word: FixedWidthInteger>(_ type: Word.Type) throws(StorageError) -> Word {
    let range = try take(MemoryLayout<Word>.size)
    return bytes.withUnsafeBytes { $0.integer(at: range.lowerBound, as: type) }
  }
}

extension Array where Element == UInt8 {
  /// Base-128 integer, lowest seven bits first.
  mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }
}
