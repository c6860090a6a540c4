import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct PackingFormatTests {
  static let manifest = PackManifest(
    store: "sha256:ab", split: "train", key: PackKey(context: 8, policy: .bestFit, grouping: .source),
    classes: ["code", "web"],
    units: [
      .init(
        name: "seg-00000", firstSegment: 0, segments: 2, bins: 3, pieces: 5, padding: 4, classBins: [1, 2],
        bytes: 16 + 16 + 60, sha256: "cd"),
      .init(
        name: "seg-00002", firstSegment: 2, segments: 1, bins: 1, pieces: 1, padding: 0, classBins: [0, 1],
        bytes: 16 + 8 + 12, sha256: "ef"),
    ])

  @Test func aManifestIsCanonicalJSONAndReadsBack() throws {
    let manifest = Self.manifest
    let text = manifest.bytes.string
    #expect(
      text.hasPrefix(
        #"{"classes":["code","web"],"context":8,"format":"sluice-pack/1","grouping":"source","policy":"best-fit","split":"train","store":"sha256:ab","units":[{"bins":3,"bytes":92,"class_bins":[1,2],"first_segment":0,"name":"seg-00000","padding":4,"pieces":5,"segments":2,"sha256":"cd"},"#
      ))
    #expect(try PackManifest(bytes: manifest.bytes, path: "m") == manifest)
    #expect(manifest.hash.hasPrefix("sha256:") && manifest.hash.utf8.count == 71)
    #expect(
      manifest.bins == 4 && manifest.pieces == 6 && manifest.padding == 4 && manifest.classBins == [1, 3])
  }

  @Test func foldersAreNamedByTheirKey() {
    #expect(PackKey(context: 4096).folderName == "pack-4096")
    #expect(PackKey(context: 4096, grouping: .source).folderName == "pack-4096-source")
    #expect(
      PackKey(context: 64, policy: .concat, grouping: .language).folderName == "pack-64-concat-language")
  }

  @Test func aManifestThatContradictsItselfIsRefused() throws {
    let text = Self.manifest.bytes.string
    for (old, new) in [
      ("\"bins\":3", "\"bins\":4"), ("\"pieces\":5", "\"pieces\":2"),
      ("\"class_bins\":[1,2]", "\"class_bins\":[3]"),
      ("seg-00002", "seg-00001"), ("\"first_segment\":2", "\"first_segment\":1"),
      ("\"segments\":2", "\"segments\":0"),
      ("\"padding\":4", "\"padding\":25"), ("\"context\":8", "\"context\":0"), ("best-fit", "worst-fit"),
      ("\"grouping\":\"source\"", "\"grouping\":\"none\""), ("sluice-pack/1", "sluice-pack/9"),
      ("\"bytes\":92", "\"bytes\":93"),
    ] {
      guard let range = text.firstRange(of: old) else {
        Issue.record("the manifest has no \(old)")
        continue
      }
      let changed = text[..<range.lowerBound] + new + text[range.upperBound...]
      #expect(throws: StorageError.self, "\(new)") { try PackManifest(bytes: Array(changed.utf8), path: "m") }
    }
  }

  @Test func damagedManifestsNeverCrash() {
    var random = SeededRandom(seed: 5)
    for _ in 0..<3000 {
      let bytes = random.mutation(of: Self.manifest.bytes)
      if let read = try? PackManifest(bytes: bytes, path: "m") { _ = (read.bins, read.classBins, read.hash) }
    }
  }

  @Test func unitsHaveTenThousandDocumentsAndTheRestJoinsTheLast() {
    func plan(_ documents: [Int], tokens: Int = 100_000) -> [Range<Int>] {
      var split = Samples.manifest(segmentTokens: documents.map { _ in tokens }).splits[0]
      for (number, count) in documents.enumerated() { split.segments[number].documents = count }
      return PackIndex.plan(split)
    }
    #expect(plan([]) == [])
    #expect(plan([5]) == [0..<1])
    #expect(plan([10_000, 10_000]) == [0..<1, 1..<2])
    #expect(plan([9_999, 1, 10_000]) == [0..<2, 2..<3])
    #expect(plan([4_000, 4_000, 4_000, 4_000, 4_000]) == [0..<5])
    #expect(plan([10_000, 20_000, 9_999]) == [0..<1, 1..<3])
    #expect(plan([1, 1, 1], tokens: 1 << 29) == [0..<3])
    #expect(plan([1, 1, 1, 1], tokens: 1 << 29) == [0..<2, 2..<4])
  }
}
