import Bytes
import Documents
import Storage
import TestSupport

/// One line that a reader gave.
struct ReadLine: Equatable {
  var text: String
  var offset: Int64
  var ordinal: Int
}

/// What a whole reading gave.
struct Reading {
  var lines: [ReadLine] = []
  var chunkCounts: [Int] = []
  var defects: [Defect] = []
  var endOffset: Int64 = 0
  var completeness = JSONLinesReader.Completeness.unmarked
}

/// Reads a unit to its end; `Issue`-free, so that sweeps may call it often.
func readUnit(
  _ path: String, name: String = "dump", from: Int64 = 0, to: Int64? = nil, limits: Limits = .standard,
  isStrict: Bool = false, refusesCut: Bool = false
) throws -> Reading {
  let reader = try JSONLinesReader(
    InputFile(path: path, name: name, size: nil), from: from, to: to, limits: limits, isStrict: isStrict,
    refusesCut: refusesCut)
  var reading = Reading()
  var chunk = RecordChunk()
  var goesOn = true
  while goesOn {
    goesOn = try reader.next(&chunk)
    for record in chunk.records {
      reading.lines.append(
        ReadLine(
          text: Array(chunk.bytes[record.range]).string, offset: record.offset, ordinal: record.ordinal))
    }
    if goesOn { reading.chunkCounts.append(chunk.records.count) }
    reading.defects += chunk.defects
  }
  reading.endOffset = reader.endOffset
  reading.completeness = reader.completeness
  return reading
}

/// Reads a file in units of `unitBytes`, each starting where the one before ended.
func readUnits(_ path: String, unitBytes: Int64, size: Int64, limits: Limits = .standard) throws -> [Reading]
{
  var readings: [Reading] = []
  var from: Int64 = 0
  var bound = unitBytes
  while from < size {
    if from >= bound {
      bound += unitBytes
      continue
    }
    let reading = try readUnit(path, from: from, to: bound >= size ? nil : bound, limits: limits)
    readings.append(reading)
    from = reading.endOffset
    if bound >= size { break }
    bound += unitBytes
  }
  return readings
}

/// Parses lines as one chunk and gives documents and counts.
func parseLines(_ text: String, file: String = "dump", parser: JSONLinesParser = JSONLinesParser()) -> (
  batch: DocumentBatch, ledger: Ledger
) {
  parseLines(Array(text.utf8), file: file, parser: parser)
}

func parseLines(_ bytes: [UInt8], file: String = "dump", parser: JSONLinesParser = JSONLinesParser()) -> (
  batch: DocumentBatch, ledger: Ledger
) {
  var chunk = RecordChunk()
  chunk.file = file
  chunk.bytes = bytes
  var start = 0
  for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
    if !line.isEmpty {
      chunk.records.append(.init(range: line.startIndex..<line.endIndex, offset: Int64(start)))
    }
    start += line.count + 1
  }
  var kept = DocumentBatch()
  var dropped = DocumentBatch()
  var ledger = Ledger()
  parser.parse(chunk, kept: &kept, dropped: &dropped, ledger: &ledger)
  return (kept, ledger)
}

func written(_ batch: DocumentBatch) -> String {
  var out: [UInt8] = []
  JSONLinesWriter.append(batch, to: &out)
  return out.string
}

/// Members of a gzip file, each made by the gzip program.
func gzipMembers(_ contents: [[UInt8]]) throws -> [[UInt8]] {
  try contents.map { try run("gzip", ["-nc"], stdin: $0).stdout }
}

func zstdFrames(_ contents: [[UInt8]]) -> [[UInt8]] {
  contents.map { content in
    var frame: [UInt8] = []
    Zstd.compressFrame(content.span, into: &frame)
    return frame
  }
}
