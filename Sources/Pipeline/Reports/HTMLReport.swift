import Bytes
import Sharding
import Storage

/// `sluice report --html`: one page about a corpus, from the dump to the ranks.
///
/// The page is made of the JSON that `sluice report` and `sluice inspect` print, and each figure names its place there. It
/// holds its style and drawings itself: no network, no script (its own content policy forbids both), no clock. Charts stand
/// beside tables with the same numbers.
public enum HTMLReport {
  /// The values that a page is made of, and what they were asked for.
  struct Values {
    var title: String
    /// By stage, in order: `report#/filter`.
    var stages: [(name: String, report: ReportValue)] = []
    /// `inspect#/stages/filter`, for stage folders.
    var folders: ReportValue?
    var stores: [(name: String, inspection: ReportValue)] = []
    var views: [(name: String, inspection: ReportValue)] = []

    /// The stages that documents pass; training a tokenizer lets them by.
    var path: [(name: String, report: ReportValue)] {
      stages.filter { $0.report["stage"].string != "train" }
    }
  }

  /// Makes the page of what lies at `path`.
  ///
  /// - Parameters:
  ///   - title: shown at the top; nil: the folder's name as it was given.
  ///   - tick: asked between segments; throws to stop.
  /// - Throws: `.input` if nothing is there to report on, or a store's records cannot be read.
  public static func page(
    of path: String, title: String? = nil, tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> [UInt8] {
    let corpus = try CorpusReport(path)
    var name = path
    while name.count > 1, name.hasSuffix("/") { name.removeLast() }
    var values = Values(title: title ?? Path.name(name))
    let reports = ReportValue(command: "report", corpus.json)
    values.stages = corpus.stages.map { ($0.name, reports[$0.name]) }
    // Of a tokenizer's folder `inspect` shows the tokenizer.
    if corpus.stages.contains(where: { $0.manifest != nil }),
      !FileSystem.exists(Path.join(path, "tokenizer.json"))
    {
      values.folders = ReportValue(command: "inspect", try CorpusInspection.run(path).json)["stages"]
    }
    for store in corpus.stores {
      let inspection = try StoreInspection.run(store.content, tick: tick)
      values.stores.append((store.name, ReportValue(command: command(store.name), inspection.json)))
    }
    for view in corpus.views {
      let split = try StoreSplit.find(for: view.content, viewPath: view.path)
      let inspection = try ViewInspection.run(view.content, split: split)
      values.views.append((view.name, ReportValue(command: command(view.name), inspection.json)))
    }
    return page(values).page
  }

  /// Is this a page that was made here?
  public static func isPage(_ bytes: [UInt8]) -> Bool {
    let mark = Array("<meta name=\"generator\" content=\"sluice ".utf8)
    return bytes.prefix(4096).firstRange(of: mark) != nil
  }

  private static func command(_ name: String) -> String { name.isEmpty ? "inspect" : "inspect \(name)" }

  private static func page(_ values: Values) -> HTMLNode {
    let sections: [(id: String, title: String, node: HTMLNode)] = [
      ("funnel", "From dump to tokens", FunnelSection.node(values)),
      ("drops", "What was dropped", DropSection.node(values)),
      ("languages", "Languages and sources", LanguageSection.node(values)),
      ("tokenizer", "Tokenizer", TokenizerSection.node(values)),
      ("store", "Token store", StoreSection.node(values)),
      ("views", "Who reads what", ViewSection.node(values)),
      ("origin", "What it was made of", OriginSection.node(values)),
    ]
    let shown = sections.filter {
      if case .list(let nodes) = $0.node { return !nodes.isEmpty }
      return true
    }
    return tag(
      "html", ["lang": "en"],
      tag(
        "head", [:], tag("meta", ["charset": "utf-8"]),
        tag("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
        tag(
          "meta",
          [
            "http-equiv": "Content-Security-Policy",
            "content": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
          ]),
        tag("meta", ["name": "color-scheme", "content": "light dark"]),
        tag("meta", ["name": "generator", "content": "sluice \(Version.number)"]),
        tag("link", ["rel": "icon", "href": "data:,"]), tag("title", [:], "\(values.title) · sluice report"),
        .styleSheet(ReportStyle.sheet)),
      tag(
        "body", [:], ReportHeader.node(values),
        tag(
          "nav", ["aria-label": "Sections"],
          all: shown.map { tag("a", ["href": "#\($0.id)"], .text($0.title)) }),
        tag("main", all: shown.map(\.node)),
        tag(
          "footer", [:],
          tag(
            "p", [:],
            """
            Written by sluice \(Version.number) from the reports of this corpus. Every figure carries, as data-path, the \
            command and the place in its JSON that it was read from. Nothing on this page was loaded from a network.
            """))))
  }
}

/// The page's head: what the corpus is in one look.
enum ReportHeader {
  static func node(_ values: HTMLReport.Values) -> HTMLNode {
    var tiles: [HTMLNode] = []
    func tile(_ name: String, _ value: HTMLNode, _ note: HTMLNode) {
      tiles.append(
        tag(
          "li", [:], tag("span", ["class": "name"], .text(name)), tag("strong", [:], value),
          tag("span", ["class": "note"], note)))
    }
    if let first = values.path.first?.report, let last = values.path.last?.report {
      let noun = first["stage"].string == "extract" ? "records in" : "documents in"
      tile(noun, figure(first["documents_in"]), .list([figure(first["text_bytes_in"], .bytes), " of text"]))
      tile(
        "documents kept", figure(last["documents_out"]),
        .list([share(last["documents_out"], of: first["documents_in"]), " of what came in"]))
    }
    for (name, store) in values.stores {
      let label = values.stores.count > 1 && !name.isEmpty ? "tokens, \(name)" : "tokens"
      tile(
        label, figure(store["tokens"]),
        .list([
          figure(store["documents"]), " documents, ", figure(store["vocabulary"]), " ids, ",
          figure(store["dtype"], .text),
        ]))
    }
    if let (_, view) = values.views.first {
      tile(
        "GPUs", figure(view["view"]["gpus"]),
        .list([
          figure(view["data_parallel"]), " replicas, ", figure(view["view"]["order"]["sequences"]),
          " sequences of ", figure(view["view"]["order"]["sequence"]["tokens"]),
        ]))
    }
    return tag(
      "header", [:],
      tag("p", ["class": "brand"], wave, "sluice report"), tag("h1", [:], .text(values.title)),
      tag("ul", ["class": "tiles"], all: tiles))
  }

  /// Water through a gate.
  private static let wave = tag(
    "svg", ["viewBox": "0 0 24 24", "width": "22", "height": "22", "aria-hidden": "true"],
    tag("path", ["class": "gate", "d": "M5 2v20M19 2v20M5 5h14"]),
    tag("path", ["class": "water", "d": "M5 12c2.3-2 4.7-2 7 0s4.7 2 7 0M5 17c2.3-2 4.7-2 7 0s4.7 2 7 0"]))
}
