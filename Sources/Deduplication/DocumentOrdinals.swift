import Bytes
import Storage

/// The numbers of all documents: a document's ordinal is its place in the input, over all units and their chunks in order.
///
/// Shape of the file `ordinals.bin` (u64, little-endian): number of units; for each unit its number of chunks; for each chunk
/// of all units the ordinal of its first document; the number of documents.
public struct DocumentOrdinals: Sendable {
  static let fileName = "ordinals.bin"

  /// Index of the first chunk of each unit, and the number of chunks.
  private(set) var firstChunks: [Int] = [0]
  /// Ordinal of the first document of each chunk, and the number of documents.
  private(set) var chunkStarts: [UInt64] = [0]

  init() {}

  public var unitCount: Int { firstChunks.count - 1 }
  public var documentCount: UInt64 { chunkStarts[chunkStarts.count - 1] }

  mutating func addChunk(documents: UInt64) { chunkStarts.append(documentCount + documents) }
  mutating func endUnit() { firstChunks.append(chunkStarts.count - 1) }

  /// Ordinals of a chunk's documents; nil if there is no such chunk.
  public func ordinals(unit: Int, chunk: Int) -> Range<UInt64>? {
    guard unit >= 0, unit < unitCount, chunk >= 0 else { return nil }
    let index = firstChunks[unit] + chunk
    guard index < firstChunks[unit + 1] else { return nil }
    return chunkStarts[index]..<chunkStarts[index + 1]
  }

  /// Ordinals of a unit's documents.
  func ordinals(unit: Int) -> Range<UInt64> {
    chunkStarts[firstChunks[unit]]..<chunkStarts[firstChunks[unit + 1]]
  }

  var serialized: [UInt8] {
    var out: [UInt8] = []
    out.append(word: UInt64(unitCount))
    for unit in 0..<unitCount { out.append(word: UInt64(firstChunks[unit + 1] - firstChunks[unit])) }
    for start in chunkStarts { out.append(word: start) }
    return out
  }

  /// Reads the file that the bucket phase wrote into `folder`.
  public init(bucketFolder folder: String) throws(StorageError) {
    let file = try RecordFile(Path.join(folder, Self.fileName), bufferBytes: 64 << 10)
    guard let units = try file.nextWord(), units <= UInt64(file.size) / 8 else { throw file.damaged() }
    for _ in 0..<units {
      guard let chunks = try file.nextWord(), chunks <= UInt64(file.size) / 8 else { throw file.damaged() }
      firstChunks.append(firstChunks[firstChunks.count - 1] + Int(chunks))
    }
    chunkStarts.removeAll()
    while let start = try file.nextWord() { chunkStarts.append(start) }
    let isSorted = zip(chunkStarts, chunkStarts.dropFirst()).allSatisfy { $0 <= $1 }
    guard isSorted, chunkStarts.count == firstChunks[firstChunks.count - 1] + 1 else { throw file.damaged() }
  }
}
