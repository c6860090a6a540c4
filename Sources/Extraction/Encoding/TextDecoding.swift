import Bytes

/// Turns a body into UTF-8: chooses the encoding and decodes. One per worker, because it keeps converters open.
///
/// The order: byte order mark; UTF-16 by its zeros; valid UTF-8 with at least two multi-byte characters, or pure ASCII; the HTTP
/// header's label; the page's `meta`; bytes that are nearly valid UTF-8; windows-1252.
///
/// - Source: extraction notes, section 2.2. Browsers believe a label before valid UTF-8; wrong labels are far more frequent than
///   other text that happens to be valid UTF-8.
final class TextDecoding {
  struct Outcome: Equatable {
    /// WHATWG name of the encoding, in lower case.
    var charset: String
    /// U+FFFD that were put in.
    var replaced = 0
    /// `charset-label`: a label nobody knows.
    var mark: String?
    /// True for encodings that are refused (`encoding-replacement`).
    var isRefused = false
  }

  private var converters: [(name: String, decoder: IconvDecoder?)] = []

  /// Appends the body as UTF-8 without byte order mark.
  ///
  /// - Parameters:
  ///   - isCut: the body may end inside a character; that end is left out.
  ///   - isHTML: look for a `meta` label.
  func decode(
    _ body: borrowing Span<UInt8>, label: String?, isHTML: Bool, isCut: Bool, into output: inout [UInt8]
  ) -> Outcome {
    if body.count >= 3, body[0] == 0xEF, body[1] == 0xBB, body[2] == 0xBF {
      return utf8(body.extracting(3..<body.count), isCut, &output)
    }
    if body.count >= 2, let order = UTF16Text.byteOrder(body) {
      let hasMark = body[0] >= 0xFE && body[1] >= 0xFE
      let end = isCut ? body.count & ~1 : body.count
      let text = body.extracting(min(hasMark ? 2 : 0, end)..<end)
      let replaced = UTF16Text.decode(text, order, into: &output)
      return Outcome(charset: order == .little ? "utf-16le" : "utf-16be", replaced: replaced)
    }
    let whole = body.extracting(0..<(isCut ? TextDecoding.characterEnd(body) : body.count))
    let isJIS = TextDecoding.hasJISEscape(whole)
    if !isJIS, UTF8Text.isValid(whole), TextDecoding.decidesForUTF8(whole) {
      output.append(whole)
      return Outcome(charset: "utf-8")
    }
    return labelled(body, whole, label, isHTML, isCut, &output)
  }

  private func labelled(
    _ body: borrowing Span<UInt8>, _ whole: borrowing Span<UInt8>, _ label: String?, _ isHTML: Bool,
    _ isCut: Bool,
    _ output: inout [UInt8]
  ) -> Outcome {
    var mark: String?
    for source in 0..<2 {
      let name = source == 0 ? label : isHTML ? HTMLMetaCharset.scan(body) : nil
      guard let name else { continue }
      guard var encoding = EncodingLabels.encoding(name) else {
        mark = "charset-label"
        continue
      }
      // The text was seen not to be UTF-16: a label that says so is wrong, and UTF-8 is what such pages are.
      if encoding.decoder == .utf16LittleEndian || encoding.decoder == .utf16BigEndian {
        encoding = EncodingLabels.utf8
      }
      var outcome = decode(body, encoding, isCut, &output)
      if outcome.mark == nil { outcome.mark = mark }
      return outcome
    }
    var outcome =
      UTF8Text.isValid(whole) || mark != nil || TextDecoding.isNearlyUTF8(whole)
      ? utf8(body, isCut, &output) : decode(body, EncodingLabels.windows1252, isCut, &output)
    outcome.mark = mark
    return outcome
  }

  private func decode(
    _ body: borrowing Span<UInt8>, _ encoding: EncodingLabels.Encoding, _ isCut: Bool, _ output: inout [UInt8]
  ) -> Outcome {
    switch encoding.decoder {
    case .utf8, .utf16LittleEndian, .utf16BigEndian: return utf8(body, isCut, &output)
    case .windows1252:
      Windows1252.decode(body, into: &output)
      return Outcome(charset: encoding.name)
    case .replacement: return Outcome(charset: encoding.name, isRefused: true)
    case .iconv(let name):
      guard let decoder = converter(name) else {
        var outcome = utf8(body, isCut, &output)
        outcome.mark = "charset-label"
        return outcome
      }
      return Outcome(charset: encoding.name, replaced: decoder.decode(body, into: &output))
    }
  }

  private func utf8(_ body: borrowing Span<UInt8>, _ isCut: Bool, _ output: inout [UInt8]) -> Outcome {
    let end = isCut ? TextDecoding.characterEnd(body) : body.count
    let replaced = UTF8Text.repair(body.extracting(0..<end), into: &output)
    return Outcome(charset: "utf-8", replaced: replaced)
  }

  private func converter(_ name: String) -> IconvDecoder? {
    for entry in converters where entry.name == name { return entry.decoder }
    let decoder = IconvDecoder(name)
    converters.append((name, decoder))
    return decoder
  }

  /// The end without an incomplete UTF-8 character there (at most 3 bytes).
  static func characterEnd(_ bytes: borrowing Span<UInt8>) -> Int {
    var lead = bytes.count
    while lead > 0, bytes.count - lead < 3 {
      lead -= 1
      let byte = bytes[lead]
      if byte & 0xC0 == 0x80 { continue }
      let needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1
      return bytes.count - lead < needed ? lead : bytes.count
    }
    return bytes.count
  }

  /// Valid UTF-8: two multi-byte characters, or none at all.
  private static func decidesForUTF8(_ bytes: borrowing Span<UInt8>) -> Bool {
    var leads = 0
    for index in bytes.indices where bytes[index] >= 0xC0 {
      leads += 1
      if leads == 2 { return true }
    }
    return leads == 0
  }

  private static func hasJISEscape(_ bytes: borrowing Span<UInt8>) -> Bool {
    var index = 0
    while let escape = bytes.firstIndex(of: 0x1B, from: index) {
      if escape + 1 < bytes.count,
        bytes[escape + 1] == UInt8(ascii: "$") || bytes[escape + 1] == UInt8(ascii: "(")
      {
        return true
      }
      index = escape + 1
    }
    return false
  }

  /// Ten valid multi-byte characters for each ill-formed sequence, in the first 64 KiB: damaged UTF-8, not another encoding.
  private static func isNearlyUTF8(_ bytes: borrowing Span<UInt8>) -> Bool {
    var good = 0
    var bad = 0
    var index = 0
    let end = min(bytes.count, 64 << 10)
    while index < end {
      let step = UTF8Text.sequence(in: bytes, at: index)
      if !step.isValid { bad += 1 } else if step.length > 1 { good += 1 }
      index += step.length
    }
    return good >= 10 * bad
  }
}
