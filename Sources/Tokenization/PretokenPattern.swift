/// A named way to cut text into pretokens: three presets, each with the regular expression that other tools need.
///
/// The same pattern must be used for training, encoding and export; every artefact names it.
///
/// - Source: the patterns of openai/tiktoken (`tiktoken_ext/openai_public.py`), in the form before 0.14, which cuts a
///   trailing run of white space as Hugging Face does.
public enum PretokenPattern: String, Sendable, CaseIterable {
  case gpt2
  case cl100k
  case o200k

  /// A preset by its name; `r50k` is another name of `gpt2`.
  public init?(name: String) {
    switch name {
    case "gpt2", "gpt-2", "r50k", "r50k_base": self = .gpt2
    case "cl100k", "cl100k_base": self = .cl100k
    case "o200k", "o200k_base": self = .o200k
    default: return nil
    }
  }

  /// The preset whose expression is `regex`, in this form or in the form of tiktoken 0.14 (the same ids with the
  /// published vocabularies), or nil.
  public init?(regex: String) {
    for pattern in Self.allCases where pattern.regex == regex || pattern.possessiveRegex == regex {
      self = pattern
      return
    }
    return nil
  }

  public var name: String { rawValue }

  /// Names for messages: what `init(name:)` takes.
  public static var names: String { "gpt2, cl100k, o200k" }

  /// The expression, for `tokenizer.json` and tiktoken.
  public var regex: String {
    switch self {
    case .gpt2: #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    case .cl100k:
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
        + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
    case .o200k:
      #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
        + #"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
        + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
        + #"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
        + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }
  }

  private var possessiveRegex: String {
    switch self {
    case .gpt2: #"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"#
    case .cl100k:
      #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"#
        + #"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"#
    case .o200k: regex
    }
  }
}
