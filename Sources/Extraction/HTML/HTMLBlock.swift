/// What the place of a block in the page says about it.
struct HTMLTraits: OptionSet, BitwiseCopyable {
  var rawValue: UInt32
  static let navigation = HTMLTraits(rawValue: 1 << 0)
  static let footer = HTMLTraits(rawValue: 1 << 1)
  static let header = HTMLTraits(rawValue: 1 << 2)
  static let aside = HTMLTraits(rawValue: 1 << 3)
  static let form = HTMLTraits(rawValue: 1 << 4)
  static let hidden = HTMLTraits(rawValue: 1 << 5)
  static let noscript = HTMLTraits(rawValue: 1 << 6)
  static let comment = HTMLTraits(rawValue: 1 << 7)
  static let related = HTMLTraits(rawValue: 1 << 8)
  static let share = HTMLTraits(rawValue: 1 << 9)
  static let breadcrumb = HTMLTraits(rawValue: 1 << 10)
  static let notice = HTMLTraits(rawValue: 1 << 11)
  static let advertisement = HTMLTraits(rawValue: 1 << 12)
  static let byline = HTMLTraits(rawValue: 1 << 13)
  static let main = HTMLTraits(rawValue: 1 << 14)
  static let article = HTMLTraits(rawValue: 1 << 15)
  static let tools = HTMLTraits(rawValue: 1 << 16)
  static let content = HTMLTraits(rawValue: 1 << 17)
}

/// A run of inline text between two block boundaries, rendered.
struct HTMLBlock: BitwiseCopyable {
  enum Kind: UInt8 { case paragraph, heading, item, cell, row, preformatted, caption, other }

  /// Range in the rendered text.
  var start: UInt32
  var end: UInt32
  /// Innermost block element.
  var node: UInt32
  /// Letters: 1 for a letter of an alphabet, 3 for a Han, Kana or Hangul character, so that languages weigh alike.
  var weight: UInt32
  /// The part of `weight` inside links.
  var linkWeight: UInt32
  var kind: Kind
  /// Newlines before it: 1 or 2.
  var breaks: UInt8
  var traits: HTMLTraits
  var isKept: Bool
}

/// A subtree with traits: a range of blocks.
struct HTMLRegion: BitwiseCopyable {
  var node: UInt32
  var firstBlock: UInt32
  var endBlock: UInt32
  var traits: HTMLTraits
}
