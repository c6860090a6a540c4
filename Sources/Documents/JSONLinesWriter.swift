import Bytes

/// Writes documents as JSON lines in canonical form.
///
/// Shape: `{"id":…,"text":…,"source":…,"url":…,"created":…,"metadata":{…},extras…}`, `url` and `created` left out when empty,
/// strings escaped canonically (`JSONText`), LF at the end. Reading and writing again gives the same bytes.
public enum JSONLinesWriter {
  /// Appends one line per document.
  public static func append(_ batch: borrowing DocumentBatch, to output: inout [UInt8]) {
    for index in 0..<batch.count { append(batch, index, to: &output) }
  }

  /// Appends the line of one document.
  public static func append(_ batch: borrowing DocumentBatch, _ index: Int, to output: inout [UInt8]) {
    let entry = batch.entries[index]
    let bytes = batch.bytes.span
    output.append("{\"id\":")
    JSONText.append(string: bytes.extracting(entry.id), to: &output)
    output.append(",\"text\":")
    JSONText.append(string: bytes.extracting(entry.text), to: &output)
    output.append(",\"source\":")
    JSONText.append(string: bytes.extracting(entry.source), to: &output)
    if !entry.url.isEmpty {
      output.append(",\"url\":")
      JSONText.append(string: bytes.extracting(entry.url), to: &output)
    }
    if !entry.created.isEmpty {
      output.append(",\"created\":")
      JSONText.append(string: bytes.extracting(entry.created), to: &output)
    }
    output.append(",\"metadata\":")
    if entry.metadata.isEmpty { output.append("{}") } else { output.append(bytes.extracting(entry.metadata)) }
    if !entry.extras.isEmpty {
      output.append(UInt8(ascii: ","))
      output.append(bytes.extracting(entry.extras))
    }
    output.append("}\n")
  }
}

/// Puts stream marks around JSON lines that go to a pipe: one space before the first document, one between the last
/// document and its line's end; an empty stream is one line of two spaces. A reader that goes by lines still finds JSON.
public struct MarkedStream: Sendable {
  private var isEmpty = true

  public init() {}

  /// The bytes to send for `lines`, whole lines; the last line's end is held back until more comes or the stream ends.
  public mutating func marking(_ lines: [UInt8]) -> [UInt8] {
    guard !lines.isEmpty else { return [] }
    var out: [UInt8] = [isEmpty ? 32 : 10]
    out.append(contentsOf: lines.dropLast())
    isEmpty = false
    return out
  }

  /// What ends the stream.
  public func ending() -> [UInt8] { isEmpty ? [32, 32, 10] : [32, 10] }
}
