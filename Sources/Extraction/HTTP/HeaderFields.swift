import Bytes

/// Header lines (`name: value`) of WARC records and HTTP messages, read leniently.
///
/// Lines end in LF, CRLF or CR CR LF; a line that begins with a blank continues the value before it, joined by one blank;
/// blanks before the colon are allowed; a line without colon is ignored. A field may repeat: all are kept in order.
///
/// - Source: ISO 28500:2017 section 4; RFC 9112 section 5; malformations seen in crawls (reliability notes W11 to W15).
struct HeaderFields {
  /// Names in lower case and unfolded values, back to back.
  private(set) var text: [UInt8] = []
  private(set) var fields: [(name: Range<Int>, value: Range<Int>)] = []
  /// True if the last parsed header had more fields than the limit; the rest was left out.
  private(set) var isCapped = false

  /// Reads the lines of `range` up to an empty one.
  mutating func parse(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, limit: Int) {
    text.removeAll(keepingCapacity: true)
    fields.removeAll(keepingCapacity: true)
    isCapped = false
    var index = range.lowerBound
    var canFold = false
    while index < range.upperBound {
      let newline = min(bytes.firstIndex(of: 10, from: index) ?? range.upperBound, range.upperBound)
      let line = bytes.trimmedRange(index..<newline)
      let first = bytes[index]
      if line.isEmpty {
        if first != 32 && first != 9 { return }
      } else if first == 32 || first == 9 {
        if canFold { fold(bytes.extracting(line)) }
      } else if let colon = bytes.extracting(line).firstIndex(of: UInt8(ascii: ":")), colon > 0 {
        guard fields.count < limit else {
          isCapped = true
          return
        }
        add(bytes, line, colon + line.lowerBound)
        canFold = true
      } else {
        canFold = false
      }
      index = newline + 1
    }
  }

  private mutating func fold(_ line: borrowing Span<UInt8>) {
    let last = fields.count - 1
    let value = fields[last].value
    if !value.isEmpty { text.append(32) }
    text.append(line)
    fields[last].value = (value.isEmpty ? text.count - line.count : value.lowerBound)..<text.count
  }

  private mutating func add(_ bytes: borrowing Span<UInt8>, _ line: Range<Int>, _ colon: Int) {
    let name = bytes.trimmedRange(line.lowerBound..<colon)
    let value = bytes.trimmedRange(colon + 1..<line.upperBound)
    let start = text.count
    text.append(bytes.extracting(name))
    for index in start..<text.count where text[index].isASCIIUpper { text[index] |= 0x20 }
    let middle = text.count
    text.append(bytes.extracting(value))
    fields.append((start..<middle, middle..<text.count))
  }

  /// Place in `text` of the first value of `name` (lower case), or nil. An empty value counts as none.
  func first(_ name: StaticString) -> Range<Int>? {
    for field in fields where field.name.count == name.utf8CodeUnitCount && !field.value.isEmpty {
      if text.span.extracting(field.name).starts(with: name) { return field.value }
    }
    return nil
  }

  /// True if `range` of `text` begins with `prefix`, lower case, whatever the case of the value.
  func value(_ range: Range<Int>, startsWith prefix: StaticString) -> Bool {
    text.span.extracting(range).starts(with: prefix, at: 0, ignoringCase: true)
  }

  /// Index after the empty line that ends the header starting at `start`, or nil if it does not end in `bytes`.
  /// `scanned`: where an earlier search, over fewer bytes, gave up.
  static func end(_ bytes: borrowing Span<UInt8>, from start: Int, scanned: Int = 0) -> Int? {
    var index = max(start, scanned)
    while let newline = bytes.firstIndex(of: 10, from: index) {
      var next = newline + 1
      while next < bytes.count, bytes[next] == 13 { next += 1 }
      if next < bytes.count, bytes[next] == 10 { return next + 1 }
      index = newline + 1
    }
    return nil
  }
}
