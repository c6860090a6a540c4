import Bytes
import Storage

/// Writes a tokenizer folder that Hugging Face, transformers, tiktoken and llama.cpp's converter load, with equal ids.
public enum TokenizerFiles {
  /// The counts of the training corpus, as `PretokenCountsWriter` writes them.
  public static let countsName = "pretokens.counts"

  /// Writes `tokenizer.json`, `vocab.tiktoken`, `tokenizer_config.json` and `special_tokens_map.json`, then reads the
  /// first two back: they must be the same tokenizer and give the same ids for a sample.
  ///
  /// - Parameter legacyMerges: merges as `"a b"`, for readers older than Hugging Face tokenizers 0.20.
  /// - Returns: the files, for the manifest; and what they say of the tokenizer, for `report.json`, where readers of
  ///   `vocab.tiktoken` look for pattern and special tokens.
  public static func write(
    _ tokenizer: Tokenizer, folder: String, legacyMerges: Bool = false
  ) throws(StorageError) -> (files: [FileSummary], report: [JSONValue.Member]) {
    let files: [(String, [UInt8])] = [
      ("tokenizer.json", json(tokenizer, legacyMerges: legacyMerges)),
      ("vocab.tiktoken", TiktokenFile.write(tokenizer)),
      ("tokenizer_config.json", configuration(tokenizer).serialized(indent: 2) + [10]),
      ("special_tokens_map.json", specialTokensMap(tokenizer).serialized(indent: 2) + [10]),
    ]
    var summaries: [FileSummary] = []
    for (name, bytes) in files { summaries.append(try OutputFile.write(bytes, folder: folder, name: name)) }
    let read = try Tokenizer.load(path: Path.join(folder, "tokenizer.json"))
    let ranks = try Tokenizer.load(path: Path.join(folder, "vocab.tiktoken"), pattern: tokenizer.pattern)
    guard tokenizer.sha256 == read.sha256, tokenizer.endOfText == read.endOfText,
      ranks.merges == tokenizer.merges,
      encodesAlike(tokenizer, read), encodesAlike(tokenizer, ranks)
    else { throw .bug("the tokenizer \(tokenizer.name) reads back differently from \(folder)") }
    return (summaries, description(tokenizer, summaries[1]))
  }

  private static func encodesAlike(_ a: Tokenizer, _ b: Tokenizer) -> Bool {
    let sample =
      "The quick brown fox can't jump over 1,234 lazy dogs.\r\n\tif (x == 42) {\n    return \"naïve café\";\n}\n"
      + "Größe Москва 北京 東京 서울 हिन्दी العربية 👩🏽‍🚀 <|endoftext|>  \n  "
    return Encoder(a).encode(sample) == Encoder(b).encode(sample)
  }

  private static func description(_ tokenizer: Tokenizer, _ vocabulary: FileSummary) -> [JSONValue.Member] {
    func padded(_ multiple: Int) -> Int { (tokenizer.vocabularySize + multiple - 1) / multiple * multiple }
    return [
      .init("tokenizer_sha256", .string(tokenizer.sha256)), .init("pattern", .string(tokenizer.pattern.name)),
      .init("regex", .string(tokenizer.pattern.regex)), .init("unicode", .string(UnicodeTables.version)),
      .init("vocab_size", .int(tokenizer.vocabularySize)), .init("vocab_size_padded_64", .int(padded(64))),
      .init("vocab_size_padded_128", .int(padded(128))), .init("merges", .int(tokenizer.merges.count)),
      .init(
        "special_tokens",
        .object(tokenizer.specialTokens.map { .init($0.text, .int(Int($0.id))) })),
      .init("vocab_tiktoken_sha256", .string(vocabulary.sha256)),
    ]
  }

  // MARK: tokenizer.json

  /// - Source: the format of Hugging Face tokenizers 0.23.3. Members in its order, since other parsers depend on it.
  static func json(_ tokenizer: Tokenizer, legacyMerges: Bool) -> [UInt8] {
    var output: [UInt8] = []
    output.append("{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":")
    output.append(contentsOf: addedTokens(tokenizer).serialized())
    output.append(",\"normalizer\":null,\"pre_tokenizer\":")
    output.append(contentsOf: preTokenizer(tokenizer.pattern).serialized())
    output.append(",\"post_processor\":null,\"decoder\":")
    output.append(contentsOf: byteLevel(prefix: true, regex: true).serialized())
    output.append(
      ",\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,\"continuing_subword_prefix\":null")
    output.append(
      ",\"end_of_word_suffix\":null,\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":")
    output.append(tokenizer.ignoresMerges ? "true" : "false")
    output.append(",\"vocab\":{")
    appendVocabulary(tokenizer, to: &output)
    output.append("},\"merges\":[")
    for (rank, merge) in tokenizer.merges.enumerated() {
      output.append(rank == 0 ? "\n" : ",\n")
      let left = ByteAlphabet.text(tokenizer.tokens.token(merge.left).span)
      let right = ByteAlphabet.text(tokenizer.tokens.token(merge.right).span)
      let value: JSONValue =
        legacyMerges ? .string(left + " " + right) : .array([.string(left), .string(right)])
      output.append(contentsOf: value.serialized())
    }
    output.append("]}}\n")
    return output
  }

  /// Tokens by id. Special tokens stand here too: their ids in `added_tokens` are ignored otherwise.
  private static func appendVocabulary(_ tokenizer: Tokenizer, to output: inout [UInt8]) {
    var isFirst = true
    for id in 0..<UInt32(tokenizer.vocabularySize) {
      let special = tokenizer.specialTokens.first { $0.id == id }
      let token = id < tokenizer.tokens.count ? tokenizer.tokens.token(id) : []
      if token.isEmpty, special == nil { continue }
      output.append(isFirst ? "\n" : ",\n")
      isFirst = false
      JSONText.append(
        string: token.isEmpty ? special?.text ?? "" : ByteAlphabet.text(token.span), to: &output)
      output.append(UInt8(ascii: ":"))
      output.append(decimal: UInt(id))
    }
  }

  private static func addedTokens(_ tokenizer: Tokenizer) -> JSONValue {
    .array(
      tokenizer.specialTokens.map { special in
        [
          "id": .int(Int(special.id)), "content": .string(special.text), "single_word": false,
          "lstrip": false,
          "rstrip": false, "normalized": false, "special": true,
        ]
      })
  }

  /// For GPT-2's pattern `ByteLevel` alone, with its own expression: the same pieces, and llama.cpp knows it.
  private static func preTokenizer(_ pattern: PretokenPattern) -> JSONValue {
    guard pattern != .gpt2 else { return byteLevel(prefix: false, regex: true) }
    let split: JSONValue = [
      "type": "Split", "pattern": ["Regex": .string(pattern.regex)], "behavior": "Isolated", "invert": false,
    ]
    return ["type": "Sequence", "pretokenizers": .array([split, byteLevel(prefix: false, regex: false)])]
  }

  private static func byteLevel(prefix: Bool, regex: Bool) -> JSONValue {
    ["type": "ByteLevel", "add_prefix_space": .bool(prefix), "trim_offsets": true, "use_regex": .bool(regex)]
  }

  // MARK: Files for transformers

  /// The form of transformers 4, which 5 reads too. `clean_up_tokenization_spaces` must be false, or decoding loses
  /// spaces.
  static func configuration(_ tokenizer: Tokenizer) -> JSONValue {
    let added = tokenizer.specialTokens.map { special in
      JSONValue.Member(
        String(special.id),
        [
          "content": .string(special.text), "lstrip": false, "normalized": false, "rstrip": false,
          "single_word": false,
          "special": true,
        ])
    }
    return [
      "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": .null, "eos_token": endOfText(tokenizer),
      "pad_token": .null, "unk_token": .null,
      // transformers' own mark for "no limit known": int(1e30) does not fit 64 bits, so the largest 32-bit value.
      "model_max_length": .int(Int(Int32.max)), "clean_up_tokenization_spaces": false,
      "add_prefix_space": false,
      "added_tokens_decoder": .object(added),
    ]
  }

  static func specialTokensMap(_ tokenizer: Tokenizer) -> JSONValue {
    endOfText(tokenizer) == .null ? .object([]) : ["eos_token": endOfText(tokenizer)]
  }

  private static func endOfText(_ tokenizer: Tokenizer) -> JSONValue {
    guard let id = tokenizer.endOfText, let special = tokenizer.specialTokens.first(where: { $0.id == id })
    else {
      return .null
    }
    return .string(special.text)
  }
}
