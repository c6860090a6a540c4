import Glibc

/// Finds the texts of special tokens: leftmost, and of those that start there the longest.
struct SpecialMatcher {
  struct Match {
    var range: Range<Int>
    var id: UInt32
  }

  /// By first byte, the longest first.
  private var byFirstByte = [[(text: [UInt8], id: UInt32)]](repeating: [], count: 256)

  init(_ specials: [Tokenizer.SpecialToken]) {
    for special in specials {
      let text = Array(special.text.utf8)
      if let first = text.first { byFirstByte[Int(first)].append((text, special.id)) }
    }
    for byte in byFirstByte.indices { byFirstByte[byte].sort { $0.text.count > $1.text.count } }
  }

  func first(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Match? {
    var index = start
    while index < text.count {
      for candidate in byFirstByte[Int(text[index])] where candidate.text.count <= text.count - index {
        let isEqual = candidate.text.withUnsafeBufferPointer {
          memcmp($0.baseAddress!, text.baseAddress! + index, $0.count) == 0
        }
        if isEqual { return Match(range: index..<index + candidate.text.count, id: candidate.id) }
      }
      index += 1
    }
    return nil
  }
}
