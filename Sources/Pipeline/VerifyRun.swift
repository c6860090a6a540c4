import Bytes
import Sharding
import Storage

/// `sluice verify`: finds out what a path is and checks it; reads only.
public enum VerifyRun {
  public typealias Results = [(path: String, verification: Verification)]

  /// Checks a store with its pack indexes, an export, a stage or tokenizer folder, the file of a view, or the folder of a
  /// run with all of these in it.
  ///
  /// - Parameters:
  ///   - level: nil: 2, for views 3.
  ///   - stores: of a view, if they are not beside it.
  ///   - note: is told what could not be checked.
  /// - Returns: empty if nothing of this kind lies there. What is damaged is a finding.
  /// - Throws: `.input` if the path is not there; what `tick` throws.
  public static func run(
    _ path: String, level: Int? = nil, stores: [String] = [],
    tick: @escaping () throws(StorageError) -> Void = {}, note: (String) -> Void = { _ in }
  ) throws(StorageError) -> Results {
    guard FileSystem.exists(path) else { throw .input(path: path, reason: "no such file or folder") }
    guard FileSystem.isFolder(path) else { return [(path, try view(path, stores, tick, note))] }
    let depth = min(level ?? 2, 2)
    if isStore(path) { return try store(path, level: level ?? 2, tick) }
    if ExportVerification.isExport(path) {
      return [(path, try ExportVerification.run(path, level: depth, tick: tick))]
    }
    if let manifest = try? StageManifest.read(path) {
      return [(path, try StageVerification.run(manifest, path, level: depth, tick: tick))]
    }
    if isDamaged(path) {
      return [
        (
          path,
          damaged(
            StoreManifest.fileName, in: path, kind: "folder",
            "is damaged, or none that sluice wrote: make the folder again")
        )
      ]
    }
    // A run: its stages, its store and its views lie beside one another, views also in a folder of their own.
    var results: Results = []
    for name in try FileSystem.list(path) where !name.hasPrefix(".") {
      let inner = Path.join(path, name)
      if FileSystem.isFolder(inner) {
        if FileSystem.exists(Path.join(inner, StageManifest.fileName)) || holdsView(inner) {
          results += try run(inner, level: level, stores: stores, tick: tick, note: note)
        }
      } else if try isView(inner) {
        results.append((inner, try view(inner, stores, tick, note)))
      }
    }
    return results
  }

  // MARK: Views

  private static func isView(_ path: String) throws(StorageError) -> Bool {
    guard FileSystem.isRegularFile(path), try FileSystem.size(of: path) < 1 << 16 else { return false }
    return View.isView(try FileSystem.readAll(path))
  }

  private static func holdsView(_ folder: String) -> Bool {
    ((try? FileSystem.list(folder)) ?? []).contains { (try? isView(Path.join(folder, $0))) ?? false }
  }

  private static func view(
    _ path: String, _ stores: [String], _ tick: @escaping () throws(StorageError) -> Void,
    _ note: (String) -> Void
  ) throws(StorageError) -> Verification {
    let view: View
    do throws(StorageError) {
      view = try View(bytes: try FileSystem.readAll(path, limit: 1 << 20), path: path)
    } catch {
      guard case .input(_, let reason) = error else { throw error }
      return damaged(
        Path.name(path), in: Path.parent(path), kind: "view",
        reason + ". Make it again with `sluice shard`, or copy it from where the run has it")
    }
    let split: StoreSplit?
    do throws(StorageError) { split = try StoreSplit.find(for: view, viewPath: path, stores: stores) } catch {
      // The given stores are not the view's: that is what the question was.
      guard case .usage(let text) = error else { throw error }
      var result = Verification(kind: "view", level: 3)
      result.note(Finding(level: 3, place: Path.name(path), message: text))
      return result
    }
    if split == nil {
      note("\(path): its store was not found beside it (give --store); only the view itself is checked.")
    }
    var result = try ViewVerification.run(view, path: path, split: split, tick: tick)
    guard let split, view.order.packing.index != nil else { return result }
    for store in split.stores {
      for index in try packs(store, split: split.name, level: 3, tick) where index.isOf(view) {
        for finding in index.verification.findings { result.note(finding) }
      }
    }
    return result
  }

  // MARK: Stores

  /// A token store, or what is left of one.
  private static func isStore(_ path: String) -> Bool {
    if TokenStore.isStore(path) { return true }
    guard let bytes = try? FileSystem.readAll(Path.join(path, "build.json")) else { return false }
    return (try? JSONValue.parse(bytes))?["format"]?.string == "sluice-build/1"
  }

  private static func store(
    _ path: String, level: Int, _ tick: @escaping () throws(StorageError) -> Void
  ) throws(StorageError) -> Results {
    let store: TokenStore
    do throws(StorageError) { store = try TokenStore(path) } catch {
      guard case .input(_, let reason) = error else { throw error }
      return [
        (
          path,
          damaged(
            StoreManifest.fileName, in: path, kind: "token store",
            reason + ". Copy it from another copy of the store, or tokenize again")
        )
      ]
    }
    var results: Results = [(path, try StoreVerification.run(store, level: min(level, 2), tick: tick))]
    for split in store.manifest.splits {
      for index in try packs(store, split: split.name, level: level, tick) {
        results.append((index.path, index.verification))
      }
    }
    return results
  }

  private struct Pack {
    var path: String
    var manifest: PackManifest?
    var verification: Verification

    /// Could the view have been made of it? Damaged ones might.
    func isOf(_ view: View) -> Bool {
      guard let manifest else { return true }
      return manifest.key.context == view.order.tokens
    }
  }

  /// Verifies every pack index of a split.
  private static func packs(
    _ store: TokenStore, split: String, level: Int, _ tick: @escaping () throws(StorageError) -> Void
  ) throws(StorageError) -> [Pack] {
    let folder = Path.join(store.folder, split)
    guard FileSystem.isFolder(folder) else { return [] }
    var found: [Pack] = []
    for name in try FileSystem.list(folder) where name.hasPrefix(PackKey.folderPrefix) {
      try tick()
      let path = Path.join(folder, name)
      let file = Path.join(path, PackManifest.fileName)
      // Without a manifest it is not made yet, which is no damage.
      guard FileSystem.exists(file) else { continue }
      let remedy = "Remove the folder \(split)/\(name); `sluice shard` makes it again"
      let manifest: PackManifest
      let size = Int(try FileSystem.size(of: file))
      do throws(StorageError) {
        let bytes = try FileSystem.readAll(file)
        manifest = try PackManifest(bytes: bytes, path: file)
        guard manifest.bytes == bytes, manifest.key.folderName == name else {
          throw .input(path: file, reason: "is damaged")
        }
      } catch {
        guard case .input(_, let reason) = error else { throw error }
        found.append(
          Pack(
            path: path, manifest: nil,
            verification: damaged(
              "\(split)/\(name)/\(PackManifest.fileName)", in: store.folder, kind: "pack index",
              "\(reason). \(remedy)", size: size)))
        continue
      }
      var result = try PackVerification.run(
        store, split: split, manifest, key: manifest.key, level: level, tick: tick)
      for index in result.findings.indices where result.findings[index].ranges.isEmpty {
        let place = result.findings[index].place
        let size = (try? FileSystem.size(of: Path.join(store.folder, place))).map(Int.init) ?? 0
        result.findings[index].ranges = [0..<max(1, size)]
      }
      found.append(Pack(path: path, manifest: manifest, verification: result))
    }
    return found
  }

  // MARK: Damage

  private static func damaged(
    _ place: String, in folder: String, kind: String, _ message: String, size: Int? = nil
  ) -> Verification {
    let known = size ?? (try? FileSystem.size(of: Path.join(folder, place))).map(Int.init) ?? 0
    var result = Verification(kind: kind, level: 0)
    result.note(Finding(level: 0, place: place, message: message, ranges: [0..<max(1, known)]))
    return result
  }

  /// A manifest that is no JSON, or of no kind that a folder has: not that of a run, which names its own.
  private static func isDamaged(_ path: String) -> Bool {
    let file = Path.join(path, StoreManifest.fileName)
    guard FileSystem.isRegularFile(file), let bytes = try? FileSystem.readAll(file) else { return false }
    guard let json = try? JSONValue.parse(bytes) else { return true }
    return json["format"]?.string != RunManifest.format
  }
}
