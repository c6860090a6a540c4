import Bytes
import Filtering
import Storage
import TestSupport
import Testing

@Suite struct RecipeTests {
  private func recipe(_ rules: String) throws(StorageError) -> Recipe {
    try Recipe(yaml: Array(("recipe: test-1\nrules:\n" + rules).utf8), path: "r.yaml")
  }

  private func message(_ text: String) -> String {
    do throws(StorageError) {
      _ = try Recipe(yaml: Array(text.utf8), path: "r.yaml")
      return "no error"
    } catch {
      return error.message
    }
  }

  @Test func `web names the newest recipe and its bytes have a hash`() throws {
    let web = try Recipe.load(nameOrPath: "web")
    #expect(web.name == "web-1")
    #expect(web.sha256 == (try Recipe.load(nameOrPath: "web-1")).sha256)
    #expect(web.sha256.count == 64)
    #expect(web.entries.count > 30)
    for name in Recipe.names { _ = try Recipe.load(nameOrPath: name) }
  }

  @Test func `a recipe is read from a file that ends with yaml`() throws {
    let folder = try TemporaryFolder()
    try writeFile(folder("mine.yaml"), "recipe: mine-2\nrules:\n  - {rule: word-count, min: 3}\n")
    #expect(try Recipe.load(nameOrPath: folder("mine.yaml")).name == "mine-2")
    #expect(throws: StorageError.self) { try Recipe.load(nameOrPath: folder("none.yaml")) }
  }

  @Test func `an unknown recipe comes with the nearest name`() {
    do throws(StorageError) {
      _ = try Recipe.load(nameOrPath: "wbe-1")
      Issue.record("no error")
    } catch {
      #expect(error.message.contains("Did you mean \"web-1\"?"))
      #expect(error.exitCode == 2)
    }
  }

  @Test(arguments: [
    ("rules:\n  - {rule: word-count, min: 1}\n", "r.yaml:1: the key recipe"),
    ("recipe: a\n", "r.yaml:1: the key rules is missing."),
    ("recipe: a\nrules: []\n", "r.yaml:2: rules must be a list"),
    ("recipe: a\nrule: []\n", "r.yaml:2: unknown key \"rule\". Did you mean \"rules\"?"),
    (
      "recipe: a\nrules:\n  - rule: word-count\n    treshold: 3\n    compare: '<'\n",
      "r.yaml:4: unknown key \"treshold\". Did you mean \"threshold\"?"
    ),
    (
      "recipe: a\nrules:\n  - rule: word-cuont\n    min: 3\n",
      "r.yaml:3: unknown rule \"word-cuont\". Did you mean \"word-count\"?"
    ),
    ("recipe: a\nrules:\n  - min: 3\n", "r.yaml:3: the key rule is missing."),
    ("recipe: a\nrules:\n  - word-count\n", "r.yaml:3: a rule is a mapping"),
    ("recipe: a\nrules:\n  - rule: word-count\n", "r.yaml:3: \"word-count\" has no threshold"),
    ("recipe: a\nrules:\n  - {rule: word-count, min: many}\n", "r.yaml:3: min must be a number."),
    ("recipe: a\nrules:\n  - {rule: word-count, min: 5, max: 4}\n", "r.yaml:3: min is over max"),
    (
      "recipe: a\nrules:\n  - {rule: word-count, min: 5, threshold: 4, compare: '<'}\n",
      "r.yaml:3: use min and max, or"
    ),
    (
      "recipe: a\nrules:\n  - {rule: word-count, threshold: 4}\n",
      "r.yaml:3: threshold needs the key compare."
    ),
    ("recipe: a\nrules:\n  - {rule: word-count, compare: '<'}\n", "r.yaml:3: compare needs a threshold."),
    (
      "recipe: a\nrules:\n  - {rule: word-count, threshold: 4, compare: '=<'}\n",
      "r.yaml:3: compare must be one of"
    ),
    ("recipe: a\nrules:\n  - {rule: word-count, min: 1, scripts: latin}\n", "r.yaml:3: scripts must be"),
    ("recipe: a\nrules:\n  - {rule: word-count, min: 1, off: 1}\n", "r.yaml:3: off must be true or false."),
    ("recipe: a\nrules:\n  - {rule: word-count, min: 1, from-words: -1}\n", "r.yaml:3: from-words must be"),
    ("- a\n", "r.yaml:1: a recipe is a mapping"),
  ])
  func `what is wrong with a recipe is named with its line`(text: String, wanted: String) {
    #expect(message(text).hasPrefix(wanted), "\(message(text))")
  }

  @Test func `a value on the threshold stays, unless the comparison includes it`() throws {
    let entries = try recipe(
      """
        - {rule: word-count, min: 3, max: 5}
        - {rule: word-count, threshold: 3, compare: "<="}
        - {rule: word-count, threshold: 5, compare: ">="}
      """
    ).entries
    func broken(_ entry: Int, _ words: Int) -> Double? {
      entries[entry].broken(by: Measure(words))?.threshold
    }
    #expect([2, 3, 5, 6].map { broken(0, $0) } == [3, nil, nil, 5])
    #expect([3, 4].map { broken(1, $0) } == [3, nil])
    #expect([4, 5].map { broken(2, $0) } == [nil, 5])
    #expect(entries[0].broken(by: Measure(0, per: 0)) == nil)
  }

  @Test func `an entry judges only the texts that it is for`() throws {
    let entries = try recipe(
      """
        - {rule: word-count, min: 3, scripts: spaced}
        - {rule: word-count, min: 3, scripts: unspaced}
        - {rule: word-count, min: 3, english-only: true}
        - {rule: word-count, min: 3, from-words: 5}
        - {rule: word-count, min: 3, off: true}
      """
    ).entries
    #expect(entries.count == 4)
    func applies(_ text: String) -> [Bool] {
      let analysis = TextAnalysis()
      analysis.load(Array(text.utf8).span)
      return entries.map { $0.applies(to: analysis) }
    }
    #expect(applies("It is what it is, and that was all.") == [true, false, true, true])
    #expect(applies("Das ist alles.") == [true, false, false, false])
    #expect(applies("这是全部内容。") == [false, true, false, true])
    #expect(applies("ทั้งหมด") == [false, true, false, true])
    #expect(applies("") == [true, false, false, false])
  }

  @Test func `mutated recipes end in recipes or messages`() {
    var random = SeededRandom(seed: 31)
    let seed = Array(
      "recipe: a\nrules:\n  - {rule: word-count, min: 1, scripts: all}\n  - rule: digit-share\n    max: 0.3\n"
        .utf8)
    for _ in 0..<2000 {
      do throws(StorageError) {
        _ = try Recipe(yaml: random.mutation(of: seed), path: "r.yaml")
      } catch {
        #expect(error.exitCode == 2)
      }
    }
  }
}
