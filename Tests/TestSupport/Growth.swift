import Glibc

/// How the cost of something grows with its input: for tests against quadratic time, which are no benchmarks.
public enum Growth {
  /// Input of the second measurement, in terms of the first.
  public static let factor = 8
  /// A quadratic cost grows 64 times, a linear one 8 times; what caches and the allocator add stays below this.
  public static let ratioMax = 28.0

  /// Ratio of the costs of `8 * size` and `size`, in processor time of this thread: the least of up to five tries, since other
  /// tests run beside this one and can only slow it. A cost too small to measure counts as a ratio of 1.
  public static func ratio(_ size: Int, _ work: (_ size: Int) -> Void) -> Double {
    var best = Double.infinity
    for _ in 0..<5 {
      let small = min(seconds { work(size) }, seconds { work(size) })
      let large = seconds { work(size * factor) }
      best = min(best, large < 0.02 ? 1 : large / max(small, 0.0002))
      if best < ratioMax / 2 { break }
    }
    return best
  }

  private static func seconds(_ work: () -> Void) -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let start = now()
    work()
    return now() - start
  }
}
