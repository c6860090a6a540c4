/// One unit, packed in memory: class after class, bin after bin.
///
/// Only what cannot be said again is kept: full pieces and the pieces of `concat` follow from the lengths.
/// Memory: at most 32 bytes per document while it is made (lengths 4, classes and their members 8, `BestFit` 20).
struct PackedUnit {
  let key: PackKey
  /// Tokens of each document.
  let lengths: [UInt32]
  /// Documents, class after class, ascending in each.
  private let members: [UInt32]
  /// End of each class in `members`.
  private let classEnds: [Int]
  /// Rests of documents in shared bins, class after class; empty for `concat`.
  private var rests = PieceBins()
  /// End of each class in `rests.ends`.
  private var restEnds: [Int] = []

  /// - Parameters:
  ///   - lengths: tokens of each document of the unit, at least 1, below 2^32 in all.
  ///   - classes: class of each document, below `classCount`; empty: all are of class 0.
  init(_ key: PackKey, lengths: [UInt32], classes: [UInt16] = [], classCount: Int = 1) {
    self.key = key
    self.lengths = lengths
    let (members, classEnds) = Self.members(lengths.count, classes, classCount)
    (self.members, self.classEnds) = (members, classEnds)
    guard key.policy == .bestFit else { return }
    var packer = BestFit(context: key.context)
    // Room for the worst case: memory that is not written to costs nothing, growing arrays cost twice.
    var rests = PieceBins()
    rests.ends.reserveCapacity(lengths.count)
    rests.documents.reserveCapacity(lengths.count)
    var start = 0
    for end in classEnds {
      packer.pack(members.span.extracting(start..<end), lengths: lengths.span, into: &rests)
      restEnds.append(rests.ends.count)
      start = end
    }
    self.rests = rests
  }

  private static func members(_ count: Int, _ classes: [UInt16], _ classCount: Int) -> ([UInt32], [Int]) {
    guard !classes.isEmpty else { return (Array(0..<UInt32(count)), [count]) }
    var ends = [Int](repeating: 0, count: classCount)
    for number in classes { ends[Int(number)] += 1 }
    var next = 0
    for number in 0..<classCount {
      let size = ends[number]
      ends[number] = next
      next += size
    }
    var members = [UInt32](repeating: 0, count: count)
    for document in 0..<count {
      let number = Int(classes[document])
      members[ends[number]] = UInt32(document)
      ends[number] += 1
    }
    return (members, ends)
  }

  var classCount: Int { classEnds.count }

  private func range(ofClass number: Int) -> Range<Int> {
    (number == 0 ? 0 : classEnds[number - 1])..<classEnds[number]
  }

  /// Bins by class, and pieces of all.
  var sizes: (classBins: [Int], pieces: Int) {
    var classBins = [Int](repeating: 0, count: classCount)
    var pieces = 0
    for number in 0..<classCount {
      forEachPiece(ofClass: number) { (_, _, _, isFirst) in
        pieces += 1
        if isFirst { classBins[number] += 1 }
      }
    }
    return (classBins, pieces)
  }

  /// Gives the pieces of a class in their order; `isFirst`: the piece begins a bin.
  @inline(__always)
  func forEachPiece<Failure: Error>(
    ofClass number: Int,
    _ body: (_ document: UInt32, _ offset: UInt32, _ length: UInt32, _ isFirst: Bool) throws(Failure) -> Void
  ) throws(Failure) {
    switch key.policy {
    case .bestFit: try forEachBestFitPiece(number, body)
    case .concat: try forEachStreamPiece(number, body)
    }
  }

  /// Full pieces of all documents, each a bin of its own, then the shared bins.
  @inline(__always)
  private func forEachBestFitPiece<Failure: Error>(
    _ number: Int, _ body: (UInt32, UInt32, UInt32, Bool) throws(Failure) -> Void
  ) throws(Failure) {
    let context = UInt32(key.context)
    for index in range(ofClass: number) {
      let document = members[index]
      let length = lengths[Int(document)]
      var offset: UInt32 = 0
      while length - offset >= context {
        try body(document, offset, context, true)
        offset += context
      }
    }
    let firstBin = number == 0 ? 0 : restEnds[number - 1]
    var index = firstBin == 0 ? 0 : Int(rests.ends[firstBin - 1])
    for bin in firstBin..<restEnds[number] {
      var isFirst = true
      while index < Int(rests.ends[bin]) {
        let document = rests.documents[index]
        let length = lengths[Int(document)]
        let rest = length % context
        try body(document, length - rest, rest, isFirst)
        isFirst = false
        index += 1
      }
    }
  }

  /// The documents of a class as one stream, cut every C ids.
  @inline(__always)
  private func forEachStreamPiece<Failure: Error>(
    _ number: Int, _ body: (UInt32, UInt32, UInt32, Bool) throws(Failure) -> Void
  ) throws(Failure) {
    let context = UInt32(key.context)
    var filled: UInt32 = 0
    for index in range(ofClass: number) {
      let document = members[index]
      let length = lengths[Int(document)]
      var offset: UInt32 = 0
      while offset < length {
        let count = min(context - filled, length - offset)
        try body(document, offset, count, filled == 0)
        offset += count
        filled = filled + count == context ? 0 : filled + count
      }
    }
  }
}
