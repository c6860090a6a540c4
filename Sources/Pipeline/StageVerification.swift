import Bytes
import Sharding
import Storage
import Tokenization

/// Verifies a stage folder: the files that its manifest names, their sizes and SHA-256; of a tokenizer that it is one.
enum StageVerification {
  static func run(
    _ manifest: StageManifest, _ folder: String, level: Int, tick: () throws(StorageError) -> Void
  ) throws(StorageError) -> Verification {
    var result = Verification(kind: "stage \(manifest.stage)", level: level)
    for output in manifest.outputs {
      try tick()
      let path = Path.join(folder, output.name)
      result.count("files", 1)
      guard let size = try? FileSystem.size(of: path) else {
        result.note(Finding(level: 0, place: output.name, message: "is missing; run the stage again"))
        continue
      }
      if size != output.bytes {
        result.note(
          Finding(
            level: 0, place: output.name,
            message: "\(size) bytes, and the manifest says \(output.bytes); run the stage again",
            ranges: [0..<Int(max(size, output.bytes))]))
      } else if level >= 1 {
        result.count("bytes", Int(size))
        if try SHA256.hexOfFile(path).hex != output.sha256 {
          result.note(
            Finding(
              level: 2, place: output.name, message: "its SHA-256 is not the manifest's; run the stage again",
              ranges: [0..<max(1, Int(size))]))
        }
      }
    }
    if manifest.stage == "train", level >= 2, result.isGood { try checkTokenizer(folder, &result) }
    return result
  }

  /// The files of a tokenizer folder are one tokenizer, the one that the report names.
  private static func checkTokenizer(_ folder: String, _ result: inout Verification) throws(StorageError) {
    let report = try? JSONValue.parse(try FileSystem.readAll(Path.join(folder, "report.json")))
    let names = ["tokenizer.json", "vocab.tiktoken"].filter { FileSystem.exists(Path.join(folder, $0)) }
    for name in names {
      do throws(StorageError) {
        let tokenizer = try Tokenizer.load(path: Path.join(folder, name))
        result.count("tokenizers", 1)
        if let recorded = report?["tokenizer_sha256"]?.string, recorded != tokenizer.sha256, name == names[0]
        {
          result.note(
            Finding(
              level: 2, place: name, message: "is another tokenizer than report.json names; train again"))
        }
      } catch {
        result.note(Finding(level: 2, place: name, message: "cannot be loaded: \(error.message)"))
      }
    }
  }
}
