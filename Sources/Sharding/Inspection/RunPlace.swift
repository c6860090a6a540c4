/// Places in a whole run: full steps follow the framework's rule, and the last, incomplete step deals its positions out one
/// by one, so that replicas differ by at most one sequence for any micro-batch.
extension SequencePlan {
  /// Position from which on steps are not full.
  private var fullEnd: Int {
    view.start + max(0, view.positions - view.start) / view.globalBatch * view.globalBatch
  }

  /// The position that is read at a place of the run; nil if it would lie behind the view's epochs.
  func positionInRun(_ place: Place) -> Int? {
    let first = view.start + place.step * view.globalBatch
    let item = place.microBatch * view.microBatch + place.item
    let position =
      first < fullEnd ? self.position(of: place) : first + place.replica + view.dataParallel * item
    return position < view.positions ? position : nil
  }

  /// Where the run reads a position at or behind the view's start: the inverse.
  func placeInRun(_ position: Int) -> Place {
    guard position >= fullEnd else { return place(of: position) }
    let (item, replica) = (position - fullEnd).quotientAndRemainder(dividingBy: view.dataParallel)
    return Place(
      step: (fullEnd - view.start) / view.globalBatch, replica: replica, microBatch: item / view.microBatch,
      item: item % view.microBatch)
  }
}
