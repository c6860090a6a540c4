import Bytes
import Storage

/// What every command takes and what never changes an output byte, unless said so.
public struct RunOptions: Sendable {
  public enum Mode: Sendable { case fresh, resume, restart }
  public enum ProgressStyle: String, Sendable, CaseIterable { case auto, plain, none }

  public var workers = Process.processorCount
  /// Bound of resident memory in bytes; nil: 256 MiB + 128 MiB per worker.
  public var memory: Int?
  /// Folder for spilled data; nil: `.tmp` in the output folder.
  public var temporaryFolder: String?
  public var mode = Mode.fresh
  public var progress = ProgressStyle.auto
  public var isQuiet = false
  public var isVerbose = false
  /// Exit 1 when more records than this were lost.
  public var maxDefects: Int?
  /// Changes outputs: a cut stream is taken as it is.
  public var acceptsCut = false
  /// Changes outputs: dropped documents are kept in `dropped/`.
  public var keepsDropped = true
  /// Changes outputs: part borders.
  public var unitBytes = UnitPlan.defaultUnitBytes
  public var limits = Limits.standard

  public init() {}

  public var memoryBytes: Int { memory ?? (256 << 20) + (128 << 20) * workers }

  /// What a sorter or a cache may hold, after the program itself and its workers' chunks.
  public var workingMemory: Int { max(16 << 20, memoryBytes - (48 << 20) - (12 << 20) * workers) }
}
