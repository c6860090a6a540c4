import Bytes
import CKernels

/// Unicode normal form C on bytes, with frozen tables.
///
/// `nfc` is the fast form: it copies what cannot change and works only on the short runs that can. `nfcReference` is the
/// plain form of the standard; a differential test holds them together.
///
/// - Source: Unicode 16.0, UAX 15 and section 3.12 (Hangul). Ill-formed bytes become U+FFFD.
public enum Normalization {
  /// True if NFC would change nothing, as far as a quick look can tell: false may be a false alarm.
  public static func isQuicklyNFC(_ text: borrowing Span<UInt8>) -> Bool {
    firstComposing(text, from: 0) == nil
  }

  /// Appends the NFC of `text`. Returns true if it differs from `text`.
  @discardableResult
  public static func nfc(_ text: borrowing Span<UInt8>, into output: inout [UInt8]) -> Bool {
    var scratch: [UInt32] = []
    var hasChanged = false
    var copied = 0
    while let found = firstComposing(text, from: copied) {
      output.append(text.extracting(copied..<found.start))
      scratch.removeAll(keepingCapacity: true)
      var end = found.start
      // The segment: the starter before the first doubtful scalar, and all doubtful ones that follow.
      while end < text.count {
        let (scalar, length) = UTF8Text.scalar(in: text, at: end)
        if end > found.doubt, !ScalarTraits.of(scalar).contains(.composes) { break }
        appendDecomposed(scalar, to: &scratch)
        end += length
      }
      order(&scratch)
      compose(&scratch)
      let start = output.count
      for scalar in scratch { output.append(scalar: scalar) }
      if !hasChanged { hasChanged = !isSame(output, start, text, found.start, end) }
      copied = end
    }
    output.append(text.extracting(copied..<text.count))
    return hasChanged
  }

  /// Plain reference of `nfc`: decompose all, order all, compose all.
  public static func nfcReference(_ text: borrowing Span<UInt8>, into output: inout [UInt8]) {
    var scalars: [UInt32] = []
    var index = 0
    while index < text.count {
      let (scalar, length) = UTF8Text.scalar(in: text, at: index)
      appendDecomposed(scalar, to: &scalars)
      index += length
    }
    order(&scalars)
    compose(&scalars)
    for scalar in scalars { output.append(scalar: scalar) }
  }

  /// Appends the full canonical decomposition of one scalar, Hangul included; not yet in canonical order.
  public static func appendDecomposed(_ scalar: UInt32, to output: inout [UInt32]) {
    guard ScalarTraits.of(scalar).contains(.decomposes) else {
      output.append(scalar)
      return
    }
    if scalar >= Hangul.syllables && scalar < Hangul.syllables + Hangul.count {
      let index = scalar - Hangul.syllables
      output.append(Hangul.leading + index / (Hangul.vowels * Hangul.trails))
      output.append(Hangul.vowel + index % (Hangul.vowels * Hangul.trails) / Hangul.trails)
      if index % Hangul.trails > 0 { output.append(Hangul.trail + index % Hangul.trails) }
    } else if !UnicodeTables.appendDecomposition(of: scalar, to: &output) {
      output.append(scalar)
    }
  }

  /// Puts each run of marks into canonical order: stable, by combining class.
  static func order(_ scalars: inout [UInt32]) {
    var start = 0
    while start < scalars.count {
      guard UnicodeTables.combiningClass(scalars[start]) != 0 else {
        start += 1
        continue
      }
      var end = start + 1
      var isSorted = true
      while end < scalars.count {
        let marked = UnicodeTables.combiningClass(scalars[end])
        if marked == 0 { break }
        if marked < UnicodeTables.combiningClass(scalars[end - 1]) { isSorted = false }
        end += 1
      }
      if !isSorted { sortMarks(&scalars, start..<end) }
      start = end
    }
  }

  /// One counting sort per run: linear however long a run of marks is.
  private static func sortMarks(_ scalars: inout [UInt32], _ range: Range<Int>) {
    var places = [Int](repeating: 0, count: 257)
    for index in range { places[Int(UnicodeTables.combiningClass(scalars[index])) + 1] += 1 }
    for index in 1..<257 { places[index] += places[index - 1] }
    let marks = Array(scalars[range])
    for mark in marks {
      let marked = Int(UnicodeTables.combiningClass(mark))
      scalars[range.lowerBound + places[marked]] = mark
      places[marked] += 1
    }
  }

  /// Composes decomposed, ordered scalars in place.
  static func compose(_ scalars: inout [UInt32]) {
    var kept = 0
    var starter = -1
    var lastClass = -1
    for index in 0..<scalars.count {
      let scalar = scalars[index]
      let marked = Int(UnicodeTables.combiningClass(scalar))
      // Blocked: something of the same or a higher class, or a starter, stands between it and the last starter.
      if starter >= 0, lastClass < marked, let joined = pair(scalars[starter], scalar) {
        scalars[starter] = joined
        continue
      }
      if marked == 0 {
        starter = kept
        lastClass = -1
      } else {
        lastClass = marked
      }
      scalars[kept] = scalar
      kept += 1
    }
    scalars.removeLast(scalars.count - kept)
  }

  private enum Hangul {
    static let syllables: UInt32 = 0xAC00
    static let leading: UInt32 = 0x1100
    static let vowel: UInt32 = 0x1161
    static let trail: UInt32 = 0x11A7
    static let leads: UInt32 = 19
    static let vowels: UInt32 = 21
    static let trails: UInt32 = 28
    static let count = leads * vowels * trails
  }

  private static func pair(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if first >= Hangul.leading, first < Hangul.leading + Hangul.leads, second >= Hangul.vowel,
      second < Hangul.vowel + Hangul.vowels
    {
      let index = (first - Hangul.leading) * Hangul.vowels + (second - Hangul.vowel)
      return Hangul.syllables + index * Hangul.trails
    }
    if first >= Hangul.syllables, first < Hangul.syllables + Hangul.count,
      (first - Hangul.syllables) % Hangul.trails == 0, second > Hangul.trail,
      second < Hangul.trail + Hangul.trails
    {
      return first + (second - Hangul.trail)
    }
    return UnicodeTables.composition(of: first, and: second)
  }

  /// The first doubtful scalar at or after `from`, and the start of the scalar before it (or its own, if it is first).
  private static func firstComposing(_ text: borrowing Span<UInt8>, from: Int) -> (start: Int, doubt: Int)? {
    let traitsOf = TraitLookup()
    var index = from
    var previous = from
    while index < text.count {
      let lead = text[index]
      if lead < 0x80 {
        index += asciiPrefix(text, index)
        previous = index - 1
        continue
      }
      // U+4000 to U+9FFF: ideographs, all of them inert.
      if lead >= 0xE4, lead <= 0xE9, text.count - index >= 3, text[index + 1] & 0xC0 == 0x80,
        text[index + 2] & 0xC0 == 0x80
      {
        previous = index
        index += 3
        continue
      }
      let (scalar, length) = UTF8Text.scalar(in: text, at: index)
      // U+FFFD may stand for ill-formed bytes, which must be written anew.
      if traitsOf[scalar].contains(.composes) || scalar == 0xFFFD { return (previous, index) }
      previous = index
      index += length
    }
    return nil
  }

  private static func asciiPrefix(_ text: borrowing Span<UInt8>, _ start: Int) -> Int {
    text.withUnsafeBufferPointer { sluice_ascii_prefix($0.baseAddress! + start, $0.count - start) }
  }

  private static func isSame(
    _ output: [UInt8], _ start: Int, _ text: borrowing Span<UInt8>, _ from: Int, _ end: Int
  ) -> Bool {
    output.span.extracting(start..<output.count).equals(text.extracting(from..<end))
  }
}
