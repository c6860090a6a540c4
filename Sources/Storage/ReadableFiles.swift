/// A file read at any place (pread). Sequential readers of inputs are `ByteInput` and `DecodingReader`.
public final class RandomAccessFile: Sendable {
  public let path: String
  /// Bytes when it was opened.
  public let size: Int64
  private let descriptor: Int32

  public init(_ path: String) throws(StorageError) {
    self.path = path
    do throws(System.Failure) {
      let descriptor = try System.openForReading(path)
      self.descriptor = descriptor
      let status = try System.status(of: descriptor)
      size = status.size
      if status.isFolder { throw System.Failure(code: 21) }
    } catch { throw .input(path: path, reason: error.reason) }
  }

  deinit { try? System.closeFile(descriptor) }

  /// Reads until the buffer is full or the file ends; returns the bytes read.
  public func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int {
    do throws(System.Failure) { return try System.read(descriptor, at: offset, into: buffer) } catch {
      throw .input(path: path, reason: error.reason)
    }
  }

  /// `count` bytes at `offset`, fewer at the end of the file.
  public func read(at offset: Int64, count: Int) throws(StorageError) -> [UInt8] {
    var failure: StorageError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(StorageError) {
        initialized = try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }
}

/// A file mapped into memory, read-only. Only for files that sluice wrote and verified: a mapped file that shrinks
/// ends the process by SIGBUS.
public final class MappedFile: Sendable {
  public let path: String
  public let count: Int
  // SAFETY: read-only memory that lives as long as this object; nothing writes through the address.
  private nonisolated(unsafe) let address: UnsafeRawPointer?

  public init(_ path: String) throws(StorageError) {
    self.path = path
    do throws(System.Failure) {
      let descriptor = try System.openForReading(path)
      defer { try? System.closeFile(descriptor) }
      count = Int(try System.status(of: descriptor).size)
      address = count == 0 ? nil : try System.mapReadOnly(descriptor, count: count)
    } catch { throw .input(path: path, reason: error.reason) }
  }

  deinit { if let address { System.unmap(address, count: count) } }

  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    body(UnsafeRawBufferPointer(start: address, count: count))
  }
}
