import Bytes
import Storage

/// `sluice inspect where`: a token or a document of a store, and where a view reads it. The inverse of `show`.
public struct WhereInspection: Sendable {
  /// Consecutive tokens of the document in one sequence.
  public struct Part: Equatable, Sendable {
    public var sequence: Int
    /// Where they begin in the sequence and in the document, in tokens.
    public var row: Int
    public var offset: Int
    public var count: Int
  }

  /// One time that a part is read.
  public struct Reading: Equatable, Sendable {
    public var part: Part
    public var epoch: Int
    public var position: Int
    /// nil: before the view's start, so by the run that this view goes on with.
    public var place: SequencePlan.Place?
  }

  public let split: StoreSplit
  public let facts: DocumentFacts
  /// The token that was asked for, counted from the document's first; nil: the whole document.
  public let token: Int?

  /// The document of a token.
  ///
  /// - Parameter token: counted through the split.
  /// - Throws: `.usage` for a token that the split does not have.
  public init(token: Int, of split: StoreSplit) throws(StorageError) {
    guard token >= 0, token < split.tokens else {
      throw .usage("Token \(token): the split “\(split.name)” has the tokens 0 to \(split.tokens - 1).")
    }
    let segment = split.segment(ofToken: token)
    try self.init(segment: segment, offset: token - split.segments[segment].firstToken, of: split)
  }

  /// The document of a token of a segment.
  public init(segment: Int, offset: Int, of split: StoreSplit) throws(StorageError) {
    guard split.segments.indices.contains(segment) else {
      throw .usage(
        "Segment \(segment): the split “\(split.name)” has the segments 0 to \(split.segments.count - 1).")
    }
    let tokens = split.segments[segment].entry.tokens
    guard offset >= 0, offset < tokens else {
      throw .usage("Token \(segment):\(offset): that segment has the tokens 0 to \(tokens - 1).")
    }
    let reader = try split.open(segment)
    let facts = try DocumentFacts(
      split, segment: segment, number: try reader.document(atToken: offset), reader)
    self.init(facts, of: split, token: offset - facts.tokens.lowerBound)
  }

  /// A document by its number in the split.
  public init(document: Int, of split: StoreSplit) throws(StorageError) {
    guard document >= 0, document < split.documents else {
      throw .usage(
        "Document \(document): the split “\(split.name)” has the documents 0 to \(split.documents - 1).")
    }
    let segment = split.segment(ofDocument: document)
    let number = document - split.segments[segment].firstDocument
    self.init(
      try DocumentFacts(split, segment: segment, number: number, try split.open(segment)), of: split)
  }

  /// A document that was found by its name.
  public init(_ facts: DocumentFacts, of split: StoreSplit, token: Int? = nil) {
    self.split = split
    self.facts = facts
    self.token = token
  }

  /// Number in the split of the token that was asked for, or of the document's first.
  public var tokenInSplit: Int {
    split.segments[facts.segment].firstToken + facts.tokens.lowerBound + (token ?? 0)
  }

  // MARK: In a view

  /// The sequences that hold the document or the token, in the order of the document. Of a stream this is arithmetic; a pack
  /// index is read through its unit's pieces.
  ///
  /// - Throws: `.usage` if the view was not made of these stores; `.input` for a damaged or missing pack index.
  public func parts(_ reader: SequenceReader) throws(StorageError) -> [Part] {
    let found =
      switch try SequenceLayout(reader.view, split) {
      case .stream: streamParts(reader.view)
      case .packs(let layout): try packParts(layout, reader)
      }
    guard let token else { return found }
    return found.filter { $0.offset <= token && token < $0.offset + $0.count }.map {
      Part(sequence: $0.sequence, row: $0.row + token - $0.offset, offset: token, count: 1)
    }
  }

  private func streamParts(_ view: View) -> [Part] {
    let size = view.order.tokens
    let step = size - view.order.overlap
    let first = split.segments[facts.segment].firstToken + facts.tokens.lowerBound
    let end = first + facts.tokens.count
    // Sequence k holds [k·step, k·step + size).
    let least = first < size ? 0 : (first - size) / step + 1
    let most = min((end - 1) / step, view.order.sequences - 1)
    guard least <= most else { return [] }
    return (least...most).map { sequence in
      let start = sequence * step
      let from = max(first, start)
      return Part(
        sequence: sequence, row: from - start, offset: from - first,
        count: min(end, start + size) - from)
    }
  }

  private func packParts(_ layout: PackLayout, _ reader: SequenceReader) throws(StorageError) -> [Part] {
    let place = split.segments[facts.segment]
    guard
      let unit = layout.units.firstIndex(where: {
        $0.store == place.store && $0.entry.segmentRange.contains(place.number)
      })
    else { return [] }
    let pack = try layout.open(unit)
    let number = pack.number(ofDocument: facts.number, inSegment: place.number)
    var found: [Part] = []
    for (bin, piece) in try pack.bins(holding: number) {
      guard let sequence = layout.sequence(at: .init(unit: unit, bin: bin)) else { continue }
      let pieces = try reader.pieces(of: sequence)
      guard
        let row = pieces.first(where: {
          $0.segment == facts.segment && $0.document == facts.number && $0.offset == piece.offset
        })
      else { continue }
      found.append(
        Part(sequence: sequence, row: row.start, offset: piece.offset, count: row.tokens.count))
    }
    return found.sorted { $0.offset < $1.offset }
  }

  /// Every time that a part is read in the view's epochs, in the order of training.
  public func readings(_ parts: [Part], _ reader: SequenceReader) -> [Reading] {
    var found: [Reading] = []
    for part in parts {
      for (epoch, position) in reader.plan.readings(of: part.sequence) {
        let place = position < reader.view.start ? nil : reader.plan.placeInRun(position)
        found.append(Reading(part: part, epoch: epoch, position: position, place: place))
      }
    }
    return found.sorted { ($0.position, $0.part.offset) < ($1.position, $1.part.offset) }
  }

  /// The ranks of a replica that read tokens themselves.
  public static func ranks(ofReplica replica: Int, _ view: View) -> [Int] {
    let topology = view.topology
    var ranks: [Int] = []
    for pipeline in 0..<topology.pipeline {
      for context in 0..<topology.context {
        for tensor in 0..<topology.tensor {
          let place = Topology.Coordinates(
            tensor: tensor, context: context, data: replica, pipeline: pipeline)
          if view.framework.reads(place, topology) { ranks.append(topology.rank(at: place)) }
        }
      }
    }
    return ranks.sorted()
  }

  // MARK: JSON

  /// `{"split","token","token_in_document","document",…}`; with a view also `readings[]`.
  public func json(_ readings: [Reading]?, _ view: View?) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("split", .string(split.name)),
      .init("store", .string(split.stores[split.segments[facts.segment].store].fingerprint)),
      .init("token", token == nil ? .null : .int(tokenInSplit)),
      .init("token_in_document", .optional(token)), .init("segment_name", .string(facts.segmentName)),
      .init("first_token", .int(tokenInSplit - (token ?? 0))),
      .init("tokens", .int(facts.tokens.count)),
      .init("segment_tokens", [.int(facts.tokens.lowerBound), .int(facts.tokens.upperBound)]),
      .init("part", .string(facts.part)), .init("number_in_part", .int(facts.numberInPart)),
    ]
    members += facts.members
    if let readings, let view {
      members.append(.init("readings", .array(readings.map { Self.json($0, view) })))
    }
    return .object(members)
  }

  private static func json(_ reading: Reading, _ view: View) -> JSONValue {
    let place = reading.place
    return [
      "epoch": .int(reading.epoch), "position": .int(reading.position),
      "sequence": .int(reading.part.sequence), "row": .int(reading.part.row),
      "offset": .int(reading.part.offset), "tokens": .int(reading.part.count),
      "step": .optional(place?.step), "replica": .optional(place?.replica),
      "micro": .optional(place?.microBatch), "item": .optional(place?.item),
      "ranks": .array(place.map { ranks(ofReplica: $0.replica, view).map { .int($0) } } ?? []),
    ]
  }
}
