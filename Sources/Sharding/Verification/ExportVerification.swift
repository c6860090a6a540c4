import Bytes
import Storage

/// Verifies an export against its own manifest: each file is there, of the recorded size, of the recorded SHA-256.
///
/// The token files of a linked export are the store's own. If that store lies beside the export, a finding names its
/// segment and, by the segment's sums, the blocks that changed.
public enum ExportVerification {
  /// Is there an export in this folder? (Looks at its manifest only.)
  public static func isExport(_ folder: String) -> Bool {
    let path = Path.join(folder, StoreManifest.fileName)
    guard let bytes = try? FileSystem.readAll(path) else { return false }
    return (try? ExportReport(bytes: bytes, path: path)) != nil
  }

  /// - Throws: `.input` if the manifest cannot be read; what `tick` throws.
  public static func run(
    _ folder: String, level: Int = 2, tick: () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> Verification {
    let path = Path.join(folder, StoreManifest.fileName)
    let bytes = try FileSystem.readAll(path)
    let report = try ExportReport(bytes: bytes, path: path)
    var result = Verification(kind: "export", level: level)
    if !report.isWhole(bytes) {
      result.note(
        Finding(
          level: 0, place: StoreManifest.fileName, message: "is damaged; export again",
          ranges: [0..<max(1, bytes.count)]))
    }
    for file in report.files {
      try tick()
      result.count("files", 1)
      if let finding = try check(file, report, folder, level) { result.note(finding) }
      if level >= 1 { result.count("bytes", Int(file.bytes)) }
    }
    result.count("documents", report.documents)
    result.count("tokens", report.tokens)
    return result
  }

  private static func check(
    _ file: ExportReport.File, _ report: ExportReport, _ folder: String, _ level: Int
  ) throws(StorageError) -> Finding? {
    let path = Path.join(folder, file.name)
    guard let size = try? FileSystem.size(of: path) else {
      return Finding(
        level: 0, place: file.name, message: "is missing; export again",
        ranges: [0..<max(1, Int(file.bytes))])
    }
    guard size == file.bytes else {
      return Finding(
        level: 0, place: file.name, message: "\(size) bytes, and \(file.bytes) were written; export again",
        ranges: [0..<Int(max(size, file.bytes))])
    }
    guard level >= 1, try SHA256.hexOfFile(path).hex != file.sha256 else { return nil }
    if file.method != .written, let found = try locate(file, report, path, beside: folder) {
      let isLink = file.method == .hardLink
      return Finding(
        level: 2, place: file.name,
        message: "its SHA-256 has changed: the bytes \(found.text) are not those of \(found.place)"
          + (isLink ? ", of which it is a link: verify that store" : "; export again"), ranges: found.ranges)
    }
    let remedy = file.method == .hardLink ? "it is the store's own file: verify the store" : "export again"
    return Finding(
      level: 2, place: file.name, message: "its SHA-256 has changed; \(remedy)",
      ranges: [0..<max(1, Int(size))])
  }

  /// The blocks of a token file that are not those of the segment which it was linked to; nil if that cannot be told.
  private static func locate(
    _ file: ExportReport.File, _ report: ExportReport, _ path: String, beside folder: String
  ) throws(StorageError) -> (place: String, ranges: [Range<Int>], text: String)? {
    let above = Path.join(folder, "..")
    for name in (try? FileSystem.list(above)) ?? [] {
      guard let store = try? TokenStore(Path.join(above, name)),
        report.store.split(separator: " ").contains(Substring(store.fingerprint)),
        let split = store.manifest.splits.first(where: { $0.name == report.split }),
        let segment = split.segments.first(where: { $0.tok.sha256 == file.sha256 }),
        let bytes = try? FileSystem.readAll(store.path(split, segment, SegmentSums.suffix)),
        let sums = SegmentSums(bytes: bytes)
      else { continue }
      var check = FileCheck(try RandomAccessFile(path), segment.tok, sums.files[3], level: 0)
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileCheck.chunkBytes, alignment: 64)
      defer { buffer.deallocate() }
      while try check.next(into: buffer) > 0 {}
      guard !check.changed.isEmpty else { return nil }
      return (
        "\(split.name)/\(segment.name).tok", check.changed, SegmentVerification.text(check.changed)
      )
    }
    return nil
  }
}

extension ExportReport {
  /// The bytes of `manifest.json`: the report, and the SHA-256 of its canonical JSON.
  public var manifestBytes: [UInt8] {
    let hash = Hex.string(SHA256.hash(json.canonical().span))
    return JSONValue.object((json.members ?? []) + [.init("sha256", .string(hash))]).serialized(indent: 1) + [
      10
    ]
  }

  /// Are these bytes what was written? Exports of earlier versions have no hash.
  func isWhole(_ bytes: [UInt8]) -> Bool {
    bytes == manifestBytes || bytes == json.serialized(indent: 1) + [10]
  }
}
