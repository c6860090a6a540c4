import ArgumentParser

/// `sluice shard`: views of stores, and stores out of stores. Without a subcommand it makes a view.
struct ShardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shard",
    abstract: "Decide which GPU rank reads which tokens, for any number of GPUs.",
    discussion: """
      Without a subcommand: sluice shard view, which makes the view of a store (1 KB)
      and rewrites no token. Its options: sluice shard view --help.

      Examples:
        sluice shard store --gpus 8 --context 2048 -o view.json
        sluice shard store --gpus 1024 --tensor-parallel 8 --pipeline-parallel 8 \\
          --context 4096 --packing concat --global-batch 1536 -o big.json
        sluice shard store --gpus 16 --context 2048 --ranks
        sluice shard store store-2 --gpus 8 -o both.json
        sluice shard store --without ids.txt -o store-3
        sluice shard merge store store-2 -o merged
      """,
    subcommands: [ShardViewCommand.self, ShardMergeCommand.self],
    defaultSubcommand: ShardViewCommand.self)
}
