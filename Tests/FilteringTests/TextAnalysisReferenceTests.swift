import Bytes
import Filtering
import TestSupport
import Testing
import Text

/// Fast forms against plain ones.
@Suite struct TextAnalysisReferenceTests {
  @Test func `scalars are counted in blocks as one by one`() {
    var random = SeededRandom(seed: 41)
    let pool = Array("aZ 09#\t\n.,éßЖ字かกิ한\u{301}\u{3000}\u{FFFD}٣".unicodeScalars.map(\.value))
    let analysis = TextAnalysis()
    for round in 0..<300 {
      var text: [UInt8] = []
      let asciiShare = round % 3
      for _ in 0..<Int.random(in: 0..<400, using: &random) {
        let isPlain = asciiShare > 0 && Int.random(in: 0..<100, using: &random) >= asciiShare
        text.append(
          scalar: isPlain
            ? UInt32.random(in: 0x20..<0x7F, using: &random) : pool.randomElement(using: &random)!)
      }
      analysis.load(text.span)
      var wanted = ScalarCounts()
      for scalar in analysis.text.string.unicodeScalars.map(\.value) {
        let category = UnicodeTables.category(scalar)
        wanted.scalars += 1
        if UnicodeTables.isWhiteSpace(scalar) { wanted.spaces += 1 }
        if category == .Nd { wanted.decimalDigits += 1 }
        if scalar == 0x23 { wanted.hashes += 1 }
        if scalar == 0xFFFD { wanted.replacements += 1 }
        if category.isLetter, scalar < 0x80 { wanted.asciiLetters += 1 }
        if category.isLetter || category.isMark { wanted.spacedLetters += 1 }
      }
      let found = analysis.counts
      #expect(found.scalars == wanted.scalars)
      #expect(found.spaces == wanted.spaces)
      #expect(found.decimalDigits == wanted.decimalDigits)
      #expect(found.hashes == wanted.hashes)
      #expect(found.replacements == wanted.replacements)
      #expect(found.asciiLetters == wanted.asciiLetters)
      #expect(found.letters == wanted.spacedLetters)
    }
  }

  @Test func `repeated runs are found as by looking at all of them`() throws {
    var random = SeededRandom(seed: 42)
    let vocabulary = ["a", "bb", "ccc", "d", "字", "かな", "e\u{301}", "ff"]
    let analysis = TextAnalysis()
    for round in 0..<200 {
      let words = (0..<Int.random(in: 0..<120, using: &random)).map { _ in
        vocabulary[Int.random(in: 0..<(1 + round % vocabulary.count), using: &random)]
      }
      analysis.load(Array(words.joined(separator: " ").utf8).span)
      let cut = analysis.words.map { Array(analysis.text[$0.range]) }
      let lengths = analysis.words.map { Int($0.scalarCount) }
      for rule in RuleRegistry.rules {
        let parts = rule.name.split(separator: "-")
        guard parts.count == 3, let length = Int(parts[1]) else { continue }
        let found = rule.measure(analysis)
        let wanted = rule.name.hasPrefix("top") ? most(cut, lengths, length) : again(cut, lengths, length)
        #expect(found.numerator == wanted, "\(rule.name), round \(round)")
        #expect(found.denominator == lengths.reduce(0, +))
      }
    }
  }

  /// The largest length × count of a run that occurs at least twice.
  private func most(_ words: [[UInt8]], _ lengths: [Int], _ length: Int) -> Int {
    var counts: [[[UInt8]]: Int] = [:]
    var best = 0
    guard words.count >= length else { return 0 }
    for start in 0...(words.count - length) {
      let run = Array(words[start..<start + length])
      counts[run, default: 0] += 1
      if counts[run]! > 1 { best = max(best, lengths[start..<start + length].reduce(0, +) * counts[run]!) }
    }
    return best
  }

  /// The walk of the Gopher rule, as its description has it.
  private func again(_ words: [[UInt8]], _ lengths: [Int], _ length: Int) -> Int {
    var seen = Set<[[UInt8]]>()
    var sum = 0
    var start = 0
    while start + length <= words.count {
      if seen.insert(Array(words[start..<start + length])).inserted {
        start += 1
      } else {
        sum += lengths[start..<start + length].reduce(0, +)
        start += length
      }
    }
    return sum
  }
}
