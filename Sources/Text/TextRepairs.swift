import Bytes

/// What `TextRepairs` changed in one text.
public struct RepairCounts: Equatable, Sendable {
  /// CRLF or CR that became LF.
  public var lineBreaks = 0
  /// Controls of C0, C1 and DEL that were removed.
  public var controls = 0
  /// Soft hyphens, zero-width spaces and byte order marks that were removed.
  public var invisibles = 0
  public init() {}
  public var total: Int { lineBreaks + controls + invisibles }
}

/// Removes what no reader sees and every tokenizer would: done once, when a document is extracted.
///
/// CRLF and CR become LF. Controls (C0 except tab and LF, DEL, C1), U+00AD, U+200B and U+FEFF go. U+200C and U+200D stay:
/// they carry meaning in Persian, Indic scripts and emoji.
///
/// - Source: our own rule; which invisibles go follows the project's notes on cleaning.
public enum TextRepairs {
  /// Appends the repaired text; returns what was changed.
  public static func apply(_ text: borrowing Span<UInt8>, into output: inout [UInt8]) -> RepairCounts {
    var counts = RepairCounts()
    var copied = 0
    var index = 0
    while index < text.count {
      let byte = text[index]
      if !suspects[Int(byte)] {
        index += 1
        continue
      }
      let found = finding(text, index, byte)
      if found.length == 0 {
        index += 1
        continue
      }
      output.append(text.extracting(copied..<index))
      switch found.kind {
      case .lineBreak:
        output.append(0x0A)
        counts.lineBreaks += 1
      case .control: counts.controls += 1
      case .invisible: counts.invisibles += 1
      }
      index += found.length
      copied = index
    }
    output.append(text.extracting(copied..<text.count))
    return counts
  }

  private enum Kind { case lineBreak, control, invisible }

  /// First bytes of what may go: controls, DEL, and the leads of C1, U+00AD, U+200B and U+FEFF.
  private static let suspects: [Bool] = (0..<256).map { byte in
    (byte < 0x20 && byte != 0x09 && byte != 0x0A) || [0x7F, 0xC2, 0xE2, 0xEF].contains(byte)
  }

  private static func finding(
    _ text: borrowing Span<UInt8>, _ index: Int, _ byte: UInt8
  ) -> (kind: Kind, length: Int) {
    let second = index + 1 < text.count ? text[index + 1] : 0
    let third = index + 2 < text.count ? text[index + 2] : 0
    switch byte {
    case 0x0D: return (.lineBreak, second == 0x0A ? 2 : 1)
    case 0xC2:
      if second == 0xAD { return (.invisible, 2) }
      return second >= 0x80 && second <= 0x9F ? (.control, 2) : (.control, 0)
    case 0xE2: return (.invisible, second == 0x80 && third == 0x8B ? 3 : 0)
    case 0xEF: return (.invisible, second == 0xBB && third == 0xBF ? 3 : 0)
    default: return (.control, 1)
    }
  }
}
