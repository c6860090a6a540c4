import ArgumentParser
import Bytes
import Pipeline
import Sharding
import Storage

/// `sluice inspect where`: from a token or a document to its origin, and to the ranks and steps that read it.
struct InspectWhereCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "where",
    abstract: "Tell where a token or document came from, and who reads it when.",
    discussion: """
      Of a store: the document of a token, with URL, dump and byte offset. Of a
      view also every epoch, step, rank and row that reads it. Ids and URLs are
      looked for in the origins of all documents, which takes time on a large store.

      Examples:
        sluice inspect where store 12345
        sluice inspect where store 0:12345
        sluice inspect where store --document https://magazine.example/en/3
        sluice inspect where view.json --document https://magazine.example/en/3
        sluice inspect where view.json --token 12345 --json
      """)

  @Argument(help: "Folder of a token store, or file of a view.")
  var path: String

  @Argument(help: "Token of the split, from 0, or segment:token in it.")
  var place: String?

  @Option(name: .long, help: ArgumentHelp("The same as the second argument.", valueName: "token"))
  var token: String?

  @Option(name: .long, help: ArgumentHelp("Id or URL of a document.", valueName: "id"))
  var document: String?

  @Option(name: .long, help: ArgumentHelp("Number of a document in the split, from 0.", valueName: "n"))
  var number: Int?

  @Option(name: .long, help: ArgumentHelp("Split of the store. Default: train.", valueName: "name"))
  var split: String?

  @Option(
    name: .long, parsing: .upToNextOption,
    help: ArgumentHelp("Folders of the view's stores. Default: found near the view.", valueName: "folder"))
  var store: [String] = []

  @Flag(name: .long, help: "Machine output.")
  var json = false

  func validate() throws {
    let asked = [place != nil, token != nil, document != nil, number != nil].filter { $0 }.count
    guard asked == 1 else {
      throw ValidationError("Give one of a token, --token, --document or --number.")
    }
  }

  func run() throws {
    if TokenStore.isStore(path) {
      guard store.isEmpty else { throw StorageError.usage("--store is for views; \(path) is a store.") }
      let opened = try StoreSplit(try TokenStore(path), split: split ?? Holdout.train)
      return try print(try find(in: opened), nil)
    }
    let view = try InspectStores.view(path)
    guard split == nil || split == view.order.split else {
      throw StorageError.usage("--split: the view reads the split \(view.order.split).")
    }
    let opened = try InspectStores.split(of: view, at: path, store)
    try print(try find(in: opened), try SequenceReader(view, opened))
  }

  private func find(in split: StoreSplit) throws(StorageError) -> [WhereInspection] {
    guard split.tokens > 0 else {
      throw .usage("The split “\(split.name)” holds no tokens.")
    }
    if let document {
      let found = try DocumentSearch.documents(named: document, in: split, tick: InspectStores.tick)
      guard !found.isEmpty else {
        throw .input(
          path: path,
          reason: "no document of the split “\(split.name)” has the id or URL “\(document)”. "
            + "If it was dropped, `sluice why` tells by which rule")
      }
      return found.map { WhereInspection($0, of: split) }
    }
    if let number { return [try WhereInspection(document: number, of: split)] }
    let text = place ?? token ?? ""
    let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    if numbers.count == 1, let token = numbers[0] { return [try WhereInspection(token: token, of: split)] }
    if numbers.count == 2, let segment = numbers[0], let offset = numbers[1] {
      return [try WhereInspection(segment: segment, offset: offset, of: split)]
    }
    throw .usage("A token is a number, such as 12345, or segment:token, such as 3:12345; not “\(text)”.")
  }

  private func print(_ found: [WhereInspection], _ reader: SequenceReader?) throws {
    var values: [JSONValue] = []
    for (index, one) in found.enumerated() {
      try InspectStores.tick()
      let parts = try reader.map { (reader) throws(StorageError) in try one.parts(reader) }
      let readings = reader.map { one.readings(parts ?? [], $0) }
      if json {
        values.append(one.json(readings, reader?.view))
      } else {
        try StandardStreams.write((index > 0 ? "\n" : "") + text(one, readings, reader?.view))
      }
    }
    if json { try StandardStreams.write(JSONValue.array(values).serialized(indent: 2) + [10]) }
  }

  private func text(_ found: WhereInspection, _ readings: [WhereInspection.Reading]?, _ view: View?) -> String
  {
    let facts = found.facts
    var text = ""
    if let token = found.token {
      text +=
        "token \(Format.count(found.tokenInSplit)) of \(found.split.name): token \(Format.count(token)) of "
    }
    text += "document \(Format.count(facts.document))"
    if found.token == nil { text += " of \(found.split.name)" }
    text += ", \(Format.count(facts.tokens.count)) tokens\n"
    var rows = InspectText.origin(facts)
    rows.append(
      (
        "lies",
        "\(facts.segmentName), document \(Format.count(facts.number)), "
          + "tokens \(Format.count(facts.tokens.lowerBound))–\(Format.count(facts.tokens.upperBound - 1))"
      ))
    rows.append(
      ("part", "\(InspectText.printable(facts.part)), document \(Format.count(facts.numberInPart))"))
    rows.append(("hash", facts.hash))
    for row in rows { text += "  \(row.name.count < 4 ? row.name + " " : row.name)  \(row.value)\n" }
    guard let readings, let view else { return text }
    return text + (readings.isEmpty ? none(view) : table(readings, view))
  }

  private func none(_ view: View) -> String {
    view.order.mixture == nil
      ? "No sequence of the view holds it: it lies in the tail behind the last whole sequence.\n"
      : "No sequence of the view holds it: the mixture does not read its class, or not this far.\n"
  }

  /// Readings that are printed; --json gives all.
  private static let readingsShown = 200

  private func table(_ readings: [WhereInspection.Reading], _ view: View) -> String {
    let rows = readings.prefix(Self.readingsShown).map { reading -> [String] in
      let part = reading.part
      var row = [
        "\(reading.epoch)", Format.count(reading.position), Format.count(part.sequence), "\(part.row)",
        "\(part.offset)", "\(part.count)",
      ]
      if let place = reading.place {
        let ranks = WhereInspection.ranks(ofReplica: place.replica, view)
        let shown = ranks.prefix(6).map(String.init).joined(separator: " ")
        row += [
          Format.count(place.step), "\(place.replica)", "\(place.microBatch)", "\(place.item)",
          shown + (ranks.count > 6 ? " … \(ranks.count) in all" : ""),
        ]
      } else {
        row += ["before", "", "", "", ""]
      }
      return row
    }
    var text = Format.table(
      rows,
      header: [
        "epoch", "position", "sequence", "row", "from token", "tokens", "step", "replica", "micro", "item",
        "ranks",
      ])
    if readings.count > Self.readingsShown {
      text += "… and \(Format.count(readings.count - Self.readingsShown)) more (--json gives all)\n"
    }
    if readings.contains(where: { $0.place == nil }) {
      text +=
        "before: read by the run that this view goes on with, before position \(Format.count(view.start)).\n"
    }
    return text
  }
}
