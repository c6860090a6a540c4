/// What can go wrong between sluice and the world, with its place. Each maps to one exit code.
public enum StorageError: Error, Equatable, Sendable {
  /// An input cannot be read (exit 3).
  case input(path: String, reason: String)
  /// An output cannot be written (exit 4).
  case output(path: String, reason: String)
  /// The device of an output is full (exit 4).
  case full(path: String, written: Int64)
  /// The reader of our standard output went away (exit 0, quietly).
  case closedPipe
  /// SIGINT or SIGTERM (exit 5).
  case interrupted
  /// An option or a file that the user wrote is wrong (exit 2).
  case usage(String)
  /// A broken invariant of ours (exit 70).
  case bug(String)

  /// One sentence for people: what, where, why.
  public var message: String {
    switch self {
    case .input(let path, let reason): "\(path): \(reason)"
    case .output(let path, let reason): "\(path): \(reason)"
    case .full("standard output", let written):
      "standard output: no space left on the device after \(written) bytes. Free space and run the command again."
    case .full(let path, let written):
      "\(path): no space left on the device after \(written) bytes. The unfinished file was removed; finished units are kept. "
        + "Free space and run the same command with --resume."
    case .closedPipe: "The reader of the output closed the pipe."
    case .interrupted: "Interrupted. Finished units are kept; run the same command with --resume to go on."
    case .usage(let text): text
    case .bug(let text): "A bug of sluice: \(text). Please report it with this line. Output so far is intact."
    }
  }

  public var exitCode: Int32 {
    switch self {
    case .input: 3
    case .output, .full: 4
    case .closedPipe: 0
    case .interrupted: 5
    case .usage: 2
    case .bug: 70
    }
  }
}
