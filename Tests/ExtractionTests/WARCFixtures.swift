import Bytes
import Documents
import Storage

@testable import Extraction

/// Small WARC files, built by the tests.
enum Fixture {
  /// A record. `length`: the Content-Length that it claims (nil: the right one; empty: none at all).
  static func record(
    _ type: String, _ block: String, uri: String = "http://example.org/", contentType: String? = nil,
    fields: String = "", length: String? = nil, end: String = "\r\n\r\n", newline: String = "\r\n",
    version: String = "WARC/1.0"
  ) -> [UInt8] {
    let kind = contentType ?? (type == "response" ? "application/http; msgtype=response" : "text/plain")
    var lines = [
      version, "WARC-Type: \(type)", "WARC-Record-ID: <urn:uuid:1>", "WARC-Date: 2024-01-02T03:04:05Z",
      "WARC-Target-URI: \(uri)", "Content-Type: \(kind)",
    ]
    if !fields.isEmpty { lines.append(fields) }
    let claimed = length ?? "\(block.utf8.count)"
    if !claimed.isEmpty { lines.append("Content-Length: \(claimed)") }
    return Array((lines.joined(separator: newline) + newline + newline + block + end).utf8)
  }

  static func page(_ text: String) -> String {
    "<html lang=\"en-GB\"><head><title>Title</title></head><body><article><p>" + text
      + "</p></article></body></html>"
  }

  static func http(
    _ body: String, status: String = "HTTP/1.1 200 OK", type: String? = "text/html", fields: String = ""
  )
    -> String
  {
    status + "\r\n" + (type.map { "Content-Type: \($0)\r\n" } ?? "") + fields + "\r\n" + body
  }

  /// A response with a page of this text.
  static func response(_ text: String) -> [UInt8] { record("response", http(page(text))) }

  static func sentence(_ number: Int) -> String {
    "Document number \(number) has a paragraph that is long enough to be the main text of its page, with several words."
  }

  /// A gzip member with stored blocks.
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
    var start = 0
    repeat {
      let end = min(start + 0xFFFF, bytes.count)
      let count = end - start
      out.append(end == bytes.count ? 1 : 0)
      out += [UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8 & 255)]
      out += bytes[start..<end]
      start = end
    } while start < bytes.count
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    for value in [~crc, UInt32(truncatingIfNeeded: bytes.count)] {
      out += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    return out
  }

  /// Extracts a WARC that lies in memory.
  static func extract(_ bytes: [UInt8], limits: Limits = .standard) throws -> Extracted {
    let reader = WARCReader(try DecodingReader(bytes: bytes, limits: limits), name: "t.warc", limits: limits)
    let parser = WARCParser(limits: limits)
    var result = Extracted()
    var kept = DocumentBatch()
    var dropped = DocumentBatch()
    var chunk = RecordChunk()
    var hasMore = true
    var steps = 0
    while hasMore {
      hasMore = try reader.next(&chunk)
      parser.parse(chunk, kept: &kept, dropped: &dropped, ledger: &result.ledger)
      steps += 1
      if steps > 10_000 { throw StorageError.bug("the reader does not end") }
    }
    result.documents = (0..<kept.count).map { kept.document(at: $0) }
    result.dropped = (0..<dropped.count).map { dropped.document(at: $0) }
    result.endOffset = reader.endOffset
    return result
  }
}

extension Extracted {
  var texts: [String] { documents.map(\.text.string) }
  var ids: [String] { documents.map(\.id.string) }
  var dropCounts: [String: Int] { ledger.drops.mapValues(\.documents) }
}
