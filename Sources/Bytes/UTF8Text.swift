import CKernels

/// UTF-8: validation, repair and scalar access on bytes.
///
/// - Source: Unicode 16.0, section 3.9: table 3-7 (well-formed sequences) and "substitution of maximal subparts".
public enum UTF8Text {
  /// True if `bytes` is well-formed UTF-8.
  public static func isValid(_ bytes: borrowing Span<UInt8>) -> Bool {
    bytes.withUnsafeBufferPointer { $0.isEmpty || sluice_utf8_valid($0.baseAddress!, $0.count) == 1 }
  }

  /// Plain reference of `isValid`.
  public static func isValidReference(_ bytes: borrowing Span<UInt8>) -> Bool {
    var index = 0
    while index < bytes.count {
      let step = sequence(in: bytes, at: index)
      if !step.isValid { return false }
      index += step.length
    }
    return true
  }

  /// Appends `bytes` to `output` with each maximal ill-formed subpart replaced by U+FFFD; returns the replacements.
  public static func repair(_ bytes: borrowing Span<UInt8>, into output: inout [UInt8]) -> Int {
    if isValid(bytes) {
      output.append(bytes)
      return 0
    }
    var replaced = 0
    var index = 0
    var runStart = 0
    while index < bytes.count {
      let step = sequence(in: bytes, at: index)
      if !step.isValid {
        output.append(bytes.extracting(runStart..<index))
        output.append(0xEF)
        output.append(0xBF)
        output.append(0xBD)
        replaced += 1
        runStart = index + step.length
      }
      index += step.length
    }
    output.append(bytes.extracting(runStart..<bytes.count))
    return replaced
  }

  /// The sequence at `index`: its length in bytes, and whether it is well-formed. An ill-formed one has the length of
  /// its maximal subpart, at least 1.
  public static func sequence(in bytes: borrowing Span<UInt8>, at index: Int) -> (length: Int, isValid: Bool)
  {
    let lead = bytes[index]
    if lead < 0x80 { return (1, true) }
    if lead < 0xC2 || lead > 0xF4 { return (1, false) }
    let needed = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    let low: UInt8 = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80
    let high: UInt8 = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF
    guard index + 1 < bytes.count, bytes[index + 1] >= low, bytes[index + 1] <= high else {
      return (1, false)
    }
    var length = 2
    while length < needed {
      guard index + length < bytes.count, bytes[index + length] & 0xC0 == 0x80 else { return (length, false) }
      length += 1
    }
    return (length, true)
  }

  /// The scalar at `index` of well-formed UTF-8, and its length in bytes. On ill-formed input: U+FFFD and the
  /// length of the maximal subpart.
  @inlinable public static func scalar(in bytes: borrowing Span<UInt8>, at index: Int) -> (
    value: UInt32, length: Int
  ) {
    let lead = bytes[index]
    if lead < 0x80 { return (UInt32(lead), 1) }
    let left = bytes.count - index
    if lead < 0xE0 {
      guard lead >= 0xC2, left >= 2, bytes[index + 1] & 0xC0 == 0x80 else { return (0xFFFD, 1) }
      return (UInt32(lead & 0x1F) << 6 | UInt32(bytes[index + 1] & 0x3F), 2)
    }
    if lead < 0xF0, left >= 3, bytes[index + 1] & 0xC0 == 0x80, bytes[index + 2] & 0xC0 == 0x80 {
      let high = UInt32(lead & 0x0F) << 12 | UInt32(bytes[index + 1] & 0x3F) << 6
      let value = high | UInt32(bytes[index + 2] & 0x3F)
      if value >= 0x800, value & 0xF800 != 0xD800 { return (value, 3) }
    }
    let step = sequence(in: bytes, at: index)
    guard step.isValid else { return (0xFFFD, step.length) }
    if lead < 0xF0 {
      let high = UInt32(lead & 0x0F) << 12 | UInt32(bytes[index + 1] & 0x3F) << 6
      return (high | UInt32(bytes[index + 2] & 0x3F), 3)
    }
    let high = UInt32(lead & 0x07) << 18 | UInt32(bytes[index + 1] & 0x3F) << 12
    return (high | UInt32(bytes[index + 2] & 0x3F) << 6 | UInt32(bytes[index + 3] & 0x3F), 4)
  }

  /// Number of scalars in well-formed UTF-8.
  public static func scalarCount(_ bytes: borrowing Span<UInt8>) -> Int {
    var count = 0
    for index in bytes.indices where bytes[index] & 0xC0 != 0x80 { count += 1 }
    return count
  }
}

extension Array where Element == UInt8 {
  /// Appends a scalar as UTF-8. Surrogates and values above U+10FFFF become U+FFFD.
  @inlinable public mutating func append(scalar value: UInt32) {
    if value < 0x80 {
      append(UInt8(value))
    } else if value < 0x800 {
      append(UInt8(0xC0 | value >> 6))
      append(UInt8(0x80 | value & 0x3F))
    } else if value < 0x10000 {
      let scalar = value & 0xF800 == 0xD800 ? 0xFFFD : value
      append(UInt8(0xE0 | scalar >> 12))
      append(UInt8(0x80 | scalar >> 6 & 0x3F))
      append(UInt8(0x80 | scalar & 0x3F))
    } else if value < 0x110000 {
      append(UInt8(0xF0 | value >> 18))
      append(UInt8(0x80 | value >> 12 & 0x3F))
      append(UInt8(0x80 | value >> 6 & 0x3F))
      append(UInt8(0x80 | value & 0x3F))
    } else {
      append(scalar: 0xFFFD)
    }
  }
}
