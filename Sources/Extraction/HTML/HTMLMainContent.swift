/// Chooses the blocks that are the main text of a page, by place, text density and link density.
///
/// Nothing depends on a language: sizes are weights (`HTMLBlock.weight`), link shares and the structure of the page.
/// In the spirit of Boilerpipe, jusText and Resiliparse; thresholds found on the page sets of the benchmark notes.
struct HTMLMainContent: ~Copyable {
  /// Weight from which a block counts as running text: about one short sentence.
  static let longText = 80
  /// Kept weight below which the rules are relaxed: about one sentence.
  static let thinPage = 100
  static let surelyBoilerplate: HTMLTraits = [.navigation, .hidden, .notice, .footer]
  /// Traits that authors' names give to main text too.
  static let doubtful: HTMLTraits = [.comment, .aside, .notice, .tools, .related, .form, .hidden]
  static let positive: HTMLTraits = [.main, .article, .content]
  static let boilerplate: HTMLTraits = [
    .navigation, .footer, .hidden, .noscript, .comment, .related, .share, .breadcrumb, .notice,
    .advertisement, .tools,
    .aside, .form, .header,
  ]

  /// `prefix[i]`: weight of the blocks before block i.
  private var prefix = HTMLColumn<Int>(capacity: 1024)
  private var longSum = HTMLColumn<UInt32>(capacity: 4096)
  /// Per element: unlinked weight of all blocks below it that are no boilerplate.
  private var cleanSum = HTMLColumn<UInt32>(capacity: 4096)
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
    cleanSum.shrink(above: 1 << 18)
    allSum.shrink(above: 1 << 18)
    linkSum.shrink(above: 1 << 18)
  }

  /// Sets `isKept` and `traits` of the renderer's blocks.
  mutating func select(_ arena: borrowing HTMLArena, _ renderer: inout HTMLRenderer) {
    sumWeights(renderer)
    assignTraits(&renderer)
    let boilerplate = believedBoilerplate(renderer)
    sumLongText(arena, renderer)
    root = mainNode(arena, renderer)
    let isProse = Int(longSum[0]) * 10 >= cleanWeight(renderer) * 3
    if !isProse { root = outerNode(arena, root) }
    var kept = keep(arena, &renderer, root: root, rejecting: boilerplate, allowsLinks: !isProse)
    if kept < Self.thinPage {
      // Little was found: look at the whole page, then take what its names call boilerplate; but only for much more
      // text, so that a short page stays short.
      let inner = root
      root = 0
      let outer = keep(arena, &renderer, root: 0, rejecting: boilerplate, allowsLinks: !isProse)
      if outer < Self.thinPage {
        let relaxed = keep(
          arena, &renderer, root: 0, rejecting: Self.surelyBoilerplate, allowsLinks: !isProse)
        if relaxed < max(Self.thinPage, kept * 4) {
          root = outer > kept * 4 ? 0 : inner
          kept = keep(arena, &renderer, root: root, rejecting: boilerplate, allowsLinks: !isProse)
        }
      }
    }
    dropLonelyHeadings(arena, &renderer, bySection: isProse)
  }

  /// The boilerplate traits that are believed on this page: one that much unlinked text has, compared with the text that has
  /// none, is no boilerplate here (a forum's comments, a page inside one form).
  private func believedBoilerplate(_ renderer: borrowing HTMLRenderer) -> HTMLTraits {
    var clean = 0
    var sums: InlineArray<32, Int> = .init(repeating: 0)
    for index in 0..<renderer.blocks.count {
      let block = renderer.blocks[index]
      let traits = block.traits.intersection(Self.boilerplate).rawValue
      let weight = Int(block.weight - block.linkWeight)
      if traits == 0 { clean += Int(block.weight) }
      // Only one trait stands in the way of this block.
      if traits.nonzeroBitCount == 1 { sums[traits.trailingZeroBitCount] += weight }
    }
    var believed = Self.boilerplate
    for bit in 0..<32 where sums[bit] * 10 > clean * 7 {
      let trait = HTMLTraits(rawValue: 1 << UInt32(bit))
      if Self.doubtful.contains(trait) { believed.remove(trait) }
    }
    return believed
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
        traits.subtract(Self.disbelieved(weight, of: total))
        let outer = active.count > 0 ? active[active.count - 1].traits : []
        if traits.contains(.header),
          !outer.isDisjoint(with: [.article, .main]) || hasHeading(renderer, candidate)
        {
          traits.remove(.header)
        }
        traits.formUnion(outer)
        active.append(Active(endBlock: candidate.endBlock, traits: traits))
      }
      renderer.blocks[index].traits = active.count > 0 ? active[active.count - 1].traits : []
    }
  }

  /// Traits that a region of `weight` cannot have because it holds too much of the page's `total`.
  private static func disbelieved(_ weight: Int, of total: Int) -> HTMLTraits {
    let tenths = weight * 10
    if tenths > total * 5 { return HTMLTraits(rawValue: ~positive.rawValue) }
    if tenths > total * 4 { return [.hidden, .aside, .form, .header, .navigation] }
    if tenths > total * 3 { return [.hidden, .aside, .form, .header] }
    if tenths > total * 2 { return [.header] }
    return []
  }

  /// True if a heading that is no link stands in the region.
  private func hasHeading(_ renderer: borrowing HTMLRenderer, _ region: HTMLRegion) -> Bool {
    for index in Int(region.firstBlock)..<Int(region.endBlock) {
      let block = renderer.blocks[index]
      if block.kind == .heading, block.linkWeight * 2 < block.weight { return true }
    }
    return false
  }

  /// Per element: weight of the long, mostly unlinked blocks below it.
  private mutating func sumLongText(_ arena: borrowing HTMLArena, _ renderer: borrowing HTMLRenderer) {
    longSum.fill(0, count: arena.count)
    cleanSum.fill(0, count: arena.count)
    allSum.fill(0, count: arena.count)
    linkSum.fill(0, count: arena.count)
    for index in 0..<renderer.blocks.count {
      let block = renderer.blocks[index]
      let own = block.weight - block.linkWeight
      allSum[Int(block.node)] += block.weight
      linkSum[Int(block.node)] += block.linkWeight
      guard block.traits.isDisjoint(with: Self.boilerplate) else { continue }
      cleanSum[Int(block.node)] += own
      guard Int(block.weight) >= Self.longText, block.linkWeight * 3 < block.weight else { continue }
      longSum[Int(block.node)] += own
    }
    var node = arena.count - 1
    while node > 0 {
      let parent = Int(arena.parent[node])
      longSum[parent] += longSum[node]
      cleanSum[parent] += cleanSum[node]
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
      if Int(longSum[node]) * 10 > Int(total) * 3, best == 0 || longSum[node] > longSum[best] { best = node }
    }
    var node = best
    while true {
      var child = node + 1
      var next = -1
      while child < Int(arena.end[node]) {
        if arena.tag[child].isContainer, Int(longSum[child]) * 10 >= Int(longSum[node]) * 8,
          Int(cleanSum[child]) * 10 >= Int(cleanSum[node]) * 7
        {
          next = child
        }
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
        Int(block.linkWeight) * 10 > Int(block.weight) * 5 && block.kind != .heading && !allowsLinks
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
      if allSum[node] >= block.weight * 2 {
        return Int(linkSum[node]) * 10 > Int(allSum[node]) * (block.kind == .row ? 8 : 3)
      }
      node = Int(arena.parent[node])
      steps += 1
    }
    return true
  }

  /// On a page of prose a heading is kept if kept text follows it before the next heading of its level or above. A
  /// linked one needs running text: else it is a link to another page. On other pages any kept text behind it will do.
  private func dropLonelyHeadings(
    _ arena: borrowing HTMLArena, _ renderer: inout HTMLRenderer, bySection: Bool
  ) {
    // Bit n: text, or running text, stands between here and the next heading of level n or above.
    var text: UInt8 = 0
    var runningText: UInt8 = 0
    var index = renderer.blocks.count - 1
    while index >= 0 {
      let block = renderer.blocks[index]
      if block.kind == .heading {
        let level = headingLevel(arena, block)
        let isLinked = bySection && block.linkWeight * 2 > block.weight
        let isFollowed = (isLinked ? runningText : text) & (1 << level) != 0
        if !isFollowed { renderer.blocks[index].isKept = false }
        index -= 1
        guard bySection else { continue }
        // Above this heading its section is behind it, for headings of its level and below.
        text &= (1 << level) - 1
        runningText &= (1 << level) - 1
        continue
      } else if block.isKept {
        text = 0xFF
        if Int(block.weight) >= Self.longText, block.linkWeight * 2 < block.weight { runningText = 0xFF }
      }
      index -= 1
    }
  }

  /// 1 to 6.
  private func headingLevel(_ arena: borrowing HTMLArena, _ block: HTMLBlock) -> UInt8 {
    var node = Int(block.node)
    while node > 0, !arena.tag[node].isHeading { node = Int(arena.parent[node]) }
    return arena.tag[node].isHeading ? arena.tag[node].rawValue - HTMLTag.h1.rawValue + 1 : 6
  }
}
