import Bytes
import Glibc
import Storage
import TestSupport
import Testing

@testable import Sharding

/// Marks around documents, and what opening a store costs.
@Suite struct StorePolicyTests {
  private func options(_ policy: TokenizerIdentity.Policy, vocabulary: Int = 1000) -> StoreOptions {
    var tokenizer = Samples.tokenizer(vocabulary: vocabulary, policy: policy)
    if policy.startsWithBOS { tokenizer.bos = vocabulary - 2 }
    var options = StoreOptions(tokenizer: tokenizer)
    options.segmentBytes = 4096
    options.order = .input
    return options
  }

  @Test(arguments: TokenizerIdentity.Policy.allCases, [1000, 70_000])
  func `each policy puts its marks around every document`(policy: TokenizerIdentity.Policy, vocabulary: Int)
    throws
  {
    let folder = try TemporaryFolder()
    let corpus = Samples.corpus(200, vocabulary: vocabulary - 1)
    try Samples.store(corpus, options: options(policy, vocabulary: vocabulary), in: folder.path)
    let store = try TokenStore(folder("store"))
    #expect(store.manifest.tokenizer.policy == policy)
    #expect(store.manifest.tokenizer.bos == (policy.startsWithBOS ? vocabulary - 2 : nil))
    let split = try store.manifest.split("train")
    var stored: [[UInt32]] = []
    for number in split.segments.indices {
      let reader = try store.open(split, segment: number)
      for document in 0..<reader.segment.documents {
        stored.append(try reader.tokens(try reader.range(ofDocument: document)))
      }
    }
    let first: [UInt32] = policy.startsWithBOS ? [UInt32(vocabulary - 2)] : []
    let last: [UInt32] = policy.endsWithEOS ? [UInt32(vocabulary - 1)] : []
    #expect(stored == corpus.filter { !$0.tokens.isEmpty }.map { first + $0.tokens + last })
    #expect(try StoreVerification.run(store, level: 2).isGood)
  }

  @Test(arguments: [TokenizerIdentity.Policy.prependBOS, .bosEOS])
  func `a document that starts otherwise is found`(policy: TokenizerIdentity.Policy) throws {
    let folder = try TemporaryFolder()
    try Samples.store(Samples.corpus(50, vocabulary: 999), options: options(policy), in: folder.path)
    // The manifest claims another begin-of-text id: all hashes are right, the documents are not.
    var manifest = try TokenStore(folder("store")).manifest
    manifest.tokenizer.bos = 3
    removeTree(folder("store/manifest.json"))
    try writeFile(folder("store/manifest.json"), manifest.bytes)
    let store = try TokenStore(folder("store"))
    let zero = try StoreVerification.run(store, level: 0).findings
    #expect(zero.contains { $0.message.contains("its first id is 998, not the begin-of-text id 3") })
    let two = try StoreVerification.run(store, level: 2).findings
    #expect(two.contains { $0.message.contains("starts with id 998, not with the begin-of-text id 3") })
  }

  @Test func `a policy needs its ids`() {
    for policy in TokenizerIdentity.Policy.allCases {
      var tokenizer = Samples.tokenizer(vocabulary: 1000, policy: policy)
      tokenizer.eos = nil
      tokenizer.bos = nil
      let options = StoreOptions(tokenizer: tokenizer)
      #expect(((try? options.validate()) != nil) == (policy == .none))
    }
  }

  @Test func `an open segment holds two descriptors until an origin is asked for`() throws {
    let folder = try TemporaryFolder()
    try Samples.store(Samples.corpus(500, vocabulary: 999), options: options(.appendEOS), in: folder.path)
    let store = try TokenStore(folder("store"))
    let split = try store.manifest.split("train")
    try #require(split.segments.count >= 8)
    // Other tests open files meanwhile, but none of this store.
    func opened() -> Int {
      (0..<1024).filter { (descriptor: Int) -> Bool in
        var target = [CChar](repeating: 0, count: 4096)
        guard readlink("/proc/self/fd/\(descriptor)", &target, target.count - 1) > 0 else { return false }
        return String(decoding: target.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
          .hasPrefix(folder("store"))
      }.count
    }
    let readers = try split.segments.indices.map { try store.open(split, segment: $0) }
    #expect(opened() == 2 * readers.count)
    _ = try readers[0].origin(ofDocument: 0)
    #expect(opened() == 2 * readers.count + 2)
  }
}
