import Pipeline
import Storage

/// `--dry-run`: what a run would do, without doing it.
enum DryRun {
  /// Assumed rates of input bytes per second and worker, to estimate time: a stage's own measured rate, rounded down
  /// (Benchmarks/RESULTS.md).
  static let ratePerWorker: [String: Int] = [
    "extract": 8 << 20, "filter": 8 << 20, "dedup": 6 << 20, "train": 6 << 20, "tokenize": 6 << 20,
  ]

  static func show(_ plan: UnitPlan, stage: String, options: RunOptions) throws(StorageError) {
    var text = "stage    \(stage)\n"
    if let total = plan.totalBytes {
      let rate = (ratePerWorker[stage] ?? 8 << 20) * options.workers
      text += "inputs   \(Format.count(plan.inputs.count)) files, \(Format.bytes(Int(total)))\n"
      text += "units    \(Format.count(plan.units.count)) of at most \(Format.bytes(Int(plan.unitBytes)))\n"
      text +=
        "time     about \(Format.seconds(Double(total) / Double(rate))) with \(options.workers) workers\n"
    } else {
      text += "inputs   standard input, units of \(Format.bytes(Int(plan.unitBytes)))\n"
    }
    text += "memory   at most \(Format.bytes(options.memoryBytes))\n"
    for unit in plan.units.prefix(20) {
      let end = unit.to ?? unit.input.size
      text += "unit \(unit.index)  \(unit.input.name)  bytes \(unit.from)..<\(end.map { "\($0)" } ?? "end")\n"
    }
    if plan.units.count > 20 { text += "… and \(plan.units.count - 20) more units\n" }
    try StandardStreams.write(text)
  }
}
