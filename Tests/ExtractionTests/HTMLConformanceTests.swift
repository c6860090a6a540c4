import Bytes
import TestSupport
import Testing

@testable import Extraction

/// The tokenizer cases of html5lib, compared by tokens; parse errors are not kept by sluice.
struct HTMLConformanceTests {
  @Test func theTokenizerPassesHtml5libsCases() throws {
    guard let folder = SharedData.path("data/html/tokenizer") else {
      print("skipped: html5lib tokenizer tests (no shared data)")
      return
    }
    var passed = 0
    var total = 0
    var failures: [String] = []
    for name in try names(in: folder) where name.hasSuffix(".test") && !name.hasPrefix("xmlViolation") {
      let file = try JSONValue.parse(readFile(folder + "/" + name))
      guard case .array(let cases)? = file["tests"] else { continue }
      for test in cases {
        let states: [String]
        if case .array(let list)? = test["initialStates"] {
          states = list.compactMap(\.string)
        } else {
          states = ["Data state"]
        }
        for state in states {
          total += 1
          let (found, wanted) = run(test, state)
          if found == wanted {
            passed += 1
          } else {
            failures.append(
              "\(name): \(test["description"]?.string ?? "") [\(state)]\n  \(found)\n  \(wanted)")
          }
        }
      }
    }
    print("html5lib tokenizer: \(passed) of \(total) pass")
    for failure in failures.prefix(40) { print(failure) }
    #expect(total > 6_000)
    #expect(passed == total)
  }

  /// Tokens of a case, found and wanted, as comparable lines.
  private func run(_ test: JSONValue, _ state: String) -> (found: [String], wanted: [String]) {
    let isEscaped = test["doubleEscaped"] == .bool(true)
    func text(_ value: JSONValue?) -> [UInt8] {
      let plain = Array((value?.string ?? "").utf8)
      return isEscaped ? unescaped(plain) : plain
    }
    var tokens = TokenList()
    if case .array(let expected)? = test["output"] {
      for case .array(let token) in expected { tokens.add(expected: token, text) }
      tokens.finish()
    }
    let start: TokenList.Start
    switch state {
    case "RCDATA state": start = .rcdata
    case "RAWTEXT state": start = .rawText
    case "Script data state": start = .script
    case "PLAINTEXT state": start = .plaintext
    case "CDATA section state": start = .cdata
    default: start = .data
    }
    let found = TokenList.tokenize(
      text(test["input"]), start, lastStartTag: test["lastStartTag"]?.string ?? "")
    return (found.lines, tokens.lines)
  }

  /// `\uXXXX` inside an already decoded string, as the `doubleEscaped` cases have it.
  private func unescaped(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var high: UInt32 = 0
    var index = 0
    while index < bytes.count {
      guard bytes[index] == UInt8(ascii: "\\"), index + 5 < bytes.count, bytes[index + 1] == UInt8(ascii: "u")
      else {
        result.append(bytes[index])
        index += 1
        continue
      }
      var value: UInt32 = 0
      for digit in bytes[index + 2..<index + 6] { value = value << 4 | UInt32(digit.hexDigit ?? 0) }
      if value & 0xFC00 == 0xD800 {
        high = value
      } else if value & 0xFC00 == 0xDC00, high != 0 {
        result.append(scalar: 0x10000 + (high - 0xD800) << 10 + (value - 0xDC00))
        high = 0
      } else {
        result.append(scalar: value)
      }
      index += 6
    }
    return result
  }
}
