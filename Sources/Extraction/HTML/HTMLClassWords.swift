import Bytes

/// Words in class and id names that say what a part of a page is. Language independent: they are the authors' English.
///
/// Tokens are cut at non-alphanumerics and before an inner capital (`relatedPosts` is `related`, `posts`).
struct HTMLClassWords: ~Copyable {
  private static let groups: [(StaticString, HTMLTraits)] = [
    (
      "nav navbar navigation menu menus submenu topnav sidenav mainnav subnav megamenu pagination pager paging toc",
      .navigation
    ),
    ("breadcrumb breadcrumbs crumb crumbs bread", .breadcrumb),
    ("footer foot colophon copyright bottombar", .footer),
    ("sidebar sidebars aside rail sidecol rightcol leftcol sidecolumn", .aside),
    ("share sharing shares social socials addthis sharedaddy followus", .share),
    (
      "related recommended recommendations recommend similar trending popular readmore morefrom mostread taboola outbrain",
      .related
    ),
    (
      "cookie cookies consent gdpr newsletter subscribe subscription signup popup modal overlay paywall banner toast lightbox",
      .notice
    ),
    (
      "ad ads advert advertisement advertising sponsor sponsored promo promotion adsbygoogle dfp",
      .advertisement
    ),
    ("comment comments disqus replies respond", .comment),
    ("login signin toolbar tools filter filters sort search searchbox searchform skip print", .tools),
    ("byline meta metadata author dateline timestamp postmeta tags taglist", .byline),
    ("masthead topbar", .header),
    ("sr screenreader visuallyhidden noprint", .hidden),
    ("article articlebody entry story post content body main text maincontent postbody storybody", .content),
  ]

  private let table: HTMLNameTable
  private var traits = HTMLColumn<HTMLTraits>(capacity: 256)

  init() {
    traits.append([])
    var all: [UInt8] = []
    for (words, trait) in Self.groups {
      if !all.isEmpty { all.append(32) }
      all.append(words)
      traits.append(trait)
      for index in 0..<words.utf8CodeUnitCount where words.utf8Start[index] == 32 { traits.append(trait) }
    }
    table = HTMLNameTable(all.span, firstID: 1)
  }

  /// The traits of all tokens of a class or id value.
  func find(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> HTMLTraits {
    var found: HTMLTraits = []
    var hash = HTMLNameTable.seed
    var length = 0
    var previousIsLower = false
    for index in range {
      let byte = bytes[index]
      let isUpper = byte.isASCIIUpper
      let isWord = byte.isASCIILetter || byte.isASCIIDigit
      if !isWord || (isUpper && previousIsLower) {
        if length > 1 { found.formUnion(traits[Int(table.find(hash))]) }
        hash = HTMLNameTable.seed
        length = 0
      }
      if isWord {
        hash = HTMLNameTable.step(hash, byte.asciiLowercased)
        length += 1
      }
      previousIsLower = isWord && !isUpper
    }
    if length > 1 { found.formUnion(traits[Int(table.find(hash))]) }
    return found
  }
}
