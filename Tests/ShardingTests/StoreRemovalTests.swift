import Bytes
import Storage
import TestSupport
import Testing

@testable import Sharding

@Suite struct StoreRemovalTests {
  private struct Fixture {
    let folder: TemporaryFolder
    let corpus: [Samples.Encoded]
    let store: TokenStore

    init(parts: Int = 3) throws {
      folder = try TemporaryFolder()
      var options = StoreOptions(tokenizer: Samples.tokenizer(vocabulary: 1000))
      options.segmentBytes = 8000
      options.holdout = try Holdout(seed: 0, parsing: "valid=2%")
      var corpus = Samples.corpus(1000, vocabulary: 1000)
      // Ids that JSON has to escape, and one that is not ASCII.
      for (number, id) in ["quote\"d/1", "back\\slash/2", "tab\tbed/3", "日本/4"].enumerated() {
        corpus[100 + number].id = id
        corpus[100 + number].tokens = [1, 2, 3]
      }
      self.corpus = corpus
      try Samples.store(corpus, options: options, in: folder.path)
      store = try TokenStore(folder("store"))
    }

    struct Made {
      var store: TokenStore
      var removed: StoreRemoval.Removed
      var links: StoreLinks
      var hits: [[StoreRemoval.Hits]]
      var list: DocumentIDList
    }

    func remove(_ ids: String) throws -> Made {
      try writeFile(folder("ids.txt"), Array(ids.utf8))
      let list = try DocumentIDList(folder("ids.txt"))
      removeTree(folder("new"))
      let removal = try StoreRemoval(store, folder: folder("new"))
      var made = (links: StoreLinks(), removed: StoreRemoval.Removed(), hits: [[StoreRemoval.Hits]]())
      var splits: [StoreManifest.Split] = []
      for (number, split) in store.manifest.splits.enumerated() {
        let hits = try split.segments.indices.map { try StoreRemoval.hits(store, split, segment: $0, list) }
        let built = try removal.buildSplit(number, hits: hits, &made.links)
        made.removed.documents += built.removed.documents
        made.removed.tokens += built.removed.tokens
        made.hits.append(hits)
        splits.append(built.split)
      }
      _ = try removal.finish(splits, removed: made.removed)
      return Made(
        store: try TokenStore(folder("new")), removed: made.removed, links: made.links, hits: made.hits,
        list: list)
    }

    func id(_ document: [String]) -> String {
      DocumentOrigin(line: Array(document[0].utf8))?.id ?? ""
    }
  }

  @Test func `what is named goes, the rest stays in its order`() throws {
    let fixture = try Fixture()
    let gone: Set<String> = ["quote\"d/1", "back\\slash/2", "tab\tbed/3", "日本/4", "dump-2/500000"]
    let list =
      "# taken down\n\n  quote\"d/1 \r\nback\\slash/2\ntab\tbed/3\n日本/4\n\tdump-2/500000\nnobody/1\nnobody/1\ndump-2/50000000"
    let made = try fixture.remove(list)
    #expect(made.list.count == 7)
    var tokens = 0
    var linked = 0
    for (old, hits) in zip(fixture.store.manifest.splits, made.hits) {
      let before = try StoreMergeTests.documents(fixture.store, old.name)
      let after = try StoreMergeTests.documents(made.store, old.name)
      let isRest = after == before.filter { !gone.contains(fixture.id($0)) }
      #expect(isRest)
      tokens += before.filter { gone.contains(fixture.id($0)) }.reduce(0) { $0 + $1[1].utf8.count / 4 }
      // Untouched segments are the same files, all four of them and their sums.
      let new = try made.store.manifest.split(old.name)
      try #require(new.segments.count == old.segments.count)
      for (number, segment) in old.segments.enumerated() where hits[number].documents.isEmpty {
        linked += 1
        #expect(new.segments[number] == segment)
        for (suffix, _) in segment.files {
          #expect(
            try FileSystem.identity(of: made.store.path(new, segment, suffix)).inode
              == FileSystem.identity(of: fixture.store.path(old, segment, suffix)).inode)
        }
      }
    }
    #expect(made.removed == .init(documents: 5, tokens: tokens) && linked > 5)
    #expect(made.links.segmentsLinked == linked && made.links.segmentsWritten > 0)
    #expect(try StoreVerification.run(made.store, level: 2).findings == [])
    #expect(made.store.manifest.parts == fixture.store.manifest.parts)
    #expect(made.store.manifest.order == fixture.store.manifest.order)
    let build = try readText(fixture.folder("new/build.json"))
    #expect(build.contains(fixture.store.fingerprint) && build.contains("\"documents\": 5"))
    #expect(!build.contains("slash"))
  }

  @Test func `no id of the store: the same store, linked`() throws {
    let fixture = try Fixture()
    let made = try fixture.remove("nobody\n#dump-1/1000\n")
    #expect(made.store.fingerprint == fixture.store.fingerprint)
    #expect(made.removed == .init() && made.links.segmentsWritten == 0)
  }

  @Test func `a split may be left empty, and empty segments leave no gap`() throws {
    let fixture = try Fixture()
    let valid = try StoreMergeTests.documents(fixture.store, "valid").map { fixture.id($0) }
    let train = try fixture.store.manifest.split("train")
    // All of the second segment of train.
    let reader = try fixture.store.open(train, segment: 1)
    let second = try (0..<reader.segment.documents).map { try reader.origin(ofDocument: $0).id }
    let made = try fixture.remove((valid + second).joined(separator: "\n"))
    #expect(made.store.manifest.splits[1].documents == 0 && made.store.manifest.splits[1].segments.isEmpty)
    #expect(made.store.manifest.splits[0].segments.count == train.segments.count - 1)
    #expect(made.removed.documents == valid.count + second.count)
    #expect(try StoreVerification.run(made.store, level: 2).findings == [])
    let (old, new) = (
      fixture.store.path(train, train.segments[2], "tok"), fixture.folder("new/train/seg-00001.tok")
    )
    #expect(try FileSystem.identity(of: old).inode == FileSystem.identity(of: new).inode)
  }

  @Test func `a list of ids is read whatever its lines`() throws {
    let folder = try TemporaryFolder()
    func list(_ text: String) throws -> DocumentIDList {
      try writeFile(folder("ids"), Array(text.utf8))
      return try DocumentIDList(folder("ids"))
    }
    #expect(try list("").count == 0)
    #expect(try list("\n \n#a\n").count == 0)
    #expect(try list("a").number(of: Array("a".utf8).span) == 0)
    #expect(try list("a b \n").number(of: Array("a b".utf8).span) == 0)
    #expect(try list("a b\n").number(of: Array("a".utf8).span) == nil)
    // Larger than what is read at once, with lines across the borders.
    let ids = (0..<200_000).map { "id/\($0 * 7919)" }
    let many = try list(ids.joined(separator: "\n"))
    #expect(many.count == 200_000)
    for id in ids.shuffled().prefix(2000) {
      let number = try #require(try many.number(of: Array(id.utf8).span))
      #expect(try many.text(number) == id)
      #expect(try many.number(of: Array((id + "x").utf8).span) == nil)
    }
    #expect(throws: StorageError.self) { try list(String(repeating: "x", count: 3 << 20)) }
  }
}
