/// A growing column of plain values that a worker owns and reuses for all its pages.
///
/// Subscripts are checked; there is no reference count and no uniqueness check, which is what an array costs in the
/// inner loops of a parser.
struct HTMLColumn<Element: BitwiseCopyable>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private(set) var capacity: Int

  init(capacity: Int = 64) {
    self.capacity = max(capacity, 1)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  var isEmpty: Bool { count == 0 }

  subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(index >= 0 && index < count)
      return base[index]
    }
    @inline(__always) set {
      precondition(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  @inline(__always) mutating func append(_ element: Element) {
    if count == capacity { reserve(count + 1) }
    base[count] = element
    count += 1
  }

  /// Appends `length` values that start at `source`.
  @inline(__always) mutating func append(_ source: UnsafePointer<Element>, count length: Int) {
    if count + length > capacity { reserve(count + length) }
    (base + count).update(from: source, count: length)
    count += length
  }

  @inline(__always) mutating func removeLast() {
    precondition(count > 0)
    count -= 1
  }

  mutating func removeAll() { count = 0 }

  mutating func truncate(to newCount: Int) {
    precondition(newCount >= 0 && newCount <= count)
    count = newCount
  }

  /// Makes `count` values of `value`, whatever was there.
  mutating func fill(_ value: Element, count newCount: Int) {
    count = 0
    if newCount > capacity { reserve(newCount) }
    base.update(repeating: value, count: newCount)
    count = newCount
  }

  @inline(never) mutating func reserve(_ needed: Int) {
    guard needed > capacity else { return }
    let grown = max(needed, capacity * 2)
    let fresh = UnsafeMutablePointer<Element>.allocate(capacity: grown)
    fresh.update(from: base, count: count)
    base.deallocate()
    base = fresh
    capacity = grown
  }

  /// Gives memory back after an unusually large page.
  mutating func shrink(above limit: Int) {
    guard capacity > limit else { return }
    base.deallocate()
    capacity = max(limit / 4, 64)
    base = .allocate(capacity: capacity)
    count = 0
  }
}
