import Glibc
import Synchronization

/// Plain worker threads: each owns its scratch memory, takes work in order and ends. Async/await is not for the data plane.
public enum Threads {
  private final class Job: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// A running thread; `join` must be called once.
  public struct Handle: Sendable {
    fileprivate let thread: pthread_t
    public func join() { pthread_join(thread, nil) }
  }

  /// Starts a thread with an 8 MiB stack.
  public static func start(_ body: @escaping @Sendable () -> Void) throws(StorageError) -> Handle {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, 8 << 20)
    var thread = pthread_t()
    let job = Unmanaged.passRetained(Job(body))
    let code = pthread_create(
      &thread, &attributes,
      { argument in
        // SAFETY: the argument is the retained Job of this call, taken back exactly once.
        Unmanaged<Job>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      }, job.toOpaque())
    guard code == 0 else {
      job.release()
      throw .output(
        path: "threads",
        reason: "cannot start a worker (\(System.Failure(code: code).reason)); use fewer --workers")
    }
    return Handle(thread: thread)
  }

  /// Runs `body(worker number)` in `count` threads and waits for all.
  public static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws(StorageError) {
    var handles: [Handle] = []
    var failure: StorageError?
    for index in 0..<count {
      do throws(StorageError) { handles.append(try start { body(index) }) } catch {
        if handles.isEmpty { failure = error }
        break
      }
    }
    for handle in handles { handle.join() }
    if let failure { throw failure }
  }
}

/// A lock with a condition, for the few places where a worker waits for another.
public final class Monitor: Sendable {
  // SAFETY: both live on the heap at a fixed address for the object's life, and pthread functions are made for
  // concurrent use.
  private nonisolated(unsafe) let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private nonisolated(unsafe) let condition: UnsafeMutablePointer<pthread_cond_t>

  public init() {
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    // The clock of timed waits must not jump with the time of day.
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  public func lock() { pthread_mutex_lock(mutex) }
  public func unlock() { pthread_mutex_unlock(mutex) }
  /// Waits with the lock held.
  public func wait() { pthread_cond_wait(condition, mutex) }
  public func wakeAll() { pthread_cond_broadcast(condition) }

  /// Waits at most `milliseconds` with the lock held.
  public func wait(milliseconds: Int) {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    time.tv_nsec += milliseconds % 1000 * 1_000_000
    time.tv_sec += milliseconds / 1000 + time.tv_nsec / 1_000_000_000
    time.tv_nsec %= 1_000_000_000
    pthread_cond_timedwait(condition, mutex, &time)
  }
}
