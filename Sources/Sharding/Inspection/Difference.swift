import Bytes
import Storage

/// What differs between two things of one kind, and what it means.
public struct Difference: Sendable {
  public struct Field: Equatable, Sendable {
    /// Path in the file, such as `order.sequence.tokens`.
    public var name: String
    public var first: String
    public var second: String
    /// What follows from it.
    public var meaning: String
    public init(name: String, first: String, second: String, meaning: String) {
      self.name = name
      self.first = first
      self.second = second
      self.meaning = meaning
    }
  }

  public var kind: String
  public var fields: [Field]
  /// One sentence for people.
  public var conclusion: String
  /// Claims that follow, by name: `same_order`, `same_content`, …
  public var claims: [(name: String, holds: Bool)]
  public var isSame: Bool { fields.isEmpty }

  public init(kind: String, fields: [Field], conclusion: String, claims: [(name: String, holds: Bool)]) {
    self.kind = kind
    self.fields = fields
    self.conclusion = conclusion
    self.claims = claims
  }

  public var json: JSONValue {
    .object(
      [.init("kind", .string(kind)), .init("same", .bool(isSame))]
        + claims.map { .init($0.name, .bool($0.holds)) } + [
          .init(
            "differences",
            .array(
              fields.map {
                [
                  "field": .string($0.name), "first": .string($0.first), "second": .string($0.second),
                  "meaning": .string($0.meaning),
                ]
              })), .init("conclusion", .string(conclusion)),
        ])
  }

  /// Leaves in which two values differ; lists are compared as wholes.
  ///
  /// - Parameter meaning: of a difference at a path.
  public static func fields(
    _ first: JSONValue, _ second: JSONValue, _ name: String = "", meaning: (String) -> String
  ) -> [Field] {
    guard first != second else { return [] }
    if let ones = first.members, let twos = second.members {
      func path(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }
      var found: [Field] = []
      for member in ones {
        found += fields(member.value, second[member.key] ?? .null, path(member.key), meaning: meaning)
      }
      for member in twos where first[member.key] == nil {
        found += fields(.null, member.value, path(member.key), meaning: meaning)
      }
      return found
    }
    return [Field(name: name, first: text(first), second: text(second), meaning: meaning(name))]
  }

  /// Long values are cut: two lists of a thousand files help nobody.
  private static func text(_ value: JSONValue) -> String {
    if value == .null { return "–" }
    let text = value.string ?? String(decoding: value.canonical(), as: UTF8.self)
    return text.utf8.count > 72 ? String(text.prefix(70)) + "…" : text
  }
}

/// Differences of views and of the states of runs.
public enum ViewDifference {
  /// What a member of the order decides.
  private static func orderMeaning(_ name: String) -> String {
    switch name.split(separator: ".").first.map(String.init) ?? name {
    case "store", "stores": "other tokens, or other documents"
    case "split": "another part of the corpus"
    case "seed": "the same sequences in another order"
    case "sequence": "sequences are cut at other places"
    case "packing": "documents share sequences in another way"
    case "shuffle": "the same sequences in another order"
    case "mixture": "other shares of sources or languages"
    default: "follows from the others"
    }
  }

  private static func shapeMeaning(_ name: String) -> String {
    switch name.split(separator: ".").first.map(String.init) ?? name {
    case "gpus", "topology", "gpus_per_node": "other ranks read the same global batches"
    case "batch": "steps have other sizes; the order of sequences stays"
    case "epochs": "tables count another number of epochs; the order stays"
    case "start": "step 0 is another position of the same order"
    case "holdout": "other documents are held out"
    default: "no change of the order"
    }
  }

  static func orders(_ first: View.Order, _ second: View.Order) -> [Difference.Field] {
    Difference.fields(first.json, second.json, "order") { orderMeaning(String($0.dropFirst("order.".count))) }
  }

  public static func run(_ first: View, _ second: View) -> Difference {
    let order = orders(first.order, second.order)
    // `order` was compared on its own; the hash of the file says nothing new.
    func rest(_ view: View) -> JSONValue {
      .object((view.json.members ?? []).filter { !["order", "sha256"].contains($0.key) })
    }
    let shape = Difference.fields(rest(first), rest(second), meaning: shapeMeaning)
    let conclusion: String
    if order.isEmpty, shape.isEmpty {
      conclusion = "The same view."
    } else if order.isEmpty {
      conclusion =
        "The same order (\(first.orderHash)): a run can go from one to the other at any position, and reads on."
    } else {
      conclusion =
        "Another order: a run of one cannot go on with the other, it would repeat and skip sequences."
    }
    return Difference(
      kind: "view", fields: order + shape, conclusion: conclusion,
      claims: [
        ("same_order", order.isEmpty), ("same_content", first.order.stores == second.order.stores),
      ])
  }

  /// Can the run that stopped at `state` go on with `view`?
  public static func run(_ view: View, _ state: ResumeState) -> Difference {
    var fields = orders(view.order, state.order)
    let isSameOrder = fields.isEmpty
    let end = view.positions
    let conclusion: String
    if !isSameOrder {
      conclusion = "Another order: the run cannot go on with this view, it would repeat and skip sequences."
    } else if view.start == state.nextPosition {
      conclusion = "The view goes on where the run stopped, at position \(state.nextPosition)."
    } else {
      fields.append(
        Difference.Field(
          name: "start", first: "\(view.start)", second: "\(state.nextPosition)",
          meaning: "step 0 is not where the run stopped"))
      let step = (state.nextPosition - view.start).quotientAndRemainder(dividingBy: view.globalBatch)
      conclusion =
        state.nextPosition < view.start
        ? "The same order, but the view begins behind the place where the run stopped: it would skip sequences."
        : state.nextPosition >= end
          ? "The same order; the run has read all \(view.epochs) epochs of the view."
          : "The same order; the run stopped in front of step \(step.quotient), item \(step.remainder) of this view. "
            + "`sluice shard --state STATE` makes a view that begins there."
    }
    return Difference(
      kind: "view and state", fields: fields, conclusion: conclusion,
      claims: [
        ("same_order", isSameOrder), ("same_content", view.order.stores == state.order.stores),
      ])
  }

  public static func run(_ first: ResumeState, _ second: ResumeState) -> Difference {
    let order = orders(first.order, second.order)
    var fields = order
    if first.nextPosition != second.nextPosition {
      fields.append(
        Difference.Field(
          name: "next_position", first: "\(first.nextPosition)", second: "\(second.nextPosition)",
          meaning: "one run has read further"))
    }
    let apart = abs(first.nextPosition - second.nextPosition)
    return Difference(
      kind: "state", fields: fields,
      conclusion: !order.isEmpty
        ? "Runs of different orders."
        : apart == 0
          ? "The same place of the same order." : "The same order, \(apart) sequences apart.",
      claims: [
        ("same_order", order.isEmpty), ("same_content", first.order.stores == second.order.stores),
      ])
  }
}
