import Storage

/// Sorted pretoken counts that can be walked through more than once.
public protocol PretokenCountSource {
  /// Gives every pretoken once, with a count of at least 1.
  func forEach(_ body: (_ pretoken: UnsafeRawBufferPointer, _ count: Int64) -> Void) throws(StorageError)
}

/// The counts of a file.
public struct PretokenCountsFile: PretokenCountSource {
  public let path: String

  public init(path: String) { self.path = path }

  public func forEach(_ body: (_ pretoken: UnsafeRawBufferPointer, _ count: Int64) -> Void)
    throws(StorageError)
  {
    let reader = try PretokenCountsReader(path: path)
    while try reader.next() { reader.pretoken.withUnsafeBytes { body($0, reader.count) } }
  }

  /// What the file holds, after a walk through it that checks it.
  public struct Summary: Equatable, Sendable {
    public var pattern: PretokenPattern
    public var totals: PretokenTotals
    public var unique: Int64
    /// Sum of the lengths of the different pretokens.
    public var uniqueBytes: Int64
    public var longestBytes: Int
    public var xxh64: String
  }

  public func summary() throws(StorageError) -> Summary {
    let reader = try PretokenCountsReader(path: path)
    var uniqueBytes: Int64 = 0
    var longest = 0
    while try reader.next() {
      uniqueBytes += Int64(reader.pretoken.count)
      longest = max(longest, reader.pretoken.count)
    }
    return Summary(
      pattern: reader.pattern, totals: reader.totals, unique: reader.unique, uniqueBytes: uniqueBytes,
      longestBytes: longest, xxh64: reader.xxh64)
  }

  /// Files that one merge reads at once; more are merged in rounds.
  static let mergeWidth = 64

  /// Sums files of counts to one, in the memory of `mergeWidth` readers, whatever their size.
  ///
  /// - Parameters:
  ///   - paths: files of one pattern; their order does not matter to the result.
  ///   - temporaryFolder: where rounds put their files, which are removed.
  /// - Throws: `StorageError.input` if a file is damaged, of another pattern, or the sums overflow.
  public static func merge(
    _ paths: [String], folder: String, name: String, pattern: PretokenPattern, temporaryFolder: String
  ) throws(StorageError) -> FileSummary {
    var waiting = paths
    var rounds = 0
    var made: [String] = []
    while waiting.count > mergeWidth {
      let part = Array(waiting.prefix(mergeWidth))
      let partName = "merged-\(rounds).counts"
      _ = try mergeOnce(part, folder: temporaryFolder, name: partName, pattern: pattern)
      for path in part where made.contains(path) { try FileSystem.removeFile(path) }
      waiting.removeFirst(mergeWidth)
      waiting.append(Path.join(temporaryFolder, partName))
      made.append(Path.join(temporaryFolder, partName))
      rounds += 1
    }
    let summary = try mergeOnce(waiting, folder: folder, name: name, pattern: pattern)
    for path in waiting where made.contains(path) { try FileSystem.removeFile(path) }
    return summary
  }

  private static func mergeOnce(
    _ paths: [String], folder: String, name: String, pattern: PretokenPattern
  ) throws(StorageError) -> FileSummary {
    let writer = try PretokenCountsWriter(folder: folder, name: name, pattern: pattern)
    var readers: [PretokenCountsReader] = []
    var totals = PretokenTotals()
    for path in paths {
      let reader = try PretokenCountsReader(path: path)
      guard reader.pattern == pattern else {
        throw .input(
          path: path, reason: "counted with the pattern \(reader.pattern.name), not \(pattern.name).")
      }
      if try reader.next() { readers.append(reader) } else { totals += reader.totals }
    }
    var heap = ReaderHeap(readers)
    var current: [UInt8] = []
    var sum: Int64 = 0
    while let reader = heap.first {
      if sum > 0, current == reader.pretoken {
        let added = sum.addingReportingOverflow(reader.count)
        guard !added.overflow else { throw .input(path: reader.path, reason: "the counts are above 2^63.") }
        sum = added.partialValue
      } else {
        if sum > 0 { try write(current, sum, writer) }
        current.removeAll(keepingCapacity: true)
        current.append(contentsOf: reader.pretoken)
        sum = reader.count
      }
      if try reader.next() {
        heap.firstChanged()
      } else {
        totals += reader.totals
        heap.removeFirst()
      }
    }
    if sum > 0 { try write(current, sum, writer) }
    return try writer.finish(totals)
  }

  private static func write(
    _ pretoken: [UInt8], _ count: Int64, _ writer: PretokenCountsWriter
  ) throws(StorageError) {
    var failure: StorageError?
    pretoken.withUnsafeBytes { buffer in
      do throws(StorageError) { try writer.add(buffer, count) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}

/// Readers by their current pretoken, the first in the order of bytes on top.
private struct ReaderHeap {
  private var readers: [PretokenCountsReader]

  init(_ readers: [PretokenCountsReader]) {
    self.readers = readers
    for index in stride(from: readers.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
  }

  var first: PretokenCountsReader? { readers.first }

  mutating func firstChanged() { siftDown(0) }

  mutating func removeFirst() {
    readers.swapAt(0, readers.count - 1)
    readers.removeLast()
    if !readers.isEmpty { siftDown(0) }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var child = parent * 2 + 1
      guard child < readers.count else { return }
      if child + 1 < readers.count, precedes(child + 1, child) { child += 1 }
      guard precedes(child, parent) else { return }
      readers.swapAt(child, parent)
      parent = child
    }
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    readers[a].pretoken.lexicographicallyPrecedes(readers[b].pretoken)
  }
}
