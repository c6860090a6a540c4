/// Chooses the blocks that are the main text of a page, by place, text density and link density.
///
/// Nothing depends on a language: sizes are weights (`HTMLBlock.weight`), link shares and the structure of the page.
/// In the spirit of Boilerpipe, jusText and Resiliparse; thresholds found on the page sets of the benchmark notes.
struct HTMLMainContent: ~Copyable {
  /// Weight from which a block counts as running text: about one short sentence.
  static let longText = 80
  static let boilerplate: HTMLTraits = [
    .navigation, .footer, .hidden, .noscript, .comment, .related, .share, .breadcrumb, .notice,
    .advertisement,
    .tools, .aside,
  ]

  /// `prefix[i]`: weight of the blocks before block i.
  private var prefix = HTMLColumn<Int>(capacity: 1024)
  private var longSum = HTMLColumn<UInt32>(capacity: 4096)
  /// Per element: weight of all blocks below it, and the linked part.
  private var allSum = HTMLColumn<UInt32>(capacity: 4096)
  private var linkSum = HTMLColumn<UInt32>(capacity: 4096)
  /// The element that the text was looked for in.
  private(set) var root = 0
  private var active = HTMLColumn<Active>(capacity: 64)

  struct Active: BitwiseCopyable {
    var endBlock: UInt32
    var traits: HTMLTraits
  }

  mutating func shrink() {
    prefix.shrink(above: 1 << 16)
    longSum.shrink(above: 1 << 18)
  }

  /// Sets `isKept` and `traits` of the renderer's blocks.
  mutating func select(_ arena: borrowing HTMLArena, _ renderer: inout HTMLRenderer) {
    sumWeights(renderer)
    assignTraits(&renderer)
    sumLongText(arena, renderer)
    root = mainNode(arena, renderer)
    let isProse = Int(longSum[0]) * 10 >= cleanWeight(renderer) * 4
    if !isProse { root = outerNode(arena, root) }
    var kept = keep(arena, &renderer, root: root, rejecting: Self.boilerplate, allowsLinks: !isProse)
    if kept < 100, root != 0 { kept = keep(arena, &renderer, root: 0, rejecting: Self.boilerplate) }
    if kept < 100 {
      kept = keep(arena, &renderer, root: 0, rejecting: [.navigation, .hidden, .notice, .footer])
    }
    dropLonelyHeadings(&renderer)
  }

  private func cleanWeight(_ renderer: borrowing HTMLRenderer) -> Int {
    var sum = 0
    for index in 0..<renderer.blocks.count
    where renderer.blocks[index].traits.isDisjoint(with: Self.boilerplate) {
      sum += Int(renderer.blocks[index].weight)
    }
    return sum
  }

  /// The `main` around `node`, else the root: a page of short texts has no walk to its middle.
  private func outerNode(_ arena: borrowing HTMLArena, _ node: Int) -> Int {
    var outer = node
    while outer > 0, arena.tag[outer] != .main { outer = Int(arena.parent[outer]) }
    return outer
  }

  private mutating func sumWeights(_ renderer: borrowing HTMLRenderer) {
    prefix.removeAll()
    var sum = 0
    prefix.append(0)
    for index in 0..<renderer.blocks.count {
      sum += Int(renderer.blocks[index].weight)
      prefix.append(sum)
    }
  }

  /// Gives each block the traits of the regions around it. A region that holds most of the page says nothing.
  private mutating func assignTraits(_ renderer: inout HTMLRenderer) {
    let total = prefix[prefix.count - 1]
    active.removeAll()
    var region = 0
    for index in 0..<renderer.blocks.count {
      while active.count > 0, Int(active[active.count - 1].endBlock) <= index { active.removeLast() }
      while region < renderer.regions.count, Int(renderer.regions[region].firstBlock) <= index {
        let candidate = renderer.regions[region]
        region += 1
        guard Int(candidate.endBlock) > index else { continue }
        var traits = candidate.traits
        let weight = prefix[Int(candidate.endBlock)] - prefix[Int(candidate.firstBlock)]
        if weight * 10 > total * 3 { traits.remove(.hidden) }
        if weight * 2 > total { traits.formIntersection([.main, .article, .content]) }
        if active.count > 0 { traits.formUnion(active[active.count - 1].traits) }
        active.append(Active(endBlock: candidate.endBlock, traits: traits))
      }
      renderer.blocks[index].traits = active.count > 0 ? active[active.count - 1].traits : []
    }
  }

  /// Per element: weight of the long, mostly unlinked blocks below it.
  private mutating func sumLongText(_ arena: borrowing HTMLArena, _ renderer: borrowing HTMLRenderer) {
    longSum.fill(0, count: arena.count)
    allSum.fill(0, count: arena.count)
    linkSum.fill(0, count: arena.count)
    for index in 0..<renderer.blocks.count {
      let block = renderer.blocks[index]
      let own = block.weight - block.linkWeight
      allSum[Int(block.node)] += block.weight
      linkSum[Int(block.node)] += block.linkWeight
      guard block.weight >= Self.longText, block.linkWeight * 3 < block.weight,
        block.traits.isDisjoint(with: Self.boilerplate)
      else { continue }
      longSum[Int(block.node)] += own
    }
    var node = arena.count - 1
    while node > 0 {
      let parent = Int(arena.parent[node])
      longSum[parent] += longSum[node]
      allSum[parent] += allSum[node]
      linkSum[parent] += linkSum[node]
      node -= 1
    }
  }

  /// The element that holds the main text: a `main` or `article` with most of the long text, else where a walk from
  /// the root stops that always enters the child with nearly all of it.
  private func mainNode(_ arena: borrowing HTMLArena, _ renderer: borrowing HTMLRenderer) -> Int {
    let total = longSum[0]
    guard total > 0 else { return 0 }
    var best = 0
    for index in 0..<renderer.regions.count {
      let region = renderer.regions[index]
      guard region.traits.contains(.main) else { continue }
      let node = Int(region.node)
      if longSum[node] * 2 > total, best == 0 || longSum[node] > longSum[best] { best = node }
    }
    var node = best
    while true {
      var child = node + 1
      var next = -1
      while child < Int(arena.end[node]) {
        if longSum[child] * 10 >= longSum[node] * 8, arena.tag[child] != .text { next = child }
        child = Int(arena.end[child])
      }
      if next < 0 || longSum[next] == 0 { break }
      node = next
    }
    return node
  }

  /// Keeps the blocks below `root` that pass; returns their weight.
  private func keep(
    _ arena: borrowing HTMLArena, _ renderer: inout HTMLRenderer, root: Int, rejecting: HTMLTraits,
    allowsLinks: Bool = false
  ) -> Int {
    let end = UInt32(arena.end[root])
    var sum = 0
    for index in 0..<renderer.blocks.count {
      var block = renderer.blocks[index]
      let isInside = block.node >= UInt32(root) && block.node < end
      let isLinked =
        block.linkWeight * 2 > block.weight && block.kind != .heading && !allowsLinks
        && isInLinkList(arena, block)
      block.isKept = isInside && block.traits.isDisjoint(with: rejecting) && !isLinked
      if block.isKept { sum += Int(block.weight) }
      renderer.blocks[index] = block
    }
    return sum
  }

  /// True if what surrounds a linked block is mostly links too: the nearest element that holds more than the block.
  private func isInLinkList(_ arena: borrowing HTMLArena, _ block: HTMLBlock) -> Bool {
    var node = Int(block.node)
    var steps = 0
    while node > 0, steps < 8 {
      if allSum[node] >= block.weight * 2 { return linkSum[node] * 10 > allSum[node] * 3 }
      node = Int(arena.parent[node])
      steps += 1
    }
    return true
  }

  /// A heading is kept if kept text follows it before the next heading of the same or a higher level.
  private func dropLonelyHeadings(_ renderer: inout HTMLRenderer) {
    var followed = false
    var index = renderer.blocks.count - 1
    while index >= 0 {
      if renderer.blocks[index].kind == .heading {
        if !followed { renderer.blocks[index].isKept = false }
      } else if renderer.blocks[index].isKept {
        followed = true
      }
      index -= 1
    }
  }
}
