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
      var text = ""
      if !result.fields.isEmpty {
        text += Format.table(
          result.fields.prefix(100).map {
            [$0.name, InspectText.printable($0.first), InspectText.printable($0.second), $0.meaning]
          }, header: [result.kind, "first", "second", "so"])
        if result.fields.count > 100 {
          text += "… and \(result.fields.count - 100) more (--json lists them)\n"
        }
        text += "\n"
      }
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
