import Bytes
import Glibc

/// UTF-16 to UTF-8.
enum UTF16Text {
  enum ByteOrder: Equatable { case little, big }

  /// The byte order of UTF-16 without byte order mark: more than 30 % of the first KiB's bytes are NUL at odd (little endian) or even
  /// offsets (at least four), and none at the others.
  static func byteOrder(_ bytes: borrowing Span<UInt8>) -> ByteOrder? {
    let count = min(bytes.count, 1024) & ~1
    if count >= 2 {
      if bytes[0] == 0xFF, bytes[1] == 0xFE { return .little }
      if bytes[0] == 0xFE, bytes[1] == 0xFF { return .big }
    }
    // Without a zero it is no UTF-16 of this kind: one search, for nearly all pages.
    if bytes.extracting(0..<count).firstIndex(of: 0) == nil { return nil }
    var even = 0
    var odd = 0
    var index = 0
    while index < count {
      if bytes[index] == 0 { even += 1 }
      if bytes[index + 1] == 0 { odd += 1 }
      index += 2
    }
    if even == 0, odd > 3, odd * 10 > count * 3 { return .little }
    if odd == 0, even > 3, even * 10 > count * 3 { return .big }
    return nil
  }

  /// Appends the text; a lone surrogate or an odd last byte becomes U+FFFD. Returns the number of those.
  static func decode(_ bytes: borrowing Span<UInt8>, _ order: ByteOrder, into output: inout [UInt8]) -> Int {
    var replaced = 0
    var index = 0
    func unit(_ index: Int) -> UInt32 {
      let first = UInt32(bytes[index])
      let second = UInt32(bytes[index + 1])
      return order == .little ? second << 8 | first : first << 8 | second
    }
    output.reserveCapacity(output.count + bytes.count)
    while index + 1 < bytes.count {
      let value = unit(index)
      index += 2
      if value & 0xFC00 == 0xD800, index + 1 < bytes.count {
        let low = unit(index)
        if low & 0xFC00 == 0xDC00 {
          output.append(scalar: 0x10000 + (value & 0x3FF) << 10 + (low & 0x3FF))
          index += 2
          continue
        }
      }
      if value & 0xF800 == 0xD800 { replaced += 1 }
      output.append(scalar: value)
    }
    if index < bytes.count {
      output.append(scalar: 0xFFFD)
      replaced += 1
    }
    return replaced
  }
}

/// windows-1252 to UTF-8: every byte has a meaning; the five that Microsoft left out are C1 controls.
///
/// - Source: WHATWG Encoding, index-windows-1252.
enum Windows1252 {
  private static let high: [UInt32] = [
    0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152,
    0x8D, 0x017D, 0x8F,
    0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153,
    0x9D, 0x017E, 0x0178,
  ]

  static func decode(_ bytes: borrowing Span<UInt8>, into output: inout [UInt8]) {
    output.reserveCapacity(output.count + bytes.count + bytes.count / 8)
    var copied = 0
    for index in bytes.indices where bytes[index] >= 0x80 {
      output.append(bytes.extracting(copied..<index))
      let byte = bytes[index]
      output.append(scalar: byte < 0xA0 ? high[Int(byte) - 0x80] : UInt32(byte))
      copied = index + 1
    }
    output.append(bytes.extracting(copied..<bytes.count))
  }
}

/// The C library's converter for one encoding. A pure function of the bytes.
final class IconvDecoder {
  private let handle: iconv_t

  /// Nil if the C library does not know the name.
  init?(_ name: String) {
    guard let handle = iconv_open("UTF-8", name), Int(bitPattern: handle) != -1 else { return nil }
    self.handle = handle
  }

  deinit { iconv_close(handle) }

  /// Appends the text; a byte that begins no character becomes U+FFFD, and decoding goes on behind it, so that a broken byte
  /// cannot swallow the `<` behind it. Returns the number of replacements.
  func decode(_ bytes: borrowing Span<UInt8>, into output: inout [UInt8]) -> Int {
    iconv(handle, nil, nil, nil, nil)
    var replaced = 0
    bytes.withUnsafeBufferPointer { input in
      guard let base = input.baseAddress else { return }
      // SAFETY: iconv reads `left` bytes from the input and writes at most `room` bytes; it does not write through its input.
      var source: UnsafeMutablePointer<CChar>? = UnsafeMutableRawPointer(mutating: base).assumingMemoryBound(
        to: CChar.self)
      var left = input.count
      while left > 0 {
        var failed = false
        var code: Int32 = 0
        output.append(addingCapacity: min(left * 2 + 64, 1 << 20)) { (space: inout OutputSpan<UInt8>) in
          space.withUnsafeMutableBufferPointer { buffer, initialized in
            var target: UnsafeMutablePointer<CChar>? = UnsafeMutableRawPointer(buffer.baseAddress!)
              .assumingMemoryBound(to: CChar.self)
            var room = buffer.count
            failed = iconv(handle, &source, &left, &target, &room) == -1
            code = errno
            initialized = buffer.count - room
          }
        }
        guard failed else { break }
        if code == E2BIG { continue }
        output.append(scalar: 0xFFFD)
        replaced += 1
        // EINVAL: the text ends inside a character.
        if code != EILSEQ || left == 0 { break }
        source = source.map { $0 + 1 }
        left -= 1
      }
    }
    return replaced
  }
}
