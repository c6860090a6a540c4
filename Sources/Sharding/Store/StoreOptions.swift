import Bytes
import Storage

/// The options of a token store that can change its bytes.
public struct StoreOptions: Equatable, Sendable {
  public var tokenizer: TokenizerIdentity
  public var holdout = Holdout()
  public var order = StoreOrder.shuffled(seed: 0)
  /// A segment's token file holds at most this many bytes.
  public var segmentBytes = StoreOptions.standardSegmentBytes

  public static let standardSegmentBytes = 1 << 30
  /// Origin lines per zstd frame: what one look-up decodes.
  public static let originFrameDocuments = 1024
  /// Names of sources in one store: each costs a number in every segment's entry.
  public static let sourcesMax = 1 << 16
  /// Languages are 16 bits of a document record.
  public static let languagesMax = 1 << 16
  /// Input parts are 24 bits, documents in a part 40 bits of a document record.
  public static let partsMax = 1 << 24
  public static let partDocumentsMax = 1 << 40

  public init(tokenizer: TokenizerIdentity) { self.tokenizer = tokenizer }

  /// Those of a store that is there.
  ///
  /// - Throws: `.input` if its ids have not the width that its vocabulary gives them.
  public init(of store: TokenStore) throws(StorageError) {
    tokenizer = store.manifest.tokenizer
    holdout = store.manifest.holdout
    order = store.manifest.order
    guard width == store.manifest.width else {
      throw .input(
        path: Path.join(store.folder, StoreManifest.fileName),
        reason: "dtype: a vocabulary of \(tokenizer.vocabulary) ids is stored as \(width.rawValue)")
    }
  }

  public var width: TokenWidth { TokenWidth(vocabulary: tokenizer.vocabulary) }

  /// - Throws: `.usage` for values that no store can have.
  public func validate() throws(StorageError) {
    guard tokenizer.vocabulary >= 1, tokenizer.vocabulary <= 1 << 31 else {
      throw .usage("The tokenizer has \(tokenizer.vocabulary) ids; a store can hold ids below 2^31.")
    }
    for (name, id) in [("end-of-text", tokenizer.eos), ("begin-of-text", tokenizer.bos)] {
      guard let id else { continue }
      guard id >= 0, id < tokenizer.vocabulary else {
        throw .usage("The \(name) id \(id) is not below the vocabulary of \(tokenizer.vocabulary) ids.")
      }
    }
    guard !tokenizer.policy.endsWithEOS || tokenizer.eos != nil else {
      throw .usage(
        "The tokenizer has no end-of-text id to put after documents. Train one with it, or use --eos none.")
    }
    guard !tokenizer.policy.startsWithBOS || tokenizer.bos != nil else {
      throw .usage(
        "The tokenizer has no begin-of-text or end-of-text id to put before documents. Train one with it, or "
          + "use --eos none.")
    }
    guard segmentBytes >= width.bytes, segmentBytes <= StoreManifest.Segment.bytesMax else {
      throw .usage("--segment-bytes must lie between \(width.bytes) and \(StoreManifest.Segment.bytesMax).")
    }
    if case .shuffled(let seed) = order, seed < 0 { throw .usage("--seed must not be negative.") }
    guard holdout.seed <= UInt64(Int.max) else { throw .usage("--seed must be below 2^63.") }
  }
}
