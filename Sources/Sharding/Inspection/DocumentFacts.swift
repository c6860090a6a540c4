import Bytes
import Storage

/// A document of a `StoreSplit`: where it lies and where it came from.
public struct DocumentFacts: Equatable, Sendable {
  /// Number in the split, counted through its segments: what a trainer's document ids are.
  public var document: Int
  /// Number of its segment in the split, and its name there.
  public var segment: Int
  public var segmentName: String
  /// Number in the segment.
  public var number: Int
  /// Its tokens in the segment.
  public var tokens: Range<Int>
  public var source: String
  public var language: String
  /// XXH64 of its token bytes, hexadecimal.
  public var hash: String
  /// The input part that was tokenized, and the document's number in it.
  public var part: String
  public var numberInPart: Int
  public var origin: DocumentOrigin

  /// Reads the record and the origin of a document: two reads and one frame.
  ///
  /// - Parameters:
  ///   - reader: of that segment.
  ///   - number: in the segment, below its documents.
  /// - Throws: `.input` if the record or the frame cannot be read.
  public init(
    _ split: StoreSplit, segment: Int, number: Int, _ reader: SegmentReader
  ) throws(StorageError) {
    let place = split.segments[segment]
    let manifest = split.stores[place.store].manifest
    let record = try reader.document(number)
    document = place.firstDocument + number
    self.segment = segment
    segmentName = place.entry.name
    self.number = number
    tokens = try reader.range(ofDocument: number)
    source = Self.name(manifest.sources, record.source)
    language = Self.name(manifest.languages, record.language)
    hash = Hex.string(withUnsafeBytes(of: record.hash.bigEndian) { Array($0) })
    part = record.part < manifest.parts.count ? manifest.parts[record.part].name : "part \(record.part)"
    numberInPart = record.numberInPart
    origin = try reader.origin(ofDocument: number)
  }

  private static func name(_ names: [String], _ index: Int) -> String {
    index < names.count ? names[index] : "number \(index)"
  }

  /// What every look-up says of a document.
  var members: [JSONValue.Member] {
    [
      .init("document", .int(document)), .init("segment", .int(segment)), .init("number", .int(number)),
      .init("id", .string(origin.id)), .init("url", .string(origin.url)),
      .init("dump", origin.dump.map { .string($0) } ?? .null), .init("dump_offset", .optional(origin.offset)),
      .init("record_id", origin.recordID.map { .string($0) } ?? .null), .init("source", .string(source)),
      .init("language", .string(language)), .init("hash", .string(hash)),
    ]
  }
}

/// Finds documents by id or URL. Their names stand in the origin frames only, so these are read through: one at a time, and
/// only lines that hold the text are parsed.
public enum DocumentSearch {
  /// An address may belong to many documents (boilerplate, archives of one page): as many are listed.
  public static let foundMax = 100

  /// The first document with this id, else the documents with this URL, in the order of the split.
  ///
  /// - Parameter tick: asked once a frame; throws to stop.
  /// - Throws: `.input` for frames that cannot be read.
  public static func documents(
    named name: String, in split: StoreSplit, tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> [DocumentFacts] {
    var byAddress: [DocumentFacts] = []
    var needle: [UInt8] = []
    JSONText.append(string: name, to: &needle)
    for segment in split.segments.indices {
      let reader = try split.open(segment)
      let frames = (reader.segment.documents - 1) / StoreOptions.originFrameDocuments + 1
      for frame in 0..<frames {
        try tick()
        let hits = try lines(ofFrame: frame, holding: needle, reader)
        for hit in hits where hit.origin.id == name || hit.origin.url == name {
          let facts = try DocumentFacts(
            split, segment: segment, number: hit.document, reader)
          if hit.origin.id == name { return [facts] }
          if byAddress.count < foundMax { byAddress.append(facts) }
        }
      }
    }
    return byAddress
  }

  /// The lines of a frame that hold `needle`, parsed, with the numbers of their documents.
  private static func lines(
    ofFrame frame: Int, holding needle: [UInt8], _ reader: SegmentReader
  ) throws(StorageError) -> [(document: Int, origin: DocumentOrigin)] {
    let text = try reader.originText(ofFrame: frame)
    var found: [(document: Int, origin: DocumentOrigin)] = []
    var line = 0
    var lineStart = 0
    var from = 0
    while let hit = text.span.extracting(from..<text.count).firstIndex(of: needle) {
      // Lines are counted only up to a hit, so a frame without one is not split.
      let at = from + hit
      while let feed = text[lineStart..<at].firstIndex(of: 10) {
        line += 1
        lineStart = feed + 1
      }
      let lineEnd = text[at...].firstIndex(of: 10) ?? text.count
      if let origin = DocumentOrigin(line: Array(text[lineStart..<lineEnd])) {
        found.append((frame * StoreOptions.originFrameDocuments + line, origin))
      }
      from = lineEnd
    }
    return found
  }
}
