import Bytes

/// What a WARC record is. Types are compared without case; unknown ones are counted, not refused.
///
/// - Source: ISO 28500:2017, section 5.5.
public enum WARCRecordType: String, CaseIterable, Sendable {
  case warcinfo, response, resource, request, metadata, revisit, conversion, continuation, unknown

  /// True for the types that give documents.
  public var isDocument: Bool { self == .response || self == .resource || self == .conversion }
}

/// The header of one WARC record.
///
/// Versions 0.17 to 1.1 and any `WARC/0.x`, `WARC/1.x`. Of a field that repeats the first counts.
public struct WARCHeader {
  public private(set) var type = WARCRecordType.unknown
  /// `Content-Length`: digits only, at most Int64; nil where it is missing or anything else.
  public private(set) var length: Int64?
  /// Bytes of the header with its empty line.
  public private(set) var byteCount = 0
  var fields = HeaderFields()

  public init() {}

  /// Reads the header that lies in `range`, from `WARC/` to its empty line.
  public mutating func parse(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, limits: Limits = .standard)
  {
    byteCount = range.count
    let line = bytes.firstIndex(of: 10, from: range.lowerBound) ?? range.upperBound
    fields.parse(bytes, min(line + 1, range.upperBound)..<range.upperBound, limit: limits.headerFields)
    type = fields.first("warc-type").map(recordType) ?? .unknown
    length = fields.first("content-length").flatMap(strictLength)
  }

  private func recordType(_ range: Range<Int>) -> WARCRecordType {
    let value = fields.text.span.extracting(range)
    func isType(_ name: StaticString) -> Bool {
      value.count == name.utf8CodeUnitCount && value.starts(with: name, at: 0, ignoringCase: true)
    }
    if isType("response") { return .response }
    if isType("request") { return .request }
    if isType("metadata") { return .metadata }
    if isType("conversion") { return .conversion }
    if isType("warcinfo") { return .warcinfo }
    if isType("resource") { return .resource }
    if isType("revisit") { return .revisit }
    if isType("continuation") { return .continuation }
    return .unknown
  }

  private func strictLength(_ range: Range<Int>) -> Int64? {
    var value: Int64 = 0
    for index in range {
      guard let digit = fields.text[index].decimalDigit else { return nil }
      let (product, first) = value.multipliedReportingOverflow(by: 10)
      let (sum, second) = product.addingReportingOverflow(Int64(digit))
      if first || second { return nil }
      value = sum
    }
    return value
  }

  /// True if a version line stands at `index`: `WARC/0.` or `WARC/1.`, in any case.
  static func begins(_ bytes: borrowing Span<UInt8>, at index: Int) -> Bool {
    guard bytes.starts(with: "warc/", at: index, ignoringCase: true), index + 6 < bytes.count else {
      return false
    }
    return (bytes[index + 5] == UInt8(ascii: "1") || bytes[index + 5] == UInt8(ascii: "0"))
      && bytes[index + 6] == UInt8(ascii: ".")
  }
}
