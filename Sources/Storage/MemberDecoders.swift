import CBzip2
import CISAL
import CZstd
import Glibc

/// One step of a decoder: what it took, what it gave, and whether the member goes on.
struct DecodingStep {
  enum State: Equatable { case more, memberEnd, corrupt(String) }
  var consumed = 0
  var produced = 0
  var state = State.more
}

/// Decodes members one after another: a gzip member, a zstd frame, a bzip2 stream. Owns one handle of its library.
protocol MemberDecoder: AnyObject {
  /// Decodes what is there into what fits.
  func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> DecodingStep
  /// Ready for the start of a member.
  func reset()
}

/// gzip through ISA-L's streaming inflate; checks CRC32 and ISIZE.
///
/// - Source: RFC 1952; as fast as libdeflate on whole members, with bounded memory (ARCHITECTURE.md, Decisions).
final class GzipDecoder: MemberDecoder {
  private let gzip: UnsafeMutablePointer<sluice_gzip>

  init() throws(StorageError) {
    guard let gzip = sluice_gzip_new() else { throw .bug("no memory for a gzip decoder") }
    self.gzip = gzip
  }

  deinit { free(gzip) }

  func reset() { sluice_gzip_next_member(gzip) }

  func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> DecodingStep {
    let available = UInt32(clamping: input.count)
    let room = UInt32(clamping: output.count)
    // SAFETY: ISA-L reads `avail_in` bytes and writes `avail_out` bytes; it does not write through next_in.
    gzip.pointee.state.next_in = UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
    gzip.pointee.state.avail_in = available
    gzip.pointee.state.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    gzip.pointee.state.avail_out = room
    let code = sluice_gzip_step(gzip)
    // After damage ISA-L's `avail_in` may count bytes of its own buffer: take it within the bounds only.
    var step = DecodingStep(
      consumed: max(0, Int(available) - Int(gzip.pointee.state.avail_in)),
      produced: max(0, Int(room) - Int(gzip.pointee.state.avail_out)))
    switch code {
    case ISAL_DECOMP_OK, ISAL_END_INPUT, ISAL_OUT_OVERFLOW:
      if sluice_gzip_is_finished(gzip) != 0 { step.state = .memberEnd }
    case ISAL_INCORRECT_CHECKSUM: step.state = .corrupt("wrong checksum")
    case ISAL_INVALID_WRAPPER: step.state = .corrupt("not a gzip header")
    default: step.state = .corrupt("invalid deflate data (\(code))")
    }
    return step
  }
}

/// zstd frames, window bounded by `Limits.zstdWindowLog`; skippable frames give no bytes.
///
/// - Source: RFC 8878.
final class ZstdDecoder: MemberDecoder {
  private let context: OpaquePointer
  private let windowLog: Int

  init(windowLog: Int, dictionary: [UInt8]) throws(StorageError) {
    guard let context = ZSTD_createDCtx() else { throw .bug("no memory for a zstd decoder") }
    self.context = context
    self.windowLog = windowLog
    _ = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Int32(windowLog))
    if !dictionary.isEmpty { _ = ZSTD_DCtx_loadDictionary(context, dictionary, dictionary.count) }
  }

  deinit { ZSTD_freeDCtx(context) }

  func reset() { _ = ZSTD_DCtx_reset(context, ZSTD_reset_session_only) }

  func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> DecodingStep {
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
    let code = ZSTD_decompressStream(context, &target, &source)
    var step = DecodingStep(consumed: source.pos, produced: target.pos)
    if ZSTD_isError(code) != 0 {
      // ZSTD_error_frameParameter_windowTooLarge is 16 in every version since 1.3 (zstd_errors.h).
      let isWindow = code == -16
      step.state = .corrupt(
        isWindow
          ? "the zstd window is over the limit of 2^\(windowLog) bytes"
          : String(cString: ZSTD_getErrorName(code)))
    } else if code == 0 {
      step.state = .memberEnd
    }
    return step
  }
}

/// bzip2 streams, one after another.
final class Bzip2Decoder: MemberDecoder {
  private let stream: UnsafeMutablePointer<bz_stream>
  private var isOpen = false

  init() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: bz_stream())
    reset()
  }

  deinit {
    if isOpen { BZ2_bzDecompressEnd(stream) }
    stream.deallocate()
  }

  func reset() {
    if isOpen { BZ2_bzDecompressEnd(stream) }
    stream.pointee = bz_stream()
    isOpen = BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK
  }

  func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> DecodingStep {
    guard isOpen else { return DecodingStep(state: .corrupt("no memory for bzip2")) }
    let available = UInt32(clamping: input.count)
    let room = UInt32(clamping: output.count)
    // SAFETY: libbz2 reads `avail_in` bytes and writes `avail_out` bytes; it does not write through next_in.
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: CChar.self))
    stream.pointee.avail_in = available
    stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: CChar.self)
    stream.pointee.avail_out = room
    let code = BZ2_bzDecompress(stream)
    var step = DecodingStep(
      consumed: Int(available - stream.pointee.avail_in), produced: Int(room - stream.pointee.avail_out))
    switch code {
    case BZ_OK: break
    case BZ_STREAM_END: step.state = .memberEnd
    case BZ_DATA_ERROR: step.state = .corrupt("bzip2 data or checksum error")
    case BZ_DATA_ERROR_MAGIC: step.state = .corrupt("not a bzip2 header")
    default: step.state = .corrupt("bzip2 error \(code)")
    }
    return step
  }
}

/// Plain bytes: one member that never ends by itself.
final class PlainDecoder: MemberDecoder {
  func reset() {}

  func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> DecodingStep {
    let count = min(input.count, output.count)
    if count > 0 { output.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count])) }
    return DecodingStep(consumed: count, produced: count)
  }
}
