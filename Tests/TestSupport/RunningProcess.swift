import Glibc

/// A program that was started and can be signalled: for tests that kill.
public final class RunningProcess {
  public enum Stream {
    case file(String)
    case null
  }

  public let pid: pid_t

  public init(
    _ command: String, _ arguments: [String], stdin: Stream = .null, stdout: Stream = .null,
    stderr: Stream = .null,
    environment changes: [String: String] = [:], currentDirectory: String? = nil
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    func open(_ descriptor: Int32, _ stream: Stream, _ flags: Int32) {
      let path = if case .file(let path) = stream { path } else { "/dev/null" }
      posix_spawn_file_actions_addopen(&actions, descriptor, path, flags, 0o644)
    }
    open(0, stdin, O_RDONLY)
    open(1, stdout, O_WRONLY | O_CREAT | O_TRUNC)
    open(2, stderr, O_WRONLY | O_CREAT | O_TRUNC)

    // glibc's own chdir action is not visible to Swift; coreutils' env does the same and becomes the program.
    let words = (currentDirectory.map { ["env", "-C", $0] } ?? []) + [command] + arguments
    let argv = CStrings(words)
    let envp = CStrings(RunningProcess.environment(with: changes))
    var child: pid_t = 0
    let code = posix_spawnp(&child, words[0], &actions, nil, argv.pointers, envp.pointers)
    guard code == 0 else {
      errno = code
      throw FileFailure(command)
    }
    pid = child
  }

  /// Sends a signal.
  public func send(_ signal: Int32) {
    kill(pid, signal)
  }

  /// Waits for the end; kills the process when its time is up. Call it once.
  public func wait(timeout: Double = 120) -> RunResult {
    var status: Int32 = 0
    var usage = rusage()
    let start = monotonicSeconds()
    var timedOut = false
    // A wait that polls: a signal handler for the children would belong to the whole test process.
    var pause: UInt32 = 200
    while wait4(pid, &status, WNOHANG, &usage) == 0 {
      if !timedOut, monotonicSeconds() - start > timeout {
        timedOut = true
        send(SIGKILL)
      }
      usleep(pause)
      pause = min(pause * 2, 10_000)
    }
    let signal = status & 0x7f
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return RunResult(
      exit: signal == 0 ? (status >> 8) & 0xff : 128 + signal, stdout: [], stderr: "",
      maxRSS: usage.ru_maxrss * 1024, cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
      timedOut: timedOut)
  }

  private static func environment(with changes: [String: String]) -> [String] {
    var lines: [String] = []
    var entry = environ
    while let pointer = entry.pointee {
      let line = String(cString: pointer)
      let name = String(line.prefix { $0 != "=" })
      if changes[name] == nil { lines.append(line) }
      entry += 1
    }
    for (name, value) in changes.sorted(by: { $0.key < $1.key }) where !value.isEmpty {
      lines.append("\(name)=\(value)")
    }
    return lines
  }
}

/// Seconds of a clock that only goes forward.
public func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// A null-terminated array of C strings.
private final class CStrings {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ strings: [String]) {
    count = strings.count
    pointers = .allocate(capacity: count + 1)
    for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
    pointers[count] = nil
  }

  deinit {
    for index in 0..<count { free(pointers[index]) }
    pointers.deallocate()
  }
}
