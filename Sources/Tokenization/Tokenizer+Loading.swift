import Bytes
import Storage

extension Tokenizer {
  /// Reads a tokenizer folder, a `tokenizer.json`, or a `.tiktoken` file.
  ///
  /// A `.tiktoken` file names neither its pattern nor special tokens. Those of OpenAI's three files are known by the
  /// files' digests; in a folder of ours they stand beside it; otherwise `pattern` must be given, and there are no
  /// special tokens.
  ///
  /// - Parameter pattern: what the pattern must be; nil: as the file says.
  /// - Throws: `StorageError.input` with path, line and reason; `.usage` if the pattern is not known.
  public static func load(path: String, pattern: PretokenPattern? = nil) throws(StorageError) -> Tokenizer {
    var file = path
    var name = Path.name(path)
    if FileSystem.isFolder(path) {
      let candidates = ["tokenizer.json", "vocab.tiktoken"].map { Path.join(path, $0) }
      guard let found = candidates.first(where: FileSystem.exists) else {
        throw .input(path: path, reason: "no tokenizer.json and no vocab.tiktoken in this folder.")
      }
      file = found
      if name.isEmpty || name == "." { name = "tokenizer" }
    }
    let bytes = try FileSystem.readAll(file, limit: 1 << 28)
    let folder = Path.parent(file).isEmpty ? "." : Path.parent(file)
    do {
      let isJSON = bytes.first { !$0.isASCIISpace } == UInt8(ascii: "{")
      let tokenizer =
        isJSON
        ? try TokenizerJSON.parse(bytes.span, name: name, endOfText: endOfText(beside: folder))
        : try tiktoken(bytes, file, folder, name, pattern)
      if let pattern, pattern != tokenizer.pattern {
        throw StorageError.usage(
          "\(file): its pattern is \(tokenizer.pattern.name), not \(pattern.name). Leave --pattern out.")
      }
      return tokenizer
    } catch let error as TokenizerError {
      throw .input(path: file, reason: error.message)
    } catch let error as StorageError {
      throw error
    } catch {
      throw .bug("reading \(file): \(error)")
    }
  }

  private static func tiktoken(
    _ bytes: [UInt8], _ file: String, _ folder: String, _ name: String, _ given: PretokenPattern?
  ) throws -> Tokenizer {
    let known = TiktokenFile.published(sha256: SHA256.hex(bytes.span))
    let beside = companion(folder, bytes)
    let ranks = try TiktokenFile.parse(bytes.span)
    guard let pattern = given ?? known?.pattern ?? beside?.pattern else {
      throw StorageError.usage(
        "\(file): a .tiktoken file does not say its pattern. Give --pattern \(PretokenPattern.names).")
    }
    let merges = try TiktokenFile.merges(ranks)
    let specials = (known?.pattern == pattern ? known?.specialTokens : beside?.specialTokens) ?? []
    let end = endOfText(beside: folder)
    return try Tokenizer(
      name: name, pattern: pattern, tokens: ranks.tokens, merges: merges, specialTokens: specials,
      endOfText: specials.first { $0.text == end }?.id, areReachable: true)
  }

  /// A small JSON file of a tokenizer folder, or nil if it is not there or not JSON.
  private static func companionFile(_ folder: String, _ name: String) -> JSONValue? {
    let path = Path.join(folder, name)
    guard FileSystem.isRegularFile(path), let bytes = try? FileSystem.readAll(path, limit: 1 << 26) else {
      return nil
    }
    return try? JSONValue.parse(bytes)
  }

  /// What `tokenizer_config.json` names as the token that ends a text.
  private static func endOfText(beside folder: String) -> String? {
    let value = companionFile(folder, "tokenizer_config.json")?["eos_token"]
    return value?.string ?? value?["content"]?.string
  }

  /// What stands beside the `vocab.tiktoken` of a folder that sluice wrote.
  ///
  /// The report names the hash of the file, so that a file which only lies in the same folder gets nothing from it.
  private static func companion(
    _ folder: String, _ bytes: [UInt8]
  ) -> (pattern: PretokenPattern, specialTokens: [SpecialToken])? {
    guard let report = companionFile(folder, "report.json"),
      let configuration = companionFile(folder, "tokenizer_config.json"),
      report["vocab_tiktoken_sha256"]?.string == SHA256.hex(bytes.span),
      let pattern = report["pattern"]?.string.flatMap({ PretokenPattern(name: $0) })
    else { return nil }
    var specials: [SpecialToken] = []
    for member in configuration["added_tokens_decoder"]?.members ?? [] {
      if let id = UInt32(member.key), id <= idMax, let text = member.value["content"]?.string {
        specials.append(SpecialToken(id: id, text: text))
      }
    }
    return (pattern, specials)
  }
}
