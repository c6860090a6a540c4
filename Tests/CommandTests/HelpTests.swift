import TestSupport
import Testing

/// Every help text says what its command is for in one line, and its examples run as printed.
@Suite struct HelpTests {
  /// Words of all commands, those of subcommands too (`shard`, `shard view`), as the help texts list them.
  private func commands(_ binary: String, below words: [String] = []) throws -> [[String]] {
    let lines = try run(binary, words + ["--help"]).output
      .split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(where: { $0.hasPrefix("SUBCOMMANDS:") }) else { return [] }
    var found: [[String]] = []
    for line in lines[(start + 1)...].prefix(while: { !$0.isEmpty }) {
      // A name stands behind two blanks; a text that goes on is indented further.
      guard line.hasPrefix("  "), !line.hasPrefix("   "), let name = line.split(separator: " ").first,
        name != "help"
      else { continue }
      let command = words + [String(name)]
      found.append(command)
      found += try commands(binary, below: command)
    }
    return found
  }

  /// The example lines of a help text: those that begin with the program's name.
  private func examples(_ help: String) -> [String] {
    var found: [String] = []
    for line in help.split(separator: "\n") {
      let text = String(line.drop { $0 == " " })
      // A long example goes on in the next line behind a backslash or a pipe, as in a shell.
      if let last = found.last, last.hasSuffix("\\") || last.hasSuffix("|") {
        found[found.count - 1] = (last.hasSuffix("|") ? last + " " : String(last.dropLast())) + text
      } else if text.hasPrefix("sluice "), line.hasPrefix("  ") {
        found.append(text)
      }
    }
    return found
  }

  @Test func `each command has a purpose in one line, examples and units`() throws {
    guard let binary = Sluice.binary else { return }
    let commands = try commands(binary)
    #expect(commands.count >= 16, "\(commands)")
    for command in commands {
      let result = try run(binary, command + ["--help"])
      #expect(result.exit == 0 && result.stderr.isEmpty, "\(command)")
      let lines = result.output.split(separator: "\n")
      let overview = try #require(lines.first { $0.hasPrefix("OVERVIEW: ") }, "\(command) has no purpose")
      #expect(overview.count <= 80 && overview.hasSuffix("."), "\(command): \(overview)")
      #expect(!examples(result.output).isEmpty, "\(command) has no example")
    }
  }

  @Test func `the examples of every help text run as printed`() throws {
    guard let binary = Sluice.binary else { return }
    for command in try [[]] + commands(binary) {
      // A folder of its own: examples of one command may make what another's read.
      guard let folder = try Workbench.copy() else { return }
      for line in examples(try run(binary, command + ["--help"]).output) {
        // An example writes into a folder that is not there yet.
        let words = line.split(separator: " ").map(String.init)
        for (option, value) in zip(words, words.dropFirst())
        where ["-o", "--output", "--record"].contains(option) {
          removeTree(folder(value))
        }
        let result = try shell(
          line, environment: Workbench.environment(binary), currentDirectory: folder.path)
        #expect(result.exit == 0, "\(line): exit \(result.exit): \(result.stderr.suffix(300))")
      }
    }
  }

  @Test func `version and help leave standard error alone`() throws {
    guard let binary = Sluice.binary else { return }
    for option in ["--version", "--help"] {
      let result = try run(binary, [option])
      #expect(result.exit == 0 && !result.stdout.isEmpty && result.stderr.isEmpty, "\(option)")
    }
  }
}
