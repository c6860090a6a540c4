import Bytes
import Storage
import TestSupport
import Testing

@Suite struct YAMLTests {
  private func read(_ text: String) throws(StorageError) -> YAMLNode {
    try YAMLNode(parsing: Array(text.utf8), path: "p.yaml")
  }

  private func message(_ text: String) -> String {
    do throws(StorageError) {
      _ = try read(text)
      return "no error"
    } catch {
      return error.message
    }
  }

  @Test func `scalars, lists and mappings keep their places`() throws {
    let node = try read(
      "# top\nname: web-1\nrules:\n  - rule: a\n    max: 0.25\n  - {rule: 'b', min: 1_000}\non: true\n")
    #expect(node["name"]?.string == "web-1")
    let rules = try #require(node["rules"]?.sequence)
    #expect(rules.map(\.line) == [4, 6])
    #expect(rules[0]["max"]?.double == 0.25)
    #expect(rules[0]["max"]?.int == nil)
    #expect(rules[1]["min"]?.int == 1000)
    #expect(node["on"]?.bool == true)
    #expect(node.mapping?.map(\.line) == [2, 3, 7])
  }

  @Test func `quotes make text of numbers, truth values and null`() throws {
    let node = try read("a: '1'\nb: \"true\"\nc: 'null'\nd:\ne: ~\n")
    #expect(node["a"]?.int == nil && node["a"]?.string == "1")
    #expect(node["b"]?.bool == nil && node["c"]?.string == "null")
    #expect(node["d"]?.isNull == true && node["e"]?.string == nil)
  }

  @Test func `what is wrong is named with its line`() {
    #expect(message("a: 1\nb: 2\na: 3\n") == "p.yaml:3: key \"a\" stands already on line 1.")
    #expect(message("") == "p.yaml:1: the file is empty.")
    #expect(message("# nothing\n") == "p.yaml:1: the file is empty.")
    #expect(message("a: 1\n---\nb: 2\n") == "p.yaml:2: a second document starts here; only one is allowed.")
    #expect(message("a: &x 1\n").hasPrefix("p.yaml:1: anchors"))
    #expect(message("a: 1\nb: *x\n").hasPrefix("p.yaml:2: anchors"))
    #expect(message("a: !!str 1\n").hasPrefix("p.yaml:1: tags"))
    #expect(message("a: [1, 2\nb: 3\n").hasPrefix("p.yaml:2: "))
    #expect(message("? [a]\n: b\n").hasPrefix("p.yaml:1: a key must be"))
    #expect(message(String(repeating: "[", count: 5000)).contains("nested deeper than 32"))
    #expect(message(String(repeating: "a: 1 ", count: 300_000)).contains("over the limit"))
  }

  @Test func `an unknown key comes with the nearest known one`() throws {
    let node = try read("a: 1\ntreshold: 3\n")
    let entry = try #require(node.mapping?[1])
    #expect(
      node.unknownKey(entry, allowed: ["threshold", "rule"]).message
        == "p.yaml:2: unknown key \"treshold\". Did you mean \"threshold\"?")
    #expect(
      node.unknownKey(entry, allowed: ["max", "min"]).message
        == "p.yaml:2: unknown key \"treshold\". Known: max, min.")
  }

  @Test func `mutated files end in nodes or messages`() {
    var random = SeededRandom(seed: 9)
    let seed = Array(
      "recipe: web\nrules:\n  - rule: a\n    max: 0.2 # c\n  - {rule: \"b\", min: [1, 2]}\n? x\n: |\n  text\n"
        .utf8)
    for _ in 0..<3000 {
      do throws(StorageError) {
        _ = try YAMLNode(parsing: random.mutation(of: seed), path: "p.yaml")
      } catch {
        #expect(error.exitCode == 2)
      }
    }
  }
}
