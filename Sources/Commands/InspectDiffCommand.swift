import ArgumentParser
import Bytes
import Pipeline
import Sharding
import Storage

/// `sluice inspect diff`: what differs between two stores, views, resume states or stage folders, and what it means.
struct InspectDiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Tell what differs between two stores, views, states or stages.",
    discussion: """
      Exit code 0: the same; 1: something differs. A view and the resume state of
      a run are compared by their orders: can the run go on with this view?

      Examples:
        sluice inspect diff store corpus/store || true
        sluice inspect diff view.json corpus/view/view.json || true
        sluice inspect diff filtered corpus/filter --json || true
      """)

  @Argument(help: "A store, the file of a view or of a resume state, or the folder of a stage.")
  var first: String

  @Argument(help: "Another of that kind.")
  var second: String

  @Flag(name: .long, help: "Machine output.")
  var json = false

  func run() throws {
    let result = try difference()
    if json {
      try StandardStreams.write(result.json.serialized(indent: 2) + [10])
    } else {
      var text = fields(result)
      text += result.conclusion + "\n"
      try StandardStreams.write(text)
    }
    if !result.isSame {
      throw StageExit(
        code: 1,
        message:
          "\(first) and \(second) differ in \(result.fields.count) field\(result.fields.count == 1 ? "" : "s")."
      )
    }
  }

  /// Fields shown of a meaning; --json gives all.
  private static let fieldsShown = 12

  /// What differs, under what it means.
  private func fields(_ result: Difference) -> String {
    var meanings: [String] = []
    for field in result.fields where !meanings.contains(field.meaning) { meanings.append(field.meaning) }
    var text = ""
    for meaning in meanings {
      let fields = result.fields.filter { $0.meaning == meaning }
      text += "\(meaning):\n"
      for field in fields.prefix(Self.fieldsShown) {
        text += "  \(InspectText.printable(field.name)): \(InspectText.printable(field.first))"
        text += " → \(InspectText.printable(field.second))\n"
      }
      if fields.count > Self.fieldsShown {
        text += "  … and \(fields.count - Self.fieldsShown) more (--json lists them)\n"
      }
    }
    return text.isEmpty ? "" : text + "\n"
  }

  private func difference() throws -> Difference {
    switch (try Side(first), try Side(second)) {
    case (.store(let one), .store(let two)):
      return try StoreDifference.run(one, two, tick: InspectStores.tick)
    case (.view(let one), .view(let two)): return ViewDifference.run(one, two)
    case (.view(let view), .state(let state)), (.state(let state), .view(let view)):
      return ViewDifference.run(view, state)
    case (.state(let one), .state(let two)): return ViewDifference.run(one, two)
    case (.stage(let one), .stage(let two)): return try StageDifference.run(one, two)
    case (let one, let two):
      throw StorageError.usage(
        "\(first) is a \(one.name), and \(second) is a \(two.name): they cannot be compared. "
          + "Give two stores, two views, a view and a resume state, or two stage folders.")
    }
  }

  private enum Side {
    case store(TokenStore)
    case view(View)
    case state(ResumeState)
    case stage(String)

    init(_ path: String) throws(StorageError) {
      guard FileSystem.exists(path) else { throw .input(path: path, reason: "no such file or folder") }
      if FileSystem.isFolder(path) {
        if TokenStore.isStore(path) {
          self = .store(try TokenStore(path))
        } else {
          guard try StageManifest.read(path) != nil else {
            throw .input(path: path, reason: "is neither a token store nor a finished stage")
          }
          self = .stage(path)
        }
        return
      }
      let bytes = try FileSystem.readAll(path, limit: 1 << 20)
      if ResumeState.isState(bytes) {
        self = .state(try ResumeState(bytes: bytes, path: path))
      } else {
        self = .view(try View(bytes: bytes, path: path))
      }
    }

    var name: String {
      switch self {
      case .store: "token store"
      case .view: "view"
      case .state: "resume state"
      case .stage: "stage"
      }
    }
  }
}
