import ArgumentParser

/// `sluice shard`: views of stores, and stores out of stores. Without a subcommand it makes a view.
struct ShardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shard",
    abstract: "Decide which GPU rank reads which tokens, for any number of GPUs.",
    subcommands: [ShardViewCommand.self],
    defaultSubcommand: ShardViewCommand.self)
}
