import Bytes

/// Finds the encoding that a page declares in its `meta` elements (or its XML declaration).
///
/// - Source: WHATWG HTML, section 13.2.3.2 (prescan). It stops at 1024 bytes; here the scan goes on to the end of `head` or
///   8 KiB, because long heads occur.
public enum HTMLMetaCharset {
  static let longest = 8 << 10

  /// The label as written, in lower case, without blanks around it; nil if none is declared.
  public static func scan(_ bytes: borrowing Span<UInt8>) -> String? {
    let end = min(bytes.count, longest)
    if let label = xmlDeclaration(bytes, end) { return label }
    var index = 0
    while index < end {
      guard let open = bytes.firstIndex(of: UInt8(ascii: "<"), from: index), open < end else { return nil }
      index = open + 1
      if bytes.starts(with: "<!--", at: open, ignoringCase: false) {
        index = commentEnd(bytes, open + 2, end)
      } else if isTag("<meta", bytes, open) {
        index = open + 5
        if let label = meta(bytes, &index, end) { return label }
      } else if open >= 1024, isTag("<body", bytes, open) || isTag("</head", bytes, open) {
        return nil
      } else if isLetter(bytes, open + 1)
        || (isByte(UInt8(ascii: "/"), bytes, open + 1) && isLetter(bytes, open + 2))
      {
        while index < end, !bytes[index].isASCIISpace, bytes[index] != UInt8(ascii: ">") { index += 1 }
        while let attribute = attribute(bytes, &index, end) { _ = attribute }
      } else if index < end, bytes[index] == 0x21 || bytes[index] == 0x2F || bytes[index] == 0x3F {
        index = bytes.firstIndex(of: UInt8(ascii: ">"), from: index) ?? end
      }
    }
    return nil
  }

  private static func isLetter(_ bytes: borrowing Span<UInt8>, _ index: Int) -> Bool {
    index < bytes.count && bytes[index].isASCIILetter
  }

  private static func isByte(_ byte: UInt8, _ bytes: borrowing Span<UInt8>, _ index: Int) -> Bool {
    index < bytes.count && bytes[index] == byte
  }

  /// True if the tag stands at `index` and its name ends there.
  private static func isTag(_ tag: StaticString, _ bytes: borrowing Span<UInt8>, _ index: Int) -> Bool {
    let after = index + tag.utf8CodeUnitCount
    guard after < bytes.count, bytes.starts(with: tag, at: index, ignoringCase: true) else { return false }
    return bytes[after].isASCIISpace || bytes[after] == UInt8(ascii: "/") || bytes[after] == UInt8(ascii: ">")
  }

  /// Index after the `-->` of a comment whose two dashes begin at `start`, which may be its own.
  private static func commentEnd(_ bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var index = start
    while let close = bytes.firstIndex(of: UInt8(ascii: ">"), from: index), close < end {
      if close >= start + 2, bytes[close - 1] == UInt8(ascii: "-"), bytes[close - 2] == UInt8(ascii: "-") {
        return close + 1
      }
      index = close + 1
    }
    return end
  }

  /// The label of one `meta`, or nil; `index` moves behind its attributes.
  private static func meta(_ bytes: borrowing Span<UInt8>, _ index: inout Int, _ end: Int) -> String? {
    var saysContentType = false
    var fromCharset: Range<Int>?
    var fromContent: Range<Int>?
    while let (name, value) = attribute(bytes, &index, end) {
      if matches(bytes, name, "charset") {
        if fromCharset == nil { fromCharset = value }
      } else if matches(bytes, name, "http-equiv") {
        if matches(bytes, value, "content-type") { saysContentType = true }
      } else if matches(bytes, name, "content"), fromContent == nil {
        fromContent = charset(inContent: bytes, value)
      }
    }
    if let range = fromCharset { return label(bytes, range) }
    if saysContentType, let range = fromContent { return label(bytes, range) }
    return nil
  }

  private static func matches(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ word: StaticString)
    -> Bool
  {
    range.count == word.utf8CodeUnitCount
      && bytes.starts(with: word, at: range.lowerBound, ignoringCase: true)
  }

  private static func label(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> String? {
    let trimmed = bytes.trimmedRange(range)
    guard !trimmed.isEmpty, trimmed.count <= 64 else { return nil }
    var lower: [UInt8] = []
    for index in trimmed { lower.append(bytes[index].asciiLowercased) }
    return lower.string
  }

  /// "Get an attribute": name and value; nil at the end of the tag.
  private static func attribute(
    _ bytes: borrowing Span<UInt8>, _ index: inout Int, _ end: Int
  ) -> (name: Range<Int>, value: Range<Int>)? {
    while index < end, bytes[index].isASCIISpace || bytes[index] == UInt8(ascii: "/") { index += 1 }
    guard index < end, bytes[index] != UInt8(ascii: ">") else { return nil }
    let nameStart = index
    index += 1
    while index < end, bytes[index] != UInt8(ascii: "="), bytes[index] != UInt8(ascii: ">"),
      bytes[index] != UInt8(ascii: "/"), !bytes[index].isASCIISpace
    {
      index += 1
    }
    let name = nameStart..<index
    while index < end, bytes[index].isASCIISpace { index += 1 }
    guard index < end, bytes[index] == UInt8(ascii: "=") else { return (name, index..<index) }
    index += 1
    while index < end, bytes[index].isASCIISpace { index += 1 }
    guard index < end else { return nil }
    let quote = bytes[index]
    if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
      let close = bytes.firstIndex(of: quote, from: index + 1) ?? end
      guard close < end else {
        index = end
        return nil
      }
      let value = index + 1..<close
      index = close + 1
      return (name, value)
    }
    let valueStart = index
    while index < end, bytes[index] != UInt8(ascii: ">"), !bytes[index].isASCIISpace { index += 1 }
    return (name, valueStart..<index)
  }

  /// "Extract a character encoding from a meta element": what follows `charset=` in a content value.
  private static func charset(inContent bytes: borrowing Span<UInt8>, _ content: Range<Int>) -> Range<Int>? {
    var index = content.lowerBound
    while index + 7 <= content.upperBound {
      guard bytes.starts(with: "charset", at: index, ignoringCase: true) else {
        index += 1
        continue
      }
      index += 7
      while index < content.upperBound, bytes[index].isASCIISpace { index += 1 }
      guard index < content.upperBound, bytes[index] == UInt8(ascii: "=") else { continue }
      index += 1
      while index < content.upperBound, bytes[index].isASCIISpace { index += 1 }
      guard index < content.upperBound else { return nil }
      let quote = bytes[index]
      let isQuoted = quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
      let start = isQuoted ? index + 1 : index
      index = start
      while index < content.upperBound {
        let byte = bytes[index]
        if isQuoted ? byte == quote : byte.isASCIISpace || byte == UInt8(ascii: ";") { return start..<index }
        index += 1
      }
      return isQuoted ? nil : start..<index
    }
    return nil
  }

  /// `<?xml … encoding="…"` at the start.
  private static func xmlDeclaration(_ bytes: borrowing Span<UInt8>, _ end: Int) -> String? {
    guard bytes.starts(with: "<?xml"), let close = bytes.firstIndex(of: UInt8(ascii: ">")), close < end else {
      return nil
    }
    var index = 5
    while let (name, value) = attribute(bytes, &index, close) {
      if matches(bytes, name, "encoding") { return label(bytes, value) }
    }
    return nil
  }
}
