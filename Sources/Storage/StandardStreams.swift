import Bytes
import Glibc

/// Standard output for data, standard error for people. Never `print`: it hides failed writes.
public enum StandardStreams {
  /// Writes data. A closed pipe is `.closedPipe`, which ends a command quietly with 0.
  public static func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    do throws(System.Failure) { try System.writeAll(bytes, to: 1) } catch {
      if error.code == EPIPE { throw .closedPipe }
      throw error.isFull
        ? .full(path: "standard output", written: 0) : .output(path: "standard output", reason: error.reason)
    }
  }

  public static func write(_ bytes: [UInt8]) throws(StorageError) {
    var failure: StorageError?
    bytes.withUnsafeBytes { buffer in
      do throws(StorageError) { try write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  public static func write(_ text: String) throws(StorageError) { try write(Array(text.utf8)) }

  /// Writes a message; failures are ignored, since there is nobody left to tell.
  public static func message(_ text: String) {
    Array(text.utf8).withUnsafeBytes { buffer in
      do throws(System.Failure) { try System.writeAll(buffer, to: 2) } catch { return }
    }
  }

  public static func readAllInput() throws(StorageError) -> [UInt8] {
    let input = try ByteInput("-")
    var bytes: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = try input.read(into: buffer)
      if count == 0 { return bytes }
      bytes.append(contentsOf: buffer[..<count])
    }
  }

  public static var outputIsTerminal: Bool { System.isTerminal(1) }
  public static var errorIsTerminal: Bool { System.isTerminal(2) }
  public static var inputIsTerminal: Bool { System.isTerminal(0) }
}
