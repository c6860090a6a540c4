import Bytes
import Sharding
import Storage

/// Writes views: arithmetic on a store's manifest, no token is read.
public enum ShardRun {
  /// Makes the view and writes it atomically; an equal file that is there already stays.
  ///
  /// - Throws: usage errors for shapes that do not fit the store; output errors.
  @discardableResult
  public static func writeView(
    of store: String, _ options: ViewOptions, folder: String, name: String
  ) throws(StorageError) -> View {
    let opened = try TokenStore(store)
    let view = try View(of: opened.manifest, fingerprint: opened.fingerprint, options)
    _ = try OutputFile.write(view.bytes, folder: folder, name: name)
    try? FileSystem.removeTree(Path.join(folder, ".tmp"))
    return view
  }
}
