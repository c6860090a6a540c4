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
  private let joined = JoinedWords()

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
    joined.reserve(words: words.count, bytes: end - position)
    simplified.withUnsafeBufferPointer { bytes in
      for word in words {
        joined.add(
          UnsafeBufferPointer(rebasing: bytes[position + Int(word.start)..<position + Int(word.end)]))
      }
    }
    swap(&words, &self.words)
    flush(into: &hashes)
    position = end
    return true
  }

  /// Forgets all words.
  mutating func restart() { joined.removeAll() }

  /// Adds one word.
  mutating func add(_ word: borrowing Span<UInt8>) {
    joined.reserve(words: 1, bytes: word.count)
    word.withUnsafeBufferPointer { joined.add($0) }
  }

  /// Appends the hashes of all shingles that end in a word added since the last call.
  mutating func flush(into hashes: inout [UInt64]) { joined.takeShingles(into: &hashes) }

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

/// Words that wait to become shingles: those of a segment, and the last four of the one before, each followed by a space.
///
/// Two buffers that only grow; `add` writes without any check of its own, so `reserve` comes before it.
private final class JoinedWords {
  private var bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
  private var used = 0
  private var starts = UnsafeMutableBufferPointer<Int>.allocate(capacity: 512)
  private var count = 0

  deinit {
    bytes.deallocate()
    starts.deallocate()
  }

  func removeAll() {
    used = 0
    count = 0
  }

  /// Makes room for `words` more words of `length` bytes in all, and for one more start.
  func reserve(words: Int, bytes length: Int) {
    let wantedBytes = used + length + words
    if wantedBytes > bytes.count {
      let grown = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * wantedBytes, alignment: 16)
      memcpy(grown.baseAddress!, bytes.baseAddress!, used)
      bytes.deallocate()
      bytes = grown
    }
    let wantedWords = count + words + 1
    if wantedWords > starts.count {
      let grown = UnsafeMutableBufferPointer<Int>.allocate(capacity: 2 * wantedWords)
      memcpy(grown.baseAddress!, starts.baseAddress!, count * MemoryLayout<Int>.stride)
      starts.deallocate()
      starts = grown
    }
  }

  @inline(__always) func add(_ word: UnsafeBufferPointer<UInt8>) {
    starts[count] = used
    count += 1
    if let source = word.baseAddress { memcpy(bytes.baseAddress! + used, source, word.count) }
    used += word.count
    bytes[used] = 0x20
    used += 1
  }

  /// Appends the hashes of all shingles and keeps the last four words.
  func takeShingles(into hashes: inout [UInt64]) {
    let shingleWords = Shingler.wordsPerShingle
    guard count >= shingleWords else { return }
    let shingleCount = count - shingleWords + 1
    starts[count] = used
    for index in 0..<shingleCount {
      // The space behind the last word does not belong to the shingle.
      let range = starts[index]..<starts[index + shingleWords] - 1
      hashes.append(XXH64.hash(UnsafeRawBufferPointer(rebasing: bytes[range])))
    }
    let kept = starts[shingleCount]
    memmove(bytes.baseAddress!, bytes.baseAddress! + kept, used - kept)
    used -= kept
    count = shingleWords - 1
    for index in 0..<count { starts[index] = starts[shingleCount + index] - kept }
  }
}
