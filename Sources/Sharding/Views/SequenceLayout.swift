import Storage

/// Where the sequences of a view lie in its stores.
enum SequenceLayout {
  case stream(StreamLayout)
  case packs(PackLayout)

  /// - Throws: `.usage` if the stores or their indexes are not those of the view; `.input` if an index is missing.
  init(_ view: View, _ split: StoreSplit) throws(StorageError) {
    try Self.check(view, split)
    guard let key = view.packKey else {
      let stream = StreamLayout(
        segmentTokens: split.segments.map(\.entry.tokens), sequence: view.order.tokens,
        overlap: view.order.overlap)
      guard stream.count == view.order.sequences else {
        throw .usage("The view says \(view.order.sequences) sequences, and its stores give \(stream.count).")
      }
      self = .stream(stream)
      return
    }
    var packs: [PackManifest] = []
    for store in split.stores {
      guard let pack = try PackIndex.read(store, split: split.name, key) else {
        throw .input(
          path: Path.join(store.folder, "\(split.name)/\(key.folderName)"),
          reason: "the pack index of the view is missing. Make it again with `sluice shard`")
      }
      packs.append(pack)
    }
    guard PackManifest.jointHash(packs) == view.order.packing.index else {
      throw .usage("The pack index of the stores is not the view's. Make the view again with `sluice shard`.")
    }
    self = .packs(try PackLayout(view, split, packs))
  }

  private static func check(_ view: View, _ split: StoreSplit) throws(StorageError) {
    let fingerprints = split.stores.map(\.fingerprint)
    guard view.order.stores == fingerprints else {
      throw .usage(
        "The view was made of \(view.order.stores.joined(separator: ", ")), and the store here is "
          + "\(fingerprints.joined(separator: ", ")): another corpus, tokenizer or order. Make a new view of it with "
          + "`sluice shard`.")
    }
    guard view.order.split == split.name else {
      throw .usage("The view reads the split \(view.order.split), not \(split.name).")
    }
    guard view.holdout == split.stores[0].manifest.holdout else {
      throw .usage("The view's held-out splits are not the store's.")
    }
  }
}

/// Sequence k = ids [k·s, k·s + C) of the segments read as one stream, s = C - overlap.
struct StreamLayout: Sendable {
  let count: Int
  private let sequence: Int
  private let step: Int
  /// First token of each segment in the stream, and the stream's length.
  private let starts: [Int]

  init(segmentTokens: [Int], sequence: Int, overlap: Int) {
    var starts = [0]
    for tokens in segmentTokens { starts.append(starts[starts.count - 1] + tokens) }
    self.starts = starts
    self.sequence = sequence
    step = sequence - overlap
    count = SequencePlan.sequenceCount(
      tokens: starts[starts.count - 1], sequence: sequence, overlap: overlap)
  }

  /// The tokens of a sequence: up to several parts, where segments end.
  func parts(of number: Int) -> [(segment: Int, tokens: Range<Int>)] {
    let first = number * step
    let end = min(first + sequence, starts[starts.count - 1])
    var low = 0
    var high = starts.count - 1
    // The last segment that starts at or before `first`.
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= first { low = middle } else { high = middle }
    }
    var parts: [(segment: Int, tokens: Range<Int>)] = []
    var at = first
    while at < end, low + 1 < starts.count {
      let until = min(end, starts[low + 1])
      if until > at {
        parts.append((low, at - starts[low]..<until - starts[low]))
        at = until
      }
      low += 1
    }
    return parts
  }
}

/// A sequence is a bin of a pack index; sequences are numbered class after class, in a class by store, unit and bin.
struct PackLayout: Sendable {
  /// One unit of one store's index.
  struct Unit: Sendable {
    /// Number of its store, and of the unit in that store's index.
    var store: Int
    var number: Int
    var entry: PackManifest.Unit
    /// Number in the `StoreSplit` of its store's first segment.
    var firstSegment: Int
  }

  struct Place: Equatable {
    var unit: Int
    var bin: Int
  }

  /// Consecutive bins of one unit that are consecutive sequences.
  private struct Run {
    var first: Int
    var unit: Int
    var bin: Int
  }

  private let split: StoreSplit
  private let packs: [PackManifest]
  private(set) var units: [Unit] = []
  private var runs: [Run] = []

  init(
    _ view: View, _ split: StoreSplit, _ packs: [PackManifest]
  ) throws(StorageError) {
    self.split = split
    self.packs = packs
    var firstSegment = 0
    var unitsByStore: [Range<Int>] = []
    for (index, pack) in packs.enumerated() {
      let firstUnit = units.count
      for (number, entry) in pack.units.enumerated() {
        units.append(Unit(store: index, number: number, entry: entry, firstSegment: firstSegment))
      }
      unitsByStore.append(firstUnit..<units.count)
      firstSegment += try split.stores[index].manifest.split(split.name).segments.count
    }
    var sequence = 0
    let names = view.order.mixture?.classes.map(\.name)
    for kind in 0..<(names?.count ?? 1) {
      let first = sequence
      for (pack, numbers) in zip(packs, unitsByStore) {
        for number in numbers {
          let entry = units[number].entry
          guard let name = names?[kind] else {
            add(unit: number, bins: 0..<entry.bins, &sequence)
            continue
          }
          guard let index = pack.classes.firstIndex(of: name) else { continue }
          let bin = entry.classBins[..<index].reduce(0, +)
          add(unit: number, bins: bin..<bin + entry.classBins[index], &sequence)
        }
      }
      let count = view.order.mixture?.classes[kind].sequences ?? view.order.sequences
      guard sequence - first == count else {
        throw .usage("The view says \(count) sequences, and its pack index gives \(sequence - first).")
      }
    }
  }

  /// Opens the file of a unit.
  func open(_ unit: Int) throws(StorageError) -> PackReader {
    let place = units[unit]
    let store = split.stores[place.store]
    return try PackReader(
      store, split: try store.manifest.split(split.name), packs[place.store], unit: place.number)
  }

  private mutating func add(unit: Int, bins: Range<Int>, _ sequence: inout Int) {
    guard !bins.isEmpty else { return }
    runs.append(Run(first: sequence, unit: unit, bin: bins.lowerBound))
    sequence += bins.count
  }

  /// Where a sequence lies.
  func place(of sequence: Int) -> Place {
    var low = 0
    var high = runs.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if runs[middle].first <= sequence { low = middle } else { high = middle }
    }
    return Place(unit: runs[low].unit, bin: runs[low].bin + sequence - runs[low].first)
  }

  /// The sequence that a bin is, or nil if the view does not read its class.
  func sequence(at place: Place) -> Int? {
    for (index, run) in runs.enumerated() where run.unit == place.unit && place.bin >= run.bin {
      let next = index + 1 < runs.count ? runs[index + 1].first : Int.max
      let sequence = run.first + place.bin - run.bin
      if sequence < next { return sequence }
    }
    return nil
  }
}
