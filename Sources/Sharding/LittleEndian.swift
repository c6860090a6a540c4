/// Little-endian integers in byte arrays: every file of a store is made of them.
extension Array where Element == UInt8 {
  mutating func append<Word: FixedWidthInteger>(littleEndian value: Word) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// The u64 at `offset`, which the caller knows to lie inside.
  func littleEndianWord(at offset: Int) -> UInt64 { withUnsafeBytes { $0.word(at: offset) } }
}

extension UnsafeRawBufferPointer {
  /// The integer at `offset`; the bound is checked.
  @inline(__always) func integer<Word: FixedWidthInteger>(at offset: Int, as type: Word.Type) -> Word {
    precondition(offset >= 0 && offset <= count - MemoryLayout<Word>.size)
    return Word(littleEndian: loadUnaligned(fromByteOffset: offset, as: Word.self))
  }

  @inline(__always) func word(at offset: Int) -> UInt64 { integer(at: offset, as: UInt64.self) }
}

/// `withUnsafeBytes(of:)` that keeps the type of what the body throws.
@inline(__always) func withRawBytes<Value: BitwiseCopyable, Failure: Error>(
  of value: Value, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
) throws(Failure) {
  var failure: Failure?
  withUnsafeBytes(of: value) { bytes in
    do throws(Failure) { try body(bytes) } catch { failure = error }
  }
  if let failure { throw failure }
}
