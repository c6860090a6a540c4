import ArgumentParser
import Bytes
import Pipeline
import Sharding
import Storage

/// `sluice plan`: what training on a corpus takes, before anyone rents a GPU. Reads only.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Plan a training: time, GPUs, money, energy, memory, data loading.",
    discussion: """
      Numbers take K, M, B, T; rates GB/s or Gbit/s; shares 0.42 or 42%. What is not
      given is assumed, and the output says so. docs/planner.md has the formulas.

      Examples:
        sluice plan --parameters 7B --tokens 300B --gpu H100 --gpus 1024
        sluice plan --parameters 175B --tokens 300B --gpu H100 --days 30 \\
          --tensor-parallel 8 --pipeline-parallel 8 --virtual-stages 6 \\
          --sequence 2048 --global-batch 1536
        sluice plan --layers 32 --hidden 4096 --heads 32 --ffn 11008 --gated \\
          --vocab 32000 --tokens 2T --gpu A100-80 --budget 3M --price 1.5-2.5
        sluice plan --parameters 124M --store store --gpu A100-40 --gpus 8 --json
        sluice plan --articles
      """)

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Corpus") var corpus: CorpusOptions
  @OptionGroup(title: "Cluster") var cluster: ClusterOptions
  @OptionGroup(title: "Parallelism") var parallelism: ParallelismOptions
  @OptionGroup(title: "Money and energy") var money: MoneyOptions

  @Flag(name: .long, help: "Show what three articles claim beside what the formulas give.")
  var articles = false

  @Flag(name: .long, help: "Machine output, SI units.")
  var json = false

  func run() throws {
    if articles {
      let claims = ArticleClaim.inspection(try ArticleClaim.all())
      return try json ? write(claims.json) : StandardStreams.write(PlanText.text(claims.tables))
    }
    let plan = try TrainingPlan(try request())
    try json ? write(plan.json) : StandardStreams.write(PlanText.text(plan.tables))
  }

  private func write(_ json: JSONValue) throws(StorageError) {
    try StandardStreams.write(json.serialized(indent: 2) + [10])
  }

  private func request() throws(StorageError) -> TrainingPlanRequest {
    let device = try cluster.device()
    var request = try corpus.request(device)
    try model.fill(&request)
    try cluster.fill(&request)
    try parallelism.fill(&request)
    try money.fill(&request)
    return request
  }
}

/// Tables as text: columns of words to the left, numbers to the right.
enum PlanText {
  static func text(_ tables: [Inspection.Table]) -> String {
    var text = ""
    for table in tables {
      if !text.isEmpty { text += "\n" }
      text += table.title + "\n"
      let isWords = table.columns == TrainingPlan.columns || table.columns.count == 1
      if isWords || table.columns == ArticleClaim.columns {
        text += words(table, right: isWords ? [] : [2, 3, 4])
      } else {
        text += Format.table(table.rows, header: table.columns)
      }
    }
    return text
  }

  private static func words(_ table: Inspection.Table, right: Set<Int>) -> String {
    let widths = table.columns.indices.map { column in
      // A line that fills a row of its own (a verdict) does not widen its column.
      table.rows.filter { row in
        column == 0 || row.dropFirst(column + 1).contains { !$0.isEmpty } || column == row.count - 1
      }
      .map { $0[column].unicodeScalars.count }.max() ?? 0
    }
    var text = ""
    // What stands in a table of words needs no heading, but for the claims.
    for row in (table.columns == ArticleClaim.columns ? [table.columns] : []) + table.rows {
      var line = ""
      for (column, cell) in row.enumerated() {
        let space = String(repeating: " ", count: max(0, widths[column] - cell.unicodeScalars.count))
        line += "  " + (right.contains(column) ? space + cell : cell + space)
      }
      while line.hasSuffix(" ") { line.removeLast() }
      text += line + "\n"
    }
    return text
  }
}
