import Bytes

/// The head of an HTTP response as a crawler stored it, read leniently.
///
/// - Source: RFC 9112; the status lines and headers seen in crawls (reliability notes W14, W15).
struct HTTPResponse {
  enum Form {
    /// A status line and headers.
    case http
    /// No status line, but a page: HTTP/0.9, or a head that was not stored.
    case bodyOnly
    case broken
  }

  private(set) var form = Form.broken
  /// 0 if the status line has no number.
  private(set) var status = 0
  /// True if the empty line behind the headers is there.
  private(set) var isComplete = false
  /// The rest of the block.
  private(set) var body = 0..<0
  private(set) var fields = HeaderFields()

  /// Reads the head of the block that lies in `range`.
  mutating func parse(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, limits: Limits) {
    var start = range.lowerBound
    while start < range.upperBound, bytes[start] == 10 || bytes[start] == 13 { start += 1 }
    let block = bytes.extracting(0..<range.upperBound)
    while true {
      guard isStatusLine(block, start) else {
        let isPage = start < block.count && (block[start] == UInt8(ascii: "<") || block[start] == 0xEF)
        form = isPage ? .bodyOnly : .broken
        isComplete = isPage
        status = isPage ? 200 : 0
        body = start..<range.upperBound
        fields.parse(bytes, start..<start, limit: limits.headerFields)
        return
      }
      form = .http
      let line = min(block.firstIndex(of: 10, from: start) ?? block.count, block.count)
      status = statusCode(block.extracting(start..<line))
      let end = HeaderFields.end(block, from: start)
      isComplete = end != nil
      let bodyStart = end ?? block.count
      let headerEnd = min(bodyStart, start + limits.headerBytes)
      fields.parse(block, min(line + 1, headerEnd)..<headerEnd, limit: limits.headerFields)
      body = bodyStart..<block.count
      // Interim answers stand before the real one.
      guard (100..<200).contains(status), isComplete, isStatusLine(block, bodyStart) else { return }
      start = bodyStart
    }
  }

  private func isStatusLine(_ block: borrowing Span<UInt8>, _ start: Int) -> Bool {
    block.starts(with: "http/", at: start, ignoringCase: true)
      || block.starts(with: "http ", at: start, ignoringCase: true)
      || block.starts(with: "icy ", at: start, ignoringCase: true)
  }

  /// The first number of at most three digits behind a blank.
  private func statusCode(_ line: borrowing Span<UInt8>) -> Int {
    var index = line.firstIndex(of: 32) ?? line.count
    while index < line.count, !line[index].isASCIIDigit { index += 1 }
    var code = 0
    var digits = 0
    while index < line.count, digits < 4, let digit = line[index].decimalDigit {
      code = code * 10 + digit
      digits += 1
      index += 1
    }
    return digits > 3 ? 0 : code
  }

  /// The last media type that can be read; a charset of an earlier one of the same essence is kept.
  ///
  /// - Source: WHATWG Fetch, "extract a MIME type".
  var mediaType: MediaType? {
    var result: MediaType?
    for field in fields.fields where fields.text.span.extracting(field.name).equals(HTTPResponse.contentType)
    {
      guard var type = MediaType(fields.text.span.extracting(field.value)) else { continue }
      if type.charset == nil, let earlier = result, earlier.essence == type.essence {
        type.charset = earlier.charset
      }
      result = type
    }
    return result
  }

  private static let contentType = Array("content-type".utf8)
  private static let transferEncoding = Array("transfer-encoding".utf8)
  private static let contentEncoding = Array("content-encoding".utf8)

  var isChunked: Bool { tokens(of: HTTPResponse.transferEncoding).contains("chunked") }

  /// Content codings in the order in which they were applied.
  var contentCodings: [String] { tokens(of: HTTPResponse.contentEncoding) }

  /// The comma-separated words of all fields of this name, in lower case; at most 10.
  private func tokens(of name: [UInt8]) -> [String] {
    var result: [String] = []
    for field in fields.fields where fields.text.span.extracting(field.name).equals(name) {
      for word in fields.text[field.value].split(separator: UInt8(ascii: ",")) {
        let token = word.span.extracting(word.span.trimmedRange(0..<word.count)).string().lowercased()
        if !token.isEmpty, result.count < 10 { result.append(token) }
      }
    }
    return result
  }
}
