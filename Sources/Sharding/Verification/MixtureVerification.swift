import Storage

/// Checks the run of a mixture, position by position: shares of every block, each class read whole before any of it again,
/// limits kept, and `position(of:epoch:)` the inverse of `sequence(at:)`.
enum MixtureVerification {
  static func check(
    _ view: View, _ mixture: View.Mixture, _ name: String, _ result: inout Verification,
    _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) {
    let order = MixtureOrder(mixture, seed: view.order.seed)
    var plan = SequencePlan(view)
    // Readings by sequence; a byte each, as limits beyond 255 say nothing.
    var readings = [UInt8](repeating: 0, count: view.order.sequences)
    var inBlock = [Int](repeating: 0, count: mixture.classes.count)
    var total = inBlock
    var wrong = 0
    var sharesWrong = 0
    for position in 0..<view.order.sequences * mixture.epochs {
      let (epoch, sequence) = plan.sequence(at: position)
      let kind = order.kind(ofSequence: sequence)
      inBlock[kind] += 1
      total[kind] += 1
      if Int(readings[sequence]) != min(255, epoch) || plan.position(of: sequence, epoch: epoch) != position {
        wrong += 1
      }
      if readings[sequence] < 255 { readings[sequence] += 1 }
      if position % mixture.block == mixture.block - 1 {
        if inBlock != mixture.classes.map(\.share) { sharesWrong += 1 }
        inBlock = Array(repeating: 0, count: inBlock.count)
      }
      if position % (1 << 20) == 0 { try tick() }
    }
    if wrong > 0 {
      result.note(
        Finding(
          level: 3, place: name,
          message: "\(wrong) positions read a sequence again before the rest of its class was read"))
    }
    if sharesWrong > 0 {
      result.note(
        Finding(level: 3, place: name, message: "\(sharesWrong) blocks have other shares than the mixture"))
    }
    for (kind, count) in zip(mixture.classes, total) {
      guard let most = kind.repetitionsMax, count > most * kind.sequences else { continue }
      result.note(
        Finding(
          level: 3, place: name,
          message: "“\(kind.name)” is read \(count) times, and its limit is \(most) × \(kind.sequences)"))
    }
  }
}
