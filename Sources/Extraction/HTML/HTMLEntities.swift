import Bytes
import CEmbedded

/// The named character references as a trie over bytes, with the longest match.
///
/// - Source: WHATWG HTML, section 13.5; the embedded table is made by `Tools/html-entities/generate.py`.
struct HTMLEntities: Sendable {
  /// Node 0 is the root. Children of a node are a list: first child, then siblings.
  private var byte: [UInt8] = [0]
  private var firstChild: [Int32] = [0]
  private var sibling: [Int32] = [0]
  /// Up to two scalars; (0, 0) where no name ends.
  private var first: [UInt32] = [0]
  private var second: [UInt32] = [0]
  /// First letter to node, so that the long list below the root is never walked.
  private var start = [Int32](repeating: 0, count: 128)

  static let standard = HTMLEntities()

  struct Match {
    /// Bytes of the name, with its semicolon if it has one.
    var length: Int
    var first: UInt32
    /// 0 where the reference stands for one scalar.
    var second: UInt32
    var hasSemicolon: Bool
  }

  init() {
    let table = UnsafeBufferPointer(start: sluice_html_entities_bytes(), count: sluice_html_entities_size)
    var index = 0
    while index < table.count {
      var node = 0
      while index < table.count, table[index] != 9 {
        node = child(of: node, adding: table[index])
        index += 1
      }
      index += 1
      var value: UInt32 = 0
      while index < table.count {
        let byte = table[index]
        index += 1
        if byte == 32 || byte == 10 {
          if first[node] == 0 { first[node] = value } else { second[node] = value }
          value = 0
          if byte == 10 { break }
        } else {
          value = value << 4 | UInt32(byte.hexDigit ?? 0)
        }
      }
    }
  }

  /// The longest name at `position`, at most up to `end`.
  func match(_ text: UnsafePointer<UInt8>, at position: Int, end: Int) -> Match? {
    guard position < end, text[position] < 128 else { return nil }
    var node = Int(start[Int(text[position])])
    var index = position + 1
    var found: Match?
    while node != 0 {
      if first[node] != 0 {
        found = Match(
          length: index - position, first: first[node], second: second[node],
          hasSemicolon: text[index - 1] == UInt8(ascii: ";"))
      }
      guard index < end else { break }
      var next = Int(firstChild[node])
      while next != 0, byte[next] != text[index] { next = Int(sibling[next]) }
      node = next
      index += 1
    }
    return found
  }

  private mutating func child(of node: Int, adding wanted: UInt8) -> Int {
    var next = node == 0 ? Int(start[Int(wanted & 127)]) : Int(firstChild[node])
    if node == 0, next != 0 { return next }
    while next != 0, byte[next] != wanted { next = Int(sibling[next]) }
    if next != 0 { return next }
    next = byte.count
    byte.append(wanted)
    firstChild.append(0)
    first.append(0)
    second.append(0)
    if node == 0 {
      sibling.append(0)
      start[Int(wanted & 127)] = Int32(next)
    } else {
      sibling.append(firstChild[node])
      firstChild[node] = Int32(next)
    }
    return next
  }
}
