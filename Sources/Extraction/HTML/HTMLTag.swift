import Bytes

/// The elements that the tree builder or the main-content rule tells apart; all others are `unknown`.
enum HTMLTag: UInt8 {
  case unknown, text
  case html, head, body, title, base, link, meta, style, script, noscript, template
  case p, div, section, article, main, nav, aside, header, footer, address, hgroup, search
  case h1, h2, h3, h4, h5, h6
  case ul, ol, li, dl, dt, dd, menu, dir
  case table, caption, colgroup, col, tbody, thead, tfoot, tr, td, th
  case pre, listing, plaintext, xmp, blockquote, center, figure, figcaption, details, summary, dialog,
    fieldset
  case legend, hr, br, wbr, form, button, input, textarea, select, option, optgroup, label, datalist, output
  case progress, meter, keygen
  case a, b, i, u, s, em, strong, small, big, font, tt, code, nobr, strike, span, sup, sub, q, cite, abbr,
    time
  case ruby, rb, rt, rtc, rp
  case img, area, embed, param, source, track, bgsound, basefont, frame, frameset, noframes, noembed, iframe
  case object, applet, marquee, map, picture, video, audio, canvas
  case svg, math, foreignobject, desc, annotationxml, mi, mo, mn, ms, mtext, annotation

  /// Names in the order of the cases, from `html` on.
  static let names: StaticString = """
    html head body title base link meta style script noscript template \
    p div section article main nav aside header footer address hgroup search \
    h1 h2 h3 h4 h5 h6 \
    ul ol li dl dt dd menu dir \
    table caption colgroup col tbody thead tfoot tr td th \
    pre listing plaintext xmp blockquote center figure figcaption details summary dialog fieldset \
    legend hr br wbr form button input textarea select option optgroup label datalist output \
    progress meter keygen \
    a b i u s em strong small big font tt code nobr strike span sup sub q cite abbr time \
    ruby rb rt rtc rp \
    img area embed param source track bgsound basefont frame frameset noframes noembed iframe \
    object applet marquee map picture video audio canvas \
    svg math foreignobject desc annotation-xml mi mo mn ms mtext annotation
    """

  /// No end tag, no content.
  var isVoid: Bool {
    switch self {
    case .area, .base, .basefont, .bgsound, .br, .col, .embed, .frame, .hr, .img, .input, .keygen, .link,
      .meta,
      .param, .source, .track, .wbr:
      true
    default: false
    }
  }

  /// A start tag of these closes an open `p` (WHATWG 13.2.6.4.7, "in body").
  var closesParagraph: Bool {
    switch self {
    case .address, .article, .aside, .blockquote, .center, .details, .dialog, .dir, .div, .dl, .fieldset,
      .figcaption,
      .figure, .footer, .header, .hgroup, .main, .menu, .nav, .ol, .p, .search, .section, .summary, .ul, .h1,
      .h2, .h3,
      .h4, .h5, .h6, .pre, .listing, .form, .li, .dd, .dt, .plaintext, .table, .hr, .xmp:
      true
    default: false
    }
  }

  var isHeading: Bool { rawValue >= HTMLTag.h1.rawValue && rawValue <= HTMLTag.h6.rawValue }

  /// Elements whose end tag pops to them over everything else that is open in their scope.
  var isBlockWithScopedEnd: Bool {
    switch self {
    case .address, .article, .aside, .blockquote, .button, .center, .details, .dialog, .dir, .div, .dl,
      .fieldset,
      .figcaption, .figure, .footer, .form, .header, .hgroup, .listing, .main, .menu, .nav, .ol, .pre,
      .search,
      .section, .summary, .ul, .applet, .marquee, .object, .dd, .dt, .select:
      true
    default: false
    }
  }

  /// "Special" elements of the standard: an end tag of an ordinary element does not reach over them.
  var isSpecial: Bool {
    switch self {
    case .address, .applet, .area, .article, .aside, .base, .basefont, .bgsound, .blockquote, .body, .br,
      .button,
      .caption, .center, .col, .colgroup, .dd, .details, .dir, .div, .dl, .dt, .embed, .fieldset, .figcaption,
      .figure,
      .footer, .form, .frame, .frameset, .h1, .h2, .h3, .h4, .h5, .h6, .head, .header, .hgroup, .hr, .html,
      .iframe,
      .img, .input, .keygen, .li, .link, .listing, .main, .marquee, .menu, .meta, .nav, .noembed, .noframes,
      .noscript,
      .object, .ol, .p, .param, .plaintext, .pre, .script, .search, .section, .select, .source, .style,
      .summary,
      .table, .tbody, .td, .template, .textarea, .tfoot, .th, .thead, .title, .tr, .track, .ul, .wbr, .xmp,
      .foreignobject, .desc, .annotationxml, .mi, .mo, .mn, .ms, .mtext:
      true
    default: false
    }
  }

  /// Formatting elements: their end tag takes them out without closing the blocks inside them.
  var isFormatting: Bool {
    switch self {
    case .a, .b, .big, .code, .em, .font, .i, .nobr, .s, .small, .strike, .strong, .tt, .u: true
    default: false
    }
  }

  /// "Has an element in scope" stops here.
  var isScopeBarrier: Bool {
    switch self {
    case .applet, .caption, .html, .table, .td, .th, .marquee, .object, .template, .foreignobject, .desc,
      .annotationxml, .mi, .mo, .mn, .ms, .mtext:
      true
    default: false
    }
  }

  /// Stays in `head` when it stands there.
  var belongsToHead: Bool {
    switch self {
    case .base, .basefont, .bgsound, .link, .meta, .noframes, .script, .style, .template, .title, .noscript:
      true
    default: false
    }
  }

  /// Ends svg and math content (WHATWG 13.2.6.5).
  var breaksOutOfForeign: Bool {
    switch self {
    case .b, .big, .blockquote, .body, .br, .center, .code, .dd, .div, .dl, .dt, .em, .embed, .h1, .h2, .h3,
      .h4, .h5,
      .h6, .head, .hr, .i, .img, .li, .listing, .menu, .meta, .nobr, .ol, .p, .pre, .ruby, .s, .small, .span,
      .strong, .strike, .sub, .sup, .table, .tt, .u, .ul:
      true
    default: false
    }
  }

  /// A line break stands before and after its content when it is rendered.
  var isBlock: Bool {
    switch self {
    case .html, .body, .p, .div, .section, .article, .main, .nav, .aside, .header, .footer, .address, .hgroup,
      .search,
      .h1, .h2, .h3, .h4, .h5, .h6, .ul, .ol, .li, .dl, .dt, .dd, .menu, .dir, .table, .caption, .tbody,
      .thead,
      .tfoot, .tr, .td, .th, .pre, .listing, .plaintext, .xmp, .blockquote, .center, .figure, .figcaption,
      .details,
      .summary, .dialog, .fieldset, .legend, .hr, .form, .option, .optgroup, .frameset, .title:
      true
    default: false
    }
  }

  /// May hold the main text of a page, rather than one paragraph of it.
  var isContainer: Bool {
    switch self {
    case .text, .p, .li, .dt, .dd, .h1, .h2, .h3, .h4, .h5, .h6, .pre, .blockquote, .figcaption, .caption,
      .summary, .address:
      false
    default: true
    }
  }

  /// A paragraph break (blank line) rather than a line break.
  var isParagraphBreak: Bool {
    switch self {
    case .p, .h1, .h2, .h3, .h4, .h5, .h6, .ul, .ol, .dl, .table, .pre, .listing, .plaintext, .xmp,
      .blockquote, .hr,
      .article, .section, .main, .figure, .header, .footer, .aside, .nav:
      true
    default: false
    }
  }

  /// Its content is no text for readers: scripts, forms, media (rendered as nothing).
  var isNeverRendered: Bool {
    switch self {
    case .script, .style, .template, .desc, .canvas, .object, .applet, .iframe, .noembed, .noframes, .video,
      .audio,
      .select, .textarea, .datalist, .progress, .meter, .rt, .rp, .rtc, .head, .title, .annotation,
      .annotationxml,
      .map, .embed:
      true
    default: false
    }
  }
}

/// Attributes that the arena stores; others are parsed and skipped.
enum HTMLAttribute: UInt8 {
  case other
  case id, `class`, role, style, href, src, alt, hidden, ariahidden, lang, content, name, property, charset
  case httpequiv, rel, title, type, start, value, datetime, open, encoding, itemprop, colspan, xmllang

  static let names: StaticString = """
    id class role style href src alt hidden aria-hidden lang content name property charset \
    http-equiv rel title type start value datetime open encoding itemprop colspan xml:lang
    """
}

/// Finds a name by the hash of its lower-cased bytes: open addressing, built once per worker.
///
/// Two names of one 64-bit hash would be taken for each other; that only makes an element known or unknown.
struct HTMLNameTable: ~Copyable {
  private var keys = HTMLColumn<UInt64>(capacity: 512)
  private var ids = HTMLColumn<UInt8>(capacity: 512)

  /// FNV-1a, 64 bits.
  static let seed: UInt64 = 0xcbf2_9ce4_8422_2325
  @inline(__always) static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
    (hash ^ UInt64(byte)) &* 0x100_0000_01b3
  }

  /// `names`: separated by single blanks, at most 255; they get the ids `firstID`, `firstID + 1`, …
  init(_ names: borrowing Span<UInt8>, firstID: UInt8) {
    keys.fill(0, count: 512)
    ids.fill(0, count: 512)
    var id = firstID
    var hash = Self.seed
    for index in 0...names.count {
      if index == names.count || names[index] == 32 {
        var slot = Self.slot(hash)
        while ids[slot] != 0 { slot = (slot + 1) & 511 }
        keys[slot] = hash
        ids[slot] = id
        id += 1
        hash = Self.seed
      } else {
        hash = Self.step(hash, names[index])
      }
    }
  }

  init(_ names: StaticString, firstID: UInt8) {
    var bytes: [UInt8] = []
    bytes.append(names)
    self.init(bytes.span, firstID: firstID)
  }

  /// FNV leaves the high bits of short names alike, hence the multiplication.
  @inline(__always) private static func slot(_ hash: UInt64) -> Int {
    Int((hash &* 0x9E37_79B9_7F4A_7C15) >> 55)
  }

  /// 0 if the name is not in the table.
  @inline(__always) func find(_ hash: UInt64) -> UInt8 {
    var slot = Self.slot(hash)
    while ids[slot] != 0 {
      if keys[slot] == hash { return ids[slot] }
      slot = (slot + 1) & 511
    }
    return 0
  }
}
