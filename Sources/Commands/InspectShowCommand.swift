import ArgumentParser
import Bytes
import Pipeline
import Sharding
import Storage
import Tokenization

/// `sluice inspect show`: the batch of a step, as text with the boundaries of its documents and where each came from.
struct InspectShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show what a rank reads at a step: texts, documents, origins.",
    discussion: """
      The loss spiked at step 1200: this prints the batch of that step. Without
      --rank it shows every replica, the beginning of each document only.

      Examples:
        sluice inspect show view.json --step 1 --rank 1
        sluice inspect show view.json --step 1 --rank 1 --micro 0 --full
        sluice inspect show corpus/view/view.json --step 0 --json
      """)

  @Argument(help: "File of a view.")
  var view: String

  @Option(name: .long, help: ArgumentHelp("Step of the run, from 0.", valueName: "n"))
  var step: Int

  @Option(name: .long, help: ArgumentHelp("Rank, from 0, or all. Default: all replicas.", valueName: "n"))
  var rank = "all"

  @Option(name: .long, help: ArgumentHelp("Only this micro-batch of the step, from 0.", valueName: "n"))
  var micro: Int?

  @Option(
    name: .long, parsing: .upToNextOption,
    help: ArgumentHelp("Folders of the view's stores. Default: found near the view.", valueName: "folder"))
  var store: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Folder or file of the tokenizer. Default: found near the store, by its hash.", valueName: "path"))
  var tokenizer: String?

  @Flag(name: .long, help: "Print whole texts, not their beginnings; with --json, the texts too.")
  var full = false

  @Flag(name: .long, help: "Print the ids too.")
  var tokens = false

  @Flag(name: .long, help: "Machine output: ids, documents, padding.")
  var json = false

  func validate() throws {
    guard rank == "all" || Int(rank) != nil else {
      throw ValidationError("--rank is a number or all, not \"\(rank)\".")
    }
  }

  /// Characters of a document's text that are shown: all replicas, one rank.
  private static let shown = (all: 100, one: 600)

  func run() throws {
    let opened = try InspectStores.view(view)
    let batch = try BatchInspection(opened, step: step, rank: Int(rank), microBatch: micro)
    let split = try InspectStores.split(of: opened, at: view, store)
    let reader = try SequenceReader(opened, split)
    let decoder =
      json && !full
      ? nil : try InspectTokenizer.find(for: split, named: tokenizer, near: view)
    if json {
      let text = decoder.map { decoder in { (ids: [UInt32]) in InspectTokenizer.text(ids, decoder) } }
      return try batch.writeJSON(reader, name: view, text: text) { (bytes) throws(StorageError) in
        try InspectStores.tick()
        try StandardStreams.write(bytes)
      }
    }
    try StandardStreams.write(head(batch, split, decoder))
    try batch.forEachItem(reader) { (item) throws(StorageError) in
      try InspectStores.tick()
      try StandardStreams.write(text(item, batch, decoder))
    }
  }

  private func head(_ batch: BatchInspection, _ split: StoreSplit, _ decoder: Tokenizer?) -> String {
    let view = batch.view
    var text = "step \(step), "
    if let rank = batch.rank, let place = batch.place {
      text += "rank \(rank): replica \(place.data) of \(view.dataParallel), "
      text += "tp \(place.tensor), cp \(place.context), pp \(place.pipeline), "
      text += "node \(rank / view.gpusPerNode), GPU \(rank % view.gpusPerNode) there\n"
      if !batch.reads {
        text += "This rank reads no tokens itself: it gets these from a rank of its group, or needs none.\n"
      }
      if view.topology.context > 1 {
        let slices = batch.contextSlices.map { "[\($0.lowerBound), \($0.upperBound))" }
        text += "Of each sequence it computes the ids \(slices.joined(separator: " and ")).\n"
      }
    } else {
      text += "all \(view.dataParallel) replicas, \(InspectText.sequences(view.globalBatch))\n"
    }
    text += "order \(view.orderHash), \(view.order.tokens) ids per sequence, "
    text += "packing \(view.order.packing.policy.rawValue), split \(split.name)\n"
    if decoder == nil {
      text +=
        "The tokenizer (\(split.tokenizer.name), SHA-256 \(split.tokenizer.sha256.prefix(16))…) was not found "
      text += "near the store, so ids are shown. Name it with --tokenizer.\n"
    }
    return text
  }

  private func text(_ item: BatchInspection.Item, _ batch: BatchInspection, _ decoder: Tokenizer?) -> String {
    var text = "\n"
    if batch.rank == nil { text += "replica \(item.replica), " }
    text += "micro-batch \(item.microBatch), item \(item.item): position \(Format.count(item.position)), "
    text += "epoch \(item.epoch), sequence \(Format.count(item.sequence)), "
    text += "\(item.pieces.count) document\(item.pieces.count == 1 ? "" : "s")"
    if item.padding > 0 { text += ", \(item.padding) ids of padding at its end (loss mask 0)" }
    text += "\n"
    for piece in item.pieces { text += self.text(piece, item, batch, decoder) }
    return text
  }

  private func text(
    _ piece: BatchInspection.Piece, _ item: BatchInspection.Item, _ batch: BatchInspection,
    _ decoder: Tokenizer?
  ) -> String {
    let facts = piece.facts
    let end = piece.start + piece.count
    var text = "  ids \(piece.start)–\(end - 1): document \(Format.count(facts.document)), "
    if piece.offset == 0, !piece.isCut {
      text += "whole, \(piece.count) tokens\n"
    } else {
      text += "its tokens \(piece.offset)–\(piece.offset + piece.count - 1) of \(facts.tokens.count)\n"
    }
    for row in InspectText.origin(facts) {
      text += "    \(row.name.count < 4 ? row.name + " " : row.name)  \(row.value)\n"
    }
    let ids = Array(item.tokens[piece.start..<end])
    let shown = full ? Int.max : batch.rank == nil ? Self.shown.all : Self.shown.one
    if tokens || decoder == nil {
      let count = full ? ids.count : min(ids.count, shown / 6)
      text += "    ids   \(ids.prefix(count).map(String.init).joined(separator: " "))"
      text += count < ids.count ? " … \(ids.count - count) more\n" : "\n"
    }
    guard let decoder else { return text }
    let whole = InspectText.printable(InspectTokenizer.text(ids, decoder), keepsLines: batch.rank != nil)
    let head = whole.prefix(shown)
    for line in head.split(separator: "\n", omittingEmptySubsequences: false) { text += "    │ \(line)\n" }
    if head.endIndex < whole.endIndex {
      text += "    │ … \(Format.count(whole[head.endIndex...].count)) more characters (--full)\n"
    }
    return text
  }
}
