import Pipeline
import Storage

/// `--dry-run`: what a run would do, without doing it.
enum DryRun {
  /// Input bytes as they lie on disk, per second and worker, to estimate time: measured on the demo dump with one worker
  /// (58 MB of gzip in 2.3 s; the later stages read zstd), rounded down.
  static let ratePerWorker: [String: Int] = [
    "extract": 24_000_000, "filter": 8_000_000, "dedup": 6_000_000, "train": 5_000_000, "tokenize": 8_000_000,
  ]

  static func show(_ plan: UnitPlan, stage: String, options: RunOptions) throws(StorageError) {
    var text = "stage    \(stage)\n"
    if let total = plan.totalBytes {
      let rate = (ratePerWorker[stage] ?? 5_000_000) * options.workers
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
