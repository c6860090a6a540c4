import Glibc
import Synchronization

/// What this process is and used. Only `run.json`, progress and locks may show these.
public enum Process {
  /// Peak resident memory in bytes.
  public static var peakMemory: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Int(usage.ru_maxrss) * 1024
  }

  /// Processor seconds, user and system.
  public static var cpuSeconds: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// Seconds of a clock that never jumps.
  public static var monotonicSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// The time of day in UTC, `2026-01-31T12:00:00Z`.
  public static var wallClock: String {
    var seconds = time(nil)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func two(_ value: Int32) -> String { Path.padded(Int(value), digits: 2) }
    return
      "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
  }

  public static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, 255) == 0 else { return "unknown" }
    return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  public static var identifier: Int32 { System.processID }
  public static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  public static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  /// Ends the process without running anything else.
  public static func exit(_ code: Int32) -> Never { _exit(code) }
}

/// SIGINT and SIGTERM as a flag. No handler code runs: the signals are blocked in all threads and one thread waits for them.
public enum Interruption {
  private static let flag = Atomic<Bool>(false)

  public static var isRequested: Bool { flag.load(ordering: .relaxed) }

  /// Call once in `main` before any thread starts. Also ignores SIGPIPE and SIGXFSZ: their calls fail with an errno instead.
  public static func install() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    _ = try? Threads.start {
      var waited = sigset_t()
      sigemptyset(&waited)
      sigaddset(&waited, SIGINT)
      sigaddset(&waited, SIGTERM)
      var number: Int32 = 0
      sigwait(&waited, &number)
      flag.store(true, ordering: .relaxed)
      // A second signal, or two seconds without an orderly end, ends the process at once; nothing unfinished has a final name.
      var limit = timespec(tv_sec: 1, tv_nsec: 400_000_000)
      _ = sigtimedwait(&waited, nil, &limit)
      _exit(5)
    }
  }
}
