import Bytes

/// The span functions under test, on arrays: an expectation cannot hold a span.
extension Array where Element == UInt8 {
  var isValidUTF8: Bool { UTF8Text.isValid(span) }
  var isValidUTF8Reference: Bool { UTF8Text.isValidReference(span) }
  func xxh64(seed: UInt64 = 0) -> UInt64 { XXH64.hash(span, seed: seed) }
  var base64Decoded: [UInt8]? { Base64.decode(span) }

  func repaired() -> (bytes: [UInt8], count: Int) {
    var out: [UInt8] = []
    let count = UTF8Text.repair(span, into: &out)
    return (out, count)
  }

  func unescaped() -> (bytes: [UInt8], replaced: Int) {
    var out: [UInt8] = []
    let replaced = JSONText.appendUnescaped(span, to: &out)
    return (out, replaced)
  }

  func escaped() -> [UInt8] {
    var out: [UInt8] = []
    JSONText.append(string: span, to: &out)
    return out
  }

  func place(of byte: UInt8, from start: Int = 0) -> Int? { span.firstIndex(of: byte, from: start) }
  func place(of needle: String, from start: Int = 0) -> Int? {
    span.firstIndex(of: Array(needle.utf8), from: start)
  }
  func has(_ prefix: StaticString, at index: Int, ignoringCase: Bool = false) -> Bool {
    span.starts(with: prefix, at: index, ignoringCase: ignoringCase)
  }
  func trimmed() -> Range<Int> { span.trimmedRange(0..<count) }
  func stringEnd() -> Int? { try? JSONScanner.stringEnd(span, 0) }
}
