import ArgumentParser
import Bytes
import Documents
import Filtering
import Pipeline
import Storage

/// `sluice sample`: some documents to read. Reads only.
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Print a seeded sample of documents, kept or dropped, to be read.",
    discussion: """
      Examples:
        sluice sample corpus -n 5
        sluice sample corpus --dropped --rule lorem-ipsum -n 20
      """)

  @Argument(help: "Folder of a run, or of one stage.")
  var corpus: String

  @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Documents.", valueName: "n"))
  var count = 20

  @Flag(name: .long, help: "Sample dropped documents.")
  var dropped = false

  @Option(
    name: .long,
    help: ArgumentHelp("Only documents that this rule dropped (implies --dropped).", valueName: "rule"))
  var rule: String?

  @Option(name: .long, help: ArgumentHelp("Seed.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(name: .long, help: ArgumentHelp("Characters of text shown.", valueName: "n"))
  var characters = 600

  @Flag(name: .long, help: "Machine output: the documents as JSON lines.")
  var json = false

  func validate() throws {
    guard count > 0 else { throw ValidationError("-n must be at least 1, not \(count).") }
    guard characters > 0 else { throw ValidationError("--characters must be at least 1.") }
  }

  func run() throws {
    let folders = try CorpusFolders(corpus)
    let documents = try Sampling.sample(
      folders, count: count, seed: seed, dropped: dropped || rule != nil, rule: rule)
    if documents.isEmpty {
      throw StorageError.input(
        path: corpus,
        reason: rule.map { "no document was dropped by a rule named \"\($0)\"" } ?? "no documents there")
    }
    if json {
      var batch = DocumentBatch()
      for (_, document) in documents { batch.append(document) }
      var lines: [UInt8] = []
      JSONLinesWriter.append(batch, to: &lines)
      try StandardStreams.write(lines)
      return
    }
    let recipe = folders.stages.compactMap { FilterSettings.recipe(of: $0.manifest) }.first
      .flatMap { try? Recipe.load(nameOrPath: $0) }
    for (stage, document) in documents {
      var text = "── \(document.id.string)\n"
      if !document.url.isEmpty { text += "   \(document.url.string)\n" }
      if let drop = Explanation.drop(of: document) {
        text += "   \(stage): dropped \(Explanation.sentence(drop))\n"
      }
      text += SampleText.shown(document, recipe: recipe, characters: characters) + "\n\n"
      try StandardStreams.write(text)
    }
  }
}

/// The text of a sampled document, cut for reading; what broke the rule stands between ⟦ and ⟧.
enum SampleText {
  static func shown(_ document: Document, recipe: Recipe?, characters: Int) -> String {
    guard let recipe, Explanation.drop(of: document)?["stage"]?.string == "filter" else {
      return cut(document.text.string, characters)
    }
    let explanation = FilterExplanation(of: document.text.span, by: recipe)
    let rule = Explanation.drop(of: document)?["rule"]?.string
    guard let span = explanation.findings.first(where: { $0.rule == rule })?.measure.span,
      span.upperBound <= explanation.text.count
    else { return cut(explanation.text.string, characters) }
    let text = explanation.text
    let before = Array(text[..<span.lowerBound]).string
    let marked = "⟦" + cut(Array(text[span]).string, characters) + "⟧"
    let shownBefore = before.count > characters / 2 ? "[…] " + String(before.suffix(characters / 2)) : before
    let room = max(0, characters - shownBefore.count - marked.count)
    return shownBefore + marked + cut(Array(text[span.upperBound...]).string, room)
  }

  private static func cut(_ text: String, _ characters: Int) -> String {
    let head = text.prefix(characters)
    return String(head) + (head.endIndex < text.endIndex ? " […]" : "")
  }
}
