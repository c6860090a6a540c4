import Bytes
import Storage

/// What a pack index holds: `manifest.json` of its folder, written last.
///
/// Canonical JSON: `format`, `store` (fingerprint), `split`, `context`, `policy`, `grouping`, `classes[]` (as in the store's
/// list; empty without grouping), `units[] {name, first_segment, segments, bins, pieces, padding, class_bins[], bytes,
/// sha256}`. Its SHA-256 is the `packing.index` of a view.
public struct PackManifest: Equatable, Sendable {
  public static let format = "sluice-pack/1"
  public static let fileName = "manifest.json"

  /// A run of consecutive segments that were packed together.
  public struct Unit: Equatable, Sendable {
    /// `seg-00000`, that of the first segment; the file is `seg-00000.pack`.
    public var name: String
    public var firstSegment: Int
    public var segments: Int
    /// Sequences.
    public var bins: Int
    /// Runs of tokens of one document in one sequence.
    public var pieces: Int
    /// Ids at the ends of bins that no document fills.
    public var padding: Int
    /// Bins by class; one number without grouping.
    public var classBins: [Int]
    /// Size and hash of the file.
    public var bytes: Int64
    public var sha256: String

    public var fileName: String { name + ".pack" }
    public var segmentRange: Range<Int> { firstSegment..<firstSegment + segments }

    /// Size of a file of so many bins and pieces.
    static func fileBytes(bins: Int, pieces: Int) -> Int { 16 + 4 * (bins + 1) + PackPiece.bytes * pieces }
  }

  /// Fingerprint of the store.
  public var store: String
  public var split: String
  public var key: PackKey
  public var classes: [String]
  public var units: [Unit]

  public init(store: String, split: String, key: PackKey, classes: [String], units: [Unit]) {
    self.store = store
    self.split = split
    self.key = key
    self.classes = classes
    self.units = units
  }

  /// Sequences of all units.
  public var bins: Int { units.reduce(0) { $0 + $1.bins } }
  public var pieces: Int { units.reduce(0) { $0 + $1.pieces } }
  public var padding: Int { units.reduce(0) { $0 + $1.padding } }
  /// Sequences of each class; one number without grouping.
  public var classBins: [Int] {
    var sums = [Int](repeating: 0, count: max(1, classes.count))
    for unit in units { for (number, bins) in unit.classBins.enumerated() { sums[number] += bins } }
    return sums
  }

  /// The canonical bytes.
  public var bytes: [UInt8] { json.canonical() }
  /// `sha256:` and the SHA-256 of the canonical bytes.
  public var hash: String { "sha256:" + Hex.string(SHA256.hash(bytes.span)) }

  /// Why this index is not that of a store's split, or nil: other tokens, another list of classes, segments left out.
  public func problem(store: TokenStore, split: StoreManifest.Split, _ key: PackKey) -> String? {
    if self.store != store.fingerprint || self.split != split.name { return "was made of other tokens" }
    if self.key != key { return "was made for another context, policy or grouping" }
    if classes != key.grouping.classes(of: store.manifest) { return "has other classes than its store" }
    return units.map(\.segmentRange) == PackIndex.plan(split)
      ? nil : "does not cover the segments of its split"
  }
}

extension PackManifest {
  var json: JSONValue {
    [
      "format": .string(Self.format), "store": .string(store), "split": .string(split),
      "context": .int(key.context), "policy": .string(key.policy.rawValue),
      "grouping": .string(key.grouping.rawValue), "classes": .array(classes.map { .string($0) }),
      "units": .array(units.map(\.json)),
    ]
  }

  /// Reads the bytes of a `manifest.json`.
  ///
  /// - Parameter path: for messages.
  /// - Throws: `.input` that names the member which is missing, out of bounds or in contradiction to another.
  public init(bytes: [UInt8], path: String) throws(StorageError) {
    try self.init(bytes: bytes, path: path, firstSegment: 0)
  }

  /// Reads a manifest of later units only: a run in progress keeps one per finished unit.
  ///
  /// - Parameter firstSegment: where the first unit must begin.
  public init(bytes: [UInt8], path: String, firstSegment: Int) throws(StorageError) {
    let root = try JSONFields(parsing: bytes, path: path)
    guard try root.string("format") == Self.format else {
      throw .input(path: path, reason: "not a pack index of format \(Self.format)")
    }
    store = try root.string("store")
    split = try root.string("split")
    guard let policy = PackingPolicy(rawValue: try root.string("policy")) else {
      throw .input(path: path, reason: "policy: expected \(PackingPolicy.allCases.map(\.rawValue))")
    }
    guard let grouping = Grouping(rawValue: try root.string("grouping")) else {
      throw .input(path: path, reason: "grouping: expected \(Grouping.allCases.map(\.rawValue))")
    }
    key = PackKey(
      context: try root.int("context", in: 1...PackKey.contextMax), policy: policy, grouping: grouping)
    classes = try root.strings("classes")
    guard classes.isEmpty == (grouping == .none), classes.count <= StoreOptions.sourcesMax else {
      throw .input(path: path, reason: "classes: does not fit the grouping “\(grouping.rawValue)”")
    }
    units = []
    var next = firstSegment
    // Ids of all sequences: sums of counts cannot overflow below.
    var ids = 0
    for fields in try root.objects("units") {
      let unit = try Unit(json: fields, firstSegment: next, classes: classes.count, context: key.context)
      next += unit.segments
      ids += unit.bins * key.context
      guard ids <= ViewOptions.tokensMax << 10 else {
        throw .input(path: path, reason: "units: more sequences than a store can have")
      }
      units.append(unit)
    }
  }
}

extension PackManifest.Unit {
  /// Numbers in a file are u32: a unit's tokens, and so its bins and pieces, stay below.
  private static let countMax = Int(UInt32.max) - 1
  private static let segmentsMax = 1 << 40

  var json: JSONValue {
    [
      "name": .string(name), "first_segment": .int(firstSegment), "segments": .int(segments),
      "bins": .int(bins), "pieces": .int(pieces), "padding": .int(padding),
      "class_bins": .array(classBins.map { .int($0) }), "bytes": .int(Int(bytes)), "sha256": .string(sha256),
    ]
  }

  init(json: JSONFields, firstSegment: Int, classes: Int, context: Int) throws(StorageError) {
    self.firstSegment = try json.int("first_segment", in: firstSegment...firstSegment)
    segments = try json.int("segments", in: 1...Self.segmentsMax - min(firstSegment, Self.segmentsMax - 1))
    name = try json.string("name")
    guard name == StoreManifest.segmentName(firstSegment) else {
      throw .input(
        path: json.path, reason: "\(json.place)name: expected \(StoreManifest.segmentName(firstSegment))")
    }
    bins = try json.int("bins", in: 1...Self.countMax)
    pieces = try json.int("pieces", in: bins...Self.countMax)
    padding = try json.int("padding", in: 0...bins * context)
    classBins = try json.ints("class_bins")
    guard classBins.count == max(1, classes), classBins.reduce(0, +) == bins else {
      throw .input(
        path: json.path, reason: "\(json.place)class_bins: expected a number per class, \(bins) in all")
    }
    let size = Self.fileBytes(bins: bins, pieces: pieces)
    bytes = Int64(try json.int("bytes", in: size...size))
    sha256 = try json.string("sha256")
  }
}
