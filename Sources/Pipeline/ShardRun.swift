import Bytes
import Sharding
import Storage

/// Writes views: arithmetic on the stores' manifests, no token is read. The first view of packed sequences of one length
/// makes the pack index of each store.
public enum ShardRun {
  /// The view of one or more stores.
  ///
  /// - Throws: usage errors for shapes that do not fit the stores; output errors where an index cannot be written.
  public static func view(
    of folders: [String], _ options: ViewOptions, _ run: RunOptions
  ) throws(StorageError) -> (view: View, split: StoreSplit) {
    var stores: [TokenStore] = []
    for folder in folders { stores.append(try TokenStore(folder)) }
    let split = try StoreSplit(stores, split: options.split)
    var packs: [PackManifest] = []
    if let key = options.packKey {
      // Shapes that do not fit are told before any work.
      try View.check(options)
      for store in stores {
        packs.append(try PackRun.ensure(store: store, split: options.split, key: key, options: run))
      }
    }
    return (try View(of: split, packs: packs, options), split)
  }

  /// Makes the view and writes it atomically; an equal file that is there already stays.
  ///
  /// - Throws: as `view`; output errors.
  @discardableResult
  public static func writeView(
    of store: String, _ options: ViewOptions, folder: String, name: String, _ run: RunOptions
  ) throws(StorageError) -> View {
    let view = try view(of: [store], options, run).view
    _ = try OutputFile.write(view.bytes, folder: folder, name: name)
    try? FileSystem.removeTree(Path.join(folder, ".tmp"))
    return view
  }
}
