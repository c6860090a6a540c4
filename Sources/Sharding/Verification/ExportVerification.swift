import Storage

/// Verifies an export against its own manifest: each file is there, of the recorded size, of the recorded SHA-256.
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
    let report = try ExportReport(bytes: try FileSystem.readAll(path), path: path)
    var result = Verification(kind: "export", level: level)
    for file in report.files {
      try tick()
      let path = Path.join(folder, file.name)
      result.count("files", 1)
      guard let size = try? FileSystem.size(of: path) else {
        result.note(Finding(level: 0, place: file.name, message: "is missing; export again"))
        continue
      }
      guard size == file.bytes else {
        result.note(
          Finding(
            level: 0, place: file.name, message: "\(size) bytes, and \(file.bytes) were written; export again"
          ))
        continue
      }
      guard level >= 1 else { continue }
      result.count("bytes", Int(size))
      let found = try SHA256.hexOfFile(path)
      if found.hex != file.sha256 {
        let remedy =
          file.method == .hardLink ? "it is the store's own file: verify the store" : "export again"
        result.note(Finding(level: 2, place: file.name, message: "its SHA-256 has changed; \(remedy)"))
      }
    }
    result.count("documents", report.documents)
    result.count("tokens", report.tokens)
    return result
  }
}
