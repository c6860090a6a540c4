import Glibc

/// A folder of a test's own; it goes away with the object.
public final class TemporaryFolder: Sendable {
  public let path: String

  public init() throws {
    let parent = environment("TMPDIR") ?? P_tmpdir
    var template = Array("\(parent)/sluice-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw FileFailure(parent) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { removeTree(path) }

  /// Path of something in the folder.
  public func callAsFunction(_ name: String) -> String { path + "/" + name }
}
