import Bytes
import Documents

/// The worker of `encode`: adds `"tokens":[…]` to every document; one that stands there is replaced.
public final class EncodeTransform: DocumentTransform {
  private let encoder: Encoder
  private let specialText: Encoder.SpecialText
  private var ids: [UInt32] = []
  private var member: [UInt8] = []

  public init(_ tokenizer: Tokenizer, specialText: Encoder.SpecialText = .ordinary) {
    encoder = Encoder(tokenizer)
    self.specialText = specialText
  }

  public func apply(
    _ input: borrowing DocumentBatch, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger
  ) {
    for index in 0..<input.count {
      let entry = input.entries[index]
      let language = input.language(at: index)
      ids.removeAll(keepingCapacity: true)
      encoder.encode(input.bytes.span.extracting(entry.text), specialText: specialText, into: &ids)
      member.removeAll(keepingCapacity: true)
      TokenMember.append(ids.span, to: &member)
      let others = TokenMember.split(input.bytes.span.extracting(entry.extras))
      if others.value == nil {
        kept.append(from: input, index, extraMembers: member)
      } else {
        var document = input.document(at: index)
        document.extras = others.rest
        if !document.extras.isEmpty { document.extras.append(UInt8(ascii: ",")) }
        document.extras.append(contentsOf: member)
        kept.append(document)
      }
      ledger.countIn(language: language, textBytes: entry.text.count)
      ledger.countOut(
        language: language, source: input.bytes.span.extracting(entry.source).string(),
        textBytes: entry.text.count)
      ledger.counters["tokens", default: 0] += ids.count
      ledger.observe("tokens_per_document", ids.count)
    }
  }
}

/// The worker of `decode`: the text of every document becomes what its `"tokens"` say, and they go.
///
/// - Drops: `no-tokens` where there is no array of ids; `unknown-id` where the vocabulary does not have one.
/// - Marks: `invalid-utf8` where the bytes are no text; they become U+FFFD.
public final class DecodeTransform: DocumentTransform {
  private let tokenizer: Tokenizer
  private var ids: [UInt32] = []
  private var raw: [UInt8] = []

  public init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  public func apply(
    _ input: borrowing DocumentBatch, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger
  ) {
    for index in 0..<input.count {
      let entry = input.entries[index]
      let language = input.language(at: index)
      ledger.countIn(language: language, textBytes: entry.text.count)
      let (value, rest) = TokenMember.split(input.bytes.span.extracting(entry.extras))
      if let drop = decode(value) {
        ledger.drop(rule: drop.rule, textBytes: entry.text.count)
        dropped.append(from: input, index, extraMembers: drop.member)
        continue
      }
      var document = input.document(at: index)
      document.extras = rest
      document.text.removeAll(keepingCapacity: true)
      if UTF8Text.repair(raw.span, into: &document.text) > 0 { ledger.marks["invalid-utf8", default: 0] += 1 }
      kept.append(document)
      ledger.countOut(
        language: language, source: document.source.string, textBytes: document.text.count)
    }
  }

  /// Puts the bytes of the ids into `raw`, or says why it cannot.
  private func decode(_ value: [UInt8]?) -> Drop? {
    guard let value, TokenMember.ids(value.span, into: &ids) else {
      return Drop(stage: "decode", rule: "no-tokens")
    }
    raw.removeAll(keepingCapacity: true)
    do throws(TokenizerError) {
      try tokenizer.decode(ids, into: &raw)
      return nil
    } catch {
      let unknown = ids.first { tokenizer.bytes(of: $0).isEmpty } ?? 0
      return Drop(
        stage: "decode", rule: "unknown-id", value: .int(Int(unknown)),
        threshold: .int(tokenizer.vocabularySize))
    }
  }
}
