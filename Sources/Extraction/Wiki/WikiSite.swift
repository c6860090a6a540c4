import Bytes

/// What a dump's head says about its wiki: name, address, language, names of namespaces.
///
/// - Source: MediaWiki export schema 0.11, `siteinfo`. Read by plain search: the head is no well-formed document of its own.
struct WikiSite: Equatable {
  var databaseName: [UInt8] = []
  /// Address of an article without its title (`https://en.wikipedia.org/wiki/`), or empty.
  var articleBase: [UInt8] = []
  /// Primary language subtag, or empty.
  var language = ""
  /// Names of the namespaces whose links are not text (file, media, category), in lower case, with blanks.
  var hiddenNamespaces: [[UInt8]] = []
  /// Names of all namespaces, in lower case.
  var namespaces: [[UInt8]] = []

  init() { hiddenNamespaces = WikiSite.common }

  init(head: borrowing Span<UInt8>) {
    databaseName = WikiSite.element("dbname", head)
    let base = WikiSite.element("base", head)
    if let slash = base.lastIndex(of: UInt8(ascii: "/")) { articleBase = Array(base[...slash]) }
    language = WikiSite.language(head, databaseName)
    hiddenNamespaces = WikiSite.common
    readNamespaces(head)
  }

  private mutating func readNamespaces(_ head: borrowing Span<UInt8>) {
    var index = 0
    let opening = Array("<namespace key=\"".utf8)
    while let found = head.firstIndex(of: opening, from: index) {
      index = found + opening.count
      guard let quote = head.firstIndex(of: UInt8(ascii: "\""), from: index),
        let end = head.firstIndex(of: UInt8(ascii: ">"), from: quote), head[end - 1] != UInt8(ascii: "/"),
        let close = head.firstIndex(of: UInt8(ascii: "<"), from: end)
      else { continue }
      let key = head.extracting(index..<quote)
      let name = WikiSite.folded(head.extracting(end + 1..<close))
      index = close
      if name.isEmpty { continue }
      namespaces.append(name)
      let isHidden = key.equals(WikiSite.file) || key.equals(WikiSite.category) || key.equals(WikiSite.media)
      if isHidden, !hiddenNamespaces.contains(name) { hiddenNamespaces.append(name) }
    }
  }

  private static let file = Array("6".utf8)
  private static let category = Array("14".utf8)
  private static let media = Array("-2".utf8)
  /// The English names, which hold in every wiki, and old local ones that pages still use.
  private static let common: [[UInt8]] =
    [
      "file", "image", "media", "category", "bild", "datei", "kategorie", "fichier", "catégorie", "imagen",
      "archivo",
      "categoría", "imagem", "ficheiro", "categoria", "immagine", "afbeelding", "bestand", "categorie",
      "файл", "изображение",
      "категория", "plik", "grafika", "kategoria", "ファイル", "画像", "カテゴリ", "文件", "檔案", "图像", "圖像", "分类", "分類",
      "파일", "그림", "분류", "fitxer", "imatge",
    ].map { Array($0.utf8) }

  /// Content of the first element of this name, entities left as they are.
  private static func element(_ name: String, _ head: borrowing Span<UInt8>) -> [UInt8] {
    let tag = Array("<\(name)>".utf8)
    guard let open = head.firstIndex(of: tag),
      let close = head.firstIndex(of: UInt8(ascii: "<"), from: open + tag.count)
    else { return [] }
    return head.extracting(head.trimmedRange(open + tag.count..<close)).array()
  }

  /// From `xml:lang` of the root, else from the database name (`dewiki`).
  private static func language(_ head: borrowing Span<UInt8>, _ databaseName: [UInt8]) -> String {
    let attribute = Array("xml:lang=\"".utf8)
    if let found = head.firstIndex(of: attribute),
      let quote = head.firstIndex(of: UInt8(ascii: "\""), from: found + attribute.count)
    {
      let value = head.extracting(found + attribute.count..<quote).string().lowercased()
      let primary = value.prefix { $0 != "-" && $0 != "_" }
      if !primary.isEmpty, primary.utf8.count <= 8, primary.utf8.allSatisfy(\.isASCIILetter) {
        return String(primary)
      }
    }
    let name = databaseName.string
    guard let range = name.utf8.firstIndex(of: UInt8(ascii: "w")), name[range...].hasPrefix("wiki") else {
      return ""
    }
    let prefix = name[..<range].prefix { $0 != "_" }
    return (2...3).contains(prefix.utf8.count) ? String(prefix) : ""
  }

  /// Lower case (of Unicode's simple mappings, as Swift knows them), `_` as blank, trimmed.
  static func folded(_ name: borrowing Span<UInt8>) -> [UInt8] {
    let trimmed = name.trimmedRange(0..<name.count)
    if trimmed.count > 100 { return [] }
    let text = name.extracting(trimmed).string().lowercased()
    return text.utf8.map { $0 == UInt8(ascii: "_") ? 32 : $0 }
  }

  /// Is this (folded) prefix of a link the name of a namespace whose links are not text?
  func hides(_ prefix: [UInt8]) -> Bool { hiddenNamespaces.contains(prefix) }
}
