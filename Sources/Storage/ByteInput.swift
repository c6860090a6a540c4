import Synchronization

/// Encoded bytes of an input in order: a file from an offset, standard input, or bytes in memory.
public final class ByteInput {
  private enum Origin {
    case file(descriptor: Int32, isSeekable: Bool)
    case standardInput
    case memory([UInt8])
  }

  public let path: String
  private let origin: Origin
  private var offset: Int64

  /// What `peekStandardInput` took from the pipe and nobody read yet.
  private static let peeked = Mutex<[UInt8]>([])

  /// `path` "-" is standard input; it can only start at offset 0.
  public init(_ path: String, from start: Int64 = 0) throws(StorageError) {
    self.path = path == "-" ? "standard input" : path
    offset = start
    if path == "-" {
      origin = .standardInput
      return
    }
    do throws(System.Failure) {
      let descriptor = try System.openForReading(path)
      let status = try System.status(of: descriptor)
      origin = .file(descriptor: descriptor, isSeekable: status.isRegular)
      if status.isFolder { throw System.Failure(code: 21) }
    } catch { throw .input(path: path, reason: error.reason) }
  }

  /// Bytes in memory, for sniffing and tests.
  public init(bytes: [UInt8], name: String) {
    path = name
    origin = .memory(bytes)
    offset = 0
  }

  deinit { if case .file(let descriptor, _) = origin { try? System.closeFile(descriptor) } }

  /// True if `seek` works.
  public var isSeekable: Bool {
    switch origin {
    case .file(_, let isSeekable): isSeekable
    case .standardInput: false
    case .memory: true
    }
  }

  public func seek(to offset: Int64) { self.offset = offset }

  /// Up to `buffer.count` bytes; 0 at the end.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int {
    let count: Int
    switch origin {
    case .memory(let bytes):
      let start = min(Int(offset), bytes.count)
      count = min(buffer.count, bytes.count - start)
      bytes.withUnsafeBytes {
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
      }
    case .standardInput:
      let taken = ByteInput.takePeeked(into: buffer)
      count = taken > 0 ? taken : try system { () throws(System.Failure) in try System.read(0, into: buffer) }
    case .file(let descriptor, let isSeekable):
      let position = offset
      count = try system { () throws(System.Failure) in
        isSeekable
          ? try System.read(descriptor, at: position, into: buffer)
          : try System.read(descriptor, into: buffer)
      }
    }
    offset += Int64(count)
    return count
  }

  private func system(_ call: () throws(System.Failure) -> Int) throws(StorageError) -> Int {
    do throws(System.Failure) { return try call() } catch { throw .input(path: path, reason: error.reason) }
  }

  private static func takePeeked(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    peeked.withLock { bytes in
      let count = min(bytes.count, buffer.count)
      guard count > 0 else { return 0 }
      bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      bytes.removeFirst(count)
      return count
    }
  }

  /// The first bytes of standard input (up to `count`, fewer at its end), which stay to be read.
  public static func peekStandardInput(_ count: Int) throws(StorageError) -> [UInt8] {
    var bytes = peeked.withLock { $0 }
    var chunk = [UInt8](repeating: 0, count: count)
    while bytes.count < count {
      var got = 0
      var failure: System.Failure?
      let wanted = count - bytes.count
      chunk.withUnsafeMutableBytes { buffer in
        do throws(System.Failure) {
          got = try System.read(0, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        } catch { failure = error }
      }
      if let failure { throw .input(path: "standard input", reason: failure.reason) }
      if got == 0 { break }
      bytes.append(contentsOf: chunk[..<got])
    }
    let all = bytes
    peeked.withLock { $0 = all }
    return all
  }
}
