import Bytes
import Glibc
import Text

/// Hashes of a text's shingles: every five consecutive words of its simplified form, joined by one space, XXH64 with seed 0.
///
/// Words are cut by script, so shingles of Chinese or Thai are five characters. Texts of any length are handled in
/// segments of about 256 KiB, each ending at a space, which parts words in simplified text; only a run of more than
/// 64 KiB without any space is cut inside.
///
/// - Source: datatrove 0.10.1 (pipeline/dedup/minhash.py) for the shape of shingles and their hash; the words are ours.
struct Shingler: ~Copyable {
  static let wordsPerShingle = 5
  private static let segmentBytes = 256 << 10
  private static let segmentSlack = 64 << 10

  private var simplifier = Simplifier()
  private let splitter = WordSplitter()
  private var simplified: [UInt8] = []
  private var position = 0
  private var words: [Word] = []
  /// Words of the segment, and the last four of the one before, each followed by a space.
  private var joined: [UInt8] = []
  private var starts: [Int] = []

  /// Begins a new text.
  mutating func begin(_ text: borrowing Span<UInt8>) {
    simplified.removeAll(keepingCapacity: true)
    simplifier.simplify(text, into: &simplified)
    position = 0
    restart()
  }

  /// Appends the shingle hashes of the next segment, in order; false when there is none left.
  mutating func next(into hashes: inout [UInt64]) -> Bool {
    guard position < simplified.count else { return false }
    let end = segmentEnd()
    // Swapped out: the span borrows all of self.
    var words: [Word] = []
    swap(&words, &self.words)
    splitter.split(simplified.span.extracting(position..<end), into: &words)
    joined.reserveCapacity(joined.count + end - position + words.count)
    simplified.withUnsafeBufferPointer { bytes in
      for word in words {
        starts.append(joined.count)
        joined.append(contentsOf: bytes[position + Int(word.start)..<position + Int(word.end)])
        joined.append(0x20)
      }
    }
    swap(&words, &self.words)
    flush(into: &hashes)
    position = end
    return true
  }

  /// Forgets all words.
  mutating func restart() {
    joined.removeAll(keepingCapacity: true)
    starts.removeAll(keepingCapacity: true)
  }

  /// Adds one word.
  mutating func add(_ word: borrowing Span<UInt8>) {
    starts.append(joined.count)
    joined.append(word)
    joined.append(0x20)
  }

  /// Appends the hashes of all shingles that end in a word added since the last call.
  mutating func flush(into hashes: inout [UInt64]) {
    let count = starts.count
    guard count >= Self.wordsPerShingle else { return }
    let last = count - Self.wordsPerShingle
    starts.append(joined.count)
    joined.withUnsafeBytes { bytes in
      starts.withUnsafeBufferPointer { starts in
        for index in 0...last {
          // The space behind the last word does not belong to the shingle.
          let range = starts[index]..<starts[index + Self.wordsPerShingle] - 1
          hashes.append(XXH64.hash(UnsafeRawBufferPointer(rebasing: bytes[range])))
        }
      }
    }
    starts.removeLast()
    let kept = starts[last + 1]
    joined.removeSubrange(0..<kept)
    starts.removeSubrange(0...last)
    for index in starts.indices { starts[index] -= kept }
  }

  private func segmentEnd() -> Int {
    let wanted = position + Self.segmentBytes
    guard wanted < simplified.count else { return simplified.count }
    let limit = min(wanted + Self.segmentSlack, simplified.count)
    if let space = simplified.span.extracting(wanted..<limit).firstIndex(of: 0x20) { return wanted + space }
    var end = limit
    while end < simplified.count, end > wanted, simplified[end] & 0xC0 == 0x80 { end -= 1 }
    return end
  }
}
