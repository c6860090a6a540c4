/// Labels of encodings, as pages and servers write them.
///
/// - Source: WHATWG Encoding, section 4.2 (the common part of its label table); the glibc names that decode alike were measured
///   against the WHATWG index files (extraction notes, 2.1).
enum EncodingLabels {
  enum Decoder: Equatable, Sendable {
    case utf8, utf16LittleEndian, utf16BigEndian, windows1252
    /// A name that glibc's iconv knows.
    case iconv(String)
    /// Encodings that browsers refuse to decode.
    case replacement
  }

  struct Encoding: Equatable, Sendable {
    /// The WHATWG name in lower case.
    var name: String
    var decoder: Decoder
  }

  static let utf8 = Encoding(name: "utf-8", decoder: .utf8)
  static let windows1252 = Encoding(name: "windows-1252", decoder: .windows1252)

  /// The encoding of a label (any case, trimmed), or nil if nobody knows it.
  static func encoding(_ label: String) -> Encoding? { table[label.lowercased()] }

  private static let rows: [(name: String, decoder: Decoder, labels: String)] = [
    ("utf-8", .utf8, "utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8"),
    (
      "windows-1252", .windows1252,
      "ascii us-ascii ansi_x3.4-1968 iso-8859-1 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 iso-ir-100 latin1 latin-1 l1 "
        + "cp819 ibm819 csisolatin1 cp1252 x-cp1252 x-user-defined"
    ),
    ("windows-1250", .iconv("CP1250"), "cp1250 x-cp1250"),
    ("windows-1251", .iconv("CP1251"), "cp1251 x-cp1251 win-1251 windows1251"),
    ("windows-1253", .iconv("CP1253"), "cp1253 x-cp1253"),
    (
      "windows-1254", .iconv("CP1254"),
      "cp1254 x-cp1254 iso-8859-9 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 iso-ir-148 latin5 l5 csisolatin5"
    ),
    ("windows-1255", .iconv("CP1255"), "cp1255 x-cp1255"),
    ("windows-1256", .iconv("CP1256"), "cp1256 x-cp1256"),
    ("windows-1257", .iconv("CP1257"), "cp1257 x-cp1257"),
    ("windows-1258", .iconv("CP1258"), "cp1258 x-cp1258"),
    ("windows-874", .iconv("CP874"), "dos-874 tis-620 iso-8859-11 iso8859-11 iso885911"),
    (
      "iso-8859-2", .iconv("ISO-8859-2"),
      "iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 iso-ir-101 latin2 l2 csisolatin2"
    ),
    ("iso-8859-3", .iconv("ISO-8859-3"), "iso8859-3 iso88593 iso_8859-3 latin3 l3"),
    ("iso-8859-4", .iconv("ISO-8859-4"), "iso8859-4 iso88594 iso_8859-4 latin4 l4"),
    ("iso-8859-5", .iconv("ISO-8859-5"), "iso8859-5 iso88595 iso_8859-5 cyrillic csisolatincyrillic"),
    (
      "iso-8859-6", .iconv("ISO-8859-6"),
      "iso8859-6 iso88596 iso_8859-6 arabic asmo-708 ecma-114 iso-8859-6-e iso-8859-6-i"
    ),
    (
      "iso-8859-7", .iconv("ISO-8859-7"),
      "iso8859-7 iso88597 iso_8859-7 greek greek8 ecma-118 elot_928 sun_eu_greek"
    ),
    (
      "iso-8859-8", .iconv("ISO-8859-8"),
      "iso8859-8 iso88598 iso_8859-8 hebrew visual iso-8859-8-e csisolatinhebrew"
    ),
    ("iso-8859-8-i", .iconv("ISO-8859-8"), "logical csiso88598i"),
    ("iso-8859-10", .iconv("ISO-8859-10"), "iso8859-10 iso885910 latin6 l6"),
    ("iso-8859-13", .iconv("ISO-8859-13"), "iso8859-13 iso885913"),
    ("iso-8859-14", .iconv("ISO-8859-14"), "iso8859-14 iso885914"),
    ("iso-8859-15", .iconv("ISO-8859-15"), "iso8859-15 iso885915 iso_8859-15 latin9 latin-9 l9 csisolatin9"),
    ("iso-8859-16", .iconv("ISO-8859-16"), ""),
    ("ibm866", .iconv("CP866"), "866 cp866 csibm866"),
    ("koi8-r", .iconv("KOI8-R"), "koi koi8 koi8_r cskoi8r"),
    ("koi8-u", .iconv("KOI8-U"), "koi8-ru"),
    ("macintosh", .iconv("MACINTOSH"), "mac x-mac-roman csmacintosh"),
    ("x-mac-cyrillic", .iconv("MAC-CYRILLIC"), "x-mac-ukrainian"),
    (
      "gbk", .iconv("GB18030"),
      "gb2312 chinese csgb2312 csiso58gb231280 gb_2312 gb_2312-80 iso-ir-58 x-gbk cp936 ms936 windows-936"
    ),
    ("gb18030", .iconv("GB18030"), ""),
    ("big5", .iconv("BIG5-HKSCS"), "big5-hkscs cn-big5 csbig5 x-x-big5"),
    ("shift_jis", .iconv("CP932"), "shift-jis sjis x-sjis ms_kanji ms932 windows-31j csshiftjis cp932"),
    ("euc-jp", .iconv("EUC-JP-MS"), "x-euc-jp eucjp cseucpkdfmtjapanese"),
    ("iso-2022-jp", .iconv("ISO-2022-JP"), "csiso2022jp"),
    (
      "euc-kr", .iconv("CP949"),
      "ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 korean windows-949 cp949 cseuckr iso-ir-149 csksc56011987 uhc"
    ),
    ("utf-16le", .utf16LittleEndian, "utf-16 utf16 ucs-2 unicode iso-10646-ucs-2 csunicode unicodefeff"),
    ("utf-16be", .utf16BigEndian, "unicodefffe"),
    ("replacement", .replacement, "hz-gb-2312 iso-2022-kr csiso2022kr iso-2022-cn iso-2022-cn-ext"),
  ]

  private static let table: [String: Encoding] = {
    var table: [String: Encoding] = [:]
    for row in rows {
      let encoding = Encoding(name: row.name, decoder: row.decoder)
      table[row.name] = encoding
      for label in row.labels.split(separator: " ") { table[String(label)] = encoding }
    }
    return table
  }()
}
