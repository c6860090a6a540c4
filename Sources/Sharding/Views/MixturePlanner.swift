import Storage

/// From the weights asked for to whole positions of a block that keep every repetition limit.
///
/// A class whose limit would be passed gets what its limit allows, and the others share the rest by their weights; again,
/// until no limit is passed. Then shares are rounded by largest remainders to a block of M positions. For 64, 128, 256, … M is
/// the largest size up to that number which cuts the run into blocks of (nearly) one size, so that its last block wastes
/// no reading of a limited class; the first at which each class is within 0.5 % of its aim is taken, else the nearest.
///
/// - Source: repetition limits, Muennighoff et al., "Scaling Data-Constrained Language Models" (2023): up to four epochs of
///   a source are nearly as good as new text.
struct MixturePlanner {
  static let blockMin = 64
  static let blockMax = 1 << 20
  static let tolerance = 0.005

  struct Input {
    var name: String
    var weight: Double
    var sequences: Int
    var repetitionsMax: Int?
  }

  let by: Grouping
  let inputs: [Input]
  let epochs: Int

  /// Positions of the run.
  var positions: Int { epochs * inputs.reduce(0) { $0 + $1.sequences } }

  /// - Throws: `.usage` for a class without sequences, or limits that leave fewer sequences than the epochs need.
  func mixture() throws(StorageError) -> View.Mixture {
    for input in inputs where input.sequences == 0 {
      throw .usage("--mixture: “\(input.name)” holds no sequence.")
    }
    let aims = try aims()
    var best: (block: Int, shares: [Int], error: Double)?
    var target = Self.blockMin
    while target <= Self.blockMax {
      let blocks = (positions - 1) / target + 1
      let block = (positions - 1) / blocks + 1
      if let shares = shares(block, aims) {
        let error = zip(shares, aims).map { abs(Double($0) / Double(block) - $1) / $1 }.max() ?? 0
        if error < best?.error ?? .infinity { best = (block, shares, error) }
        if error <= Self.tolerance { break }
      }
      target *= 2
    }
    guard let best else { throw tooFew(aims) }
    let ppm = Self.rounded(inputs.map(\.weight), to: 1_000_000)
    return View.Mixture(
      by: by, epochs: epochs, block: best.block,
      classes: inputs.indices.map {
        View.Mixture.Class(
          name: inputs[$0].name, weightPPM: ppm[$0], repetitionsMax: inputs[$0].repetitionsMax,
          share: best.shares[$0], sequences: inputs[$0].sequences)
      })
  }

  /// Shares as real numbers that add up to 1 and keep the limits.
  private func aims() throws(StorageError) -> [Double] {
    let limits = inputs.map { input -> Double in
      guard let most = input.repetitionsMax else { return .infinity }
      return Double(most) * Double(input.sequences) / Double(positions)
    }
    var aims = [Double](repeating: 0, count: inputs.count)
    var isFixed = [Bool](repeating: false, count: inputs.count)
    while true {
      let free = inputs.indices.filter { !isFixed[$0] }
      let rest = 1 - inputs.indices.filter { isFixed[$0] }.reduce(0) { $0 + aims[$1] }
      guard !free.isEmpty else {
        if rest > 1e-9 { throw tooFew(aims) }
        return aims
      }
      let weight = free.reduce(0) { $0 + inputs[$1].weight }
      for index in free { aims[index] = rest * inputs[index].weight / weight }
      let over = free.filter { aims[$0] > limits[$0] }
      if over.isEmpty { return aims }
      for index in over {
        aims[index] = limits[index]
        isFixed[index] = true
      }
    }
  }

  /// Whole positions of a block, each at least 1 and such that all begun blocks of the run keep the limits; nil if there are
  /// none.
  private func shares(_ block: Int, _ aims: [Double]) -> [Int]? {
    let blocks = (positions - 1) / block + 1
    let most = inputs.map { input -> Int in
      guard let limit = input.repetitionsMax else { return block }
      let (product, overflow) = limit.multipliedReportingOverflow(by: input.sequences)
      return overflow ? block : min(block, product / blocks)
    }
    var shares = zip(Self.rounded(aims, to: block), most).map { min($0, $1) }
    // What rounding and limits left over goes where there is room, to the largest aim first.
    let order = inputs.indices.sorted { (aims[$0], $1) > (aims[$1], $0) }
    var rest = block - shares.reduce(0, +)
    for index in order where rest > 0 {
      let more = min(rest, most[index] - shares[index])
      shares[index] += more
      rest -= more
    }
    return rest == 0 && !shares.contains(0) ? shares : nil
  }

  /// Largest remainders: whole numbers in proportion to `weights` that add up to `total`.
  static func rounded(_ weights: [Double], to total: Int) -> [Int] {
    let sum = weights.reduce(0, +)
    let exact = weights.map { $0 / sum * Double(total) }
    var whole = exact.map { Int($0.rounded(.down)) }
    let order = weights.indices.sorted {
      (exact[$0] - exact[$0].rounded(.down), $1) > (exact[$1] - exact[$1].rounded(.down), $0)
    }
    var rest = total - whole.reduce(0, +)
    for index in order where rest > 0 {
      whole[index] += 1
      rest -= 1
    }
    return whole
  }

  private func tooFew(_ aims: [Double]) -> StorageError {
    let held = inputs.map { input in
      guard let most = input.repetitionsMax else { return "\(input.name) any number" }
      return "\(input.name) \(most) × \(input.sequences)"
    }
    return .usage(
      "--repeat: \(epochs) epoch\(epochs == 1 ? "" : "s") need \(positions) sequences, and the limits allow fewer ("
        + held.joined(separator: ", ") + "). Allow more repetitions, or ask for fewer --epochs.")
  }
}
