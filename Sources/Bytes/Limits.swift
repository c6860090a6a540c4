/// Every limit of sluice, in one place. Going over one is a typed, counted outcome with file and offset.
///
/// - Source: the table of limits in the project's reliability notes; ARCHITECTURE.md repeats it.
public struct Limits: Sendable {
  /// One record of a dump (header and block), decoded bytes.
  public var recordBytes = 64 << 20
  /// HTML given to the parser, decoded bytes.
  public var htmlBytes = 16 << 20
  /// One wiki page (libxml2's own node limit).
  public var wikiPageBytes = 10 << 20
  /// One JSON line.
  public var lineBytes = 64 << 20
  public var jsonDepth = 64
  /// Decoded bytes of an input before its expansion ratio is judged.
  public var expansionGrace = 1 << 30
  /// Decoded bytes per encoded byte, above 1 MiB of output of one record.
  public var expansionRatio = 200
  /// log2 of the largest zstd window.
  public var zstdWindowLog = 23
  public var headerBytes = 64 << 10
  public var headerFields = 256
  public var attributesPerTag = 256
  public var treeDepth = 512
  public var treeNodes = 1_000_000
  public var fileNameBytes = 255
  public var pipelineFileBytes = 1 << 20
  public var workers = 1024
  /// Bytes of a pretoken in training; longer ones are cut there and counted.
  public var trainingPretokenBytes = 1 << 20

  public init() {}
  public static let standard = Limits()
}
