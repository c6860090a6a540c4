import Bytes
import Storage

/// Where a run stopped: the order it follows, and the next global position.
///
/// Positions count sequences, not steps, so a run can go on with another number of GPUs, another topology or another batch.
/// With another order it cannot; the whole order is kept, so that the difference can be named.
///
/// File: `{"format":"sluice-state/1","order_hash","next_position","order":{…}}`; trainers' readers write it.
public struct ResumeState: Equatable, Sendable {
  public static let format = "sluice-state/1"

  public var orderHash: String
  public var nextPosition: Int
  public var order: View.Order

  public init(_ view: View, nextPosition: Int) {
    order = view.order
    orderHash = view.order.hash
    self.nextPosition = nextPosition
  }

  public var json: JSONValue {
    [
      "format": .string(Self.format), "order_hash": .string(orderHash), "next_position": .int(nextPosition),
      "order": order.json,
    ]
  }

  /// Is this the text of a state? (Looks at `format` only.)
  public static func isState(_ bytes: [UInt8]) -> Bool {
    (try? JSONValue.parse(bytes))?["format"]?.string == format
  }

  /// - Throws: `.input` that names the member which is missing or contradicts another.
  public init(bytes: [UInt8], path: String) throws(StorageError) {
    let root = try JSONFields(parsing: bytes, path: path)
    guard try root.string("format") == Self.format else {
      throw .input(path: path, reason: "not a resume state of format \(Self.format)")
    }
    orderHash = try root.string("order_hash")
    nextPosition = try root.int("next_position", in: 0...ViewOptions.tokensMax * ViewOptions.epochsMax)
    order = try View.Order(json: try root.object("order"))
    guard order.hash == orderHash else {
      throw .input(path: path, reason: "order_hash is not that of its order: the state was edited or damaged")
    }
  }

  /// - Throws: `.usage` that names every member in which the orders differ.
  public func check(_ other: View.Order) throws(StorageError) {
    let differences = order.differences(from: other)
    guard !differences.isEmpty else { return }
    let list = differences.map { "  \($0.name): \($0.mine) in the state, \($0.other) here\n" }.joined()
    throw .usage(
      "The run cannot go on in this order; going on would repeat and skip sequences in silence. What differs:\n"
        + list + "Use the same store and options, or start a new run.")
  }
}

extension View.Order {
  /// A member of two orders that is not the same.
  public struct Difference: Equatable, Sendable {
    /// Path in the view's file, such as `sequence.tokens`.
    public var name: String
    public var mine: String
    public var other: String
  }

  /// What differs, by the members of the file, in its order.
  public func differences(from other: View.Order) -> [Difference] {
    var result: [Difference] = []
    Self.compare(json, other.json, "", &result)
    return result
  }

  static func compare(_ mine: JSONValue, _ other: JSONValue, _ name: String, _ result: inout [Difference]) {
    guard mine != other else { return }
    if let members = mine.members, let others = other.members {
      for member in members {
        let path = name.isEmpty ? member.key : "\(name).\(member.key)"
        compare(member.value, other[member.key] ?? .null, path, &result)
      }
      for member in others where mine[member.key] == nil {
        let path = name.isEmpty ? member.key : "\(name).\(member.key)"
        compare(.null, member.value, path, &result)
      }
      return
    }
    result.append(Difference(name: name, mine: text(mine), other: text(other)))
  }

  private static func text(_ value: JSONValue) -> String {
    if let string = value.string { return string }
    return String(decoding: value.canonical(), as: UTF8.self)
  }
}
