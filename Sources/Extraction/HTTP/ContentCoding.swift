import Bytes
import CZlib

/// Undoes `Content-Encoding`: gzip and deflate. The first bytes are asked before the header is believed.
///
/// - Source: RFC 9110 section 8.4; RFC 1950 to 1952. Many archives store the body decoded and keep the header.
enum ContentCoding {
  enum Outcome: Equatable {
    /// Nothing to undo.
    case plain
    case decoded
    /// The data is damaged or cut; what could be decoded was appended.
    case cut
    /// A coding that is not read, and the bytes are not text.
    case unknown(String)
    /// More bytes than the limit, or a larger ratio.
    case tooLarge(Int)
  }

  /// Undoes one coding. On `plain` and `unknown` nothing was appended.
  static func decode(
    _ coding: String, _ body: borrowing Span<UInt8>, limits: Limits, into output: inout [UInt8]
  ) -> Outcome {
    switch coding {
    case "gzip", "x-gzip":
      guard body.count >= 2, body[0] == 0x1F, body[1] == 0x8B else { return .plain }
      return inflate(body, windowBits: 15 + 16, limits, &output)
    case "deflate":
      guard body.count >= 2, !looksLikeText(body) else { return .plain }
      let isZlib = body[0] & 15 == 8 && (Int(body[0]) << 8 | Int(body[1])) % 31 == 0
      let outcome = inflate(body, windowBits: isZlib ? 15 : -15, limits, &output)
      return outcome == .cut && output.isEmpty ? .unknown(coding) : outcome
    case "br", "zstd":
      return looksLikeText(body) ? .plain : .unknown(coding)
    default: return .plain
    }
  }

  /// A tag behind blanks, or valid UTF-8 without control bytes in the first KiB.
  static func looksLikeText(_ body: borrowing Span<UInt8>) -> Bool {
    var index = 0
    while index < body.count, body[index].isASCIISpace { index += 1 }
    if index == body.count || body[index] == UInt8(ascii: "<") { return true }
    var end = min(body.count, 1024)
    if end < body.count { while end > 0, body[end] & 0xC0 == 0x80 { end -= 1 } }
    let head = body.extracting(0..<end)
    return UTF8Text.isValid(head) && !Payload.looksBinary(head)
  }

  private static let stepBytes = 256 << 10

  private static func inflate(
    _ body: borrowing Span<UInt8>, windowBits: Int32, _ limits: Limits, _ output: inout [UInt8]
  ) -> Outcome {
    var stream = z_stream()
    guard sluice_inflate_init(&stream, windowBits) == Z_OK else { return .cut }
    defer { inflateEnd(&stream) }
    let count = min(body.count, Int(UInt32.max))
    let start = output.count
    return body.withUnsafeBufferPointer { input in
      // SAFETY: zlib reads `avail_in` bytes of the body and writes `avail_out` bytes of the room; both outlive the call.
      stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      stream.avail_in = UInt32(count)
      while true {
        var code = Z_OK
        output.append(addingCapacity: stepBytes) { (room: inout OutputSpan<UInt8>) in
          room.withUnsafeMutableBufferPointer { buffer, initialized in
            let space = min(buffer.count, stepBytes)
            stream.next_out = buffer.baseAddress
            stream.avail_out = UInt32(space)
            code = CZlib.inflate(&stream, Z_NO_FLUSH)
            initialized = space - Int(stream.avail_out)
          }
        }
        let size = output.count - start
        if size > limits.htmlBytes || (size > 1 << 20 && size / limits.expansionRatio > body.count) {
          return .tooLarge(size)
        }
        if code == Z_STREAM_END {
          // Another member may follow; other bytes are padding.
          guard windowBits > 15, stream.avail_in >= 18, stream.next_in[0] == 0x1F, stream.next_in[1] == 0x8B,
            inflateReset(&stream) == Z_OK
          else { return .decoded }
          continue
        }
        if code != Z_OK { return .cut }
        if stream.avail_in == 0, stream.avail_out > 0 { return .cut }
      }
    }
  }
}
