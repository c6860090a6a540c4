import Sharding
import Storage

/// Options of a view that are texts, as users write them on the command line or in a pipeline file.
public struct ViewTexts: Sendable {
  public var packing: String?
  public var shuffle: String?
  public var mixture: String?
  public var mixtureBy: String?
  public var repeats: String?

  public init(packing: String?, shuffle: String?, mixture: String?, mixtureBy: String?, repeats: String?) {
    self.packing = packing
    self.shuffle = shuffle
    self.mixture = mixture
    self.mixtureBy = mixtureBy
    self.repeats = repeats
  }

  /// - Throws: usage errors that name what is valid.
  public func apply(to view: inout ViewOptions) throws(StorageError) {
    if let packing {
      guard let policy = PackingPolicy(rawValue: packing) else {
        throw .usage("--packing is best-fit or concat, not \"\(packing)\".")
      }
      view.packing = policy
    } else {
      // Windows that share an id are cut out of one stream.
      view.packing = view.overlap == 0 ? .bestFit : .concat
    }
    if let shuffle { view.shuffle = try Self.shuffle(shuffle) }
    let by = Grouping(rawValue: mixtureBy ?? Grouping.source.rawValue)
    guard let by, by != .none else {
      throw .usage("--mixture-by is source or language, not \"\(mixtureBy ?? "")\".")
    }
    if let mixture {
      view.mixture = try MixtureOptions(by: by, parsing: mixture, repetitions: repeats)
    } else if repeats != nil || mixtureBy != nil {
      throw .usage("--repeat and --mixture-by belong to --mixture; give one, such as web=70%,wiki=30%.")
    }
  }

  private static func shuffle(_ text: String) throws(StorageError) -> View.Shuffle {
    if text == "permutation" { return .permutation }
    let wrong = StorageError.usage(
      "--shuffle is permutation, or blocks=B,W (B sequences a block, W blocks a window), not \"\(text)\".")
    guard text.hasPrefix("blocks=") else { throw wrong }
    let sizes = text.dropFirst(7).split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard sizes.count == 2, let block = sizes[0], let window = sizes[1] else { throw wrong }
    return .blocks(block: block, window: window)
  }
}
