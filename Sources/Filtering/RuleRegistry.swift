/// All rules that a recipe can name, sorted by name.
public enum RuleRegistry {
  public static let rules: [any Rule] = [
    AlphabeticWords(),
    BulletLines(),
    DigitShare(),
    DuplicateGrams(10),
    DuplicateGrams(12),
    DuplicateGrams(14),
    DuplicateGrams(16),
    DuplicateGrams(18),
    DuplicateGrams(20),
    DuplicateGrams(5),
    DuplicateGrams(6),
    DuplicateGrams(7),
    DuplicateGrams(8),
    DuplicateGrams(9),
    DuplicateLineCharacters(),
    DuplicateLines(),
    DuplicateParagraphCharacters(),
    DuplicateParagraphs(),
    EllipsisLines(),
    EllipsisRatio(),
    HashRatio(),
    LetterShare(),
    LoremIpsum(),
    MeanWordLength(),
    MenuLines(),
    ReplacementCharacters(),
    StopWords(),
    TextWeight(),
    TopGram(2),
    TopGram(3),
    TopGram(4),
    TopGram(6),
    TopGram(8),
    UnbrokenWords(),
    WordCount(),
    WordRecurrence(),
  ]

  public static func rule(named name: String) -> (any Rule)? { rules.first { $0.name == name } }
  public static var names: [String] { rules.map(\.name) }
}
