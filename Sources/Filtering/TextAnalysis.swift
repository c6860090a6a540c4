import Bytes
import Text

/// One text, cut up once for all rules: counts of scalars, words, lines and repeated runs of words. Each is made when a rule
/// first asks for it. One worker owns an analysis and uses it for document after document.
///
/// Shape: `text` is the normalised text (NFC, tidy white space); all ranges are bytes of it.
///
/// - Source: words by `WordSplitter`, lines cut at LF, paragraphs at empty lines.
public final class TextAnalysis {
  public private(set) var text: [UInt8] = []
  /// True if normalising changed the text that was loaded.
  public private(set) var hasChanged = false
  private var composed: [UInt8] = []

  private var madeCounts: ScalarCounts?
  private var hasWords = false
  private var hasLines = false
  private var hasNumbers = false
  private var hasGrams = false

  private var splitWords: [Word] = []
  private var splitLines: [TextLine] = []
  private var wordNumbers = WordNumbers()
  private var numberedWords: [UInt32] = []
  private var charactersBefore: [UInt32] = []
  private var grams = RepeatedGrams()
  private var measuredGrams = GramMeasures()
  private var seen: [Bool] = []
  private var lineNumbers = WordNumbers()
  private var lineCopies: LineCopies?
  private var functionWords: EnglishWords.Found?
  private var stretches: Stretches?

  public init() {}

  /// Takes the next text: normalises it (NFC, white space) and forgets the one before.
  public func load(_ next: borrowing Span<UInt8>) {
    text.removeAll(keepingCapacity: true)
    if Normalization.isQuicklyNFC(next) {
      hasChanged = WhiteSpace.tidy(next, into: &text)
    } else {
      composed.removeAll(keepingCapacity: true)
      let isComposedAnew = Normalization.nfc(next, into: &composed)
      hasChanged = WhiteSpace.tidy(composed.span, into: &text) || isComposedAnew
    }
    madeCounts = nil
    lineCopies = nil
    functionWords = nil
    stretches = nil
    hasWords = false
    hasLines = false
    hasNumbers = false
    hasGrams = false
  }

  public var counts: ScalarCounts {
    if let madeCounts { return madeCounts }
    let made = ScalarCounts(of: text.span)
    madeCounts = made
    return made
  }

  public var words: [Word] {
    if !hasWords {
      WordSplitter().split(text.span, into: &splitWords)
      hasWords = true
    }
    return splitWords
  }

  public var wordCount: Int { words.count }

  /// Scalars of all words.
  public var wordScalarCount: Int { Int(wordEnds[wordCount]) }

  /// Lines that are not blank.
  public var lines: [TextLine] {
    if !hasLines {
      let words = words
      LineSplitter.split(text.span, words, into: &splitLines)
      hasLines = true
    }
    return splitLines
  }

  /// True if at least half of the letters' weight lies in scripts without spaces: then words are characters, and recipes
  /// set other thresholds.
  public var isUnspaced: Bool { counts.unspacedWeight * 2 >= max(1, counts.letterWeight) }

  /// True if the text looks English: see `EnglishWords`.
  public var looksEnglish: Bool {
    counts.asciiLetters * 10 >= counts.letters * 9
      && english.count * EnglishWords.wordsPerFunctionWord >= max(1, wordCount)
  }

  var english: EnglishWords.Found {
    if let functionWords { return functionWords }
    let found = EnglishWords.find(text.span, words)
    functionWords = found
    return found
  }

  /// `wordEnds[i]`: scalars of the words before word i.
  var wordEnds: [UInt32] {
    numberWords()
    return charactersBefore
  }

  /// Pairs of equal words.
  var equalWordPairs: Int {
    numberWords()
    var pairs = 0
    let counts = wordNumbers.counts
    for number in 0..<wordNumbers.distinctCount {
      pairs += Int(counts[number]) * (Int(counts[number]) - 1) / 2
    }
    return pairs
  }

  /// Repeated runs of `length` words, 2 to `GramMeasures.lengthMax`. Recipes that ask for growing lengths pay for each length
  /// once; another order costs a new start.
  func repeatedRuns(of length: Int) -> GramMeasures.Length {
    if !hasGrams {
      numberWords()
      measuredGrams = GramMeasures()
      grams.start(words: numberedWords, wordNumbers)
      hasGrams = true
    }
    if let known = measuredGrams[length] { return known }
    if grams.length > length { grams.start(words: numberedWords, wordNumbers) }
    while grams.length < length, !grams.places.isEmpty { grams.lengthen(words: numberedWords) }
    if grams.length == length {
      measuredGrams.add(grams, words: splitWords, wordEnds: charactersBefore, seen: &seen)
    }
    return measuredGrams[length] ?? GramMeasures.Length()
  }

  var copies: LineCopies {
    if let lineCopies { return lineCopies }
    let lines = lines
    let found = LineCopies.find(text.span, lines, &lineNumbers)
    lineCopies = found
    return found
  }

  var unbroken: Stretches {
    if let stretches { return stretches }
    let found = Stretches.find(text.span, words)
    stretches = found
    return found
  }

  private func numberWords() {
    if hasNumbers { return }
    let words = words
    // Moved out of the class while they are filled: no check of access per word.
    var numbers = numberedWords
    numberedWords = []
    var ends = charactersBefore
    charactersBefore = []
    var table = WordNumbers()
    swap(&table, &wordNumbers)
    numbers.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    table.removeAll(expecting: words.count)
    text.withUnsafeBufferPointer { bytes in
      var characters: UInt32 = 0
      for word in words {
        numbers.append(table.number(bytes, word.start, word.end))
        ends.append(characters)
        characters &+= word.scalarCount
      }
      ends.append(characters)
    }
    swap(&table, &wordNumbers)
    numberedWords = numbers
    charactersBefore = ends
    hasNumbers = true
  }
}
