import ArgumentParser
import Bytes
import Documents
import Pipeline
import Storage

/// `sluice why`: what happened to one document. Reads only.
struct WhyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why",
    abstract: "Tell why a document was kept or dropped: stage, rule, value, threshold, peer.",
    discussion: """
      Example:
        sluice why corpus https://example.org/page.html
      """)

  @Argument(help: "Folder of a run, or of one stage.")
  var corpus: String

  @Argument(help: "The document's id or URL.")
  var document: String

  @Flag(name: .long, help: "Machine output: one JSON object.")
  var json = false

  func run() throws {
    let folders = try CorpusFolders(corpus)
    guard let found = try Explanation.find(document, in: folders) else {
      throw StorageError.input(
        path: corpus, reason: "no stage there knows a document with the id or URL \"\(document)\"")
    }
    if json {
      let steps = found.steps.map { step -> JSONValue in
        var members: [JSONValue.Member] = [.init("stage", .string(step.stage)), .init("verdict", .string(step.verdict))]
        if let drop = step.drop { members.append(.init("drop", drop)) }
        return .object(members)
      }
      let value: JSONValue = ["id": .string(found.id), "url": .string(found.url), "stages": .array(steps)]
      try StandardStreams.write(value.serialized() + [10])
      return
    }
    var text = "id   \(found.id)\n"
    if !found.url.isEmpty { text += "url  \(found.url)\n" }
    for step in found.steps {
      text += "\(step.stage): \(step.verdict)"
      if let drop = step.drop { text += " \(Explanation.sentence(drop))" }
      if step.verdict == "kept", let document = step.document,
        let size = JSONMembers.value(of: "cluster_size", in: document.metadata, 0..<document.metadata.count)
      {
        text += ", survivor of a cluster of \(Array(document.metadata[size]).string)"
      }
      text += "\n"
    }
    try StandardStreams.write(text)
  }
}
