/// Connected components over candidates: union-find in an array of 4 bytes a candidate.
///
/// The root of a component is its lowest member, so the result does not depend on the order of the edges.
final class Components {
  private let parents: UnsafeMutablePointer<UInt32>
  let count: Int

  init(count: Int) {
    self.count = count
    parents = .allocate(capacity: max(1, count))
    for index in 0..<count { parents[index] = UInt32(truncatingIfNeeded: index) }
  }

  deinit { parents.deallocate() }

  /// Root of the component, with path halving: each node on the way is hung to its grandparent.
  func root(_ node: Int) -> Int {
    precondition(node >= 0 && node < count)
    var node = node
    while Int(parents[node]) != node {
      parents[node] = parents[Int(parents[node])]
      node = Int(parents[node])
    }
    return node
  }

  func join(_ a: Int, _ b: Int) {
    let first = root(a)
    let second = root(b)
    if first == second { return }
    parents[max(first, second)] = UInt32(truncatingIfNeeded: min(first, second))
  }
}
