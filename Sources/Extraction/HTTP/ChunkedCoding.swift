import Bytes

/// Undoes `Transfer-Encoding: chunked`, also where it is declared but was undone before the record was stored.
///
/// - Source: RFC 9112 section 7.1; lenient as the project's extraction notes, 1.5, ask: sizes of any case, blanks and extensions
///   behind them, LF line ends, trailers.
enum ChunkedCoding {
  enum Outcome: Equatable {
    /// All chunks and the last one.
    case whole
    /// The body does not begin with a chunk: take it as it is.
    case notChunked
    /// The body ends inside a chunk, or without the last one; what was there was appended.
    case cut
    /// A later chunk is malformed; the bytes from there on were appended as they are.
    case malformed
  }

  static func decode(_ body: borrowing Span<UInt8>, into output: inout [UInt8]) -> Outcome {
    var index = 0
    var isFirst = true
    while true {
      guard let (size, start) = sizeLine(body, index) else {
        if isFirst { return .notChunked }
        if index >= body.count { return .cut }
        output.append(body.extracting(index..<body.count))
        return .malformed
      }
      if size == 0 { return .whole }
      let left = body.count - start
      guard size <= left else {
        output.append(body.extracting(start..<body.count))
        return .cut
      }
      let end = start + size
      var next = end
      if next < body.count, body[next] == 13 { next += 1 }
      guard next >= body.count || body[next] == 10 else {
        if isFirst { return .notChunked }
        output.append(body.extracting(start..<body.count))
        return .malformed
      }
      output.append(body.extracting(start..<end))
      index = min(next + 1, body.count)
      isFirst = false
    }
  }

  /// The size on the line at `index`, and the index behind the line; nil if there is none. Sizes over Int32 are cut there:
  /// no body is that long.
  private static func sizeLine(_ body: borrowing Span<UInt8>, _ index: Int) -> (size: Int, next: Int)? {
    var size = 0
    var position = index
    while position < body.count, body[position] == 32 || body[position] == 9 { position += 1 }
    let first = position
    while position < body.count, position - first <= 16, let digit = body[position].hexDigit {
      size = min(size * 16 + digit, Int(Int32.max))
      position += 1
    }
    guard position > first, position - first <= 16 else { return nil }
    while position < body.count, body[position] == 32 || body[position] == 9 { position += 1 }
    guard position < body.count else { return nil }
    if body[position] == UInt8(ascii: ";") {
      guard let newline = body.firstIndex(of: 10, from: position), newline - position <= 4096 else {
        return nil
      }
      return (size, newline + 1)
    }
    while position < body.count, body[position] == 13 { position += 1 }
    guard position < body.count, body[position] == 10 else { return nil }
    return (size, position + 1)
  }
}
