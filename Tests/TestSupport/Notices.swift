import Glibc
import Synchronization

/// Lines that a test run shows once: what was left out, and why.
public enum Notices {
  private static let shown = Mutex<Set<String>>([])

  /// Writes `line` to standard error, unless this process has done so.
  public static func once(_ line: String) {
    let isNew = shown.withLock { $0.insert(line).inserted }
    guard isNew else { return }
    let bytes = Array((line + "\n").utf8)
    _ = write(2, bytes, bytes.count)
  }
}
