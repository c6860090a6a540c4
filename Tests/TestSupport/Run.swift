import Glibc

/// What a program left behind.
public struct RunResult: Sendable {
  /// Exit code; 128 + the signal's number where a signal ended it.
  public var exit: Int32
  public var stdout: [UInt8]
  public var stderr: String
  /// Largest resident memory, in bytes, of the process itself.
  public var maxRSS: Int
  /// Processor seconds (user and system).
  public var cpuSeconds: Double
  /// It was killed because its time was up.
  public var timedOut: Bool

  /// Standard output as text.
  public var output: String { String(decoding: stdout, as: UTF8.self) }
}

/// Runs a program to its end. Its streams are temporary files, so no pipe can fill up and block it.
///
/// - Parameters:
///   - command: a path, or a name that is looked up in PATH.
///   - environment: variables on top of (or, with an empty value, taken out of) this process's own.
///   - timeout: seconds after which it is killed.
/// - Throws: `FileFailure` if the program cannot be started.
public func run(
  _ command: String, _ arguments: [String] = [], stdin: [UInt8] = [],
  environment changes: [String: String] = [:],
  currentDirectory: String? = nil, timeout: Double = 120
) throws -> RunResult {
  let folder = try TemporaryFolder()
  try writeFile(folder("in"), stdin)
  let process = try RunningProcess(
    command, arguments, stdin: .file(folder("in")), stdout: .file(folder("out")),
    stderr: .file(folder("err")),
    environment: changes, currentDirectory: currentDirectory)
  var result = process.wait(timeout: timeout)
  result.stdout = try readFile(folder("out"))
  result.stderr = try readText(folder("err"))
  return result
}

/// Runs a line of bash (with `pipefail`).
public func shell(
  _ line: String, environment: [String: String] = [:], currentDirectory: String? = nil, timeout: Double = 120
) throws -> RunResult {
  try run(
    "bash", ["-o", "pipefail", "-c", line], environment: environment, currentDirectory: currentDirectory,
    timeout: timeout)
}
