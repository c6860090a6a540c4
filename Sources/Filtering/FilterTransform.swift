import Bytes
import Documents

/// The worker of `filter`: normalises each text (NFC, white space at edges), measures it, and drops it by the first rule of
/// the recipe that fires.
///
/// Kept documents go on with the normalised text; dropped ones stay as they came, with `drop` among their members.
///
/// - Drops: by rule, with value and threshold.
public final class FilterTransform: DocumentTransform {
  private let recipe: Recipe
  private let stage: String
  private let analysis = TextAnalysis()

  public init(recipe: Recipe, stage: String = "filter") {
    self.recipe = recipe
    self.stage = stage
  }

  public func apply(
    _ input: borrowing DocumentBatch, kept: inout DocumentBatch, dropped: inout DocumentBatch,
    ledger: inout Ledger
  ) {
    for index in 0..<input.count {
      let entry = input.entries[index]
      let language = input.language(at: index)
      ledger.countIn(language: language, textBytes: entry.text.count)
      analysis.load(input.bytes.span.extracting(entry.text))
      if let drop = firstDrop() {
        dropped.append(from: input, index, extraMembers: drop.member)
        ledger.drop(rule: drop.rule, textBytes: entry.text.count)
        continue
      }
      if analysis.hasChanged { ledger.counters["texts_normalised", default: 0] += 1 }
      kept.append(from: input, index, text: analysis.hasChanged ? analysis.text : nil)
      ledger.countOut(
        language: language, source: input.bytes.span.extracting(entry.source).string(),
        textBytes: analysis.text.count)
    }
  }

  private func firstDrop() -> Drop? {
    for entry in recipe.entries where entry.applies(to: analysis) {
      let measure = entry.rule.measure(analysis)
      guard let bound = entry.broken(by: measure) else { continue }
      return Drop(stage: stage, rule: entry.rule.name, value: measure.json, threshold: bound.json)
    }
    return nil
  }
}
