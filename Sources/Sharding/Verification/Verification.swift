import Bytes
import Storage

/// Something that `sluice verify` found wrong: where, and what to do again.
public struct Finding: Equatable, Sendable {
  /// Level of the check that found it: 0 to 3.
  public var level: Int
  /// File or segment, relative to what was verified.
  public var place: String
  public var message: String
  /// Input parts of the segment: what to tokenize again. Empty if they cannot be told.
  public var parts: [String]
  /// Bytes of the file that changed, are missing or are too much; empty if that is not known. A finding of a segment
  /// means its `.tok`.
  public var ranges: [Range<Int>]

  public init(level: Int, place: String, message: String, parts: [String] = [], ranges: [Range<Int>] = []) {
    self.ranges = ranges
    self.level = level
    self.place = place
    self.message = message
    self.parts = parts
  }

  public var json: JSONValue {
    [
      "level": .int(level), "place": .string(place), "message": .string(message),
      "parts": .array(parts.map { .string($0) }),
      "bytes": .array(ranges.map { .array([.int($0.lowerBound), .int($0.upperBound)]) }),
    ]
  }

  /// One line for people.
  public var text: String {
    let shown =
      parts.prefix(8).joined(separator: ", ") + (parts.count > 8 ? " and \(parts.count - 8) more" : "")
    return "\(place): \(message)" + (parts.isEmpty ? "" : ". Tokenize again: \(shown)")
  }
}

/// What was checked and what was found.
public struct Verification: Equatable, Sendable {
  /// What it was: `token store`, `view`, `export`.
  public var kind: String
  public var level: Int
  public var findings: [Finding] = []
  /// Counts of what was looked at: segments, documents, tokens, bytes, sequences.
  public var checked: [(name: String, count: Int)] = []

  /// At most this many are kept: a store with one lost folder has one finding per segment.
  public static let findingsMax = 1000

  public init(kind: String, level: Int) {
    self.kind = kind
    self.level = level
  }

  public var isGood: Bool { findings.isEmpty }

  public mutating func note(_ finding: Finding) {
    if findings.count < Self.findingsMax { findings.append(finding) }
  }

  public mutating func count(_ name: String, _ more: Int) {
    if let index = checked.firstIndex(where: { $0.name == name }) {
      checked[index].count += more
    } else {
      checked.append((name, more))
    }
  }

  public var json: JSONValue {
    [
      "kind": .string(kind), "level": .int(level), "good": .bool(isGood),
      "checked": .object(checked.map { .init($0.name, .int($0.count)) }),
      "findings": .array(findings.map(\.json)),
    ]
  }

  public static func == (a: Verification, b: Verification) -> Bool { a.json == b.json }
}
