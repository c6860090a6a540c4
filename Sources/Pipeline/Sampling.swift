import Bytes
import Documents
import Storage

/// A seeded sample of a corpus: the documents with the smallest hash of (seed, id). So it is the same for every order of parts, and a
/// larger sample holds the smaller one.
public enum Sampling {
  /// - Parameters:
  ///   - dropped: sample the dropped documents instead of the kept ones.
  ///   - rule: only those that this rule dropped.
  public static func sample(
    _ corpus: CorpusFolders, count: Int, seed: UInt64, dropped: Bool, rule: String?
  ) throws(StorageError) -> [(stage: String, document: Document)] {
    var best: [(hash: UInt64, stage: String, document: Document)] = []
    var needle: [UInt8] = []
    if let rule {
      needle = Array("\"rule\":".utf8)
      JSONText.append(string: rule, to: &needle)
    }
    let stages = dropped ? corpus.stages : corpus.stages.filter(hasParts).suffix(1)
    for stage in stages {
      try PartReader.scan(stage, prefix: dropped ? "dropped/part-" : "part-", containing: needle) {
        batch, index in
        let entry = batch.entries[index]
        let hash = XXH64.hash(batch.bytes.span.extracting(entry.id), seed: seed)
        if best.count == count, let last = best.last, hash >= last.hash { return true }
        let position = best.firstIndex { $0.hash > hash } ?? best.count
        best.insert((hash, stage.name, batch.document(at: index)), at: position)
        if best.count > count { best.removeLast() }
        return true
      }
    }
    return best.map { ($0.stage, $0.document) }
  }

  private static func hasParts(_ stage: CorpusFolders.Stage) -> Bool {
    stage.manifest.outputs.contains { $0.name.hasPrefix("part-") }
  }
}
