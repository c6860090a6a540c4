import Bytes

/// Hugging Face's `tokenizer.json`, as far as it describes a byte-level BPE with one of our patterns. Anything else is
/// refused by name.
///
/// Read besides what we write: files without `model.type`, `use_regex` or `ignore_merges` (their defaults are used),
/// merges as strings `"a b"`, a `ByteLevel` post-processor, `Removed` with `invert`.
enum TokenizerJSON {
  /// - Parameter endOfText: text of the token that ends documents, as a file beside this one says.
  static func parse(
    _ bytes: borrowing Span<UInt8>, name: String, endOfText: String? = nil
  ) throws(TokenizerError) -> Tokenizer {
    let root: JSONValue
    do {
      root = try JSONValue.parse(bytes)
    } catch {
      switch error {
      case .malformed(let offset): throw TokenizerError("not JSON at byte \(offset).")
      case .tooDeep(let offset): throw TokenizerError("JSON is nested too deep at byte \(offset).")
      }
    }
    guard let model = root["model"], let vocabulary = model["vocab"]?.members,
      let merges = model["merges"]?.array
    else { throw TokenizerError("no model.vocab and model.merges; not a tokenizer.json of a BPE tokenizer.") }
    try checkModel(model)
    if let normalizer = root["normalizer"], normalizer != .null {
      throw refused("the normalizer \(typeName(normalizer))")
    }
    let pattern = try self.pattern(root["pre_tokenizer"] ?? .null)

    var ids: [String: UInt32] = [:]
    for member in vocabulary {
      guard let id = member.value.int, id >= 0, id <= Tokenizer.idMax else {
        throw TokenizerError("the id of \(quoted(member.key)) is not a number from 0 to \(Tokenizer.idMax).")
      }
      guard ids.updateValue(UInt32(id), forKey: member.key) == nil else {
        throw TokenizerError("the token \(quoted(member.key)) stands there twice.")
      }
    }
    let list = try mergeList(merges, ids)
    let specials = try addedTokens(root["added_tokens"]?.array ?? [], ids)
    let end = specials.first { $0.text == endOfText }?.id
    return try assemble(name, pattern, ids, list, specials, end, model["ignore_merges"]?.bool ?? false)
  }

  private static func assemble(
    _ name: String, _ pattern: PretokenPattern, _ ids: [String: UInt32], _ merges: [Merge],
    _ specials: [Tokenizer.SpecialToken], _ endOfText: UInt32?, _ ignoresMerges: Bool
  ) throws(TokenizerError) -> Tokenizer {
    // A special token that no merge makes and that is not a byte is no ordinary token.
    let made = Set(merges.map(\.result))
    let special = Set(specials.map(\.id))
    var tokens: [UInt32: [UInt8]] = [:]
    for (text, id) in ids {
      let raw = ByteAlphabet.raw(text) ?? Array(text.utf8)
      if special.contains(id), !made.contains(id), raw.count > 1 { continue }
      guard tokens.updateValue(raw, forKey: id) == nil else {
        throw TokenizerError("id \(id) belongs to two tokens.")
      }
    }
    return try Tokenizer(
      name: name, pattern: pattern, tokens: TokenBytes(tokens), merges: merges, specialTokens: specials,
      endOfText: endOfText, ignoresMerges: ignoresMerges)
  }

  private static func checkModel(_ model: JSONValue) throws(TokenizerError) {
    if let type = model["type"], type != .string("BPE") { throw refused("the model \(typeName(model))") }
    if let dropout = model["dropout"]?.double, dropout != 0 { throw refused("dropout") }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let text = model[key]?.string, !text.isEmpty { throw refused(key) }
    }
    if model["byte_fallback"]?.bool == true { throw refused("byte_fallback") }
  }

  private static func pattern(_ value: JSONValue) throws(TokenizerError) -> PretokenPattern {
    var steps = [value]
    if value["type"]?.string == "Sequence" { steps = value["pretokenizers"]?.array ?? [] }
    guard let last = steps.last, last["type"]?.string == "ByteLevel" else {
      throw refused("a pre-tokenizer that does not end with ByteLevel (\(typeName(steps.last ?? .null)))")
    }
    // Absent means true, in both.
    guard last["add_prefix_space"]?.bool == false else { throw refused("ByteLevel with add_prefix_space") }
    let usesRegex = last["use_regex"]?.bool ?? true
    if steps.count == 1, usesRegex { return .gpt2 }
    guard steps.count == 2, !usesRegex, steps[0]["type"]?.string == "Split" else {
      throw refused("this sequence of pre-tokenizers (\(steps.map(typeName).joined(separator: ", ")))")
    }
    let split = steps[0]
    let isolates =
      split["behavior"]?.string == "Isolated" && split["invert"]?.bool != true
      || split["behavior"]?.string == "Removed" && split["invert"]?.bool == true
    guard isolates else { throw refused("a Split that is not Isolated") }
    guard let regex = split["pattern"]?["Regex"]?.string, let pattern = PretokenPattern(regex: regex) else {
      throw refused("this Split pattern; known are \(PretokenPattern.names)")
    }
    return pattern
  }

  private static func mergeList(_ values: [JSONValue], _ ids: [String: UInt32]) throws(TokenizerError)
    -> [Merge]
  {
    var merges: [Merge] = []
    merges.reserveCapacity(values.count)
    for (rank, value) in values.enumerated() {
      var parts = value.array?.compactMap(\.string) ?? []
      if let text = value.string {
        parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      }
      guard parts.count == 2 else { throw TokenizerError("merge \(rank) is not a pair of tokens.") }
      guard let left = ids[parts[0]], let right = ids[parts[1]], let result = ids[parts[0] + parts[1]] else {
        throw TokenizerError(
          "merge \(rank) (\(quoted(parts[0])), \(quoted(parts[1]))) names tokens without an id.")
      }
      merges.append(Merge(left: left, right: right, result: result))
    }
    return merges
  }

  /// Hugging Face ignores the id of an added token whose text is not in the vocabulary and numbers it itself, after the
  /// vocabulary. A file that says otherwise would give other ids there, so it is refused.
  private static func addedTokens(
    _ values: [JSONValue], _ ids: [String: UInt32]
  ) throws(TokenizerError) -> [Tokenizer.SpecialToken] {
    var specials: [Tokenizer.SpecialToken] = []
    var next = ids.count
    for value in values {
      guard let text = value["content"]?.string, !text.isEmpty, let id = value["id"]?.int else {
        throw TokenizerError("an added token has no content or no id.")
      }
      if specials.contains(where: { $0.text == text }) { continue }
      let assigned = ids[text].map(Int.init) ?? next
      guard assigned == id, id <= Tokenizer.idMax else {
        throw TokenizerError(
          "the added token \(quoted(text)) has the id \(id) in the file, and \(assigned) when Hugging Face loads it."
        )
      }
      if ids[text] == nil { next += 1 }
      specials.append(Tokenizer.SpecialToken(id: UInt32(id), text: text))
    }
    return specials
  }

  private static func typeName(_ value: JSONValue) -> String { value["type"]?.string ?? "none" }
  private static func quoted(_ text: String) -> String { "\"" + String(text.prefix(40)) + "\"" }
  private static func refused(_ what: String) -> TokenizerError {
    TokenizerError(
      "\(what) is not supported; sluice reads byte-level BPE with the patterns \(PretokenPattern.names).")
  }
}
