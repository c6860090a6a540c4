import Bytes
import Storage

/// Reads an encoded unit: its footer at once, then its records in order.
public final class EncodedUnitReader {
  public let path: String
  public let summary: EncodedUnitSummary
  private let file: RandomAccessFile
  private let recordsEnd: Int64
  private var offset: Int64
  private var buffer: [UInt8] = []
  private var position = 0

  private static let readBytes = 1 << 20
  private static let footerBytesMax: Int64 = 64 << 20

  /// - Throws: `.input` if the file is cut or is no encoded unit.
  public init(_ path: String) throws(StorageError) {
    let mark = EncodedUnitWriter.mark
    let tail = Int64(8 + mark.count)
    self.path = path
    file = try RandomAccessFile(path)
    let head = try file.read(at: 0, count: mark.count)
    guard head == mark, file.size >= Int64(mark.count) + tail else {
      throw .input(path: path, reason: "not an encoded unit")
    }
    let end = try file.read(at: file.size - tail, count: Int(tail))
    guard end.count == Int(tail), Array(end[8...]) == mark else {
      throw .input(path: path, reason: "the encoded unit was cut; tokenize its input again")
    }
    let footer = end.littleEndianWord(at: 0)
    let most = min(file.size - tail - Int64(mark.count), EncodedUnitReader.footerBytesMax)
    guard footer <= UInt64(most) else { throw .input(path: path, reason: "the footer's length is wrong") }
    recordsEnd = file.size - tail - Int64(footer)
    let text = try file.read(at: recordsEnd, count: Int(footer))
    summary = try EncodedUnitSummary(json: try JSONFields(parsing: text, path: path).value, path: path)
    offset = Int64(mark.count)
  }

  /// Gives the next record and its body (origin line, then token bytes); false after the last.
  ///
  /// - Parameter split: records of other splits are passed over without reading their bodies where they are large.
  func next(
    split: Int, _ body: (_ record: EncodedRecord, _ body: UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) -> Bool {
    while true {
      guard try fill(EncodedRecord.headerBytes) else {
        if position == buffer.count { return false }
        throw .input(path: path, reason: "a record of the encoded unit is cut; tokenize its input again")
      }
      let record = buffer.withUnsafeBytes {
        EncodedRecord(UnsafeRawBufferPointer(rebasing: $0[position..<position + EncodedRecord.headerBytes]))
      }
      let count = record.bodyBytes(summary.width)
      guard Int(record.split) == split else {
        skip(EncodedRecord.headerBytes + count)
        continue
      }
      guard try fill(EncodedRecord.headerBytes + count) else {
        throw .input(path: path, reason: "a record of the encoded unit is cut; tokenize its input again")
      }
      guard record.source < summary.sources.count, record.language < summary.languages.count else {
        throw .input(path: path, reason: "a record names a source or language that the footer does not have")
      }
      let start = position + EncodedRecord.headerBytes
      var failure: StorageError?
      buffer.withUnsafeBytes { bytes in
        do throws(StorageError) {
          try body(record, UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
        } catch { failure = error }
      }
      if let failure { throw failure }
      position = start + count
      return true
    }
  }

  /// Makes at least `count` bytes available behind `position`; false at the end of the records.
  private func fill(_ count: Int) throws(StorageError) -> Bool {
    if buffer.count - position >= count { return true }
    buffer.removeFirst(position)
    position = 0
    let wanted = max(count - buffer.count, EncodedUnitReader.readBytes)
    let available = Int(min(Int64(wanted), recordsEnd - offset))
    guard available >= count - buffer.count else { return false }
    let more = try file.read(at: offset, count: available)
    offset += Int64(more.count)
    buffer.append(contentsOf: more)
    return buffer.count >= count
  }

  private func skip(_ count: Int) {
    let inBuffer = buffer.count - position
    if count <= inBuffer {
      position += count
    } else {
      offset = min(recordsEnd, offset + Int64(count - inBuffer))
      buffer.removeAll(keepingCapacity: true)
      position = 0
    }
  }
}
