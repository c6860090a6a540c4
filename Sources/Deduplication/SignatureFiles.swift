import Storage

/// Reads the signature files of all units as one sequence of records, in the order of the documents.
final class SignatureFiles {
  private let paths: [String]
  private let recordBytes: Int
  private var unit = 0
  private var file: RecordFile?
  private var left: UInt64 = 0
  private(set) var ordinals = DocumentOrdinals()
  private var nextOrdinal: UInt64 = 0

  init(_ paths: [String], method: DeduplicationOptions.Method) {
    self.paths = paths
    recordBytes = SignatureRecord.bytes(method)
  }

  /// The next document's ordinal and record, valid until the next call; nil at the end.
  func next() throws(StorageError) -> (ordinal: UInt64, record: UnsafeRawBufferPointer)? {
    while left == 0 {
      guard try openBlock() else { return nil }
    }
    guard let file, let record = try file.next(recordBytes) else {
      throw file?.damaged() ?? .bug("no signature file is open")
    }
    left -= 1
    nextOrdinal += 1
    if nextOrdinal & 0xFFFF == 0 { try Interruption.check() }
    return (nextOrdinal - 1, record)
  }

  /// Goes to the next chunk's block, over the borders of units; false at the end of all.
  private func openBlock() throws(StorageError) -> Bool {
    while unit < paths.count {
      let current: RecordFile
      if let file { current = file } else { current = try RecordFile(paths[unit]) }
      file = current
      if let count = try current.nextWord() {
        guard count <= UInt64(current.size) / UInt64(recordBytes) else { throw current.damaged() }
        left = count
        ordinals.addChunk(documents: count)
        return true
      }
      file = nil
      unit += 1
      ordinals.endUnit()
    }
    return false
  }
}
