/// Why a tokenizer file or a text of ids is refused.
public struct TokenizerError: Error, Equatable, Sendable {
  /// Line of the file, from 1, where there is one.
  public var line: Int?
  /// A sentence without the place: what is wrong, and what to do.
  public var reason: String

  public init(_ reason: String, line: Int? = nil) {
    self.line = line
    self.reason = reason
  }

  public var message: String { line.map { "line \($0): \(reason)" } ?? reason }
}
