import Bytes
import CCrypto

/// SHA-256 through libcrypto, which uses the processor's instructions where it has them.
public struct SHA256: ~Copyable {
  private let context: OpaquePointer

  public init() {
    context = EVP_MD_CTX_new()
    EVP_DigestInit_ex(context, EVP_sha256(), nil)
  }

  deinit { EVP_MD_CTX_free(context) }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// 32 bytes; the value starts anew after it.
  public mutating func finalize() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var count: UInt32 = 0
    EVP_DigestFinal_ex(context, &digest, &count)
    EVP_DigestInit_ex(context, EVP_sha256(), nil)
    return digest
  }

  public static func hash(_ bytes: borrowing Span<UInt8>) -> [UInt8] {
    var state = SHA256()
    bytes.withUnsafeBufferPointer { state.update(UnsafeRawBufferPointer($0)) }
    return state.finalize()
  }

  public static func hex(_ bytes: borrowing Span<UInt8>) -> String { Hex.string(hash(bytes)) }

  /// Hash and length of a whole file, in 1 MiB steps.
  public static func hexOfFile(_ path: String) throws(StorageError) -> (hex: String, bytes: Int64) {
    let input = try ByteInput(path)
    var state = SHA256()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    var total: Int64 = 0
    while true {
      let count = try input.read(into: buffer)
      if count == 0 { break }
      state.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      total += Int64(count)
    }
    return (Hex.string(state.finalize()), total)
  }
}
