import Bytes

/// The parts of a document type declaration, as ranges of the input.
///
/// - Source: WHATWG HTML, sections 13.2.5.53 to 13.2.5.68.
struct HTMLDoctype {
  var name: Range<Int>?
  var publicID: Range<Int>?
  var systemID: Range<Int>?
  var forcesQuirks = false

  /// Parses what stands between `<!doctype` and its `>` (or the end of the input: then `isClosed` is false).
  init(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>, isClosed: Bool) {
    var index = range.lowerBound
    let end = range.upperBound
    Self.skipSpace(bytes, &index, end)
    guard index < end else {
      forcesQuirks = true
      return
    }
    let nameStart = index
    while index < end, !bytes[index].isASCIISpace { index += 1 }
    name = nameStart..<index
    Self.skipSpace(bytes, &index, end)
    guard index < end else {
      forcesQuirks = !isClosed
      return
    }
    let keyword = index..<min(index + 6, end)
    index = keyword.upperBound
    if HTMLRenderer.equals(bytes, keyword, "public") {
      Self.skipSpace(bytes, &index, end)
      guard let id = quoted(bytes, &index, end) else { return }
      publicID = id
      Self.skipSpace(bytes, &index, end)
      guard index < end, !forcesQuirks else {
        forcesQuirks = forcesQuirks || !isClosed
        return
      }
    } else if HTMLRenderer.equals(bytes, keyword, "system") {
      Self.skipSpace(bytes, &index, end)
    } else {
      forcesQuirks = true
      return
    }
    guard let id = quoted(bytes, &index, end) else { return }
    systemID = id
    Self.skipSpace(bytes, &index, end)
    if index >= end, !isClosed { forcesQuirks = true }
  }

  private static func skipSpace(_ bytes: UnsafePointer<UInt8>, _ index: inout Int, _ end: Int) {
    while index < end, bytes[index].isASCIISpace { index += 1 }
  }

  /// The quoted identifier at `index`; one that is missing or does not end sets quirks.
  private mutating func quoted(_ bytes: UnsafePointer<UInt8>, _ index: inout Int, _ end: Int) -> Range<Int>? {
    guard index < end, bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "'") else {
      forcesQuirks = true
      return nil
    }
    let quote = bytes[index]
    index += 1
    let start = index
    while index < end, bytes[index] != quote { index += 1 }
    if index >= end {
      forcesQuirks = true
      return start..<end
    }
    index += 1
    return start..<index - 1
  }
}
