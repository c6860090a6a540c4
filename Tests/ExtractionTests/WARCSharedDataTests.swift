import Bytes
import Documents
import Storage
import TestSupport
import Testing

@testable import Extraction

/// What a whole file gave.
struct Extracted {
  var documents: [Document] = []
  var dropped: [Document] = []
  var ledger = Ledger()
  var types: [String: Int] = [:]
  var endOffset: Int64 = 0
}

/// Reads and parses units of a file one after another, as the pipeline does.
func extract(
  _ source: any DumpSource, _ file: InputFile, unitBytes: Int64? = nil
) throws -> Extracted {
  var result = Extracted()
  var kept = DocumentBatch()
  var dropped = DocumentBatch()
  let parser = source.makeParser()
  var from: Int64 = 0
  var to = unitBytes
  while true {
    let reader = try source.makeReader(file, from: from, to: to)
    try drain(reader, parser, &kept, &dropped, &result)
    from = reader.endOffset
    guard let unitBytes, let bound = to, let size = file.size, from < size else { break }
    to = max(bound, from / unitBytes * unitBytes) + unitBytes
  }
  result.endOffset = from
  result.documents = (0..<kept.count).map { kept.document(at: $0) }
  result.dropped = (0..<dropped.count).map { dropped.document(at: $0) }
  return result
}

private func drain(
  _ reader: any RecordReader, _ parser: any RecordParser, _ kept: inout DocumentBatch,
  _ dropped: inout DocumentBatch, _ result: inout Extracted
) throws {
  var chunk = RecordChunk()
  var more = true
  while more {
    more = try reader.next(&chunk)
    for record in chunk.records where reader is WARCReader {
      var header = WARCHeader()
      let bytes = chunk.bytes.span.extracting(record.range)
      header.parse(bytes, 0..<bytes.count)
      result.types[header.type.rawValue, default: 0] += 1
    }
    parser.parse(chunk, kept: &kept, dropped: &dropped, ledger: &result.ledger)
  }
}

func inputFile(_ path: String, name: String? = nil) throws -> InputFile {
  let base = path.split(separator: "/").last.map(String.init) ?? path
  return InputFile(path: path, name: name ?? base, size: try FileSystem.size(of: path))
}

struct WARCSharedDataTests {
  /// Rows of the table of files: name, what warcio counts, what fastwarc counts.
  private func table(_ folder: String) throws -> [(file: String, warcio: String, fastwarc: String)] {
    try readText(folder + "/README.md").split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.drop { $0 == " " } }
      guard cells.count == 7, cells[1].contains("/"), cells[1].contains(".") else { return nil }
      func text(_ cell: Substring) -> String {
        var cell = cell
        while cell.last == " " { cell.removeLast() }
        return String(cell)
      }
      return (text(cells[1]), text(cells[4]), text(cells[5]))
    }
  }

  private func counts(_ cell: String) -> [String: Int]? {
    guard !cell.contains("error") else { return nil }
    var result: [String: Int] = [:]
    for entry in cell.split(separator: ",") {
      let words = entry.split(separator: " ")
      guard words.count == 2, let count = Int(words[1]) else { continue }
      let type = WARCRecordType(rawValue: words[0].lowercased()) ?? .unknown
      result[type.rawValue, default: 0] += count
    }
    return result
  }

  @Test(
    "Every real file is read to its end, its records are conserved, and counts equal where both readers agree"
  )
  func sharedFiles() throws {
    guard let folder = SharedData.path("data/warc") else { return }
    var compared = 0
    for row in try table(folder) {
      let file = try inputFile(folder + "/" + row.file)
      let result = try extract(WARCSource(options: ExtractionOptions()), file)
      #expect(result.ledger.isBalanced, "\(row.file)")
      #expect(result.documents.count == result.ledger.documentsOut)
      let agreed = row.fastwarc == "same" ? row.warcio : row.fastwarc
      guard row.fastwarc == "same" || row.warcio == row.fastwarc, let wanted = counts(agreed) else {
        continue
      }
      compared += 1
      #expect(result.types == wanted, "\(row.file) \(result.ledger.defectList)")
    }
    #expect(compared >= 20)
  }
}
