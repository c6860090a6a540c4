import Storage

/// Checks the run of a mixture, position by position: shares of every block, no sequence twice in an epoch of its class (two
/// positions with the same sequence and epoch cannot both be `position(of:epoch:)`), limits kept.
enum MixtureVerification {
  static func check(
    _ view: View, _ mixture: View.Mixture, _ name: String, _ result: inout Verification,
    _ tick: () throws(StorageError) -> Void
  ) throws(StorageError) {
    let order = MixtureOrder(mixture, seed: view.order.seed)
    var plan = SequencePlan(view)
    var inBlock = [Int](repeating: 0, count: mixture.classes.count)
    var total = inBlock
    var wrong = 0
    var sharesWrong = 0
    for position in 0..<view.order.sequences * mixture.epochs {
      let (epoch, sequence) = plan.sequence(at: position)
      let kind = order.kind(ofSequence: sequence)
      inBlock[kind] += 1
      total[kind] += 1
      if plan.position(of: sequence, epoch: epoch) != position { wrong += 1 }
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
          message: "\(wrong) positions read a sequence again in the same epoch of its class"))
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
