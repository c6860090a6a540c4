import Bytes
import Storage

/// Ids of documents in a text file, one a line; surrounding blanks are cut, empty lines and lines that start with `#` mean
/// nothing. Held as 16 bytes an id: its hash, and where it stands in the file, so that a hit is compared exactly.
public final class DocumentIDList: Sendable {
  private struct Entry {
    var hash: UInt64
    /// Offset in the file in the upper 40 bits, length in the lower 24.
    var place: UInt64
    var offset: Int64 { Int64(place >> 24) }
    var length: Int { Int(place & 0xFF_FFFF) }
  }

  private static let lineBytesMax = 1 << 20
  private static let prefixBits = 16

  private let file: RandomAccessFile
  /// By hash.
  private let entries: [Entry]
  /// First entry of each value of the hash's upper bits.
  private let starts: [Int]

  /// Ids, each counted once.
  public var count: Int { entries.count }

  /// - Throws: `.input` if the file cannot be read or has a line of more than 1 MiB.
  public init(_ path: String) throws(StorageError) {
    file = try RandomAccessFile(path)
    guard file.size < 1 << 40 else { throw .input(path: path, reason: "more than 1 TiB of ids") }
    var found: [Entry] = []
    var carry: [UInt8] = []
    var offset: Int64 = 0
    while offset < file.size {
      let bytes = carry + (try file.read(at: offset + Int64(carry.count), count: 1 << 20))
      let isLast = offset + Int64(bytes.count) >= file.size || bytes.count == carry.count
      var start = 0
      for end in bytes.indices where bytes[end] == 10 {
        Self.append(bytes, start..<end, at: offset, to: &found)
        start = end + 1
      }
      if isLast {
        Self.append(bytes, start..<bytes.count, at: offset, to: &found)
        break
      }
      guard bytes.count - start <= Self.lineBytesMax else {
        throw .input(
          path: path, reason: "the line at byte \(offset + Int64(start)) is longer than 1 MiB; one id a line")
      }
      carry = Array(bytes[start...])
      offset += Int64(start)
    }
    found.sort { ($0.hash, $0.place) < ($1.hash, $1.place) }
    entries = try Self.unique(found, in: file)
    var starts = [Int](repeating: entries.count, count: (1 << Self.prefixBits) + 1)
    for (number, entry) in entries.enumerated().reversed() {
      starts[Int(entry.hash >> (64 - UInt64(Self.prefixBits)))] = number
    }
    for prefix in stride(from: (1 << Self.prefixBits) - 1, through: 0, by: -1) {
      starts[prefix] = min(starts[prefix], starts[prefix + 1])
    }
    self.starts = starts
  }

  private static func append(_ bytes: [UInt8], _ line: Range<Int>, at offset: Int64, to found: inout [Entry])
  {
    var line = line
    while let first = line.first, bytes[first].isASCIISpace { line.removeFirst() }
    while let last = line.last, bytes[last].isASCIISpace { line.removeLast() }
    guard let first = line.first, bytes[first] != UInt8(ascii: "#") else { return }
    found.append(
      Entry(
        hash: XXH64.hash(bytes.span.extracting(line)),
        place: UInt64(offset + Int64(first)) << 24 | UInt64(line.count)))
  }

  /// Without the ids that stand there again: equal hashes are neighbours.
  private static func unique(_ sorted: [Entry], in file: RandomAccessFile) throws(StorageError) -> [Entry] {
    var out: [Entry] = []
    for entry in sorted {
      var isNew = true
      for other in out.reversed() {
        guard other.hash == entry.hash else { break }
        if other.length == entry.length,
          try file.read(at: other.offset, count: other.length)
            == file.read(at: entry.offset, count: entry.length)
        {
          isNew = false
          break
        }
      }
      if isNew { out.append(entry) }
    }
    return out
  }

  /// Number of an id in this list, or nil.
  func number(of id: borrowing Span<UInt8>) throws(StorageError) -> Int? {
    let hash = XXH64.hash(id)
    let prefix = Int(hash >> (64 - UInt64(Self.prefixBits)))
    for number in starts[prefix]..<starts[prefix + 1] {
      let entry = entries[number]
      guard entry.hash >= hash else { continue }
      guard entry.hash == hash else { return nil }
      guard entry.length == id.count else { continue }
      let bytes = try file.read(at: entry.offset, count: entry.length)
      var isEqual = bytes.count == id.count
      for index in id.indices where isEqual { isEqual = bytes[index] == id[index] }
      if isEqual { return number }
    }
    return nil
  }

  /// An id's text.
  public func text(_ number: Int) throws(StorageError) -> String {
    String(decoding: try file.read(at: entries[number].offset, count: entries[number].length), as: UTF8.self)
  }
}
