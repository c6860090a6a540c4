import Bytes
import Storage

/// Verifies a token store; each level includes those before it.
///
/// | level | checks |
/// |---|---|
/// | 0 | names and sizes of files, `.doc` grows strictly and ends at the token count, sums equal the manifest, origin offsets, last id of each segment |
/// | 1 | XXH64 of every file; where `SegmentSums` lie beside a segment, of every block |
/// | 2 | SHA-256 of every file, the fingerprint in `build.json`, every document's hash and end-of-text id, every id below the vocabulary |
///
/// A damaged store is a list of findings, not an error: each names the file, the bytes (to a block of 64 KiB where there are
/// sums, else to the document), the documents in them and the input parts to tokenize again. One pass over the tokens.
public struct StoreVerification {
  private let store: TokenStore
  private let level: Int
  private var result: Verification
  private let tick: () throws(StorageError) -> Void

  /// - Parameter tick: called now and then; what it throws ends the work.
  /// - Throws: what `tick` throws.
  public static func run(
    _ store: TokenStore, level: Int, tick: @escaping () throws(StorageError) -> Void = {}
  ) throws(StorageError) -> Verification {
    var work = StoreVerification(
      store: store, level: level, result: Verification(kind: "token store", level: level), tick: tick)
    try work.verify()
    return work.result
  }

  private mutating func verify() throws(StorageError) {
    for split in store.manifest.splits {
      checkSums(split)
      checkNames(split)
      for (number, segment) in split.segments.enumerated() {
        try tick()
        var work = SegmentVerification(store, split, number, level: level, tick: tick)
        try work.verify()
        for finding in work.findings { result.note(finding) }
        if level >= 1 { result.count("bytes", work.bytes) }
        result.count("segments", 1)
        result.count("documents", segment.documents)
        result.count("tokens", segment.tokens)
      }
    }
    if level >= 2 { checkFingerprint() }
  }

  /// Sums of the manifest, and of its lists.
  private mutating func checkSums(_ split: StoreManifest.Split) {
    let tokens = split.segments.reduce(0) { $0 + $1.tokens }
    let documents = split.segments.reduce(0) { $0 + $1.documents }
    if tokens != split.tokens || documents != split.documents {
      result.note(
        Finding(
          level: 0, place: "manifest.json",
          message:
            "the segments of \(split.name) add up to \(documents) documents and \(tokens) tokens, not to "
            + "\(split.documents) and \(split.tokens)"))
    }
    for segment in split.segments {
      let isWhole =
        segment.sourceTokens.reduce(0, +) == segment.tokens
        && segment.lengthHistogram.reduce(0, +) == segment.documents && segment.minID <= segment.maxID
        && segment.maxID < store.manifest.tokenizer.vocabulary
      if !isWhole {
        result.note(
          Finding(
            level: 0, place: "manifest.json",
            message: "the entry of \(split.name)/\(segment.name) contradicts itself (sources, lengths or ids)"
          ))
      }
    }
  }

  /// Files that the manifest does not name.
  private mutating func checkNames(_ split: StoreManifest.Split) {
    guard let found = try? FileSystem.list(Path.join(store.folder, split.name)) else { return }
    var known: Set<String> = []
    for segment in split.segments {
      for (suffix, _) in segment.files { known.insert("\(segment.name).\(suffix)") }
      known.insert("\(segment.name).\(SegmentSums.suffix)")
    }
    for name in found where !known.contains(name) && !name.hasPrefix(PackKey.folderPrefix) {
      result.note(
        Finding(level: 0, place: "\(split.name)/\(name)", message: "is not in the manifest; remove it"))
    }
  }

  private mutating func checkFingerprint() {
    let path = Path.join(store.folder, "build.json")
    guard let bytes = try? FileSystem.readAll(path), let json = try? JSONValue.parse(bytes),
      let recorded = json["fingerprint"]?.string, StoreManifest.isWhole(bytes, json)
    else {
      let size = (try? FileSystem.size(of: path)).map(Int.init) ?? 0
      result.note(
        Finding(
          level: 2, place: "build.json",
          message:
            "is missing or damaged: the fingerprint cannot be compared, and the lineage cannot be trusted. "
            + "Copy it from another copy of the store",
          ranges: [0..<max(size, 1)]))
      return
    }
    if recorded != store.fingerprint {
      result.note(
        Finding(
          level: 2, place: "manifest.json",
          message: "its fingerprint is \(store.fingerprint), and build.json recorded \(recorded)",
          ranges: [0..<store.manifest.bytes.count]))
    }
  }
}
