import Bytes
import Storage

/// `sluice inspect show`: what a rank reads at a step, down to the documents. "The loss spiked at step S": this is the batch.
public struct BatchInspection: Sendable {
  /// A part of a document in a sequence.
  public struct Piece: Sendable {
    public var facts: DocumentFacts
    /// Where it begins in the sequence, and in the document, in tokens.
    public var start: Int
    public var offset: Int
    public var count: Int
    /// The rest of the document behind it is in other sequences, or in none.
    public var isCut: Bool { offset + count < facts.tokens.count }
  }

  /// One sequence of the step.
  public struct Item: Sendable {
    public var replica: Int
    public var microBatch: Int
    public var item: Int
    public var position: Int
    public var epoch: Int
    public var sequence: Int
    public var tokens: [UInt32]
    public var pieces: [Piece]
    /// Ids at the end with loss mask 0 and document -1.
    public var padding: Int
  }

  public let view: View
  public let step: Int
  /// nil: all replicas.
  public let rank: Int?
  public let place: Topology.Coordinates?
  public let microBatch: Int?

  /// - Throws: `.usage` for a step, rank or micro-batch that the view does not have; the message names those it has.
  public init(_ view: View, step: Int, rank: Int?, microBatch: Int? = nil) throws(StorageError) {
    let steps = (max(0, view.positions - view.start) + view.globalBatch - 1) / view.globalBatch
    guard step >= 0, step < steps else {
      throw .usage(
        "--step \(step): the view has the steps 0 to \(steps - 1) in its \(view.epochs) "
          + "epoch\(view.epochs == 1 ? "" : "s").")
    }
    if let rank {
      guard rank >= 0, rank < view.topology.gpus else {
        throw .usage("--rank \(rank): the view has the ranks 0 to \(view.topology.gpus - 1).")
      }
    }
    if let microBatch {
      guard microBatch >= 0, microBatch < view.microBatches else {
        throw .usage("--micro \(microBatch): a step has the micro-batches 0 to \(view.microBatches - 1).")
      }
    }
    self.view = view
    self.step = step
    self.rank = rank
    self.microBatch = microBatch
    place = rank.map { view.topology.coordinates(ofRank: $0) }
  }

  /// Does the rank read tokens itself, or get them from another of its group?
  public var reads: Bool { place.map { view.framework.reads($0, view.topology) } ?? true }

  /// The ids of a sequence that the rank computes.
  public var contextSlices: [Range<Int>] {
    view.topology.contextSlices(ofRank: place?.context ?? 0, tokens: view.order.tokens - view.order.overlap)
  }

  /// Gives the items one by one, micro-batch after micro-batch of one replica, then of the next. Positions behind the end
  /// of the view's epochs (in the last, incomplete step) are left out.
  ///
  /// - Throws: `.input` if a store's files cannot be read; what `body` throws.
  public func forEachItem(
    _ reader: SequenceReader, _ body: (Item) throws(StorageError) -> Void
  ) throws(StorageError) {
    let replicas = place.map { $0.data..<$0.data + 1 } ?? 0..<view.dataParallel
    let micros = microBatch.map { $0..<$0 + 1 } ?? 0..<view.microBatches
    for replica in replicas {
      for micro in micros {
        for item in 0..<view.microBatch {
          guard
            let position = reader.plan.positionInRun(
              .init(step: step, replica: replica, microBatch: micro, item: item))
          else { continue }
          let (epoch, sequence) = reader.plan.sequence(at: position)
          let read = try reader.read(sequence)
          var pieces: [Piece] = []
          for piece in read.pieces {
            let segment = try reader.open(piece.segment)
            pieces.append(
              Piece(
                facts: try DocumentFacts(
                  reader.split, segment: piece.segment, number: piece.document, segment),
                start: piece.start, offset: piece.offset, count: piece.tokens.count))
          }
          try body(
            Item(
              replica: replica, microBatch: micro, item: item, position: position, epoch: epoch,
              sequence: sequence, tokens: read.tokens, pieces: pieces, padding: read.padding))
        }
      }
    }
  }

  /// Writes `{"view","order_hash","step","rank","replica","cp_slices","items":[…]}`, a line per item: memory does not grow
  /// with the batch.
  ///
  /// - Parameter text: of the tokens of a piece; nil: none is written.
  public func writeJSON(
    _ reader: SequenceReader, name: String, text: (([UInt32]) -> String)? = nil,
    _ write: ([UInt8]) throws(StorageError) -> Void
  ) throws(StorageError) {
    let head: JSONValue = [
      "view": .string(name), "order_hash": .string(view.orderHash), "step": .int(step),
      "rank": .optional(rank), "replica": .optional(place?.data), "reads": .bool(reads),
      "cp_slices": .array(contextSlices.map { [.int($0.lowerBound), .int($0.upperBound)] }),
    ]
    var bytes = head.serialized()
    bytes.removeLast()
    bytes.append(",\"items\":[")
    var isFirst = true
    try forEachItem(reader) { (item) throws(StorageError) in
      bytes.append(isFirst ? "\n" : ",\n")
      isFirst = false
      bytes.append(contentsOf: Self.json(item, text).serialized())
      try write(bytes)
      bytes.removeAll(keepingCapacity: true)
    }
    bytes.append("\n]}\n")
    try write(bytes)
  }

  static func json(_ item: Item, _ text: (([UInt32]) -> String)?) -> JSONValue {
    [
      "micro": .int(item.microBatch), "item": .int(item.item), "replica": .int(item.replica),
      "position": .int(item.position), "epoch": .int(item.epoch), "sequence": .int(item.sequence),
      "tokens": .array(item.tokens.map { .int(Int($0)) }),
      "documents": .array(
        item.pieces.map { piece in
          var members = piece.facts.members
          members.insert(
            contentsOf: [
              .init("start", .int(piece.start)), .init("offset", .int(piece.offset)),
              .init("tokens", .int(piece.count)),
              .init("document_tokens", .int(piece.facts.tokens.count)),
            ], at: 3)
          if let text {
            let ids = item.tokens[piece.start..<piece.start + piece.count]
            members.append(.init("text", .string(text(Array(ids)))))
          }
          return .object(members)
        }),
      "padding": .int(item.padding),
    ]
  }
}
